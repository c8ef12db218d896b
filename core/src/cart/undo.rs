//! UNDO: takes back what one change did and what of it is still there.

use std::sync::Arc;

use crate::ids::{Quantity, Revision};
use crate::item::LineId;
use crate::time::Timestamp;

use super::apply::{Effect, still_wins};
use super::edit::{Growth, List};
use super::leftover::Leftovers;
use super::limits::Limits;
use super::op::{NotUndoable, OpKind, Outcome, Refusal};
use super::owed::{Due, Source, kept_from};
use super::stamp::Stamp;
use super::state::{Add, Author, Cart, Change, LeftoverFrom, LeftoverRef, Line, Piece};

impl Cart {
    /// UNDO of a device's own seq, or of a revision where a plain call asks. It changes all that it means to, or nothing.
    pub(super) fn apply_undo(
        &mut self,
        target: u64,
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<Effect, Refusal> {
        let change = match stamp.author {
            Author::Device(_) => {
                self.ring.iter().rev().find(|change| change.author == stamp.author && change.seq == target)
            }
            Author::Session(_) => self.ring.iter().find(|change| change.revision == target),
        };
        let Some(change) = change.cloned() else {
            // What was refused when it came did nothing that could be taken back.
            let covered = Effect::new(OpKind::Undo, Outcome::Covered, Vec::new());
            return if self.was_refused(stamp.author, target) {
                Ok(covered)
            } else {
                Err(NotUndoable::Unknown.into())
            };
        };
        // Who names a revision has seen it.
        let stamp = match stamp.author {
            Author::Device(_) => stamp.clone(),
            Author::Session(_) => Stamp { base: stamp.base.max(target), ..stamp.clone() },
        };
        let kept = self.keep(leftovers);
        let undone = self.undo(&change, &stamp, limits, leftovers);
        if undone.is_err() {
            self.put_back(kept, leftovers);
        }
        undone
    }

    fn was_refused(&self, author: Author, seq: u64) -> bool {
        let client = self.clients.iter().find(|client| Some(client.id) == author.client());
        client.and_then(|client| client.recall(seq)).is_some_and(|recent| recent.refused.is_some())
    }

    fn undo(
        &mut self,
        change: &Change,
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<Effect, Refusal> {
        match change.kind {
            OpKind::Add => self.undo_add(change, stamp, limits, leftovers),
            OpKind::Set | OpKind::Remove | OpKind::Clear | OpKind::Discard => {
                self.undo_write(change, stamp, limits)
            }
            OpKind::Save | OpKind::Unsave => self.undo_move(change, stamp, limits),
            OpKind::Merge => self.undo_merge(change, stamp, limits, leftovers),
            OpKind::BringIn => self.undo_bring_in(change, stamp, limits, leftovers),
            OpKind::Undo | OpKind::Checkout | OpKind::Cancel | OpKind::DropLeftover => {
                Err(NotUndoable::Kind.into())
            }
        }
    }

    /// Drops exactly the adds that were made at that revision, where they are still there.
    fn undo_add(
        &mut self,
        change: &Change,
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<Effect, Refusal> {
        let (lines, saved) = (self.lines.clone(), self.saved.clone());
        self.drop_everywhere(|add| change.made(add), stamp, limits)?;
        let left = self.take_left_by(change, leftovers);
        Ok(taken_back(self.pieces_since(&lines, &saved), !left.is_empty()))
    }

    /// Drops the adds that `goes` names, on whatever list they are.
    fn drop_everywhere(
        &mut self,
        goes: impl Fn(&Add) -> bool,
        stamp: &Stamp,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        for list in [List::Cart, List::Saved] {
            let holds = |line: &&Arc<Line>| line.adds.iter().any(&goes);
            let ids: Vec<_> = self.list(list).iter().filter(holds).map(|line| line.id).collect();
            for id in ids {
                self.edit(list, (id, None), stamp.at, limits, |line| line.drop_adds(&goes))?;
            }
        }
        Ok(())
    }

    /// Takes what a change left over and is still there.
    fn take_left_by(&mut self, change: &Change, leftovers: &mut Leftovers) -> Vec<Due> {
        let Some(left) = &change.leftover else { return Vec::new() };
        self.take_left(leftovers, |of| of.id == left.id, |_, add| change.made(add))
    }

    /// Writes back what each line held before, where the op's register still stands.
    fn undo_write(&mut self, change: &Change, stamp: &Stamp, limits: &Limits) -> Result<Effect, Refusal> {
        let (mut pieces, mut eff) = (Vec::new(), Timestamp::default());
        for piece in &change.pieces {
            let list = list_of(piece);
            if !self.line(list, piece.line).is_some_and(|line| still_wins(line, change.revision)) {
                continue;
            }
            let restore = |line: &mut Line| {
                // Only the register goes back: adds that came since are nobody's to take here.
                let adds = std::mem::take(&mut line.adds);
                let written = line.write(stamp, piece.dropped);
                line.adds = adds;
                written
            };
            let target = (piece.line, None);
            let (restored, written) =
                self.edit_as(Growth::Restored, list, target, stamp.at, limits, restore)?;
            if written.won {
                eff = eff.max(written.eff);
                pieces.push(Piece { dropped: written.dropped, ..restored });
            }
        }
        let won = !pieces.is_empty() || change.pieces.is_empty();
        Ok(Effect::written(OpKind::Undo, won, pieces, eff))
    }

    /// Takes what a SAVE or UNSAVE moved back off the list it went to, and gives it back as an add.
    fn undo_move(&mut self, change: &Change, stamp: &Stamp, limits: &Limits) -> Result<Effect, Refusal> {
        let to_saved = change.kind == OpKind::Save;
        let back = if to_saved { List::Cart } else { List::Saved };
        let mut pieces = Vec::new();
        for piece in change.pieces.iter().filter(|piece| piece.saved == to_saved) {
            let taken = self.take_exact(piece, stamp.at, limits, |add| change.is_exactly(add))?;
            pieces.extend(self.give_back_to(taken, back, stamp, limits)?);
        }
        Ok(taken_back(pieces, false))
    }

    /// Takes back what a merge brought in and is still there, in its leftovers too; what it moved out of the cart returns
    /// there, as far as it fits.
    fn undo_merge(
        &mut self,
        change: &Change,
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<Effect, Refusal> {
        let is_import = |add: &Add| change.brought(add);
        let is_moved = |add: &Add| add.origin.is_none() && change.is_exactly(add);
        let (lines, saved) = (self.lines.clone(), self.saved.clone());
        self.drop_everywhere(is_import, stamp, limits)?;
        let made = |of: &LeftoverRef| of.is_of_merge(change) && !of.followed;
        let left = self.take_left(leftovers, made, |_, add| is_import(add));
        let came_along = |of: &&LeftoverRef| of.is_of_merge(change) && of.followed;
        let followed: Vec<_> = self.leftovers.iter().filter(came_along).map(|of| of.id).collect();
        let in_leftovers = !(left.is_empty() && followed.is_empty());
        followed.into_iter().for_each(|id| self.forget_leftover(id, leftovers));
        for piece in change.pieces.iter().filter(|piece| piece.saved) {
            self.return_saved(piece.line, is_moved, stamp, limits)?;
        }
        for Due { item, add, list } in self.take_left(leftovers, made, |_, add| is_moved(add)) {
            let given = Due { list: List::Cart, item: item.clone(), add: stamp.add(add.n) };
            let n = add.n - self.fit(&given, add.n, Growth::Asked, stamp.at, limits);
            if n > 0 {
                let rest = Due { item, add: Add { n, ..add }, list };
                self.leave_over(&rest, self.source_of(change), stamp, limits, leftovers)?;
            }
        }
        Ok(taken_back(self.pieces_since(&lines, &saved), in_leftovers))
    }

    /// Returns what was moved to the saved list to the cart, as much of it as fits; the rest stays as it is.
    fn return_saved(
        &mut self,
        id: LineId,
        is_moved: impl Fn(&Add) -> bool,
        stamp: &Stamp,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        let Some(line) = self.line(List::Saved, id) else { return Ok(()) };
        let n = line.adds.iter().filter(|add| is_moved(add)).map(|add| add.n).sum();
        let Some(item) = line.item.clone() else { return Ok(()) };
        let given = Due { list: List::Cart, item, add: stamp.add(n) };
        let mut fits = self.fit(&given, n, Growth::Asked, stamp.at, limits);
        let take = |line: &mut Line| {
            for add in line.adds.iter_mut().filter(|add| is_moved(add)) {
                let taken = fits.min(add.n);
                (fits, add.n) = (fits - taken, add.n - taken);
            }
            line.adds.retain(|add| add.n > 0);
        };
        self.edit(List::Saved, (id, None), stamp.at, limits, take)?;
        Ok(())
    }

    /// What was brought out of a leftover goes back there, or into a new one where that is gone.
    fn undo_bring_in(
        &mut self,
        change: &Change,
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<Effect, Refusal> {
        let mut pieces = Vec::new();
        let source = self.source_of(change);
        let is_it = |add: &Add| {
            add.revision == change.revision && (add.from == change.revision || add.origin.is_some())
        };
        for piece in &change.pieces {
            let line = self.line(list_of(piece), piece.line);
            let Some(item) = line.and_then(|line| line.item.clone()) else { continue };
            let adds: Vec<_> =
                line.iter().flat_map(|line| &line.adds).filter(|add| is_it(add)).cloned().collect();
            let taken = self.take_exact(piece, stamp.at, limits, is_it)?;
            pieces.extend((taken.dropped > 0).then_some(taken));
            for add in adds {
                let add = Add { revision: stamp.revision, from: kept_from(&add, stamp), ..add };
                let due = Due { list: list_of(piece), item: item.clone(), add };
                self.leave_over(&due, source, stamp, limits, leftovers)?;
            }
        }
        Ok(taken_back(pieces, false))
    }

    fn source_of(&self, change: &Change) -> Source {
        match &change.leftover {
            Some(of) => Source { id: Some(of.id), ..Source::new(of.from, of.revision) },
            None => Source::new(LeftoverFrom::Late(self.id), change.revision),
        }
    }

    fn take_exact(
        &mut self,
        piece: &Piece,
        at: Timestamp,
        limits: &Limits,
        exact: impl Fn(&Add) -> bool,
    ) -> Result<Piece, Refusal> {
        let list = list_of(piece);
        if !self.line(list, piece.line).is_some_and(|line| line.adds.iter().any(&exact)) {
            return Ok(Piece { dropped: 0, ..piece.clone() });
        }
        let (taken, dropped) =
            self.edit(list, (piece.line, None), at, limits, |line| line.drop_adds(exact))?;
        Ok(Piece { dropped, ..taken })
    }

    /// Gives units that were taken off one list to the other; nothing where none were taken.
    fn give_back_to(
        &mut self,
        taken: Piece,
        list: List,
        stamp: &Stamp,
        limits: &Limits,
    ) -> Result<Vec<Piece>, Refusal> {
        let n: Quantity = taken.dropped;
        if n == 0 {
            return Ok(Vec::new());
        }
        let item = self.line(list.other(), taken.line).and_then(|line| line.item.clone());
        let target = (taken.line, item.as_ref());
        let give = |line: &mut Line| line.add(stamp, n);
        let (given, ()) = self.edit_as(Growth::Restored, list, target, stamp.at, limits, give)?;
        Ok(vec![taken, given])
    }

    /// Whether a plain UNDO of this revision takes something back. A device's UNDO of what is gone is `covered`, so that its
    /// queue goes on; a caller without a queue is rather told.
    pub(super) fn judge_undo(&self, revision: Revision) -> Result<(), NotUndoable> {
        let change = self.ring.iter().find(|change| change.revision == revision);
        let change = change.ok_or(NotUndoable::Unknown)?;
        if matches!(change.kind, OpKind::Undo | OpKind::Checkout | OpKind::Cancel | OpKind::DropLeftover) {
            return Err(NotUndoable::Kind);
        }
        if self.is_undoable(change) { Ok(()) } else { Err(NotUndoable::Gone) }
    }

    /// Whether UNDO of this change would still take anything back.
    pub fn is_undoable(&self, change: &Change) -> bool {
        let holds = |piece: &Piece, is_it: &dyn Fn(&Add) -> bool| {
            let line = self.line(list_of(piece), piece.line);
            line.is_some_and(|line| line.adds.iter().any(is_it))
        };
        let exact = |add: &Add| change.is_exactly(add);
        let is_left = change.leftover.as_ref().is_some_and(|left| self.has_leftover(left.id));
        let by_pieces = change.pieces.iter().any(|piece| match change.kind {
            OpKind::Add => holds(piece, &|add| change.made(add)),
            OpKind::Merge => holds(piece, &exact),
            OpKind::BringIn => holds(piece, &|add| add.revision == change.revision),
            OpKind::Save => piece.saved && holds(piece, &exact),
            OpKind::Unsave => !piece.saved && holds(piece, &exact),
            OpKind::Set | OpKind::Remove | OpKind::Clear | OpKind::Discard => {
                let line = self.line(list_of(piece), piece.line);
                line.is_some_and(|line| still_wins(line, change.revision))
            }
            OpKind::Undo | OpKind::Checkout | OpKind::Cancel | OpKind::DropLeftover => false,
        });
        let may_be_left =
            change.kind == OpKind::Merge || (change.kind == OpKind::Add && change.leftover.is_some());
        let is_anywhere = || {
            let mut lines = self.lines.iter().chain(&self.saved);
            is_left
                || self.leftovers.iter().any(|of| of.is_of_merge(change))
                || lines.any(|line| line.adds.iter().any(|add| change.brought(add)))
        };
        by_pieces || (may_be_left && is_anywhere())
    }
}

impl Change {
    /// Whether this change brought this import in: it is told by the change's revision, wherever it went since.
    fn brought(&self, add: &Add) -> bool {
        add.origin.is_some() && add.from == self.revision
    }

    /// Whether this change made this add: what came out of a leftover since is told by where it came from.
    pub(super) fn made(&self, add: &Add) -> bool {
        self.is_exactly(add) || self.brought(add)
    }

    /// Whether this change made this add and nothing was joined to it since.
    fn is_exactly(&self, add: &Add) -> bool {
        add.revision == self.revision && add.from == self.revision
    }
}

fn list_of(piece: &Piece) -> List {
    if piece.saved { List::Saved } else { List::Cart }
}

fn taken_back(pieces: Vec<Piece>, in_leftovers: bool) -> Effect {
    let is_nothing = pieces.is_empty() && !in_leftovers;
    let outcome = if is_nothing { Outcome::Covered } else { Outcome::Applied };
    Effect::new(OpKind::Undo, outcome, pieces)
}
