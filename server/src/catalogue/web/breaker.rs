//! A circuit breaker: after some failures in a row nobody is kept waiting for a while; then one asks first.

use trolley_core::time::{Span, Timestamp};

/// Failures in a row after which nobody asks any more.
const FAILURES_MAX: u32 = 5;
/// How long nobody asks then, and how long the one who asks first may take.
const REST: Span = Span::from_ms(5_000);

/// Whether the catalogue is worth asking.
#[derive(Debug)]
pub(super) enum Breaker {
    /// It answers, but for so many failures in a row.
    Closed(u32),
    /// It does not; from then on one may try.
    Open(Timestamp),
}

impl Default for Breaker {
    fn default() -> Breaker {
        Breaker::Closed(0)
    }
}

impl Breaker {
    /// Whether to ask now. While it is open one in each rest is let through, and its answer decides.
    pub(super) fn lets_through(&mut self, now: Timestamp) -> bool {
        match self {
            Breaker::Closed(_) => true,
            Breaker::Open(until) if now < *until => false,
            Breaker::Open(until) => {
                *until = now + REST;
                true
            }
        }
    }

    /// It answered.
    pub(super) fn well(&mut self) {
        if matches!(self, Breaker::Open(_)) {
            tracing::info!("the catalogue answers again");
        }
        *self = Breaker::Closed(0);
    }

    /// It did not.
    pub(super) fn failed(&mut self, now: Timestamp, why: &str) {
        match self {
            Breaker::Closed(failures) if *failures + 1 < FAILURES_MAX => *failures += 1,
            Breaker::Closed(_) => {
                tracing::warn!(why, "the catalogue is down: carts show the last known prices");
                *self = Breaker::Open(now + REST);
            }
            Breaker::Open(until) => *until = (*until).max(now + REST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_failures_in_a_row_one_asks_every_five_seconds_until_it_is_answered() {
        let at = Timestamp::from_ms;
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            breaker.failed(at(0), "");
        }
        breaker.well();
        for failure in 0..5 {
            assert!(breaker.lets_through(at(0)), "{failure}");
            breaker.failed(at(0), "");
        }
        assert!(!breaker.lets_through(at(4_999)));
        assert!(breaker.lets_through(at(5_000)));
        assert!(!breaker.lets_through(at(5_001)), "while the first one asks the others do not");
        breaker.failed(at(6_000), "");
        assert!(!breaker.lets_through(at(10_999)));
        assert!(breaker.lets_through(at(11_000)));
        breaker.well();
        assert!(breaker.lets_through(at(11_000)) && breaker.lets_through(at(11_000)));
    }
}
