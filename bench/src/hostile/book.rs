//! What became of each thing that neighbours asked for, before the attack, during it and after it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Latencies are told apart from a microsecond to a minute, to three digits.
const LONGEST_US: u64 = 60_000_000;

/// What a neighbour does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Reads the cart.
    Read,
    /// Puts something in.
    Add,
    /// Comes in by a connection of its own and begins a guest's cart.
    Arrive,
    /// Signs in with the right password, on a device that the account knows.
    SignIn,
    /// Orders what it saw.
    Checkout,
    /// Opens a stream of its cart's events and sees the first.
    Watch,
    /// Asks whether the server is up and ready.
    Probe,
}

impl Kind {
    /// All of them, in the order of the table.
    pub(crate) const ALL: [Kind; 7] =
        [Kind::Read, Kind::Add, Kind::Arrive, Kind::SignIn, Kind::Checkout, Kind::Watch, Kind::Probe];

    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Read => "read",
            Kind::Add => "add",
            Kind::Arrive => "arrive",
            Kind::SignIn => "sign in",
            Kind::Checkout => "check out",
            Kind::Watch => "watch",
            Kind::Probe => "probe",
        }
    }
}

/// Where the attack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// It has not begun.
    Before,
    /// It is on.
    During,
    /// It has stopped.
    After,
}

impl Phase {
    /// All of them, in time.
    pub(crate) const ALL: [Phase; 3] = [Phase::Before, Phase::During, Phase::After];

    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Phase::Before => "before",
            Phase::During => "during",
            Phase::After => "after",
        }
    }
}

/// When each phase begins. They are of one length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The first moment of the first.
    pub(crate) from: Instant,
    /// How long each lasts.
    pub(crate) each: Duration,
}

impl Plan {
    /// The first moment of a phase.
    pub(crate) fn begins(&self, phase: Phase) -> Instant {
        self.from + self.each * phase as u32
    }

    /// The first moment after a phase.
    pub(crate) fn ends(&self, phase: Phase) -> Instant {
        self.begins(phase) + self.each
    }

    /// The phase of a moment; none while the server is warmed up, and when all is over.
    pub(crate) fn phase(&self, at: Instant) -> Option<Phase> {
        Phase::ALL.into_iter().find(|phase| at >= self.begins(*phase) && at < self.ends(*phase))
    }
}

/// What came of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// What it asked for.
    Good,
    /// A refusal, an error or no answer.
    Refused(String),
    /// An answer that is not true.
    Wrong(String),
}

/// What was asked of one kind, in one phase.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    /// Microseconds to the whole answer, or to where it was given up.
    pub(crate) latency: Histogram<u64>,
    /// What was refused, by what was said.
    pub(crate) refused: BTreeMap<String, u64>,
    /// What was wrong, by what was wrong with it.
    pub(crate) wrong: BTreeMap<String, u64>,
}

impl Sheet {
    fn new() -> Sheet {
        let latency =
            Histogram::new_with_max(LONGEST_US, 3).expect("three digits up to a minute are possible");
        Sheet { latency, refused: BTreeMap::new(), wrong: BTreeMap::new() }
    }

    fn add(&mut self, other: &Sheet) {
        self.latency.add(&other.latency).expect("both have the same bounds");
        for (own, more) in [(&mut self.refused, &other.refused), (&mut self.wrong, &other.wrong)] {
            for (what, count) in more {
                *own.entry(what.clone()).or_default() += count;
            }
        }
    }
}

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    plan: Plan,
    /// What was asked.
    pub(crate) sheets: BTreeMap<(Phase, Kind), Sheet>,
    /// How long after the attack had stopped something was still refused or wrong.
    pub(crate) troubled_for: Duration,
}

impl Book {
    /// An empty one.
    pub(crate) fn new(plan: Plan) -> Book {
        Book { plan, sheets: BTreeMap::new(), troubled_for: Duration::ZERO }
    }

    /// Notes what came of a request that should have begun at `due`.
    pub(crate) fn note(&mut self, kind: Kind, due: Instant, done: Instant, verdict: Verdict) {
        let Some(phase) = self.plan.phase(due) else { return };
        let sheet = self.sheets.entry((phase, kind)).or_insert_with(Sheet::new);
        let took = done.saturating_duration_since(due).as_micros();
        sheet.latency.saturating_record(u64::try_from(took).unwrap_or(LONGEST_US).clamp(1, LONGEST_US));
        match verdict {
            Verdict::Good => return,
            Verdict::Refused(what) => *sheet.refused.entry(what).or_default() += 1,
            Verdict::Wrong(what) => *sheet.wrong.entry(what).or_default() += 1,
        }
        if phase == Phase::After {
            self.troubled_for = self.troubled_for.max(due - self.plan.begins(Phase::After));
        }
    }

    /// Takes in another run's.
    pub(crate) fn add(&mut self, other: &Book) {
        for (key, more) in &other.sheets {
            self.sheets.entry(*key).or_insert_with(Sheet::new).add(more);
        }
        self.troubled_for = self.troubled_for.max(other.troubled_for);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_counts_in_the_phase_in_which_it_should_have_begun() {
        let from = Instant::now() + Duration::from_secs(10);
        let plan = Plan { from, each: Duration::from_secs(20) };
        let at = |s| from + Duration::from_secs(s);
        let mut book = Book::new(plan);
        book.note(Kind::Read, from - Duration::from_secs(1), at(0), Verdict::Refused("503".into()));
        book.note(Kind::Read, at(0), at(1), Verdict::Good);
        book.note(Kind::Read, at(19), at(21), Verdict::Refused("503".into()));
        book.note(Kind::Read, at(20), at(25), Verdict::Wrong("a wrong price".into()));
        assert_eq!(book.troubled_for, Duration::ZERO);
        book.note(Kind::Read, at(47), at(48), Verdict::Refused("503".into()));
        book.note(Kind::Read, at(60), at(61), Verdict::Refused("503".into()));
        let sheet = |phase| &book.sheets[&(phase, Kind::Read)];
        let counts = Phase::ALL.map(|phase| {
            let sheet = sheet(phase);
            (sheet.latency.len(), sheet.refused.values().sum(), sheet.wrong.values().sum())
        });
        assert_eq!(counts, [(2, 1, 0), (1, 0, 1), (1, 1, 0)]);
        assert_eq!(sheet(Phase::During).latency.max() / 1_000_000, 5);
        assert_eq!(book.troubled_for, Duration::from_secs(7));
        let again = book.clone();
        book.add(&again);
        assert_eq!(book.sheets[&(Phase::Before, Kind::Read)].refused["503"], 2);
    }
}
