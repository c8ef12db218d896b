//! How many bytes a cart takes at rest at the most, and what it lets go of before it takes too many.
//!
//! Each part has its bound, and all of them at once would take half as much again as a cart may take: so there is a bound
//! of the whole. What goes first is what a shopper misses least, and nothing that goes is a unit of a line or makes an op
//! count twice.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::time::Timestamp;

use super::limits::Limits;
use super::state::{Add, Cart, Change, Client, Line};

/// What stands in a record, at its longest: ids, times, revisions and seqs (below 2²⁸), quantities.
const ID: usize = 16;
const TIME: usize = 6;
const COUNT: usize = 4;
const UNITS: usize = 3;
const LINE_ID: usize = 22;
/// An id that may be absent, or one of two kinds.
const TAGGED_ID: usize = 1 + ID;

const REGISTER: usize = TIME + COUNT + TAGGED_ID + COUNT + UNITS + COUNT;
const ADD: usize = 2 * COUNT + TAGGED_ID + COUNT + UNITS + 1;
const ORIGIN: usize = ID + COUNT + TAGGED_ID + COUNT + 2;
const GUEST_REGISTER: usize = ID + REGISTER + UNITS;
/// Its id, three marks of what is there and two lengths, a price and two times.
const LINE: usize = LINE_ID + 3 + 2 * 2 + 13 + 2 * TIME;
const CHANGE: usize = COUNT + TIME + TAGGED_ID + COUNT + 1 + 2 + 1;
const PIECE: usize = LINE_ID + 1 + 3 * UNITS;
const CLIENT: usize = ID + COUNT + 2 * TIME + COUNT + 2 + 1 + ID + COUNT;
const RECENT: usize = COUNT + 8 + 2;
const NOTICE: usize = 2 + LINE_ID + 3 + 2 + 1 + 3 * UNITS + 1 + ID;
const DEPARTED: usize = 8 + TIME;
const MERGED: usize = ID + 4 * COUNT + 1;
/// Its id, where it is from, its revision, whether it came along.
const LEFTOVER: usize = ID + TAGGED_ID + COUNT + 1;
const APPLIED: usize = TAGGED_ID + COUNT;
const MARK: usize = COUNT + TIME;
/// The cart's own fields, lengths, format and checksum.
const HEAD: usize = 160;

/// Owed lines leave room for so many lines of a cart …
const ORDINARY_LINES: usize = 200;
/// … each with so many bytes of sku and options.
const ORDINARY_TEXT: usize = 40;
/// So many of a client's last ops are told apart by their op id in any cart.
const RECENT_LEAST: usize = 8;
/// So many notices are told of one change in any cart.
const NOTICES_LEAST: usize = 16;
/// One a day of those that are too young to fold by, and the newest that is not.
const MARKS_MOST: usize = 32;
/// So many merges and cancelled orders are on their way at the most.
const APPLIED_MOST: usize = 64;

impl Cart {
    /// Bytes that the cart takes at rest, at the most.
    pub fn bytes_at_most(&self) -> usize {
        let lines: usize = self.lines.iter().chain(&self.saved).map(|line| line.weight()).sum();
        let clients: usize = self.clients.iter().map(|client| client.weight()).sum();
        HEAD + lines
            + clients
            + self.ring.iter().map(|change| change.weight()).sum::<usize>()
            + self.departed.len() * DEPARTED
            + self.marks.len() * MARK
            + self.merged.len() * MERGED
            + self.applied.len() * APPLIED
            + self.leftovers.len() * LEFTOVER
            + self.notices.len() * NOTICE
    }

    /// Whether a line may come in: with all that is shown, each grown as far as it can, the cart stays within its bytes.
    pub(super) fn has_room_for_line(&self, line: &Line, limits: &Limits) -> bool {
        self.has_room_for(line.weight_grown(), limits)
    }

    fn has_room_for(&self, more: usize, limits: &Limits) -> bool {
        self.weight_of_rest(limits) + NOTICES_LEAST * NOTICE + more <= limits.bytes
    }

    /// Keeps as many notices as will have room whatever devices still register: they stand until the cart's next change, and what
    /// comes without one takes none of them away.
    pub(super) fn bound_notices(&mut self, limits: &Limits) {
        let room = limits.bytes.saturating_sub(self.weight_of_rest(limits)) / NOTICE;
        self.notices.truncate(room.max(NOTICES_LEAST));
    }

    /// All that is shown, each line grown as far as it can, and what has a place in any cart.
    fn weight_of_rest(&self, limits: &Limits) -> usize {
        let shown = self.lines.iter().chain(&self.saved).filter(|line| line.is_shown());
        let lines: usize = shown.map(|line| line.weight_grown()).sum();
        HEAD + lines
            + limits.clients * (CLIENT + RECENT_LEAST * RECENT + MERGED)
            + limits.departed * DEPARTED
            + MARKS_MOST * MARK
            + APPLIED_MOST * APPLIED
            + self.leftovers.len() * LEFTOVER
    }

    /// Whether an owed line may come onto a saved list that is full: it may as long as the list keeps within its bytes and
    /// the record keeps room for so many ordinary lines as the cart may yet take.
    pub(super) fn has_room_for_owed(&self, line: &Line, limits: &Limits) -> bool {
        let saved: usize = self.shown_saved().map(Line::weight_grown).sum();
        let to_come = limits.lines.min(ORDINARY_LINES).saturating_sub(self.shown().count());
        let ordinary = LINE + REGISTER + ADD + ORDINARY_TEXT;
        saved + line.weight_grown() <= limits.saved_bytes
            && self.has_room_for(line.weight_grown() + to_come * ordinary, limits)
            && self.has_room_for_text_besides(line, to_come * ORDINARY_TEXT, limits)
    }

