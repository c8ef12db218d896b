//! UNDO: takes back what one change did and what of it is still there.

use crate::ids::{Quantity, Revision};
use crate::time::Timestamp;

use super::apply::{Effect, still_wins};
use super::edit::List;
use super::limits::Limits;
use super::op::{NotUndoable, OpKind, Outcome, Refusal};
use super::stamp::Stamp;
use super::state::{Add, Author, Cart, Change, Line, Piece};

impl Cart {
    /// UNDO of a device's own seq, or of a revision where a plain call asks. It changes all that it means to, or nothing.
    pub(super) fn apply_undo(
        &mut self,
        target: u64,
        stamp: &Stamp,
        limits: &Limits,
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
        let kept = (self.lines.clone(), self.saved.clone());
        let undone = self.undo(&change, &stamp, limits);
        if undone.is_err() {
            (self.lines, self.saved) = kept;
        }
        undone
    }

    fn was_refused(&self, author: Author, seq: u64) -> bool {
        let client = self.clients.iter().find(|client| Some(client.id) == author.client());
        client.and_then(|client| client.recall(seq)).is_some_and(|recent| recent.refused.is_some())
    }

    fn undo(&mut self, change: &Change, stamp: &Stamp, limits: &Limits) -> Result<Effect, Refusal> {
        match change.kind {
            OpKind::Add => self.undo_add(change, stamp, limits),
            OpKind::Set | OpKind::Remove | OpKind::Clear | OpKind::Discard => {
                self.undo_write(change, stamp, limits)
            }
            OpKind::Save | OpKind::Unsave => self.undo_move(change, stamp, limits),
            OpKind::Merge => self.undo_merge(change, stamp, limits),
            OpKind::Undo | OpKind::Checkout | OpKind::Cancel => Err(NotUndoable::Kind.into()),
        }
    }

    /// Drops exactly the adds that were made at that revision, where they are still there.
    fn undo_add(&mut self, change: &Change, stamp: &Stamp, limits: &Limits) -> Result<Effect, Refusal> {
        let mut pieces = Vec::new();
        for piece in &change.pieces {
            let taken = self.take_exact(piece, change.revision, stamp.at, limits, |_| true)?;
            pieces.extend((taken.dropped > 0).then_some(taken));
        }
        Ok(taken_back(pieces))
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
            let (restored, written) = self.edit(list, (piece.line, None), stamp.at, limits, restore)?;
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
        let mut pieces = Vec::new();
        for piece in change.pieces.iter().filter(|piece| piece.saved == to_saved) {
            let taken = self.take_exact(piece, change.revision, stamp.at, limits, |_| true)?;
            pieces.extend(self.give_back(taken, list_of(piece).other(), stamp, limits)?);
        }
        Ok(taken_back(pieces))
    }

    /// Takes back what a merge brought in and is still there; what it moved to the saved list returns to the cart.
    fn undo_merge(&mut self, change: &Change, stamp: &Stamp, limits: &Limits) -> Result<Effect, Refusal> {
        let mut pieces = Vec::new();
        for piece in &change.pieces {
            let taken =
                self.take_exact(piece, change.revision, stamp.at, limits, |add| add.origin.is_some())?;
            pieces.extend((taken.dropped > 0).then_some(taken));
        }
        for piece in change.pieces.iter().filter(|piece| piece.saved) {
            let taken =
                self.take_exact(piece, change.revision, stamp.at, limits, |add| add.origin.is_none())?;
            pieces.extend(self.give_back(taken, List::Cart, stamp, limits)?);
        }
        Ok(taken_back(pieces))
    }

    fn take_exact(
        &mut self,
        piece: &Piece,
        revision: Revision,
        at: Timestamp,
        limits: &Limits,
        of_kind: impl Fn(&Add) -> bool,
    ) -> Result<Piece, Refusal> {
        let list = list_of(piece);
        let exact = |add: &Add| add.revision == revision && add.from == revision && of_kind(add);
        if !self.line(list, piece.line).is_some_and(|line| line.adds.iter().any(exact)) {
            return Ok(Piece { dropped: 0, ..piece.clone() });
        }
        let (taken, dropped) =
            self.edit(list, (piece.line, None), at, limits, |line| line.drop_adds(exact))?;
        Ok(Piece { dropped, ..taken })
    }

    /// Gives units that were taken off one list to the other; nothing where none were taken.
    fn give_back(
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
        let (given, ()) = self.edit(list, target, stamp.at, limits, |line| line.add(stamp, n))?;
        Ok(vec![taken, given])
    }

    /// Whether a plain UNDO of this revision takes something back. A device's UNDO of what is gone is `covered`, so that its
    /// queue goes on; a caller without a queue is rather told.
    pub(super) fn judge_undo(&self, revision: Revision) -> Result<(), NotUndoable> {
        let change = self.ring.iter().find(|change| change.revision == revision);
        let change = change.ok_or(NotUndoable::Unknown)?;
        if matches!(change.kind, OpKind::Undo | OpKind::Checkout | OpKind::Cancel) {
            return Err(NotUndoable::Kind);
        }
        if self.is_undoable(change) { Ok(()) } else { Err(NotUndoable::Gone) }
    }

    /// Whether UNDO of this change would still take anything back.
    pub fn is_undoable(&self, change: &Change) -> bool {
        let exact = |line: &Line| {
            line.adds.iter().any(|add| add.revision == change.revision && add.from == change.revision)
        };
        let reaches = |piece: &Piece, holds: &dyn Fn(&Line) -> bool| {
            self.line(list_of(piece), piece.line).is_some_and(holds)
        };
        change.pieces.iter().any(|piece| match change.kind {
            OpKind::Add | OpKind::Merge => reaches(piece, &exact),
            OpKind::Save => piece.saved && reaches(piece, &exact),
            OpKind::Unsave => !piece.saved && reaches(piece, &exact),
            OpKind::Set | OpKind::Remove | OpKind::Clear | OpKind::Discard => {
                reaches(piece, &|line| still_wins(line, change.revision))
            }
            OpKind::Undo | OpKind::Checkout | OpKind::Cancel => false,
        })
    }
}

fn list_of(piece: &Piece) -> List {
    if piece.saved { List::Saved } else { List::Cart }
}

fn taken_back(pieces: Vec<Piece>) -> Effect {
    let outcome = if pieces.is_empty() { Outcome::Covered } else { Outcome::Applied };
    Effect::new(OpKind::Undo, outcome, pieces)
}
