//! How a line is changed within the cart's bounds: the one place that puts lines into a list and moves them.

use std::sync::Arc;

use crate::ids::CartId;
use crate::item::{Item, LineId};
use crate::time::Timestamp;

use super::limits::Limits;
use super::op::{LineRef, Refusal};
use super::state::{Cart, Holder, Line, Piece};

/// The cart itself, or what is saved for later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Cart,
    Saved,
}

/// Why a line grows: what a shopper asks for is bound by the limits, what is owed is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// Somebody asks for it.
    Asked,
    /// It must go somewhere: the saved list takes units and lines of it beyond its limits.
    Owed,
    /// It was on the saved list, whatever the limits, and goes back there.
    Restored,
}

impl Cart {
    /// An empty cart of a guest.
    pub fn new(id: CartId, at: Timestamp) -> Cart {
        Cart::held_by(Holder::Guest, id, at)
    }

    /// An empty cart.
    pub fn held_by(holder: Holder, id: CartId, at: Timestamp) -> Cart {
        Cart {
            id,
            holder,
            generation: 0,
            generation_start: 0,
            revision: 0,
            version: 0,
            created_at: at,
            updated_at: at,
            lines: Vec::new(),
            saved: Vec::new(),
            clients: Vec::new(),
            departed: Vec::new(),
            ring: Default::default(),
            floor: 0,
            marks: Vec::new(),
            merged: Vec::new(),
            applied: Vec::new(),
            leftovers: Vec::new(),
            sealed: None,
            notices: Vec::new(),
        }
    }

    /// The lines in the cart, in the order they were added.
    pub fn shown(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().map(|line| &**line).filter(|line| line.is_shown())
    }

    /// The lines saved for later, in the order they were saved.
    pub fn shown_saved(&self) -> impl Iterator<Item = &Line> {
        self.saved.iter().map(|line| &**line).filter(|line| line.is_shown())
    }

    /// The line of this id, if it is in the cart.
    pub fn shown_line(&self, id: LineId) -> Option<&Line> {
        self.line(List::Cart, id).filter(|line| line.is_shown())
    }

    /// Units of all lines in the cart.
    pub fn quantity(&self) -> u64 {
        self.shown().map(|line| u64::from(line.quantity())).sum()
    }

    pub(super) fn list(&self, list: List) -> &Vec<Arc<Line>> {
        match list {
            List::Cart => &self.lines,
            List::Saved => &self.saved,
        }
    }

    pub(super) fn list_mut(&mut self, list: List) -> &mut Vec<Arc<Line>> {
        match list {
            List::Cart => &mut self.lines,
            List::Saved => &mut self.saved,
        }
    }

    pub(super) fn line(&self, list: List, id: LineId) -> Option<&Line> {
        self.list(list).iter().find(|line| line.id == id).map(|line| &**line)
    }

    /// The item a caller means: as named, or of the line that is in the list.
    pub(super) fn item(&self, list: List, named: &LineRef) -> Result<Arc<Item>, Refusal> {
        if let Some(item) = named.item() {
            return Ok(item.clone());
        }
        let shown = self.line(list, named.id()).filter(|line| line.is_shown());
        shown.and_then(|line| line.item.clone()).ok_or(Refusal::LineNotFound)
    }

    /// Lets `change` change one line. Where that would pass a limit it is refused, and the line stays as it was. A line
    /// that comes into the list goes to its end.
    pub(super) fn edit<T>(
        &mut self,
        list: List,
        target: (LineId, Option<&Arc<Item>>),
        at: Timestamp,
        limits: &Limits,
        change: impl FnOnce(&mut Line) -> T,
    ) -> Result<(Piece, T), Refusal> {
        self.edit_as(Growth::Asked, list, target, at, limits, change)
    }

