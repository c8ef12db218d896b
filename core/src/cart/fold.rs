//! Folding: what no honest device can tell apart any more is stored as one, so that no cart grows without end.

use std::sync::Arc;

use crate::ids::{CartId, Revision};
use crate::item::LineId;
use crate::time::Timestamp;

use super::edit::List;
use super::limits::Limits;
use super::state::{Add, Cart, Line};

/// The floor's age guard is kept by so many marks over its span.
const MARKS: u64 = 30;

impl Cart {
    /// The revision up to which the cart may be folded at `now`: what every live client has seen, but nothing younger
    /// than `fold_after` and no change that is still in the ring. A device may have read long before it first writes,
    /// and holds no floor until then: those two guards are its protection.
    pub(super) fn floor_at(&self, now: Timestamp, limits: &Limits) -> Revision {
        let live = self.clients.iter().filter(|client| !client.has_lapsed(now, limits));
        let seen_by_all = live.map(|client| client.lowest_base).min().unwrap_or(Revision::MAX);
        let old_enough = |mark: &&(Revision, Timestamp)| now.since(mark.1) >= limits.fold_after;
        let old = self.marks.iter().rev().find(old_enough).map_or(0, |mark| mark.0);
        let before_ring = self.ring.front().map_or(self.revision, |oldest| oldest.revision - 1);
        seen_by_all.min(old).min(before_ring).max(self.floor)
    }

    /// Notes that the present revision is of `now`. One mark a day is enough to know, up to a day late, how old a
    /// revision is; of the marks that are old enough to fold by, only the newest is kept.
    pub(super) fn mark(&mut self, now: Timestamp, limits: &Limits) {
        let day = limits.fold_after.part(MARKS).as_ms().max(1);
        match self.marks.last_mut() {
            // A clock that was set back does not make a revision older.
            Some(last) if now <= last.1 || last.1.as_ms() / day == now.as_ms() / day => {
                *last = (self.revision, now.max(last.1));
            }
            _ => self.marks.push((self.revision, now)),
        }
        let old = self.marks.iter().filter(|mark| now.since(mark.1) >= limits.fold_after).count();
        self.marks.drain(..old.saturating_sub(1));
    }

    /// Folds what has come to lie at or below the floor.
    pub(super) fn fold(&mut self, now: Timestamp, limits: &Limits) {
        let floor = self.floor_at(now, limits);
        if floor <= self.floor {
            return;
        }
        self.floor = floor;
        let guests: Vec<_> = self.merged.iter().map(|merged| merged.cart).collect();
        let remembered = self.ring.front().map_or(now, |oldest| oldest.at);
        for list in [List::Cart, List::Saved] {
            for line in self.list_mut(list) {
                if line.has_foldable(floor, &guests) {
                    Arc::make_mut(line).fold(floor, &guests);
                }
            }
            // History shows what a line was of; once it forgets the line, nothing needs it.
            self.list_mut(list).retain(|line| !line.is_bare() || line.updated_at >= remembered);
        }
    }

    /// Joins the oldest adds of a line that has too many, or of the longest line where the cart has too many. The joined
    /// one is observed only by who has seen all of it: that may leave a unit, and never loses one.
    pub(super) fn coalesce(&mut self, touched: &[(LineId, bool)], limits: &Limits) {
        for &(id, saved) in touched {
            let list = if saved { List::Saved } else { List::Cart };
            if let Some(line) = self.list_mut(list).iter_mut().find(|line| line.id == id) {
                while line.adds.len() > limits.line_adds {
                    if !Arc::make_mut(line).join_oldest() {
                        break;
                    }
                }
            }
        }
        let count =
            |cart: &Cart| -> usize { cart.lines.iter().chain(&cart.saved).map(|line| line.adds.len()).sum() };
        let mut excess = count(self).saturating_sub(limits.cart_adds);
        while excess > 0 {
            let longest = self.lines.iter_mut().chain(&mut self.saved).max_by_key(|line| line.adds.len());
            let Some(longest) = longest.filter(|line| line.adds.len() > 1) else { break };
            Arc::make_mut(longest).join_oldest();
            excess -= 1;
        }
    }

