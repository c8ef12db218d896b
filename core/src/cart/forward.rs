//! Late ops of a merged guest cart's devices, applied to the account's cart as if they had come before the merge.

use std::sync::Arc;

use crate::ids::{CartId, Generation, Quantity};
use crate::item::{Item, LineId};

use super::apply::Effect;
use super::edit::List;
use super::limits::Limits;
use super::line::Written;
use super::op::{Intent, LineRef, MergePolicy, NotUndoable, OpKind, Outcome, Refusal};
use super::stamp::Stamp;
use super::state::{Add, Author, Cart, GuestRegister, Line, Merged, Origin, Piece};

impl Cart {
    /// Applies one late op of a device of guest cart `guest`. The stamp's base is the guest cart's.
    pub(super) fn apply_forwarded(
        &mut self,
        intent: &Intent,
        guest: CartId,
        generation: Option<Generation>,
        stamp: &Stamp,
        limits: &Limits,
    ) -> Result<Effect, Refusal> {
        let Some(merged) = self.merged.iter().find(|merged| merged.cart == guest).cloned() else {
            return self.apply_late(intent, stamp, limits);
        };
        let stamp = &Stamp { base: stamp.base.min(merged.guest_revision), ..stamp.clone() };
        let of_older_guest_generation = match stamp.base {
            0 => generation.is_some_and(|generation| generation < merged.guest_generation),
            base => base < merged.guest_generation_start,
        };
        if of_older_guest_generation || merged.revision <= self.generation_start {
            return self.apply_late(intent, stamp, limits);
        }
        match intent {
            Intent::Add(..) => self.apply(intent, stamp, limits),
            Intent::Set(line, n) => self.forward_write(line, *n, intent.kind(), &merged, stamp, limits),
            Intent::Remove(line) => self.forward_write(line, 0, OpKind::Remove, &merged, stamp, limits),
            Intent::Clear(lines) => self.forward_clear(lines.as_deref(), &merged, stamp, limits),
            Intent::Save(line) => self.forward_save(line, &merged, stamp, limits),
            Intent::Unsave(line) => self.forward_saved(line, OpKind::Unsave, &merged, stamp, limits),
            Intent::Discard(line) => self.forward_saved(line, OpKind::Discard, &merged, stamp, limits),
            Intent::Undo(seq) => self.forward_undo(*seq, guest, stamp, limits),
        }
    }

    fn forward_write(
        &mut self,
        line: &LineRef,
        n: Quantity,
        kind: OpKind,
        merged: &Merged,
        stamp: &Stamp,
        limits: &Limits,
    ) -> Result<Effect, Refusal> {
        if n > limits.quantity {
            return Err(Refusal::QuantityOverLimit(limits.quantity));
        }
        let list = merged.home();
        let item = if n > 0 { Some(self.item(list, line)?) } else { line.item().cloned() };
        let target = (line.id(), item.as_ref());
        let (piece, written) =
            self.edit(list, target, stamp.at, limits, |line| line.write_forwarded(merged, stamp, n))?;
        let piece = Piece { dropped: written.dropped, ..piece };
        Ok(Effect::written(kind, written.won, vec![piece], written.eff))
    }

    fn forward_clear(
        &mut self,
        named: Option<&[LineId]>,
        merged: &Merged,
        stamp: &Stamp,
        limits: &Limits,
    ) -> Result<Effect, Refusal> {
        let mut pieces = Vec::new();
        let (mut won, mut eff) = (false, stamp.last_eff);
        for id in named.unwrap_or_default() {
            let write = |line: &mut Line| line.write_forwarded(merged, stamp, 0);
            let (piece, written) = self.edit(merged.home(), (*id, None), stamp.at, limits, write)?;
            won |= written.won;
            eff = eff.max(written.eff);
            pieces.push(Piece { dropped: written.dropped, ..piece });
        }
        Ok(Effect::written(OpKind::Clear, won || pieces.is_empty(), pieces, eff))
    }

    fn forward_save(
        &mut self,
        line: &LineRef,
        merged: &Merged,
        stamp: &Stamp,
        limits: &Limits,
    ) -> Result<Effect, Refusal> {
        let kept = (self.lines.clone(), self.saved.clone());
        let mut effect = self.forward_write(line, 0, OpKind::Save, merged, stamp, limits)?;
        let lost: Quantity = effect.pieces.iter().map(|piece| piece.before.saturating_sub(piece.after)).sum();
        let item = self.line(merged.home(), line.id()).and_then(|line| line.item.clone());
        if let (true, Some(item)) = (lost > 0, item) {
            match self.put_in(List::Saved, &item, lost, stamp, limits) {
                Ok(piece) if merged.home() == List::Cart => effect.pieces.push(piece),
                Ok(_) => {}
                Err(refusal) => {
                    (self.lines, self.saved) = kept;
                    return Err(refusal);
                }
            }
        }
        Ok(effect)
    }

