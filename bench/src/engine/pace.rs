//! When the next request should begin: as soon as the last one is answered, or at a given rate whatever the answers take.

use std::time::{Duration, Instant};

/// How requests follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    /// Each connection asks again when it has its answer.
    Closed,
    /// So many a second over all connections, at even distances. One that finds every connection busy waits, and its
    /// waiting counts: its latency runs from when it should have begun.
    Open(f64),
}

/// The even distances of one thread's share of an open pace.
#[derive(Debug)]
pub(crate) struct Schedule {
    next: Instant,
    every: Duration,
}

impl Schedule {
    /// The share that thread `thread` of `threads` has in `per_second`. The threads take turns.
    pub(crate) fn new(began: Instant, per_second: f64, thread: usize, threads: usize) -> Schedule {
        let between = Duration::from_secs_f64(1.0 / per_second);
        Schedule { next: began + between.mul_f64(thread as f64), every: between.mul_f64(threads as f64) }
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// The time that was due by `now`, if any; the schedule goes on behind it.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Instant> {
        let due = self.next;
        (due <= now).then(|| {
            self.next += self.every;
            due
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_pace_owes_what_it_could_not_begin_in_time() {
        let began = Instant::now();
        let mut schedule = Schedule::new(began, 100.0, 0, 1);
        let late = began + Duration::from_millis(25);
        let due: Vec<_> = std::iter::from_fn(|| schedule.take_due(late)).collect();
        let expected: Vec<_> = [0, 10, 20].map(|ms| began + Duration::from_millis(ms)).into();
        assert_eq!(due, expected);
        assert_eq!(schedule.next(), began + Duration::from_millis(30));
    }

    #[test]
    fn threads_share_a_pace_in_turn() {
        let began = Instant::now();
        let mut times: Vec<_> = (0..2)
            .flat_map(|thread| {
                let mut schedule = Schedule::new(began, 1000.0, thread, 2);
                std::iter::from_fn(move || schedule.take_due(began + Duration::from_millis(5)))
            })
            .collect();
        times.sort_unstable();
        let expected: Vec<_> = (0..=5).map(|ms| began + Duration::from_millis(ms)).collect();
        assert_eq!(times, expected);
    }
}