    /// Lets the oldest of too many lines go that are not shown.
    pub(super) fn bound_tombstones(&mut self, limits: &Limits) {
        if self.lines.len() + self.saved.len() <= limits.tombstones {
            return;
        }
        let mut hidden: Vec<_> = (self.lines.iter().map(|line| (List::Cart, line)))
            .chain(self.saved.iter().map(|line| (List::Saved, line)))
            .filter(|(_, line)| !line.is_shown() && line.guests.is_empty())
            .map(|(list, line)| (line.updated_at, list, line.id))
            .collect();
        if hidden.len() <= limits.tombstones {
            return;
        }
        hidden.sort_by_key(|(updated_at, ..)| *updated_at);
        for (_, list, id) in &hidden[..hidden.len() - limits.tombstones] {
            self.list_mut(*list).retain(|line| line.id != *id);
        }
    }
}

impl Line {
    fn has_foldable(&self, floor: Revision, guests: &[CartId]) -> bool {
        self.register.as_ref().is_some_and(|register| register.n == 0 && register.revision <= floor)
            || self.adds.iter().any(|add| add.is_foldable(floor, guests) && !add.is_folded())
            || self.adds.iter().filter(|add| add.is_foldable(floor, guests)).count() > 1
    }

    /// Its adds at or below the floor become one without a client; its tombstone there goes.
    fn fold(&mut self, floor: Revision, guests: &[CartId]) {
        if self.register.as_ref().is_some_and(|register| register.n == 0 && register.revision <= floor) {
            self.register = None;
        }
        let (old, young): (Vec<_>, Vec<_>) =
            self.adds.drain(..).partition(|add| add.is_foldable(floor, guests));
        let folded = old.into_iter().reduce(|sum, add| sum.joined(&add)).map(Add::without_client);
        self.adds = folded.into_iter().chain(young).collect();
        self.adds.sort_by_key(|add| add.revision);
    }

    /// Whether two of its adds may be joined.
    pub(super) fn can_join(&self) -> bool {
        self.adds.iter().filter(|add| add.is_joinable()).count() > 1
    }

    /// Joins the two oldest adds that may be joined, and says whether there were two.
    pub(super) fn join_oldest(&mut self) -> bool {
        let mut places = (0..self.adds.len()).filter(|&place| self.adds[place].is_joinable());
        let (Some(first), Some(second)) = (places.next(), places.next()) else { return false };
        let oldest = self.adds.remove(first);
        self.adds[second - 1] = oldest.joined(&self.adds[second - 1]);
        true
    }
}

impl Add {
    /// An imported register stands for itself: a late op of the guest's devices may still replace it.
    fn is_joinable(&self) -> bool {
        !self.origin.as_ref().is_some_and(|origin| origin.register)
    }

    fn is_foldable(&self, floor: Revision, guests: &[CartId]) -> bool {
        self.revision <= floor && !self.origin.as_ref().is_some_and(|origin| guests.contains(&origin.cart))
    }

    fn is_folded(&self) -> bool {
        self.client.is_none() && self.seq == 0 && self.origin.is_none()
    }

    /// Both as one: it keeps the client only where both have the same.
    fn joined(&self, other: &Add) -> Add {
        let client = self.client.filter(|_| self.client == other.client);
        Add {
            revision: self.revision.max(other.revision),
            from: self.from.min(other.from),
            client,
            seq: if client.is_some() { self.seq.max(other.seq) } else { 0 },
            n: self.n.saturating_add(other.n),
            origin: None,
        }
    }

    fn without_client(self) -> Add {
        Add { client: None, seq: 0, origin: None, ..self }
    }
}
