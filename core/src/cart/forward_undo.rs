//! UNDO among the late ops of a merged guest cart's devices: as it would have been before the merge, and what goes back is
//! owed.

use std::sync::Arc;

use crate::ids::Quantity;
use crate::item::LineId;
use crate::time::Timestamp;

use super::apply::Effect;
use super::edit::List;
use super::forward::Forward;
use super::op::{NotUndoable, OpKind, Outcome, Refusal};
use super::state::{Add, Author, Cart, Change, Line, Piece, Register};

impl Cart {
    /// UNDO of an op the device made before or after the merge; the guest's ring did not move along, so what else than an
    /// ADD it may have undone there counts as covered. What goes back is owed, as it would have been there.
    pub(super) fn forward_undo(&mut self, seq: u64, op: &mut Forward<'_>) -> Result<Effect, Refusal> {
        let Author::Device(client) = op.stamp.author else { return Err(NotUndoable::Unknown.into()) };
        let of_seq = |change: &&Arc<Change>| change.author == op.stamp.author && change.seq == seq;
        let change = self.ring.iter().rev().find(of_seq).cloned();
        if let Some(change) = &change {
            if change.revision <= op.merged.revision {
                return self.apply_undo(seq, op.stamp, op.limits, op.leftovers);
            }
            match change.kind {
                OpKind::Add | OpKind::Save | OpKind::Unsave => {}
                OpKind::Set | OpKind::Remove | OpKind::Clear => return self.forward_restore(change, op),
                _ => return Ok(Effect::superseded(OpKind::Undo, None)),
            }
        }
        let guest = op.merged.cart;
        let is_it = |_: List, add: &Add| match &change {
            Some(change) => change.made(add),
            None => add.origin.as_ref().is_some_and(|origin| {
                origin.cart == guest && !origin.register && origin.client == Some(client) && origin.seq == seq
            }),
        };
        let here = self.lines.iter().chain(&self.saved);
        let left = op.leftovers.held().iter().flat_map(|leftover| &leftover.lines).map(|line| &line.line);
        let mut all = here.chain(left).filter(|line| line.adds.iter().any(|add| is_it(List::Cart, add)));
        let Some((id, item)) = all.next().map(|line| (line.id, line.item.clone())) else {
            return Ok(Effect::new(OpKind::Undo, Outcome::Covered, Vec::new()));
        };
        let (n, _) = self.take_imports(id, op, is_it)?;
        let back = match change.map(|change| change.kind) {
            Some(OpKind::Save) => Some((op.merged.home(), false)),
            Some(OpKind::Unsave) => Some((List::Saved, true)),
            _ => None,
        };
        if let (Some((list, saved)), Some(item)) = (back, item) {
            self.bring(list, item, op.own(n, saved), op)?;
        }
        Ok(Effect::new(OpKind::Undo, Outcome::Applied, Vec::new()))
    }

    /// UNDO of a forwarded SET, REMOVE or CLEAR: what each line lost to it is a new value of the guest's register there,
    /// where the op's own still stands. Adds that came since are nobody's to take here.
    fn forward_restore(&mut self, change: &Change, op: &mut Forward<'_>) -> Result<Effect, Refusal> {
        let (home, stamp) = (op.merged.home(), op.stamp);
        let (mut won, mut eff) = (false, stamp.last_eff);
        for piece in change.pieces.iter().filter(|piece| piece.saved == (home == List::Saved)) {
            let Some(line) = self.line(home, piece.line) else { continue };
            let standing = line.guests.iter().find(|guest| guest.cart == op.merged.cart);
            let is_own = |register: &Register| register.author == stamp.author && register.seq == change.seq;
            let Some(standing) = standing.filter(|guest| is_own(&guest.register)) else { continue };
            let (item, n) = (line.item.clone(), piece.dropped.saturating_add(standing.withheld));
            let places = self.places_of(piece.line);
            let written = self.forward_register(piece.line, item, n, op)?;
            self.keep_places(piece.line, places);
            won |= written.won;
            eff = eff.max(written.eff);
        }
        let undone = if won {
            Effect::new(OpKind::Undo, Outcome::Applied, Vec::new())
        } else {
            Effect::superseded(OpKind::Undo, None)
        };
        Ok(Effect { eff, ..undone })
    }

    /// The piece of a line that was written tells what the line lost, wherever that lay: UNDO gives as much back.
    pub(super) fn tell_what_was_written(
        &self,
        pieces: &mut Vec<Piece>,
        written: &[(LineId, Quantity)],
        home: List,
    ) {
        let saved = home == List::Saved;
        for &(line, dropped) in written {
            match pieces.iter_mut().find(|piece| piece.line == line && piece.saved == saved) {
                Some(piece) => piece.dropped = dropped,
                None => {
                    let now = self.line(home, line).map_or(0, Line::quantity);
                    pieces.push(Piece { line, saved, before: now, after: now, dropped });
                }
            }
        }
    }

    /// Where a line is shown in the cart and on the saved list, and since when.
    pub(super) fn places_of(&self, id: LineId) -> [Option<(usize, Timestamp)>; 2] {
        [List::Cart, List::Saved].map(|list| {
            let place = self.list(list).iter().position(|line| line.id == id && line.is_shown())?;
            Some((place, self.list(list)[place].added_at))
        })
    }

    /// A line whose units another value took the place of stays where it was.
    pub(super) fn keep_places(&mut self, id: LineId, places: [Option<(usize, Timestamp)>; 2]) {
        for (list, place) in [List::Cart, List::Saved].into_iter().zip(places) {
            let Some((before, added_at)) = place else { continue };
            let lines = self.list_mut(list);
            let now = lines.iter().position(|line| line.id == id && line.is_shown());
            if let Some(now) = now.filter(|now| *now != before || lines[*now].added_at != added_at) {
                let mut line = lines.remove(now);
                Arc::make_mut(&mut line).added_at = added_at;
                lines.insert(before, line);
            }
        }
    }
}
