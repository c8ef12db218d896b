//! Late ops of a merged guest cart's devices, applied to the account's cart as if they had come before the merge.
//!
//! Limits may have put what the merge brought on another list than it was for, or beside the cart: an op finds it wherever
//! it lies, and what it brings itself is owed.

use std::sync::Arc;

use crate::ids::{CartId, Generation, Quantity};
use crate::item::{Item, LineId};

use super::apply::{Effect, judge_add};
use super::edit::List;
use super::leftover::Leftovers;
use super::limits::Limits;
use super::line::Written;
use super::op::{Intent, LineRef, MergePolicy, OpKind, Outcome, Refusal};
use super::owed::{Brought, Due, Source};
use super::stamp::Stamp;
use super::state::{Add, Cart, GuestRegister, LeftoverFrom, Line, Merged, Origin};

/// One forwarded op, while it is applied.
pub(super) struct Forward<'a> {
    pub(super) merged: &'a Merged,
    pub(super) stamp: &'a Stamp,
    pub(super) limits: &'a Limits,
    pub(super) leftovers: &'a mut Leftovers,
    /// What became of the units that it brought in.
    pub(super) brought: Vec<Brought>,
    /// What each line of the guest's cart lost that it wrote.
    pub(super) written: Vec<(LineId, Quantity)>,
}

