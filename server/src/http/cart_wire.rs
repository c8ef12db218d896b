//! A cart as the API shows it. Domain types are never sent as they are; this is the translation.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};
use trolley_core::cart::op::NoticeCode;
use trolley_core::cart::state::{Cart, Line, Notice};
use trolley_core::item::Item;

use super::time::Rfc3339;

/// A cart on its way out. Nobody's empty cart has no id and revision 0.
pub struct CartView<'a>(Option<&'a Cart>);

impl<'a> CartView<'a> {
    /// Of somebody's cart.
    pub fn of(cart: &'a Cart) -> CartView<'a> {
        CartView(Some(cart))
    }

    /// Of a visitor without a session.
    pub fn empty() -> CartView<'a> {
        CartView(None)
    }

    /// Its JSON, written straight into one buffer.
    pub fn to_json(&self) -> Vec<u8> {
        let lines = self.0.map_or(0, |cart| cart.lines.len() + cart.saved.len());
        let mut json = Vec::with_capacity(256 + 256 * lines);
        serde_json::to_writer(&mut json, self).expect("a Vec takes what is written to it");
        json
    }
}

impl Serialize for CartView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut view = serializer.serialize_struct("Cart", 7)?;
        match self.0 {
            Some(cart) => {
                view.serialize_field("id", &format_args!("{}", cart.id))?;
                view.serialize_field("generation", &cart.generation)?;
                view.serialize_field("revision", &cart.revision)?;
                view.serialize_field("lines", &Lines(|| cart.shown()))?;
                view.serialize_field("saved", &Lines(|| cart.shown_saved()))?;
                view.serialize_field("quantity", &quantity(cart))?;
                view.serialize_field("notices", &Notices(&cart.notices))?;
            }
            None => {
                view.serialize_field("id", &None::<()>)?;
                view.serialize_field("generation", &0)?;
                view.serialize_field("revision", &0)?;
                view.serialize_field("lines", &[(); 0])?;
                view.serialize_field("saved", &[(); 0])?;
                view.serialize_field("quantity", &0)?;
                view.serialize_field("notices", &[(); 0])?;
            }
        }
        view.end()
    }
}

/// Units of all lines together.
pub fn quantity(cart: &Cart) -> u64 {
    cart.shown().map(|line| u64::from(line.quantity())).sum()
}

/// Lines in the order they came; the closure begins the walk anew, since a serialiser may only borrow.
struct Lines<F>(F);

impl<'a, I: Iterator<Item = &'a Line>, F: Fn() -> I> Serialize for Lines<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut lines = serializer.serialize_seq(None)?;
        for line in (self.0)() {
            lines.serialize_element(&LineView(line))?;
        }
        lines.end()
    }
}

struct LineView<'a>(&'a Line);

impl Serialize for LineView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let line = self.0;
        let mut view = serializer.serialize_struct("Line", 6)?;
        view.serialize_field("id", line.id.as_str())?;
        if let Some(item) = &line.item {
            view.serialize_field("sku", item.sku())?;
            view.serialize_field("options", &Options(item))?;
        }
        view.serialize_field("quantity", &line.quantity())?;
        view.serialize_field("added_at", &Rfc3339::new(line.added_at))?;
        view.serialize_field("updated_at", &Rfc3339::new(line.updated_at))?;
        view.end()
    }
}

struct Options<'a>(&'a Item);

impl Serialize for Options<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut options = serializer.serialize_map(Some(self.0.options().len()))?;
        for (name, value) in self.0.options() {
            options.serialize_entry(name, value)?;
        }
        options.end()
    }
}

struct Notices<'a>(&'a [Notice]);

impl Serialize for Notices<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(NoticeView))
    }
}

struct NoticeView<'a>(&'a Notice);

impl Serialize for NoticeView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (code, detail) = told(self.0.code);
        let mut view = serializer.serialize_struct("Notice", 3)?;
        view.serialize_field("code", code)?;
        if let Some(line) = &self.0.line {
            view.serialize_field("line", line.as_str())?;
        }
        view.serialize_field("detail", detail)?;
        view.end()
    }
}

/// A notice's stable name, and its sentence for the shopper.
pub fn told(code: NoticeCode) -> (&'static str, &'static str) {
    match code {
        NoticeCode::CartsMerged => {
            ("carts_merged", "The cart of your visit was put into the cart of your account.")
        }
        NoticeCode::QuantityClamped => {
            ("quantity_clamped", "There were more units than one line holds; the rest is saved for later.")
        }
        NoticeCode::LinesSaved => ("lines_saved", "Some lines did not fit and are saved for later."),
        NoticeCode::Superseded => ("superseded", "A newer change stood against one of yours."),
    }
}
