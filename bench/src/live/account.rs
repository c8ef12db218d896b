//! What became of each change on each stream: it came, a newer state came in its place, or it is lost.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::changer::Change;

/// Delays are told apart from a microsecond to a minute, to three digits.
const LONGEST_US: u64 = 60_000_000;

/// A state that came on a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Its revision.
    pub(crate) revision: u64,
    /// When it was there.
    pub(crate) at: Instant,
}

/// Whether every device saw every change, or a newer state of the cart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// Changes that were acknowledged.
    pub(crate) changes: u64,
    /// Changes times the streams that watch their carts: so many states are to be seen.
    pub(crate) due: u64,
    /// Of these: the very state came.
    pub(crate) came: u64,
    /// A newer state came in its place.
    pub(crate) passed_over: u64,
    /// Neither came in time.
    pub(crate) lost: u64,
    /// Events that were no newer than what their stream had shown already.
    pub(crate) backwards: u64,
    /// Streams that ended though nobody ended them.
    pub(crate) ended: u64,
    /// Streams whose last event is not the cart as it is read at the end.
    pub(crate) unlike: u64,
}

impl Account {
    /// Whether nothing is wrong.
    pub(crate) fn holds(&self) -> bool {
        self.lost + self.backwards + self.ended + self.unlike == 0
    }
}

/// How long states take to the other devices.
#[derive(Clone, Debug)]
pub(crate) struct Delays {
    /// Microseconds from when the change's request should have begun.
    pub(crate) since_due: Histogram<u64>,
    /// Microseconds from when the change's answer was there; zero where the event was there before.
    pub(crate) since_answer: Histogram<u64>,
    /// How many events were there before the answer.
    pub(crate) before_answer: u64,
}

impl Delays {
    /// None yet.
    pub(crate) fn new() -> Delays {
        let histogram =
            || Histogram::new_with_max(LONGEST_US, 3).expect("three digits up to a minute are possible");
        Delays { since_due: histogram(), since_answer: histogram(), before_answer: 0 }
    }

    fn count(&mut self, change: &Change, at: Instant) {
        let us = |took: Duration| u64::try_from(took.as_micros()).unwrap_or(LONGEST_US);
        self.since_due.saturating_record(us(at.saturating_duration_since(change.due)));
        self.since_answer.saturating_record(us(at.saturating_duration_since(change.answered)));
        self.before_answer += u64::from(at < change.answered);
    }

    /// Takes in another run's.
    pub(crate) fn add(&mut self, other: &Delays) {
        self.since_due.add(&other.since_due).expect("both have the same bounds");
        self.since_answer.add(&other.since_answer).expect("both have the same bounds");
        self.before_answer += other.before_answer;
    }
}

/// Looks for each change among what the streams of its session have `seen`, each in order. A change that was due before
/// `from` is looked for, and not timed.
pub(crate) fn settle<'a>(
    changes: &[Change],
    from: Instant,
    seen: impl Fn(usize) -> &'a [&'a [Seen]],
    account: &mut Account,
    delays: &mut Delays,
) {
    account.changes += changes.len() as u64;
    for change in changes {
        for seen in seen(change.session) {
            account.due += 1;
            let at = seen.partition_point(|state| state.revision < change.revision);
            let Some(state) = seen.get(at) else {
                account.lost += 1;
                continue;
            };
            if state.revision == change.revision {
                account.came += 1;
            } else {
                account.passed_over += 1;
            }
            if change.due >= from {
                delays.count(change, state.at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_or_is_passed_over_by_a_newer_one_or_is_lost() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let change = |revision, ms| Change { session: 0, revision, due: at(ms), answered: at(ms + 2) };
        let changes = [change(5, 0), change(6, 10), change(7, 20), change(8, 30)];
        let seen = |states: &[(u64, u64)]| -> Vec<Seen> {
            states.iter().map(|(revision, ms)| Seen { revision: *revision, at: at(*ms) }).collect()
        };
        let whole = seen(&[(5, 1), (6, 14), (7, 24), (8, 34)]);
        let hasty = seen(&[(5, 4), (7, 25), (8, 34)]);
        let cut = seen(&[(5, 4), (6, 14), (7, 24)]);
        let check = |streams: &[&[Seen]]| {
            let (mut account, mut delays) = (Account::default(), Delays::new());
            settle(&changes, at(10), |_| streams, &mut account, &mut delays);
            (account, delays)
        };
        let (account, delays) = check(&[&whole, &hasty]);
        assert_eq!((account.changes, account.due, account.came), (4, 8, 7));
        assert_eq!((account.passed_over, account.lost, account.holds()), (1, 0, true));
        assert_eq!(delays.since_due.len(), 6, "what was due in the warm-up is not timed");
        assert_eq!((delays.since_due.min() / 1000, delays.since_due.max() / 1000), (4, 15));
        assert_eq!((delays.since_answer.max() / 1000, delays.before_answer), (13, 0));

        let (account, _) = check(&[&whole, &cut]);
        assert_eq!((account.lost, account.holds()), (1, false), "a newer state never came");

        let early = seen(&[(8, 31)]);
        let (_, delays) = check(&[&early]);
        assert_eq!((delays.before_answer, delays.since_answer.min()), (1, 0));
    }
}
