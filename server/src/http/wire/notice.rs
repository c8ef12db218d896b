//! Notices as the API and the demo shop tell them: a stable name, the line, and a sentence for the shopper.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::Value;
use trolley_core::cart::op::NoticeCode;
use trolley_core::item::LineId;

use crate::http::openapi::shape::{Components, Object, Schema, line_id, one_of, words};
use crate::service::catalogue::shown::{Note, PricedCart};

/// The notices of a cart on its way out.
pub struct Notices<'a>(pub &'a PricedCart);

impl Serialize for Notices<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.notes().iter().map(Told::of))
    }
}

/// One notice in words.
pub struct Told {
    /// Its stable name.
    pub code: &'static str,
    /// Which line it is about, if one.
    pub line: Option<LineId>,
    /// A sentence for the shopper.
    pub detail: Cow<'static, str>,
}

impl Told {
    /// Puts a note into words.
    pub fn of(note: &Note) -> Told {
        let (code, line, detail) = match note {
            Note::OfChange(notice) => {
                let (code, detail) = of_change(notice.code);
                (code, notice.line, Cow::Borrowed(detail))
            }
            Note::PriceChanged { line, was, is } => {
                ("price_changed", Some(*line), format!("The price was {was} and is {is} now.").into())
            }
            Note::ShortStock { line, available: 0 } => {
                ("short_stock", Some(*line), "None is left at the moment.".into())
            }
            Note::ShortStock { line, available: 1 } => ("short_stock", Some(*line), "Only 1 is left.".into()),
            Note::ShortStock { line, available } => {
                ("short_stock", Some(*line), format!("Only {available} are left.").into())
            }
            Note::Unavailable(line) => {
                ("unavailable", Some(*line), "The shop does not sell this any more.".into())
            }
            Note::PriceUnknown(line) => (
                "price_unknown",
                Some(*line),
                "Its price cannot be told at the moment, and it cannot be ordered until it can.".into(),
            ),
            Note::CatalogueDown => (
                "catalogue_down",
                None,
                "Prices cannot be looked up at the moment; what is shown is what was known last.".into(),
            ),
        };
        Told { code, line, detail }
    }
}

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut view = serializer.serialize_struct("Notice", 3)?;
        view.serialize_field("code", self.code)?;
        if let Some(line) = &self.line {
            view.serialize_field("line", line.as_str())?;
        }
        view.serialize_field("detail", &self.detail)?;
        view.end()
    }
}

fn of_change(code: NoticeCode) -> (&'static str, &'static str) {
    match code {
        NoticeCode::CartsMerged => {
            ("carts_merged", "The cart of your visit was put into the cart of your account.")
        }
        NoticeCode::QuantityClamped => {
            ("quantity_clamped", "There were more units than one line holds; the rest is saved for later.")
        }
        NoticeCode::LinesSaved => {
            ("lines_saved", "What did not fit, or is not in stock, is saved for later.")
        }
        NoticeCode::LinesLeftOver => {
            ("lines_left_over", "Some lines found no room and wait beside the cart.")
        }
        NoticeCode::Superseded => ("superseded", "A newer change stood against one of yours."),
    }
}

/// Every code of a notice.
const CODES: [&str; 10] = [
    "carts_merged",
    "quantity_clamped",
    "lines_saved",
    "lines_left_over",
    "superseded",
    "price_changed",
    "short_stock",
    "unavailable",
    "price_unknown",
    "catalogue_down",
];

impl Schema for Told {
    const NAME: &'static str = "Notice";

    fn schema(_: &mut Components) -> Value {
        Object::new().must("code", one_of(&CODES)).may("line", line_id()).must("detail", words()).schema()
    }
}
