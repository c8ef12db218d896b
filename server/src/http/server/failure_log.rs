//! Which failures are logged: each cause once in a while, and how many were not. What a client can bring about with every
//! request would fill a disk otherwise.

use std::sync::Arc;
use std::time::Duration;

/// How long a cause is not told again.
const WINDOW: Duration = Duration::from_secs(10);
/// How many causes are told within that time. With a line of 300 bytes each that is 41 MB a day at the most.
const CAUSES_MAX: usize = 16;

/// What was told lately.
#[derive(Default)]
pub struct FailureLog {
    began: Duration,
    causes: Vec<Arc<str>>,
    untold: u64,
}

/// Whether a failure is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logged {
    /// It is, and so many were not since the last that was.
    Anew {
        /// How many.
        untold: u64,
    },
    /// Its cause was told just now, or too many others were.
    Again,
}

impl FailureLog {
    /// A failure at a time by a clock that only goes on.
    pub fn tell(&mut self, now: Duration, cause: &Arc<str>) -> Logged {
        if now.saturating_sub(self.began) >= WINDOW {
            self.began = now;
            self.causes.clear();
        }
        if self.causes.len() >= CAUSES_MAX || self.causes.contains(cause) {
            self.untold += 1;
            return Logged::Again;
        }
        self.causes.push(Arc::clone(cause));
        Logged::Anew { untold: std::mem::take(&mut self.untold) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once_in_a_while_with_how_many_were_not() {
        let (mut log, one, other) = (FailureLog::default(), Arc::from("one"), Arc::from("other"));
        let at = Duration::from_secs;
        assert_eq!(log.tell(at(1), &one), Logged::Anew { untold: 0 });
        for _ in 0..1_000 {
            assert_eq!(log.tell(at(9), &one), Logged::Again);
        }
        assert_eq!(log.tell(at(9), &other), Logged::Anew { untold: 1_000 });
        assert_eq!(log.tell(at(10), &one), Logged::Anew { untold: 0 }, "a while later");
        assert_eq!(log.tell(at(19), &other), Logged::Anew { untold: 0 });
    }

    #[test]
    fn causes_that_differ_every_time_are_no_more_lines() {
        let mut log = FailureLog::default();
        let told = (0..100_000_u64)
            .filter(|n| log.tell(Duration::from_millis(n / 5), &n.to_string().into()) != Logged::Again)
            .count();
        assert_eq!(told, 2 * CAUSES_MAX, "in twenty seconds");
    }
}
