//! Who changes carts that others watch, and notes each change: of which cart, to which revision, and when.

use std::time::Instant;

use crate::engine::actor::{Actor, Times};
use crate::mix::shopper::Shopper;
use crate::wire::answer::Answer;

/// A change that was acknowledged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    /// Whose cart.
    pub(crate) session: usize,
    /// Which state it made.
    pub(crate) revision: u64,
    /// When its request should have begun.
    pub(crate) due: Instant,
    /// When its answer was there.
    pub(crate) answered: Instant,
}

/// A shopper whose changes are noted.
pub(crate) struct Changer {
    /// The shopper, whose steps are changes.
    pub(crate) shopper: Shopper,
    /// What was acknowledged.
    pub(crate) changes: Vec<Change>,
}

impl Actor for Changer {
    fn ask(&mut self, out: &mut Vec<u8>) -> bool {
        self.shopper.ask(out)
    }

    fn take(&mut self, answer: &Answer<'_>, times: Times) -> bool {
        if !self.shopper.take(answer, times) {
            return false;
        }
        let Some(revision) = answer.header("etag").and_then(revision_of) else { return false };
        let (session, Times { due, answered }) = (self.shopper.session(), times);
        self.changes.push(Change { session, revision, due, answered });
        true
    }

    fn lose(&mut self) {
        self.shopper.lose();
    }
}

/// The revision in an event's id (`<cart id>.<revision>`) or in a cart's tag, which is that in quotes and may say more.
pub(super) fn revision_of(id: &str) -> Option<u64> {
    id.trim_matches('"').split('.').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_read_from_ids_and_tags() {
        for id in ["abc.12", "\"abc.12\"", "\"abc.12.3\""] {
            assert_eq!(revision_of(id), Some(12), "{id}");
        }
        assert_eq!(revision_of("abc"), None);
    }
}
