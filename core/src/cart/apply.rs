//! What each intent does to a cart of the present generation.

use std::sync::Arc;

use crate::ids::{Generation, Quantity, Revision};
use crate::item::LineId;
use crate::time::Timestamp;

use super::edit::List;
use super::leftover::Leftovers;
use super::limits::Limits;
use super::notice::{of_brought, once_each};
use super::op::{Intent, LineRef, NoticeCode, OpKind, Outcome, Refusal};
use super::owed::{Brought, Due, Source};
use super::stamp::Stamp;
use super::state::{Cart, LeftoverFrom, LeftoverRef, Line, Notice, Piece, Units};

/// What one op did: it is a change of the history, and gets its revision.
#[derive(Clone, Debug)]
pub(super) struct Effect {
    pub(super) outcome: Outcome,
    pub(super) kind: OpKind,
    pub(super) pieces: Vec<Piece>,
    /// The latest `eff` of its writes.
    pub(super) eff: Timestamp,
    pub(super) notices: Vec<Notice>,
    /// Where it put what found no room, or from where it brought something in.
    pub(super) leftover: Option<Box<LeftoverRef>>,
}

impl Effect {
    pub(super) fn new(kind: OpKind, outcome: Outcome, pieces: Vec<Piece>) -> Effect {
        Effect { outcome, kind, pieces, eff: Timestamp::default(), notices: Vec::new(), leftover: None }
    }

    /// The effect of an op whose line was written: superseded where its register lost.
    pub(super) fn written(kind: OpKind, won: bool, pieces: Vec<Piece>, eff: Timestamp) -> Effect {
        let line = pieces.first().map(|piece| piece.line);
        let outcome = if won { Outcome::Applied } else { Outcome::Superseded };
        let mut effect = Effect { eff, ..Effect::new(kind, outcome, pieces) };
        if !won {
            effect.notices.push(Notice::of_line(NoticeCode::Superseded, line));
        }
        effect
    }

    /// An op that came too late to do anything.
    pub(super) fn superseded(kind: OpKind, line: Option<LineId>) -> Effect {
        let mut effect = Effect::new(kind, Outcome::Superseded, Vec::new());
        effect.notices.push(Notice::of_line(NoticeCode::Superseded, line));
        effect
    }
}

impl Intent {
    /// The op's name in history.
    pub(super) fn kind(&self) -> OpKind {
        match self {
            Intent::Add(..) => OpKind::Add,
            Intent::Set(_, 0) | Intent::Remove(_) => OpKind::Remove,
            Intent::Set(..) => OpKind::Set,
            Intent::Clear(_) => OpKind::Clear,
            Intent::Save(_) => OpKind::Save,
            Intent::Unsave(_) => OpKind::Unsave,
            Intent::Discard(_) => OpKind::Discard,
            Intent::Undo(_) => OpKind::Undo,
            Intent::BringIn(_) => OpKind::BringIn,
            Intent::DropLeftover(_) => OpKind::DropLeftover,
        }
    }

    fn line_id(&self) -> Option<LineId> {
        match self {
            Intent::Add(line, _) | Intent::Set(line, _) => Some(line.id()),
            Intent::Remove(line) | Intent::Save(line) | Intent::Unsave(line) | Intent::Discard(line) => {
                Some(line.id())
            }
            Intent::Clear(_) | Intent::Undo(_) | Intent::BringIn(_) | Intent::DropLeftover(_) => None,
        }
    }
}

