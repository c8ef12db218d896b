//! A circuit breaker: while the catalogue does not answer nobody is kept waiting for it, and one asks now and then.
//!
//! It counts only what no visitor's choice of a sku can cause: that it cannot be reached, and that skus which it answered well before
//! get no answer in time. An answer about one sku, whatever it says, shows that the catalogue is there.

use trolley_core::time::{Span, Timestamp};

/// So much has to speak against it, and nothing for it.
const AGAINST_MAX: usize = 5;
/// How long nobody asks then, and how long the one who asks first may take.
const REST: Span = Span::from_ms(5_000);

/// Whether the catalogue is worth asking.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    /// It does not answer; from then on one may try.
    open_until: Option<Timestamp>,
    /// How often in a row it could not be reached.
    unreached: usize,
    /// Which of its products got no answer, since one did. Each counts once: one that became slow is its own matter.
    silent: Vec<u64>,
}

/// What speaks against the catalogue.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Against {
    /// It cannot be reached.
    Unreachable,
    /// A sku that it answered well before, by a number, got no answer.
    Silent(u64),
}

impl Breaker {
    /// Whether nobody should ask.
    pub(crate) fn is_open(&self) -> bool {
        self.open_until.is_some()
    }

    /// Whether the catalogue as a whole does not answer, as far as the last who asked could tell.
    pub(crate) fn is_down(&self) -> bool {
        self.is_open() || self.unreached > 0
    }

    /// Whether it is open and one may try now.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.open_until.is_some_and(|until| now >= until)
    }

    /// Takes the place of the one who tries; false where there is none to be had.
    pub(crate) fn lets_try(&mut self, now: Timestamp) -> bool {
        let due = self.is_due(now);
        if due {
            self.open_until = Some(now + REST);
        }
        due
    }

    /// It answered, whatever it said; or even well, about one of its products.
    pub(crate) fn answered(&mut self, well: bool) {
        self.unreached = 0;
        if well || self.is_open() {
            self.silent.clear();
        }
        if self.open_until.take().is_some() {
            tracing::info!("the catalogue answers again");
        }
    }

    /// It did not.
    pub(crate) fn failed(&mut self, now: Timestamp, against: Against, why: &str) {
        match against {
            Against::Unreachable => self.unreached = (self.unreached + 1).min(AGAINST_MAX),
            Against::Silent(sku) if self.silent.contains(&sku) || self.silent.len() >= AGAINST_MAX => {}
            Against::Silent(sku) => self.silent.push(sku),
        }
        match self.open_until {
            Some(until) => self.open_until = Some(until.max(now + REST)),
            None if self.unreached + self.silent.len() >= AGAINST_MAX => {
                tracing::warn!(why, "the catalogue is down: carts show the last known prices");
                self.open_until = Some(now + REST);
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn unreached(breaker: &mut Breaker, times: usize) {
        (0..times).for_each(|_| breaker.failed(at(0), Against::Unreachable, ""));
    }

    #[test]
    fn unreached_five_times_in_a_row_one_tries_every_five_seconds_until_there_is_an_answer() {
        let mut breaker = Breaker::default();
        unreached(&mut breaker, 4);
        assert!(breaker.is_down() && !breaker.is_open());
        breaker.answered(false);
        unreached(&mut breaker, 4);
        assert!(!breaker.is_open());
        unreached(&mut breaker, 1);
        assert!(breaker.is_open() && !breaker.lets_try(at(4_999)));
        assert!(breaker.lets_try(at(5_000)));
        assert!(!breaker.lets_try(at(5_001)), "while the first one tries the others do not");
        breaker.failed(at(6_000), Against::Unreachable, "");
        assert!(!breaker.lets_try(at(10_999)));
        assert!(breaker.lets_try(at(11_000)));
        breaker.answered(false);
        assert!(!breaker.is_down());
    }

    #[test]
    fn one_product_that_became_slow_never_opens_it_and_five_do() {
        let mut breaker = Breaker::default();
        (0..100).for_each(|_| breaker.failed(at(0), Against::Silent(1), ""));
        assert!(!breaker.is_down());
        (2..5).for_each(|sku| breaker.failed(at(0), Against::Silent(sku), ""));
        breaker.answered(true);
        (1..5).for_each(|sku| breaker.failed(at(0), Against::Silent(sku), ""));
        // What a stranger's sku is answered says nothing of how the products fare.
        breaker.answered(false);
        assert!(!breaker.is_open());
        breaker.failed(at(0), Against::Silent(5), "");
        assert!(breaker.is_open());
    }
}
