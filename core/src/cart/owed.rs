//! What is owed has no limit: what a merge, a cancelled order, a late, carried or forwarded op brings goes into the cart
//! up to its limits, then onto the saved list beyond its own, and what finds room on neither is left over beside the cart.

use std::sync::Arc;

use crate::ids::{LeftoverId, Quantity, Revision};
use crate::item::{Item, LineId};
use crate::time::Timestamp;

use super::edit::{Growth, List};
use super::leftover::Leftovers;
use super::limits::Limits;
use super::op::Refusal;
use super::stamp::Stamp;
use super::state::{Add, Cart, Leftover, LeftoverFrom, LeftoverLine, LeftoverRef, Line};

/// Units that must not be refused, and the list they are for.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub(super) list: List,
    pub(super) item: Arc<Item>,
    pub(super) add: Add,
}

/// What brings them: what is left over of one source lies together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) from: LeftoverFrom,
    /// The revision that its leftover is found by.
    pub(super) revision: Revision,
    /// Where it lay before, if it comes out of a leftover.
    pub(super) id: Option<LeftoverId>,
}

impl Source {
    pub(super) fn new(from: LeftoverFrom, revision: Revision) -> Source {
        Source { from, revision, id: None }
    }
}

/// What became of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brought {
    pub(super) line: LineId,
    pub(super) list: List,
    /// Units that came.
    pub(super) n: Quantity,
    /// Those of them that are in the cart …
    pub(super) went_in: Quantity,
    /// … on the saved list …
    pub(super) saved: Quantity,
    /// … and in this leftover.
    pub(super) left: Option<(Quantity, LeftoverId)>,
}

/// What an op that is refused puts back.
pub(super) struct Kept {
    pub(super) lines: Vec<Arc<Line>>,
    pub(super) saved: Vec<Arc<Line>>,
    leftovers: Vec<LeftoverRef>,
    at_hand: Leftovers,
}