    /// The same for what is not asked for: of this growth.
    pub(super) fn edit_as<T>(
        &mut self,
        growth: Growth,
        list: List,
        (id, item): (LineId, Option<&Arc<Item>>),
        at: Timestamp,
        limits: &Limits,
        change: impl FnOnce(&mut Line) -> T,
    ) -> Result<(Piece, T), Refusal> {
        let place = self.list(list).iter().position(|line| line.id == id);
        let mut line = match place {
            Some(place) => Line::clone(&self.list(list)[place]),
            None => Line::empty(id, None, at),
        };
        let before = line.quantity();
        let was_shown = line.is_shown();
        let had_item = line.item.is_some();
        if !had_item {
            line.item = item.cloned();
        }
        let done = change(&mut line);
        let after = line.quantity();
        if after > before {
            self.judge_growth(growth, list, &line, was_shown, limits)?;
        }
        if !had_item && line.item.is_some() {
            match self.make_room_for_text(&line, limits) {
                Err(refusal) if after > before => return Err(refusal),
                Err(_) => line.item = None,
                Ok(()) => {}
            }
        }
        line.updated_at = at;
        self.put(list, line, was_shown, at);
        Ok((Piece { line: id, saved: list == List::Saved, before, after, dropped: 0 }, done))
    }

    fn judge_growth(
        &self,
        growth: Growth,
        list: List,
        line: &Line,
        was_shown: bool,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        if line.item.is_none() {
            return Err(Refusal::LineNotFound);
        }
        let growth = if list == List::Saved { growth } else { Growth::Asked };
        let most = match growth {
            Growth::Asked => limits.quantity,
            Growth::Owed | Growth::Restored => limits.owed_units.max(limits.quantity),
        };
        if line.quantity() > most {
            return Err(Refusal::QuantityOverLimit(most));
        }
        if was_shown {
            return Ok(());
        }
        let may_be_over = match growth {
            Growth::Asked => false,
            Growth::Owed => self.is_full(list, limits) && self.has_room_for_owed(line, limits),
            Growth::Restored => true,
        };
        if !may_be_over && self.is_full(list, limits) {
            return Err(match list {
                List::Cart => Refusal::TooManyLines(limits.lines),
                List::Saved => Refusal::TooManySaved(limits.saved),
            });
        }
        if !self.has_room_for_line(line, limits) {
            return Err(Refusal::TooMuchText(limits.text_bytes));
        }
        Ok(())
    }

    pub(super) fn is_full(&self, list: List, limits: &Limits) -> bool {
        let most = match list {
            List::Cart => limits.lines,
            List::Saved => limits.saved,
        };
        self.list(list).len() >= most && self.list(list).iter().filter(|line| line.is_shown()).count() >= most
    }

    fn put(&mut self, list: List, mut line: Line, was_shown: bool, at: Timestamp) {
        let appears = !was_shown && line.is_shown();
        if appears {
            line.added_at = at;
        }
        let lines = self.list_mut(list);
        let place = lines.iter().position(|other| other.id == line.id);
        match place {
            Some(place) if appears => {
                lines.remove(place);
                lines.push(Arc::new(line));
            }
            Some(place) => lines[place] = Arc::new(line),
            None if line.is_bare() => {}
            None => lines.push(Arc::new(line)),
        }
    }

    fn has_room_for_text(&self, line: &Line, shown_only: bool, limits: &Limits) -> bool {
        self.text_bytes(shown_only) + line.text_bytes() <= limits.text_bytes
    }

    /// The same where so many bytes are to be left.
    pub(super) fn has_room_for_text_besides(&self, line: &Line, besides: usize, limits: &Limits) -> bool {
        self.text_bytes(true) + line.text_bytes() + besides <= limits.text_bytes
    }

    fn text_bytes(&self, shown_only: bool) -> usize {
        let lines = self.lines.iter().chain(&self.saved).filter(|line| line.is_shown() || !shown_only);
        lines.map(|line| line.text_bytes()).sum()
    }

    /// Makes sure that a new text fits, if need be by forgetting the text of lines that are not shown, oldest first.
    fn make_room_for_text(&mut self, line: &Line, limits: &Limits) -> Result<(), Refusal> {
        if !self.has_room_for_text(line, true, limits) {
            return Err(Refusal::TooMuchText(limits.text_bytes));
        }
        while !self.has_room_for_text(line, false, limits) {
            let forgettable = |other: &&mut Arc<Line>| !other.is_shown() && other.item.is_some();
            let lines = self.lines.iter_mut().chain(&mut self.saved);
            let Some(oldest) = lines.filter(forgettable).min_by_key(|other| other.updated_at) else { break };
            Arc::make_mut(oldest).item = None;
        }
        Ok(())
    }
}
