//! The steps that the wall clock made while this process ran: so that what was written down by it before is not taken for
//! older or younger than it is (SESSION.md, S38). A restart forgets them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use parking_lot::Mutex;
use trolley_core::time::{Span, Timestamp};

use crate::service::running::Running;

/// What is less than this is no step: clocks are slewed, and a thread may rest between two looks.
const STEP: Span = Span::from_s(60);
/// Steps that are remembered; of those before them the wall clock counts as it stands.
const STEPS_MAX: usize = 16;

/// The steps of one process.
pub(crate) struct Steps {
    /// Wall time less running time, as of the last step.
    offset_ms: AtomicI64,
    any: AtomicBool,
    /// Oldest first.
    made: Mutex<VecDeque<Step>>,
}

/// The wall clock stood at `from` and was set.
#[derive(Clone, Copy, Debug)]
struct Step {
    from: i64,
    by_ms: i64,
}

impl Steps {
    /// None so far.
    pub(crate) fn new(wall: Timestamp, running: Running) -> Steps {
        let offset_ms = AtomicI64::new(signed(wall.as_ms()) - signed(running.as_ms()));
        Steps { offset_ms, any: AtomicBool::new(false), made: Mutex::default() }
    }

    /// Notes how the two clocks stand to each other: by as much as that changed the wall clock was set.
    pub(crate) fn look(&self, wall: Timestamp, running: Running) {
        let offset = signed(wall.as_ms()) - signed(running.as_ms());
        let is_step = |before: i64| offset.abs_diff(before) >= STEP.as_ms();
        if !is_step(self.offset_ms.load(Ordering::Relaxed)) {
            return;
        }
        let mut made = self.made.lock();
        let before = self.offset_ms.load(Ordering::Relaxed);
        if !is_step(before) {
            return;
        }
        self.offset_ms.store(offset, Ordering::Relaxed);
        let step = Step { from: signed(running.as_ms()) + before, by_ms: offset - before };
        if made.len() == STEPS_MAX {
            made.pop_front();
        }
        made.push_back(step);
        self.any.store(true, Ordering::Relaxed);
        tracing::warn!(
            by_ms = step.by_ms,
            "the wall clock was set: limits and sessions go on as if it had not been"
        );
    }

    /// Whether any is remembered.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// A moment that was written down by the wall clock, by the wall clock as it goes now. Where it may be of before a step or
    /// of after it, it is taken to be of after it. None where it lies ahead and no step is known that tells why.
    pub(crate) fn translate(&self, at: Timestamp, now: Timestamp) -> Option<Timestamp> {
        if !self.any() {
            return (at <= now).then_some(at);
        }
        let (written, mut until, mut moved) = (signed(at.as_ms()), signed(now.as_ms()), 0_i64);
        let made = self.made.lock();
        for step in made.iter().rev() {
            if (step.from + step.by_ms..=until).contains(&written) {
                return Some(moment(written + moved).min(now));
            }
            moved += step.by_ms;
            until = step.from;
        }
        if written <= until {
            return Some(moment(written + moved).min(now));
        }
        (at <= now).then_some(at)
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

fn moment(ms: i64) -> Timestamp {
    Timestamp::from_ms(u64::try_from(ms).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;
    const NOON: u64 = 1_000 * HOUR;

    /// Of a clock that shows noon when it has run for an hour.
    fn steps() -> Steps {
        Steps::new(Timestamp::from_ms(NOON), Running::from_ms(HOUR))
    }

    fn translated(steps: &Steps, at: u64, now: u64) -> Option<u64> {
        steps.translate(Timestamp::from_ms(at), Timestamp::from_ms(now)).map(Timestamp::as_ms)
    }

    #[test]
    fn what_was_written_before_a_step_is_as_old_as_it_is() {
        let minute = 60_000;
        for by in [-2 * HOUR as i64, 3 * HOUR as i64] {
            let steps = steps();
            let set = |at: u64| (at as i64 + by) as u64;
            steps.look(Timestamp::from_ms(set(NOON)), Running::from_ms(HOUR));
            let now = set(NOON) + minute;
            steps.look(Timestamp::from_ms(now), Running::from_ms(HOUR + minute));
            assert_eq!(translated(&steps, NOON - minute, now), Some(set(NOON) - minute), "{by}");
            assert_eq!(translated(&steps, NOON - 9 * HOUR, now), Some(set(NOON) - 9 * HOUR), "{by}");
            assert_eq!(translated(&steps, now - 5, now), Some(now - 5), "written since, {by}");
        }
    }

    #[test]
    fn a_clock_that_is_set_and_set_back_leaves_all_ages_as_they_were() {
        let steps = steps();
        steps.look(Timestamp::from_ms(NOON + 7 * HOUR), Running::from_ms(HOUR));
        steps.look(Timestamp::from_ms(NOON + 8 * HOUR), Running::from_ms(2 * HOUR));
        steps.look(Timestamp::from_ms(NOON + 2 * HOUR), Running::from_ms(3 * HOUR));
        let now = NOON + 2 * HOUR;
        assert_eq!(translated(&steps, NOON - HOUR, now), Some(NOON - HOUR));
        assert_eq!(translated(&steps, NOON + 8 * HOUR, now), Some(NOON + HOUR), "written while it ran ahead");
    }

    #[test]
    fn what_lies_ahead_without_a_step_that_tells_why_is_not_known() {
        let steps = steps();
        assert_eq!(translated(&steps, NOON + HOUR, NOON), None);
        steps.look(Timestamp::from_ms(NOON + 1_000), Running::from_ms(HOUR));
        assert_eq!(translated(&steps, NOON, NOON + 1_000), Some(NOON), "a second is no step");
        steps.look(Timestamp::from_ms(NOON - HOUR), Running::from_ms(HOUR));
        assert_eq!(translated(&steps, NOON + 9 * HOUR, NOON - HOUR), None, "not by this one");
    }

    #[test]
    fn the_steps_that_are_remembered_are_bounded() {
        let steps = steps();
        for n in 0..1_000 {
            let ahead = if n % 2 == 0 { HOUR } else { 0 };
            steps.look(Timestamp::from_ms(NOON + ahead), Running::from_ms(HOUR));
        }
        assert_eq!(steps.made.lock().len(), STEPS_MAX);
    }
}
