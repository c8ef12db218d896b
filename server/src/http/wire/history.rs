//! A cart's history as the API shows it: newest first, one element a change.

use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::Value;
use trolley_core::cart::op::OpKind;
use trolley_core::cart::state::{Author, Cart, Change, Piece};
use trolley_core::item::{Item, LineId};

use crate::http::openapi::shape::{
    Components, Object, Schema, line_id, list, one_of, time, uuid, whole, words, yes_or_no,
};
use crate::http::wire::time::Rfc3339;

/// `{"changes": [...]}`.
#[derive(serde::Serialize)]
pub struct HistoryView<'a> {
    changes: Vec<ChangeView<'a>>,
}

impl<'a> HistoryView<'a> {
    /// The newest `limit` changes of a cart; none of nobody's.
    pub fn of(cart: Option<&'a Cart>, limit: usize) -> HistoryView<'a> {
        let changes = cart.into_iter().flat_map(|cart| cart.history().map(move |change| (cart, change)));
        let changes = changes.filter(|(_, change)| !came_to_nothing(change));
        HistoryView {
            changes: changes.take(limit).map(|(cart, change)| ChangeView { cart, change }).collect(),
        }
    }
}

/// Whether it took away what was not there: it counts as a change, since it may hold against a late one, and there is nothing to tell.
fn came_to_nothing(change: &Change) -> bool {
    use OpKind::{Clear, Discard, Remove, Save, Unsave};
    matches!(change.kind, Remove | Clear | Discard | Save | Unsave)
        && change.pieces.iter().all(|piece| (piece.before, piece.after, piece.dropped) == (0, 0, 0))
}

struct ChangeView<'a> {
    cart: &'a Cart,
    change: &'a Change,
}

impl ChangeView<'_> {
    /// The line it was about, where it was about one.
    fn line(&self) -> Option<LineId> {
        let mut lines = self.change.pieces.iter().map(|piece| piece.line);
        let first = lines.next()?;
        lines.all(|line| line == first).then_some(first)
    }

    /// Units before and after: of what it did in the cart, or where it did nothing there, of what it did to the saved list.
    /// A change of many lines counts them together.
    fn units(&self) -> Option<(u64, u64)> {
        let of_cart = self.change.pieces.iter().any(|piece| !piece.saved);
        let counted = || self.change.pieces.iter().filter(|piece| piece.saved != of_cart);
        let sum = |units: fn(&Piece) -> u32| counted().map(|piece| u64::from(units(piece))).sum();
        counted().next().map(|_| (sum(|piece| piece.before), sum(|piece| piece.after)))
    }

    /// The sku of a line, for as long as the cart knows what it was of.
    fn sku(&self, line: LineId) -> Option<&str> {
        let lines = self.cart.lines.iter().chain(&self.cart.saved).filter(|known| known.id == line);
        lines.filter_map(|line| line.item.as_deref()).map(Item::sku).next()
    }
}

impl Serialize for ChangeView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut view = serializer.serialize_struct("Change", 9)?;
        view.serialize_field("revision", &self.change.revision)?;
        view.serialize_field("at", &Rfc3339::new(self.change.at))?;
        match self.change.author {
            Author::Device(client) => view.serialize_field("device", &format_args!("{client}"))?,
            Author::Session(session) => view.serialize_field("device", &format_args!("{session}"))?,
        }
        view.serialize_field("op", self.change.kind.as_str())?;
        if let Some(line) = self.line() {
            view.serialize_field("line", line.as_str())?;
            if let Some(sku) = self.sku(line) {
                view.serialize_field("sku", sku)?;
            }
        }
        if let Some((before, after)) = self.units() {
            view.serialize_field("before", &before)?;
            view.serialize_field("after", &after)?;
        }
        view.serialize_field("undoable", &self.cart.is_undoable(self.change))?;
        view.end()
    }
}

/// Every name of an op.
const OPS: [&str; 11] =
    ["add", "set", "remove", "clear", "save", "unsave", "discard", "undo", "merge", "checkout", "cancel"];

impl Schema for HistoryView<'_> {
    const NAME: &'static str = "History";

    fn schema(parts: &mut Components) -> Value {
        Object::new().must("changes", list(parts.refer::<ChangeView<'_>>())).schema()
    }
}

impl Schema for ChangeView<'_> {
    const NAME: &'static str = "Change";

    fn schema(_: &mut Components) -> Value {
        Object::new()
            .must("revision", whole(1))
            .must("at", time())
            .may("device", uuid())
            .must("op", one_of(&OPS))
            .may("line", line_id())
            .may("sku", words())
            .may("before", whole(0))
            .may("after", whole(0))
            .must("undoable", yes_or_no())
            .schema()
    }
}
