//! A cart as the API shows it. Domain types are never sent as they are; this is the translation.

use std::fmt::Write as _;

use axum::http::HeaderValue;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};
use serde_json::{Value, json};
use trolley_core::cart::state::Line;
use trolley_core::item::Item;
use trolley_core::money::Money;

use crate::http::openapi::shape::{
    Components, Object, Schema, between, line_id, list, or_null, pattern, said, text, time, uuid, whole,
    words,
};
use crate::http::wire::notice::{Notices, Told};
use crate::http::wire::time::Rfc3339;
use crate::service::catalogue::shown::PricedCart;

/// A cart on its way out. Nobody's empty cart has no id and revision 0.
pub struct CartView<'a>(pub &'a PricedCart);

/// Stands for a cart's id and revision in the tag of the empty cart that a visitor without a session is shown.
pub const EMPTY: &str = "empty.0";

impl CartView<'_> {
    /// The tag of a cart as it is shown: with a catalogue also of what that says of its lines.
    pub fn etag(&self) -> HeaderValue {
        let mut tag = String::with_capacity(80);
        let _ = match self.0.cart() {
            Some(cart) => write!(tag, "\"{}.{}", cart.id, cart.revision),
            None => write!(tag, "\"{EMPTY}"),
        };
        if let Some(version) = self.0.version() {
            let _ = write!(tag, ".{version:x}");
        }
        tag.push('"');
        HeaderValue::from_str(&tag).expect("hex digits and a number are visible ASCII")
    }

    /// Its JSON, written straight into one buffer.
    pub fn to_json(&self) -> Vec<u8> {
        let lines = self.0.cart().map_or(0, |cart| cart.lines.len() + cart.saved.len());
        let mut json = Vec::with_capacity(256 + 256 * lines);
        serde_json::to_writer(&mut json, self).expect("a Vec takes what is written to it");
        json
    }
}

impl Serialize for CartView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (shown, cart) = (self.0, self.0.cart());
        let mut view = serializer.serialize_struct("Cart", 8)?;
        view.serialize_field("id", &cart.map(|cart| Printed(cart.id)))?;
        view.serialize_field("generation", &cart.map_or(0, |cart| cart.generation))?;
        view.serialize_field("revision", &cart.map_or(0, |cart| cart.revision))?;
        view.serialize_field("lines", &Lines(shown, || shown.lines()))?;
        view.serialize_field("saved", &Lines(shown, || shown.saved()))?;
        view.serialize_field("quantity", &shown.quantity())?;
        // A total that is no amount any more, since prices rose, is not told at all; a change that makes one is refused.
        if let Ok(Some(subtotal)) = shown.subtotal() {
            view.serialize_field("subtotal", &MoneyView(subtotal))?;
        }
        view.serialize_field("notices", &Notices(shown))?;
        view.end()
    }
}

/// What is written as it prints.
struct Printed<T>(T);

impl<T: std::fmt::Display> Serialize for Printed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// `{"amount": 1299, "currency": "EUR"}`.
pub struct MoneyView(pub Money);

impl Serialize for MoneyView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut view = serializer.serialize_struct("Money", 2)?;
        view.serialize_field("amount", &self.0.amount)?;
        view.serialize_field("currency", self.0.currency.as_str())?;
        view.end()
    }
}

/// Lines in the order they came; the closure begins the walk anew, since a serialiser may only borrow.
struct Lines<'a, F>(&'a PricedCart, F);

impl<'a, I: Iterator<Item = &'a Line>, F: Fn() -> I> Serialize for Lines<'a, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut lines = serializer.serialize_seq(None)?;
        for line in (self.1)() {
            lines.serialize_element(&LineView(self.0, line))?;
        }
        lines.end()
    }
}

struct LineView<'a>(&'a PricedCart, &'a Line);

impl Serialize for LineView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let LineView(shown, line) = self;
        let tag = shown.tag(line);
        let mut view = serializer.serialize_struct("Line", 11)?;
        view.serialize_field("id", line.id.as_str())?;
        if let Some(item) = &line.item {
            view.serialize_field("sku", item.sku())?;
            view.serialize_field("options", &Options(item))?;
        }
        view.serialize_field("quantity", &line.quantity())?;
        if let Some(title) = tag.title {
            view.serialize_field("title", title)?;
        }
        if let Some(price) = tag.unit_price {
            view.serialize_field("unit_price", &MoneyView(price))?;
            if let Ok(total) = price.times(u64::from(line.quantity())) {
                view.serialize_field("line_total", &MoneyView(total))?;
            }
        }
        if let Some(image) = tag.image {
            view.serialize_field("image", image)?;
        }
        if let Some(available) = tag.available {
            view.serialize_field("available", &available)?;
        }
        view.serialize_field("added_at", &Rfc3339::new(line.added_at))?;
        view.serialize_field("updated_at", &Rfc3339::new(line.updated_at))?;
        view.end()
    }
}

/// An item's options, by name.
pub struct Options<'a>(pub &'a Item);

impl Serialize for Options<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut options = serializer.serialize_map(Some(self.0.options().len()))?;
        for (name, value) in self.0.options() {
            options.serialize_entry(name, value)?;
        }
        options.end()
    }
}

impl Schema for CartView<'_> {
    const NAME: &'static str = "Cart";

    fn schema(parts: &mut Components) -> Value {
        let lines = list(parts.refer::<LineView<'_>>());
        Object::new()
            .must("id", or_null(uuid()))
            .must("generation", whole(0))
            .must("revision", whole(0))
            .must("lines", lines.clone())
            .must("saved", lines)
            .must("quantity", whole(0))
            .may("subtotal", parts.refer::<MoneyView>())
            .must("notices", list(parts.refer::<Told>()))
            .schema()
    }
}

impl Schema for LineView<'_> {
    const NAME: &'static str = "Line";

    fn schema(parts: &mut Components) -> Value {
        let money = parts.refer::<MoneyView>();
        Object::new()
            .must("id", line_id())
            .may("sku", text(1, Item::SKU_CHARS_MAX))
            .may("options", json!({ "type": "object", "additionalProperties": words() }))
            .must("quantity", whole(1))
            .may("title", words())
            .may("unit_price", money.clone())
            .may("line_total", money)
            .may("image", words())
            .may("available", whole(0))
            .must("added_at", time())
            .must("updated_at", time())
            .schema()
    }
}

impl Schema for MoneyView {
    const NAME: &'static str = "Money";

    fn schema(_: &mut Components) -> Value {
        let amount = said(between(0, Money::AMOUNT_MAX), "Whole minor units: cents of the euro.");
        Object::new().must("amount", amount).must("currency", pattern("^[A-Z]{3}$")).schema()
    }
}