    /// UNSAVE and its like: what the guest's saved list brought along leaves the account's; UNSAVE puts it in the cart.
    fn forward_saved(
        &mut self,
        line: &LineRef,
        kind: OpKind,
        merged: &Merged,
        stamp: &Stamp,
        limits: &Limits,
    ) -> Result<Effect, Refusal> {
        let kept = (self.lines.clone(), self.saved.clone());
        let id = line.id();
        let Some(item) = self.line(List::Saved, id).and_then(|line| line.item.clone()) else {
            return Ok(Effect::superseded(kind, Some(id)));
        };
        let seen = |add: &Add| {
            stamp.observes_import(add, merged.cart, merged.revision)
                || add.origin.as_ref().is_some_and(|origin| {
                    origin.cart == merged.cart && origin.register && origin.revision <= stamp.base
                })
        };
        let (taken, dropped) =
            self.edit(List::Saved, (id, None), stamp.at, limits, |line| line.drop_adds(seen))?;
        if dropped == 0 {
            return Ok(Effect::superseded(kind, Some(id)));
        }
        let mut pieces = vec![Piece { dropped, ..taken }];
        if kind == OpKind::Unsave {
            match self.put_in(List::Cart, &item, dropped, stamp, limits) {
                Ok(piece) => pieces.push(piece),
                Err(refusal) => {
                    (self.lines, self.saved) = kept;
                    return Err(refusal);
                }
            }
        }
        Ok(Effect::new(kind, Outcome::Applied, pieces))
    }

    fn put_in(
        &mut self,
        list: List,
        item: &Arc<Item>,
        n: Quantity,
        stamp: &Stamp,
        limits: &Limits,
    ) -> Result<Piece, Refusal> {
        let target = (item.line_id(), Some(item));
        Ok(self.edit(list, target, stamp.at, limits, |line| line.add(stamp, n))?.0)
    }

    /// UNDO of an ADD the device made before or after the merge; the guest's ring did not move along, so what else it
    /// may have undone there counts as covered.
    fn forward_undo(
        &mut self,
        seq: u64,
        guest: CartId,
        stamp: &Stamp,
        limits: &Limits,
    ) -> Result<Effect, Refusal> {
        let Author::Device(client) = stamp.author else { return Err(NotUndoable::Unknown.into()) };
        if self.ring.iter().any(|change| change.author == stamp.author && change.seq == seq) {
            return self.apply_undo(seq, stamp, limits);
        }
        let is_it = |add: &Add| {
            add.origin.as_ref().is_some_and(|origin| {
                origin.cart == guest && !origin.register && origin.client == Some(client) && origin.seq == seq
            })
        };
        for list in [List::Cart, List::Saved] {
            let holder = self.list(list).iter().find(|line| line.adds.iter().any(is_it)).map(|line| line.id);
            if let Some(id) = holder {
                let (piece, dropped) =
                    self.edit(list, (id, None), stamp.at, limits, |line| line.drop_adds(is_it))?;
                return Ok(Effect::new(OpKind::Undo, Outcome::Applied, vec![Piece { dropped, ..piece }]));
            }
        }
        Ok(Effect::new(OpKind::Undo, Outcome::Covered, Vec::new()))
    }
}

impl Line {
    /// A forwarded SET, REMOVE or CLEAR: it drops the imported plain adds it had observed and competes with the guest's
    /// register alone. Where an account's register younger than the merge is newer, it brings nothing in.
    fn write_forwarded(&mut self, merged: &Merged, stamp: &Stamp, n: Quantity) -> Written {
        let mut dropped = self.drop_adds(|add| stamp.observes_import(add, merged.cart, merged.revision));
        let standing = self.guests.iter().position(|guest| guest.cart == merged.cart);
        let old = standing.map(|place| &self.guests[place]);
        let withheld = match (old, merged.policy) {
            (Some(old), _) => old.withheld,
            (None, MergePolicy::Max) => self.quantity_without(merged.cart),
            (None, _) => 0,
        };
        let register = stamp.guest_register(merged.guest_revision, old.map(|old| &old.register), n);
        let own = GuestRegister { cart: merged.cart, register, withheld };
        let eff = own.register.eff;
        let beats_guest = old.is_none_or(|old| old.register.rank() < own.register.rank());
        let account = self.register.as_ref().filter(|register| register.revision > merged.revision);
        let beats_account = account.is_none_or(|account| account.rank() < own.register.rank());
        if !(beats_guest && beats_account) {
            return Written { won: false, dropped, eff };
        }
        let is_old_import = |add: &Add| {
            add.origin.as_ref().is_some_and(|origin| origin.cart == merged.cart && origin.register)
        };
        dropped += self.drop_adds(is_old_import);
        let brings = n.saturating_sub(own.withheld);
        if brings > 0 {
            self.adds.push(stamp.import(brings, own.origin(stamp)));
        }
        match standing {
            Some(place) => self.guests[place] = own,
            None => self.guests.push(own),
        }
        Written { won: true, dropped, eff }
    }
}

impl Line {
    /// What the account itself holds of this line, without what came from a guest cart.
    fn quantity_without(&self, guest: CartId) -> Quantity {
        let is_import = |add: &&Add| add.origin.as_ref().is_some_and(|origin| origin.cart == guest);
        let imported: Quantity = self.adds.iter().filter(is_import).map(|add| add.n).sum();
        self.quantity().saturating_sub(imported)
    }
}

impl GuestRegister {
    fn origin(&self, stamp: &Stamp) -> Origin {
        Origin {
            cart: self.cart,
            revision: self.register.revision,
            client: stamp.author.client(),
            seq: stamp.seq,
            register: true,
        }
    }
}

impl Merged {
    /// The list the guest's lines came into.
    fn home(&self) -> List {
        match self.policy {
            MergePolicy::KeepAccount => List::Saved,
            MergePolicy::Sum | MergePolicy::Max | MergePolicy::KeepGuest => List::Cart,
        }
    }
}
