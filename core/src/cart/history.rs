//! The ring of the last changes: what undo, history and live updates read.

use std::sync::Arc;

use crate::time::Timestamp;

use super::apply::Effect;
use super::limits::Limits;
use super::stamp::Stamp;
use super::state::{Cart, Change};

impl Cart {
    /// Takes an op's effect in: the revision advances, the change goes into the ring, and the bounds are kept.
    pub(super) fn take_in(&mut self, effect: Effect, stamp: &Stamp, limits: &Limits) {
        let touched: Vec<_> = effect.pieces.iter().map(|piece| (piece.line, piece.saved)).collect();
        self.revision = stamp.revision;
        self.updated_at = stamp.at;
        self.notices = effect.notices;
        self.bound_notices(limits);
        self.ring.push_back(Arc::new(Change {
            revision: stamp.revision,
            at: stamp.at,
            author: stamp.author,
            seq: stamp.seq,
            kind: effect.kind,
            pieces: effect.pieces,
            leftover: effect.leftover,
        }));
        self.trim_ring(stamp.at, limits);
        self.mark(stamp.at, limits);
        self.coalesce(&touched, limits);
        self.fold(stamp.at, limits);
        self.bound_tombstones(limits);
        self.lighten(stamp.at, limits);
    }

    /// The changes that are still remembered, newest first.
    pub fn history(&self) -> impl Iterator<Item = &Change> {
        self.ring.iter().rev().map(|change| &**change)
    }

    /// The last 64 changes or 24 hours, whichever is more, up to 256, and never more detail than its bound.
    fn trim_ring(&mut self, now: Timestamp, limits: &Limits) {
        let mut pieces: usize = self.ring.iter().map(|change| change.pieces.len()).sum();
        while let Some(oldest) = self.ring.front() {
            let old = self.ring.len() > limits.ring_least && now.since(oldest.at) >= limits.ring_for;
            let many = self.ring.len() > limits.ring_most;
            let much = pieces > limits.ring_pieces && self.ring.len() > 1;
            if !(old || many || much) {
                break;
            }
            pieces -= oldest.pieces.len();
            self.ring.pop_front();
        }
    }
}