impl Cart {
    /// Brings units in wherever there is room. Refused only where they would make one leftover too many.
    pub(super) fn owe(
        &mut self,
        due: &Due,
        source: Source,
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<Brought, Refusal> {
        let mut brought = self.bring_in(due, stamp.at, limits);
        let left = brought.n - brought.went_in - brought.saved;
        if left > 0 {
            let over = Due { add: Add { n: left, ..due.add.clone() }, ..due.clone() };
            brought.left = Some((left, self.leave_over(&over, source, stamp, limits, leftovers)?));
        }
        Ok(brought)
    }

    /// Puts what fits of them into the cart and onto the saved list, and says how many went where.
    pub(super) fn bring_in(&mut self, due: &Due, at: Timestamp, limits: &Limits) -> Brought {
        let went_in =
            if due.list == List::Cart { self.fit(due, due.add.n, Growth::Asked, at, limits) } else { 0 };
        let over = Due { list: List::Saved, ..due.clone() };
        let saved = self.fit(&over, due.add.n - went_in, Growth::Owed, at, limits);
        Brought { line: due.item.line_id(), list: due.list, n: due.add.n, went_in, saved, left: None }
    }

    /// Puts what fits of `n` units into the list and says how many that were.
    pub(super) fn fit(
        &mut self,
        due: &Due,
        n: Quantity,
        growth: Growth,
        at: Timestamp,
        limits: &Limits,
    ) -> Quantity {
        let id = due.item.line_id();
        let held = self.line(due.list, id).map_or(0, Line::quantity);
        let most = match growth {
            Growth::Asked => limits.quantity,
            Growth::Owed | Growth::Restored => limits.owed_units.max(limits.quantity),
        };
        let fits = n.min(most.saturating_sub(held));
        if fits == 0 {
            return 0;
        }
        let add = |line: &mut Line| line.adds.push(Add { n: fits, ..due.add.clone() });
        let put = self.edit_as(growth, due.list, (id, Some(&due.item)), at, limits, add);
        if put.is_ok() { fits } else { 0 }
    }

    /// Leaves units over: in a leftover of the same source that has room for them, or in a new one.
    pub(super) fn leave_over(
        &mut self,
        due: &Due,
        source: Source,
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<LeftoverId, Refusal> {
        let takes = |of: &&LeftoverRef| {
            (Some(of.id) == source.id || (of.from == source.from && !of.followed))
                && leftovers.get(of.id).is_some_and(|leftover| leftover.has_room_for(due, limits))
        };
        let standing = self.leftovers.iter().rev().find(takes).map(|of| of.id);
        let id = match standing {
            Some(id) => id,
            None => self.make_leftover(source, stamp, limits, leftovers)?,
        };
        if let Some(leftover) = leftovers.get_mut(id) {
            leftover.take_in(due, stamp.at, limits);
        }
        Ok(id)
    }

    fn make_leftover(
        &mut self,
        source: Source,
        stamp: &Stamp,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<LeftoverId, Refusal> {
        if leftovers.is_closed() || !self.has_room_for_leftovers(1, limits) {
            return Err(Refusal::TooManyLeftovers(limits.leftovers));
        }
        let mut names = (0..).map(|nth| LeftoverRef::name(self.id, stamp.revision, nth));
        let is_new = |id: &LeftoverId| !self.has_leftover(*id) && !leftovers.knows(*id);
        let id = names.find(is_new).ok_or(Refusal::TooManyLeftovers(limits.leftovers))?;
        let Source { from, revision, .. } = source;
        self.leftovers.push(LeftoverRef { id, from, revision, followed: false });
        leftovers.make(id, from, stamp.at);
        Ok(id)
    }

    /// Takes adds out of those leftovers at hand that `of` names. One with nothing left in it goes.
    pub(super) fn take_left(
        &mut self,
        leftovers: &mut Leftovers,
        of: impl Fn(&LeftoverRef) -> bool,
        goes: impl Fn(&LeftoverLine, &Add) -> bool,
    ) -> Vec<Due> {
        let mut taken = Vec::new();
        let ids: Vec<_> = self.leftovers.iter().filter(|named| of(named)).map(|named| named.id).collect();
        for id in ids {
            let touched = leftovers.get(id).is_some_and(|leftover| leftover.holds(&goes));
            let Some(leftover) = leftovers.get_mut(id).filter(|_| touched) else { continue };
            leftover.give_out(&goes, &mut taken);
            if leftover.lines.is_empty() {
                self.forget_leftover(id, leftovers);
            }
        }
        taken
    }

    /// The leftover is no more.
    pub(super) fn forget_leftover(&mut self, id: LeftoverId, leftovers: &mut Leftovers) {
        self.leftovers.retain(|named| named.id != id);
        leftovers.remove(id);
    }

    /// What an op changes all of or nothing.
    pub(super) fn keep(&self, leftovers: &Leftovers) -> Kept {
        Kept {
            lines: self.lines.clone(),
            saved: self.saved.clone(),
            leftovers: self.leftovers.clone(),
            at_hand: leftovers.clone(),
        }
    }

    /// Puts back what was kept.
    pub(super) fn put_back(&mut self, kept: Kept, leftovers: &mut Leftovers) {
        (self.lines, self.saved, self.leftovers) = (kept.lines, kept.saved, kept.leftovers);
        *leftovers = kept.at_hand;
    }

    /// The leftover's name in the cart, as a change keeps it.
    pub(super) fn leftover_ref(&self, id: Option<LeftoverId>) -> Option<Box<LeftoverRef>> {
        let id = id?;
        self.leftovers.iter().find(|of| of.id == id).copied().map(Box::new)
    }
}

impl Leftover {
    fn has_room_for(&self, due: &Due, limits: &Limits) -> bool {
        let is_saved = due.list == List::Saved;
        let id = due.item.line_id();
        match self.lines.iter().find(|line| line.saved == is_saved && line.line.id == id) {
            Some(line) => line.line.quantity().checked_add(due.add.n).is_some(),
            None => {
                let text: usize = self.lines.iter().map(|line| line.line.text_bytes()).sum();
                self.lines.len() < limits.leftover_lines && text + due.item.text_bytes() <= limits.text_bytes
            }
        }
    }

    fn take_in(&mut self, due: &Due, at: Timestamp, limits: &Limits) {
        let saved = due.list == List::Saved;
        let id = due.item.line_id();
        let adds: usize = self.lines.iter().map(|line| line.line.adds.len()).sum();
        let too_many = adds >= limits.cart_adds;
        match self.lines.iter_mut().find(|line| line.saved == saved && line.line.id == id) {
            Some(line) => {
                let line = Arc::make_mut(&mut line.line);
                line.adds.push(due.add.clone());
                line.updated_at = at;
                if too_many {
                    line.join_oldest();
                }
                while line.adds.len() > limits.line_adds && line.join_oldest() {}
            }
            None => {
                let mut line = Line::empty(id, Some(due.item.clone()), at);
                line.adds.push(due.add.clone());
                self.lines.push(LeftoverLine { saved, line: Arc::new(line) });
            }
        }
    }

    fn holds(&self, goes: &impl Fn(&LeftoverLine, &Add) -> bool) -> bool {
        self.lines.iter().any(|line| line.line.adds.iter().any(|add| goes(line, add)))
    }

    fn give_out(&mut self, goes: &impl Fn(&LeftoverLine, &Add) -> bool, taken: &mut Vec<Due>) {
        for line in &mut self.lines {
            let list = if line.saved { List::Saved } else { List::Cart };
            let (gone, stay): (Vec<_>, Vec<_>) =
                line.line.adds.iter().cloned().partition(|add| goes(line, add));
            if let (Some(item), false) = (&line.line.item, gone.is_empty()) {
                taken.extend(gone.into_iter().map(|add| Due { list, item: item.clone(), add }));
                Arc::make_mut(&mut line.line).adds = stay;
            }
        }
        self.lines.retain(|line| !line.line.adds.is_empty());
    }
}

/// An import is told by the merge's revision, wherever it goes.
pub(super) fn kept_from(add: &Add, stamp: &Stamp) -> Revision {
    if add.origin.is_some() { add.from } else { stamp.revision }
}