impl Cart {
    /// Applies one late op of a device of the guest cart `of`, which shows that cart's generation. The stamp's base is the
    /// guest cart's. Refused, it changes nothing.
    pub(super) fn apply_forwarded(
        &mut self,
        intent: &Intent,
        (guest, generation): (CartId, Option<Generation>),
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<Effect, Refusal> {
        let Some(merged) = self.merged.iter().find(|merged| merged.cart == guest).cloned() else {
            return self.apply_late(intent, stamp, limits, leftovers);
        };
        let stamp = &Stamp { base: stamp.base.min(merged.guest_revision), ..stamp.clone() };
        let of_older_guest_generation = match stamp.base {
            0 => generation.is_some_and(|generation| generation < merged.guest_generation),
            base => base < merged.guest_generation_start,
        };
        if of_older_guest_generation || merged.revision <= self.generation_start {
            return self.apply_late(intent, stamp, limits, leftovers);
        }
        let kept = self.keep(leftovers);
        let mut op =
            Forward { merged: &merged, stamp, limits, leftovers, brought: Vec::new(), written: Vec::new() };
        let forwarded = self.forward(intent, &mut op);
        let Forward { brought, written, .. } = op;
        match forwarded {
            Ok(effect) => {
                let mut pieces = self.pieces_since(&kept.lines, &kept.saved);
                self.tell_what_was_written(&mut pieces, &written, merged.home());
                let mut told = self.brought_effect(effect.kind, effect.outcome, pieces, &brought);
                let is_clamped = brought.iter().any(|one| one.outcome(Outcome::Applied) == Outcome::Clamped);
                if is_clamped && told.outcome == Outcome::Applied {
                    told.outcome = Outcome::Clamped;
                }
                told.notices.extend(effect.notices);
                Ok(Effect { eff: effect.eff, ..told })
            }
            Err(refusal) => {
                self.put_back(kept, leftovers);
                Err(refusal)
            }
        }
    }

    fn forward(&mut self, intent: &Intent, op: &mut Forward<'_>) -> Result<Effect, Refusal> {
        match intent {
            Intent::Add(line, n) => self.forward_add(line, *n, op),
            Intent::Set(line, n) => self.forward_write(line, *n, intent.kind(), op),
            Intent::Remove(line) => self.forward_write(line, 0, OpKind::Remove, op),
            Intent::Clear(lines) => self.forward_clear(lines.as_deref(), op),
            Intent::Save(line) => self.forward_save(line, op),
            Intent::Unsave(line) => self.forward_saved(line, OpKind::Unsave, op),
            Intent::Discard(line) => self.forward_saved(line, OpKind::Discard, op),
            Intent::Undo(seq) => self.forward_undo(*seq, op),
            Intent::BringIn(_) | Intent::DropLeftover(_) => Err(Refusal::LeftoverNotFound),
        }
    }

    /// An ADD is an ADD whatever the policy was.
    fn forward_add(&mut self, line: &LineRef, n: Quantity, op: &mut Forward<'_>) -> Result<Effect, Refusal> {
        judge_add(n, op.limits)?;
        let item = self.item_anywhere(List::Cart, line, op)?;
        self.bring(List::Cart, item, op.own(n, false), op)?;
        Ok(Effect::new(OpKind::Add, Outcome::Applied, Vec::new()))
    }

    /// A SET or REMOVE: it drops the imported plain adds it had observed and competes with the guest's register alone. Where
    /// an account's register younger than the merge is newer, it brings nothing in.
    fn forward_write(
        &mut self,
        line: &LineRef,
        n: Quantity,
        kind: OpKind,
        op: &mut Forward<'_>,
    ) -> Result<Effect, Refusal> {
        if n > op.limits.quantity {
            return Err(Refusal::QuantityOverLimit(op.limits.quantity));
        }
        let home = op.merged.home();
        let item = if n > 0 { Some(self.item_anywhere(home, line, op)?) } else { line.item().cloned() };
        let places = self.places_of(line.id());
        let written = self.forward_line(line.id(), item, n, op)?;
        self.keep_places(line.id(), places);
        let outcome = if written.won { Outcome::Applied } else { Outcome::Superseded };
        if outcome == Outcome::Superseded {
            return Ok(Effect { eff: written.eff, ..Effect::superseded(kind, Some(line.id())) });
        }
        Ok(Effect { eff: written.eff, ..Effect::new(kind, outcome, Vec::new()) })
    }

    fn forward_line(
        &mut self,
        id: LineId,
        item: Option<Arc<Item>>,
        n: Quantity,
        op: &mut Forward<'_>,
    ) -> Result<Written, Refusal> {
        let (merged, stamp, home) = (op.merged, op.stamp, op.merged.home());
        let seen = |list: List, add: &Add| {
            let is_of_list = add.origin.as_ref().map_or(list == home, |origin| !origin.saved);
            is_of_list && stamp.observes_import(add, merged.cart, merged.revision)
        };
        let (dropped, found) = self.take_imports(id, op, seen)?;
        let written = self.forward_register(id, item.or(found), n, op)?;
        let dropped = dropped + written.dropped;
        op.written.push((id, dropped));
        Ok(Written { dropped, ..written })
    }

    /// Lets the op's register compete, and brings its value in where it wins: `n` units, less what a policy withheld.
    pub(super) fn forward_register(
        &mut self,
        id: LineId,
        item: Option<Arc<Item>>,
        n: Quantity,
        op: &mut Forward<'_>,
    ) -> Result<Written, Refusal> {
        let (merged, stamp, home) = (op.merged, op.stamp, op.merged.home());
        let line = self.line(home, id);
        let old = line.and_then(|line| line.guests.iter().find(|guest| guest.cart == merged.cart));
        let withheld = match (old, merged.policy) {
            (Some(old), _) => old.withheld,
            (None, MergePolicy::Max) => line.map_or(0, |line| line.quantity_without(merged.cart)),
            (None, _) => 0,
        };
        let register = stamp.guest_register(merged.guest_revision, old.map(|old| &old.register), n);
        let own = GuestRegister { cart: merged.cart, register, withheld };
        let eff = own.register.eff;
        let beats_guest = old.is_none_or(|old| old.register.rank() < own.register.rank());
        let account = line.and_then(|line| line.register.as_ref());
        let account = account.filter(|register| register.revision > merged.revision);
        let beats_account = account.is_none_or(|account| account.rank() < own.register.rank());
        if !(beats_guest && beats_account) {
            return Ok(Written { won: false, dropped: 0, eff });
        }
        let is_old_import = |_: List, add: &Add| {
            let is_it = |origin: &Origin| origin.cart == merged.cart && origin.register && !origin.saved;
            add.origin.as_deref().is_some_and(is_it)
        };
        let (dropped, found) = self.take_imports(id, op, is_old_import)?;
        let item = item.or(found);
        let (brings, origin) = (n.saturating_sub(own.withheld), own.origin(stamp));
        self.edit(home, (id, item.as_ref()), stamp.at, op.limits, |line| line.keep_guest(own))?;
        if let (Some(item), true) = (item, brings > 0) {
            self.bring(home, item, stamp.import(brings, origin), op)?;
        }
        Ok(Written { won: true, dropped, eff })
    }

    fn forward_clear(&mut self, named: Option<&[LineId]>, op: &mut Forward<'_>) -> Result<Effect, Refusal> {
        let named = named.unwrap_or_default();
        let (mut won, mut eff) = (named.is_empty(), op.stamp.last_eff);
        for id in named {
            let written = self.forward_line(*id, None, 0, op)?;
            won |= written.won;
            eff = eff.max(written.eff);
        }
        if !won {
            return Ok(Effect { eff, ..Effect::superseded(OpKind::Clear, named.first().copied()) });
        }
        Ok(Effect { eff, ..Effect::new(OpKind::Clear, Outcome::Applied, Vec::new()) })
    }

    fn forward_save(&mut self, line: &LineRef, op: &mut Forward<'_>) -> Result<Effect, Refusal> {
        let home = op.merged.home();
        let item = self.item_anywhere(home, line, op).ok();
        let written = self.forward_line(line.id(), line.item().cloned(), 0, op)?;
        if let (true, Some(item)) = (written.dropped > 0, item) {
            self.bring(List::Saved, item, op.own(written.dropped, true), op)?;
        }
        if !written.won {
            return Ok(Effect { eff: written.eff, ..Effect::superseded(OpKind::Save, Some(line.id())) });
        }
        Ok(Effect { eff: written.eff, ..Effect::new(OpKind::Save, Outcome::Applied, Vec::new()) })
    }

    /// UNSAVE and its like: what the guest's saved list brought along leaves the account's; UNSAVE puts it in the cart.
    fn forward_saved(
        &mut self,
        line: &LineRef,
        kind: OpKind,
        op: &mut Forward<'_>,
    ) -> Result<Effect, Refusal> {
        let (merged, stamp, id) = (op.merged, op.stamp, line.id());
        let Ok(item) = self.item_anywhere(List::Saved, line, op) else {
            return Ok(Effect::superseded(kind, Some(id)));
        };
        let seen = |list: List, add: &Add| match &add.origin {
            Some(origin) if origin.cart == merged.cart && origin.saved => {
                origin.revision <= stamp.base || stamp.observes_import(add, merged.cart, merged.revision)
            }
            Some(_) => false,
            None => list == List::Saved && stamp.observes_import(add, merged.cart, merged.revision),
        };
        let (dropped, _) = self.take_imports(id, op, seen)?;
        if dropped == 0 {
            return Ok(Effect::superseded(kind, Some(id)));
        }
        if kind == OpKind::Unsave {
            self.bring(List::Cart, item, op.own(dropped, false), op)?;
        }
        Ok(Effect::new(kind, Outcome::Applied, Vec::new()))
    }

    /// The item a caller means: as named, or of the line in the list, or of what the guest brought of it wherever it lies.
    fn item_anywhere(&self, list: List, named: &LineRef, op: &Forward<'_>) -> Result<Arc<Item>, Refusal> {
        let here = self.item(list, named).or_else(|_| self.item(list.other(), named));
        let left = || {
            let lines = op.leftovers.held().iter().flat_map(|leftover| &leftover.lines);
            let mut lines = lines.filter(|line| line.line.id == named.id());
            lines.find_map(|line| line.line.item.clone())
        };
        here.or_else(|refusal| left().ok_or(refusal))
    }

    /// Drops what `goes` names of a line's adds, in the cart, on the saved list and in the guest's leftovers; says how many
    /// units that were, and of what they are.
    pub(super) fn take_imports(
        &mut self,
        id: LineId,
        op: &mut Forward<'_>,
        goes: impl Fn(List, &Add) -> bool,
    ) -> Result<(Quantity, Option<Arc<Item>>), Refusal> {
        let (mut dropped, mut item) = (0, None);
        for list in [List::Cart, List::Saved] {
            let is_it = |add: &Add| goes(list, add);
            let line = self.line(list, id).filter(|line| line.adds.iter().any(is_it));
            if let Some(line) = line {
                item = item.or_else(|| line.item.clone());
                let drop = |line: &mut Line| line.drop_adds(is_it);
                dropped += self.edit(list, (id, None), op.stamp.at, op.limits, drop)?.1;
            }
        }
        let source = op.source().from;
        let left = self.take_left(
            op.leftovers,
            |of| of.from == source,
            |line, add| line.line.id == id && add.origin.is_some() && goes(List::Cart, add),
        );
        dropped += left.iter().map(|due| due.add.n).sum::<Quantity>();
        Ok((dropped, item.or_else(|| left.into_iter().next().map(|due| due.item))))
    }

    pub(super) fn bring(
        &mut self,
        list: List,
        item: Arc<Item>,
        add: Add,
        op: &mut Forward<'_>,
    ) -> Result<(), Refusal> {
        let due = Due { list, item, add };
        let brought = self.owe(&due, op.source(), op.stamp, op.limits, op.leftovers)?;
        op.brought.push(brought);
        Ok(())
    }
}

impl Forward<'_> {
    fn source(&self) -> Source {
        Source::new(LeftoverFrom::Merge(self.merged.cart), self.merged.revision)
    }

    /// Units of its own, as the guest's cart or saved list would hold them.
    pub(super) fn own(&self, n: Quantity, saved: bool) -> Add {
        self.stamp.forwarded(n, self.merged.cart, self.merged.guest_revision, saved)
    }
}

impl Line {
    /// Keeps a guest cart's register in the place of that cart's older one.
    fn keep_guest(&mut self, own: GuestRegister) {
        match self.guests.iter_mut().find(|guest| guest.cart == own.cart) {
            Some(place) => *place = own,
            None => self.guests.push(own),
        }
    }

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
            saved: false,
        }
    }
}

impl Merged {
    /// The list the guest's lines came into.
    pub(super) fn home(&self) -> List {
        match self.policy {
            MergePolicy::KeepAccount => List::Saved,
            MergePolicy::Sum | MergePolicy::Max | MergePolicy::KeepGuest => List::Cart,
        }
    }
}