    /// Whether the cart may name so many more leftovers.
    pub(super) fn has_room_for_leftovers(&self, more: usize, limits: &Limits) -> bool {
        self.leftovers.len() + more <= limits.leftovers && self.has_room_for(more * LEFTOVER, limits)
    }

    /// Lets go of what is over the cart's bytes: old history, old tombstones, which add was whose, what tells copied
    /// queues apart, what is kept for late ops of merged guests, at last the newest change's own history.
    pub(super) fn lighten(&mut self, now: Timestamp, limits: &Limits) {
        if self.bytes_at_most() <= limits.bytes {
            return;
        }
        self.lighten_until(limits, |cart| {
            (cart.ring.len() > limits.ring_least).then(|| drop(cart.ring.pop_front()))
        });
        self.lighten_until(limits, Cart::drop_oldest_tombstone);
        self.lighten_until(limits, Cart::join_adds_of_longest);
        for client in &mut self.clients {
            if client.recent.len() > RECENT_LEAST {
                let recent: &mut VecDeque<_> = &mut Arc::make_mut(client).recent;
                recent.drain(..recent.len() - RECENT_LEAST);
            }
        }
        self.lighten_until(limits, |cart| (cart.ring.len() > 1).then(|| drop(cart.ring.pop_front())));
        self.lighten_until(limits, |cart| cart.leave_first_guest(now, limits));
        self.lighten_until(limits, Cart::forget_guest_registers);
        self.lighten_until(limits, Cart::drop_oldest_tombstone);
        self.lighten_until(limits, Cart::forget_origins);
        self.lighten_until(limits, Cart::join_adds_of_longest);
        if self.bytes_at_most() > limits.bytes {
            self.ring.clear();
        }
    }

    /// Does `step` until the cart is light enough or there is nothing left to do.
    fn lighten_until(&mut self, limits: &Limits, mut step: impl FnMut(&mut Cart) -> Option<()>) {
        while self.bytes_at_most() > limits.bytes && step(self).is_some() {}
    }

    fn drop_oldest_tombstone(&mut self) -> Option<()> {
        let hidden = self.lines.iter().chain(&self.saved).filter(|line| line.is_spare());
        let oldest = hidden.map(|line| line.updated_at).min()?;
        for list in [&mut self.lines, &mut self.saved] {
            list.retain(|line| !(line.is_spare() && line.updated_at == oldest));
        }
        Some(())
    }

    fn join_adds_of_longest(&mut self) -> Option<()> {
        let lines = self.lines.iter_mut().chain(&mut self.saved);
        let longest = lines.filter(|line| line.can_join()).max_by_key(|line| line.adds.len())?;
        Arc::make_mut(longest).join_oldest().then_some(())
    }

    /// The clients of the guest cart that came first leave, and with them what is kept for their late ops; none does
    /// whose place among the departed would be taken from another, whose old queue could count again.
    fn leave_first_guest(&mut self, now: Timestamp, limits: &Limits) -> Option<()> {
        if self.departed.len() >= limits.departed {
            return None;
        }
        let first = self.merged.first()?.cart;
        let is_of_first = |client: &Arc<Client>| client.guest.is_some_and(|guest| guest.cart == first);
        let place = self.clients.iter().position(is_of_first)?;
        self.depart(place, now, limits);
        Some(())
    }

    /// A late SET of a guest's device wins over the one that the guest's cart had, older or not.
    fn forget_guest_registers(&mut self) -> Option<()> {
        let mut lines = self.lines.iter_mut().chain(&mut self.saved);
        let line = lines.find(|line| !line.guests.is_empty())?;
        Arc::make_mut(line).guests.clear();
        Some(())
    }

    /// A late op of a guest's device takes back no add any more that it had seen in the guest's cart.
    fn forget_origins(&mut self) -> Option<()> {
        let mut lines = self.lines.iter_mut().chain(&mut self.saved);
        let line = lines.find(|line| line.adds.iter().any(|add| add.origin.is_some()))?;
        Arc::make_mut(line).adds.iter_mut().for_each(|add| add.origin = None);
        Some(())
    }
}

impl Line {
    fn weight(&self) -> usize {
        let register = if self.register.is_some() { REGISTER } else { 0 };
        let adds: usize = self.adds.iter().map(Add::weight).sum();
        LINE + self.item_weight() + register + adds + self.guests.len() * GUEST_REGISTER
    }

    /// With a register, and one add that has a client.
    fn weight_grown(&self) -> usize {
        LINE + self.item_weight() + REGISTER + ADD
    }

    /// Each text has its length before it.
    fn item_weight(&self) -> usize {
        self.item.as_ref().map_or(0, |item| item.text_bytes() + 2 + 1 + 2 * 2 * item.options().len())
    }

    fn is_spare(&self) -> bool {
        !self.is_shown() && self.guests.is_empty()
    }
}

impl Add {
    fn weight(&self) -> usize {
        ADD + if self.origin.is_some() { ORIGIN } else { 0 }
    }
}

impl Change {
    fn weight(&self) -> usize {
        let leftover = if self.leftover.is_some() { LEFTOVER } else { 0 };
        CHANGE + self.pieces.len() * PIECE + leftover
    }
}

impl Client {
    fn weight(&self) -> usize {
        CLIENT + self.recent.len() * RECENT
    }
}