impl Cart {
    /// Applies one intent of the present generation; refused, it changes nothing.
    pub(super) fn apply(
        &mut self,
        intent: &Intent,
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<Effect, Refusal> {
        match intent {
            Intent::Add(line, n) => self.apply_add(line, *n, stamp, limits),
            Intent::Set(line, n) => self.apply_write(List::Cart, line, *n, intent.kind(), stamp, limits),
            Intent::Remove(line) => self.apply_write(List::Cart, line, 0, OpKind::Remove, stamp, limits),
            Intent::Discard(line) => self.apply_write(List::Saved, line, 0, OpKind::Discard, stamp, limits),
            Intent::Clear(lines) => self.apply_clear(lines.as_deref(), stamp, limits),
            Intent::Save(line) => self.apply_move(List::Cart, line, OpKind::Save, stamp, limits),
            Intent::Unsave(line) => self.apply_unsave(line, stamp, limits),
            Intent::Undo(target) => self.apply_undo(*target, stamp, limits, leftovers),
            Intent::BringIn(id) => self.apply_bring_in(*id, stamp, limits, leftovers),
            Intent::DropLeftover(id) => self.apply_drop(*id, leftovers),
        }
    }

    fn apply_add(
        &mut self,
        line: &LineRef,
        n: Quantity,
        stamp: &Stamp,
        limits: &Limits,
    ) -> Result<Effect, Refusal> {
        judge_add(n, limits)?;
        let item = self.item(List::Cart, line)?;
        let target = (line.id(), Some(&item));
        let (piece, ()) = self.edit(List::Cart, target, stamp.at, limits, |line| line.add(stamp, n))?;
        Ok(Effect::new(OpKind::Add, Outcome::Applied, vec![piece]))
    }

    fn apply_write(
        &mut self,
        list: List,
        line: &LineRef,
        n: Quantity,
        kind: OpKind,
        stamp: &Stamp,
        limits: &Limits,
    ) -> Result<Effect, Refusal> {
        if n > limits.quantity {
            return Err(Refusal::QuantityOverLimit(limits.quantity));
        }
        let item = if n > 0 { Some(self.item(list, line)?) } else { line.item().cloned() };
        let target = (line.id(), item.as_ref());
        let (piece, written) = self.edit(list, target, stamp.at, limits, |line| line.write(stamp, n))?;
        let piece = Piece { dropped: written.dropped, ..piece };
        Ok(Effect::written(kind, written.won, vec![piece], written.eff))
    }

    /// CLEAR: a REMOVE of each line it means, all from the same `last_eff`.
    fn apply_clear(
        &mut self,
        named: Option<&[LineId]>,
        stamp: &Stamp,
        limits: &Limits,
    ) -> Result<Effect, Refusal> {
        let lines = match named {
            Some(lines) => once_each(lines),
            None => {
                self.lines.iter().filter(|line| line.is_touched_by(stamp.base)).map(|line| line.id).collect()
            }
        };
        if lines.len() > limits.lines + limits.tombstones {
            return Err(Refusal::TooManyLines(limits.lines));
        }
        let mut pieces = Vec::with_capacity(lines.len());
        let (mut won, mut eff) = (lines.is_empty(), stamp.last_eff);
        for id in lines {
            let (piece, written) =
                self.edit(List::Cart, (id, None), stamp.at, limits, |line| line.write(stamp, 0))?;
            won |= written.won;
            eff = eff.max(written.eff);
            pieces.push(Piece { dropped: written.dropped, ..piece });
        }
        Ok(Effect { eff, ..Effect::written(OpKind::Clear, won, pieces, eff) })
    }

    /// SAVE and UNSAVE: takes out of one list what was observed, as REMOVE does, and puts what the line really lost on
    /// the other. So two of them at once move it once, and an add they had not seen stays where it is.
    fn apply_move(
        &mut self,
        from: List,
        line: &LineRef,
        kind: OpKind,
        stamp: &Stamp,
        limits: &Limits,
    ) -> Result<Effect, Refusal> {
        let id = line.id();
        let item = self.line(from, id).and_then(|line| line.item.clone()).or_else(|| line.item().cloned());
        let kept = (self.lines.clone(), self.saved.clone());
        let target = (id, item.as_ref());
        let (taken, written) = self.edit(from, target, stamp.at, limits, |line| line.write(stamp, 0))?;
        let moved = taken.before.saturating_sub(taken.after);
        let mut pieces = vec![Piece { dropped: written.dropped, ..taken }];
        if moved > 0 {
            let put = self.edit(from.other(), target, stamp.at, limits, |line| line.add(stamp, moved));
            match put {
                Ok((piece, ())) => pieces.push(piece),
                Err(refusal) => {
                    (self.lines, self.saved) = kept;
                    return Err(refusal);
                }
            }
        }
        Ok(Effect::written(kind, written.won, pieces, written.eff))
    }

    /// UNSAVE is bound by the cart's limits alone: as many units move as the line takes, and the rest stays saved as it is.
    fn apply_unsave(&mut self, line: &LineRef, stamp: &Stamp, limits: &Limits) -> Result<Effect, Refusal> {
        let id = line.id();
        let held = self.line(List::Cart, id).map_or(0, Line::quantity);
        let room = limits.quantity.saturating_sub(held);
        let wanted = self.line(List::Saved, id).map_or(0, |line| line.would_lose(stamp));
        if wanted <= room {
            return self.apply_move(List::Saved, line, OpKind::Unsave, stamp, limits);
        }
        if room == 0 {
            return Err(Refusal::QuantityOverLimit(limits.quantity));
        }
        let item = self.item(List::Saved, line)?;
        let add = |line: &mut Line| line.add(stamp, room);
        let (put, ()) = self.edit(List::Cart, (id, Some(&item)), stamp.at, limits, add)?;
        let (taken, ()) =
            self.edit(List::Saved, (id, None), stamp.at, limits, |line| line.give_units(stamp, room))?;
        let pieces = vec![Piece { dropped: room, ..taken }, put];
        let mut effect = Effect::new(OpKind::Unsave, Outcome::Clamped, pieces);
        let units = Units { brought: wanted, went_in: room, saved: wanted - room };
        effect.notices.push(Notice::clamped(id, units));
        Ok(effect)
    }

    /// The op an intent becomes when its author acted in an older generation: an ADD comes along, all else is too late.
    pub(super) fn apply_late(
        &mut self,
        intent: &Intent,
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<Effect, Refusal> {
        let Intent::Add(line, n) = intent else {
            return Ok(Effect::superseded(intent.kind(), intent.line_id()));
        };
        judge_add(*n, limits)?;
        let item = self.item(List::Cart, line)?;
        let due = Due { list: List::Cart, item, add: stamp.add(*n) };
        let source = Source::new(LeftoverFrom::Late(self.id), stamp.revision);
        self.add_owed(&due, source, stamp, limits, leftovers)
    }

    /// An ADD that must not be refused for a limit. Where it is, nothing has changed.
    pub(super) fn add_owed(
        &mut self,
        due: &Due,
        source: Source,
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<Effect, Refusal> {
        let kept = self.keep(leftovers);
        match self.owe(due, source, stamp, limits, leftovers) {
            Ok(brought) => {
                let pieces = self.pieces_since(&kept.lines, &kept.saved);
                let outcome = brought.outcome(Outcome::Carried);
                Ok(self.brought_effect(OpKind::Add, outcome, pieces, &[brought]))
            }
            Err(refusal) => {
                self.put_back(kept, leftovers);
                Err(refusal)
            }
        }
    }

    /// The effect of an op that brought units in, with what is told of them.
    pub(super) fn brought_effect(
        &self,
        kind: OpKind,
        outcome: Outcome,
        pieces: Vec<Piece>,
        brought: &[Brought],
    ) -> Effect {
        let left = brought.iter().find_map(|brought| brought.left);
        Effect {
            notices: of_brought(brought, &[]),
            leftover: self.leftover_ref(left.map(|(_, id)| id)),
            ..Effect::new(kind, outcome, pieces)
        }
    }

    /// Whether an op with this base was meant for an older generation of this cart. With a base above 0 the base tells,
    /// and `generation` is not read.
    pub(super) fn is_late(&self, base: Revision, generation: Option<Generation>) -> bool {
        match base {
            0 => generation.is_some_and(|generation| generation < self.generation),
            base => base < self.generation_start,
        }
    }

    /// What became of each line since the lists were as given.
    pub(super) fn pieces_since(&self, lines: &[Arc<Line>], saved: &[Arc<Line>]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (list, old) in [(List::Cart, lines), (List::Saved, saved)] {
            for (place, line) in self.list(list).iter().enumerate() {
                if old.get(place).is_some_and(|other| Arc::ptr_eq(other, line)) {
                    continue;
                }
                let before = old.iter().find(|other| other.id == line.id).map_or(0, |other| other.quantity());
                let after = line.quantity();
                if before != after {
                    let dropped = before.saturating_sub(after);
                    pieces.push(Piece { line: line.id, saved: list == List::Saved, before, after, dropped });
                }
            }
        }
        pieces
    }
}

impl Line {
    /// Whether a plain CLEAR of a caller who had seen `base` means this line. A tombstone alone shows nothing to clear:
    /// a cart that was folded has none any more, and the same call must do the same there.
    fn is_touched_by(&self, base: Revision) -> bool {
        self.register.as_ref().is_some_and(|register| register.n > 0 && register.revision <= base)
            || self.adds.iter().any(|add| add.revision <= base)
    }
}

impl List {
    pub(super) fn other(self) -> List {
        match self {
            List::Cart => List::Saved,
            List::Saved => List::Cart,
        }
    }
}

impl Brought {
    /// `clamped` where a limit kept some of it out of the list it was for.
    pub(super) fn outcome(&self, whole: Outcome) -> Outcome {
        let is_over = self.left.is_some() || (self.list == List::Cart && self.went_in < self.n);
        if is_over { Outcome::Clamped } else { whole }
    }
}

/// What nobody may ask for is refused, late or not.
pub(super) fn judge_add(n: Quantity, limits: &Limits) -> Result<(), Refusal> {
    match n {
        0 => Err(Refusal::QuantityZero),
        n if n > limits.quantity => Err(Refusal::QuantityOverLimit(limits.quantity)),
        _ => Ok(()),
    }
}

/// Used by the undo of a write: the register an undone op left must still stand.
pub(super) fn still_wins(line: &Line, revision: Revision) -> bool {
    line.register.as_ref().is_some_and(|register| register.revision == revision)
}
