//! From the wire's fields to what the algebra takes, as a server's edge does it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use trolley_core::cart::op::{Intent, LineRef, Refusal};
use trolley_core::item::{Item, LineId};

use crate::parse::{IntentFields, LineName};

/// What a device's op wants, or what is wrong with it: that uses up its seq and holds nothing back.
pub(crate) fn intent_of_op(
    fields: &BTreeMap<String, Value>,
    unknown_skus: &[String],
) -> Result<Intent, Refusal> {
    match intent(fields, unknown_skus)? {
        Intent::Clear(None) => Err(Refusal::Invalid("a device names the lines it showed".into())),
        intent => Ok(intent),
    }
}

/// What a plain call wants.
pub(crate) fn intent(fields: &BTreeMap<String, Value>, unknown_skus: &[String]) -> Result<Intent, Refusal> {
    let fields = Value::Object(fields.clone().into_iter().collect());
    let fields: IntentFields =
        serde_json::from_value(fields).map_err(|error| Refusal::Invalid(error.to_string()))?;
    let quantity = || fields.quantity.ok_or_else(|| Refusal::Invalid("no quantity".into()));
    let line = || line_ref(&fields);
    if matches!(&*fields.op, "add" | "set")
        && fields.sku.as_ref().is_some_and(|sku| unknown_skus.contains(sku))
    {
        return Err(Refusal::UnknownSku);
    }
    Ok(match &*fields.op {
        "add" => Intent::Add(line()?, quantity()?),
        "set" => Intent::Set(line()?, quantity()?),
        "remove" => Intent::Remove(line()?),
        "clear" => Intent::Clear(fields.lines.as_ref().map(|lines| lines.iter().map(LineName::id).collect())),
        "save" => Intent::Save(line()?),
        "unsave" => Intent::Unsave(line()?),
        "discard" => Intent::Discard(line()?),
        "undo" => {
            let target = fields.undo_seq.or(fields.revision);
            Intent::Undo(target.ok_or_else(|| Refusal::Invalid("nothing to undo".into()))?)
        }
        other => return Err(Refusal::Invalid(format!("no such op: {other}"))),
    })
}

fn line_ref(fields: &IntentFields) -> Result<LineRef, Refusal> {
    match (&fields.line, &fields.sku) {
        (Some(line), None) => Ok(LineRef::Id(line.id())),
        (None, Some(sku)) => {
            let options = fields.options.clone().into_iter().collect();
            let item = Item::new(sku, options).map_err(|error| Refusal::Invalid(error.to_string()))?;
            Ok(LineRef::Item(Arc::new(item)))
        }
        _ => Err(Refusal::Invalid("a line is named by its id or by sku and options".into())),
    }
}

impl LineName {
    pub(crate) fn item(&self) -> Item {
        match self {
            LineName::Sku(sku) => Item::new(sku, Vec::new()),
            LineName::Item { sku, options } => Item::new(sku, options.clone().into_iter().collect()),
        }
        .expect("a vector names lines that can be")
    }

    pub(crate) fn id(&self) -> LineId {
        self.item().line_id()
    }
}
