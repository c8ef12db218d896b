//! What a run counted: latencies by percentile, answers by status, and how many there were in each moment.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::actor::Times;

/// Latencies are told apart from a microsecond to a minute, to three digits; beyond a minute they are a minute.
const LONGEST_US: u64 = 60_000_000;
/// The timeline has a step of this length.
pub(crate) const STEP: Duration = Duration::from_millis(100);

/// The part of a run that counts: what began in it. Before it the server warms up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Its first moment.
    pub(crate) from: Instant,
    /// The first moment after it.
    pub(crate) to: Instant,
}

/// What one run, or one thread's part of it, counted.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// Microseconds from when a request should have begun to its whole answer.
    pub(crate) latency: Histogram<u64>,
    /// Answers in each [`STEP`] of the window.
    pub(crate) timeline: Vec<u64>,
    /// Answers by status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Answers that were not what the request asks for: refusals, errors, nonsense.
    pub(crate) refused: u64,
    /// Requests whose connection ended before their answer, or whose answer did not come in time.
    pub(crate) lost: u64,
    /// Requests of an open pace that were due and could not begin before the end.
    pub(crate) unsent: u64,
}

impl Tally {
    /// Nothing yet.
    pub(crate) fn new() -> Tally {
        let latency =
            Histogram::new_with_max(LONGEST_US, 3).expect("three digits up to a minute are possible");
        Tally { latency, timeline: Vec::new(), statuses: BTreeMap::new(), refused: 0, lost: 0, unsent: 0 }
    }

    /// One answer came.
    pub(crate) fn answered(&mut self, window: &Window, times: Times, status: u16, good: bool) {
        let Times { due: began, answered: now } = times;
        if began < window.from || began >= window.to {
            return;
        }
        let took = u64::try_from((now - began).as_micros()).unwrap_or(LONGEST_US);
        self.latency.saturating_record(took.clamp(1, LONGEST_US));
        *self.statuses.entry(status).or_default() += 1;
        self.refused += u64::from(!good);
        let step = (now.saturating_duration_since(window.from).as_micros() / STEP.as_micros()) as usize;
        if now < window.to {
            if self.timeline.len() <= step {
                self.timeline.resize(step + 1, 0);
            }
            self.timeline[step] += 1;
        }
    }

    /// A request of the window found no answer by `now`.
    pub(crate) fn lost(&mut self, window: &Window, began: Instant, now: Instant) {
        if began < window.from || began >= window.to {
            return;
        }
        // It took at least this long: to leave it out would make the server look better for dropping it.
        let took = u64::try_from((now - began).as_micros()).unwrap_or(LONGEST_US);
        self.latency.saturating_record(took.clamp(1, LONGEST_US));
        self.lost += 1;
    }

    /// Takes in what another thread or run counted.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.latency.add(&other.latency).expect("both have the same bounds");
        if self.timeline.len() < other.timeline.len() {
            self.timeline.resize(other.timeline.len(), 0);
        }
        for (count, more) in self.timeline.iter_mut().zip(&other.timeline) {
            *count += more;
        }
        for (status, more) in &other.statuses {
            *self.statuses.entry(*status).or_default() += more;
        }
        self.refused += other.refused;
        self.lost += other.lost;
        self.unsent += other.unsent;
    }

    /// How many requests were answered.
    pub(crate) fn answers(&self) -> u64 {
        self.statuses.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_began_in_the_window_counts_and_it_counts_from_when_it_should_have_begun() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let window = Window { from: at(100), to: at(400) };
        let mut tally = Tally::new();
        let times = |due, answered| Times { due: at(due), answered: at(answered) };
        tally.answered(&window, times(99, 150), 200, true);
        tally.answered(&window, times(100, 350), 200, true);
        tally.answered(&window, times(390, 420), 422, false);
        tally.answered(&window, times(400, 401), 200, true);
        tally.lost(&window, at(200), at(1200));
        assert_eq!((tally.answers(), tally.refused, tally.lost), (2, 1, 1));
        assert_eq!(tally.timeline, [0, 0, 1]);
        assert_eq!(tally.latency.len(), 3);
        assert_eq!(tally.latency.max() / 1000, 1000);
    }
}
