//! What an owner does with a leftover: brings in what fits of it, or drops it.

use std::sync::Arc;

use crate::ids::LeftoverId;
use crate::item::Item;
use crate::time::Timestamp;

use super::apply::Effect;
use super::edit::{Growth, List};
use super::leftover::Leftovers;
use super::limits::Limits;
use super::op::{OpKind, Outcome, Refusal};
use super::owed::{Brought, Due, kept_from};
use super::stamp::Stamp;
use super::state::{Add, Cart, Leftover, LeftoverLine, Line};

impl Cart {
    /// Brings in what fits now of a leftover, each line onto the list that it was for; the rest stays. With its last line
    /// the leftover goes.
    pub(super) fn apply_bring_in(
        &mut self,
        id: LeftoverId,
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<Effect, Refusal> {
        let of = self.leftover_ref(Some(id)).ok_or(Refusal::LeftoverNotFound)?;
        let leftover = leftovers.get(id).cloned().ok_or(Refusal::LeftoverNotFound)?;
        let (lines, saved) = (self.lines.clone(), self.saved.clone());
        let (mut brought, mut stay) = (Vec::new(), Vec::new());
        for line in &leftover.lines {
            let Some(item) = &line.line.item else { continue };
            let mut rest = Vec::new();
            for add in &line.line.adds {
                let (revision, from) = (stamp.revision, kept_from(add, stamp));
                let moved = Add { revision, from, ..add.clone() };
                let one = self.bring_out(line, item, moved, stamp.at, limits);
                let n = add.n - one.went_in - one.saved;
                rest.extend((n > 0).then(|| Add { n, ..add.clone() }));
                brought.push(Brought { left: (n > 0).then_some((n, id)), ..one });
            }
            if !rest.is_empty() {
                let line =
                    LeftoverLine { line: Arc::new(Line { adds: rest, ..Line::clone(&line.line) }), ..*line };
                stay.push(line);
            }
        }
        if brought.iter().all(|one| one.went_in + one.saved == 0) {
            return Err(self.why_none_fits(&leftover, limits));
        }
        let outcome = if stay.is_empty() { Outcome::Applied } else { Outcome::Clamped };
        if stay.is_empty() {
            self.forget_leftover(id, leftovers);
        } else if let Some(leftover) = leftovers.get_mut(id) {
            leftover.lines = stay;
        }
        let effect =
            self.brought_effect(OpKind::BringIn, outcome, self.pieces_since(&lines, &saved), &brought);
        Ok(Effect { leftover: Some(of), ..effect })
    }

    fn bring_out(
        &mut self,
        line: &LeftoverLine,
        item: &Arc<Item>,
        add: Add,
        at: Timestamp,
        limits: &Limits,
    ) -> Brought {
        let (list, growth) =
            if line.saved { (List::Saved, Growth::Owed) } else { (List::Cart, Growth::Asked) };
        let due = Due { list, item: item.clone(), add };
        let fits = self.fit(&due, due.add.n, growth, at, limits);
        let (went_in, saved) = if line.saved { (0, fits) } else { (fits, 0) };
        Brought { line: line.line.id, list, n: due.add.n, went_in, saved, left: None }
    }

    fn why_none_fits(&self, leftover: &Leftover, limits: &Limits) -> Refusal {
        let is_full = |line: &LeftoverLine| {
            let held = self.line(List::Cart, line.line.id).map_or(0, Line::quantity);
            !line.saved && held >= limits.quantity
        };
        match leftover.lines.first() {
            Some(line) if is_full(line) => Refusal::QuantityOverLimit(limits.quantity),
            Some(line) if line.saved => Refusal::TooManySaved(limits.saved),
            _ => Refusal::TooManyLines(limits.lines),
        }
    }

    /// Drops a leftover for good.
    pub(super) fn apply_drop(
        &mut self,
        id: LeftoverId,
        leftovers: &mut Leftovers,
    ) -> Result<Effect, Refusal> {
        let of = self.leftover_ref(Some(id)).ok_or(Refusal::LeftoverNotFound)?;
        if leftovers.get(id).is_none() {
            return Err(Refusal::LeftoverNotFound);
        }
        self.forget_leftover(id, leftovers);
        Ok(Effect { leftover: Some(of), ..Effect::new(OpKind::DropLeftover, Outcome::Applied, Vec::new()) })
    }
}
