//! A device's delivery as it comes over the wire. What names the queue and its order is judged for the whole call; all else
//! that is wrong in an op makes that op `rejected`, and holds back none of the rest.

use std::sync::Arc;

use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::{Value, json};
use trolley_core::cart::op::{Intent, LineRef, Op, OpResult, Outcome, Refusal};
use trolley_core::ids::{CartId, ClientId, Generation, Seq};
use trolley_core::item::{Item, LineId};
use trolley_core::time::Span;

use crate::http::extract::json::{Fields, FromJson};
use crate::http::openapi::shape::{
    Components, Object, Schema, counted, list, one_of, pattern, said, uuid, whole, words,
};
use crate::http::problem::response::sentence;
use crate::http::wire::cart::CartView;
use crate::service::cart::sync::Delivery;
use crate::service::catalogue::shown::PricedCart;

/// Hexadecimal digits of an op id.
const OP_ID_DIGITS: usize = 16;

/// What an op may leave out, whatever it does.
const OPTIONAL: [&str; 8] = ["cart", "generation", "line", "sku", "options", "quantity", "lines", "undo_seq"];

impl FromJson for Delivery {
    const BYTES_MAX: usize = 256 * 1024;

    fn take(fields: &mut Fields<'_>) -> Option<Delivery> {
        let client = client(fields);
        let ops = fields.objects("ops")?.into_iter().map(|object| op(fields, object)).collect::<Vec<_>>();
        Some(Delivery { client: client?, ops: ops.into_iter().collect::<Option<_>>()? })
    }
}

/// What is not of this shape is refused; what an op means is judged op by op, and free here.
impl Schema for Delivery {
    const NAME: &'static str = "Delivery";

    fn schema(_: &mut Components) -> Value {
        let free = |sentence: &str| said(json!({}), sentence);
        let mut op = Object::new()
            .must("seq", counted(1))
            .must("op_id", pattern("^[0-9A-Fa-f]{16}$"))
            .perhaps("base", said(counted(0), "The newest revision that the device had seen."))
            .perhaps("age_ms", said(json!({ "type": "integer" }), "How long ago, in milliseconds, of any size: a device's clock may be broken, and holds up no queue. \
                 Below 0 counts as 0, and what would lie before 1970 as 1970."))
            .may("cart", free("The id of the cart that the device showed; absent: the present one."))
            .may("generation", free("The cart's generation that it showed; read where base is 0."))
            .may("op", free("add, set, remove, clear, save, unsave or undo."))
            .may("line", free("A line's id; or sku and options."))
            .may("sku", free("What the line is of."))
            .may("options", free("Its options."))
            .may("quantity", free("For add (1 where absent) and set."))
            .may("lines", free("For clear: the ids of the lines shown."))
            .may("undo_seq", free("For undo: the op to take back."))
            .schema();
        op["additionalProperties"] = json!({});
        Object::new().must("client", uuid()).must("ops", list(op)).schema()
    }
}

fn client(fields: &mut Fields<'_>) -> Option<ClientId> {
    let client = fields.string("client")?.parse().ok();
    if client.is_none() {
        fields.fault("client", "Send a UUID that the device made.");
    }
    client
}

fn op(whole: &mut Fields<'_>, mut fields: Fields<'_>) -> Option<Op> {
    let seq = fields.number("seq", 1);
    let op_id = op_id(&mut fields);
    let base = if fields.has("base") { fields.number("base", 0) } else { Some(0) };
    let age_ms = if fields.has("age_ms") { fields.clamped("age_ms") } else { Some(0) };
    fields.without_nulls(&OPTIONAL);
    let named = fields.is_well().then(|| fields.try_rest(Meant::take));
    whole.adopt(fields);
    let age = Span::from_ms(age_ms?);
    let (seq, op_id, base) = (seq?, op_id?, base?);
    Some(match named? {
        Ok(Meant { cart, generation, intent }) => {
            Op { seq, op_id, cart, generation, base, age, intent: Ok(intent) }
        }
        Err(wrong) => {
            let intent = Err(Refusal::Invalid(wrong));
            Op { seq, op_id, cart: None, generation: None, base, age, intent }
        }
    })
}

fn op_id(fields: &mut Fields<'_>) -> Option<u64> {
    let text = fields.string("op_id")?;
    let is_one = text.len() == OP_ID_DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_one {
        fields.fault("op_id", "Send 16 hexadecimal digits.");
        return None;
    }
    u64::from_str_radix(&text, 16).ok()
}

/// What an op means: to which cart what is done.
struct Meant {
    cart: Option<CartId>,
    generation: Option<Generation>,
    intent: Intent,
}

impl Meant {
    fn take(fields: &mut Fields<'_>) -> Option<Meant> {
        let cart = match fields.has("cart") {
            true => Some(cart(fields)?),
            false => None,
        };
        let generation = match fields.has("generation") {
            true => Some(fields.number("generation", 0)?),
            false => None,
        };
        Some(Meant { cart, generation, intent: intent(fields)? })
    }
}

fn cart(fields: &mut Fields<'_>) -> Option<CartId> {
    let cart = fields.string("cart")?.parse().ok();
    if cart.is_none() {
        fields.fault("cart", "Send the id of a cart.");
    }
    cart
}

fn intent(fields: &mut Fields<'_>) -> Option<Intent> {
    match fields.string("op")?.as_str() {
        "add" => {
            let n = if fields.has("quantity") { fields.whole_number("quantity", 1)? } else { 1 };
            Some(Intent::Add(line(fields)?, n))
        }
        "set" => {
            if !fields.has("quantity") {
                fields.fault("quantity", "This field is missing.");
                return None;
            }
            let n = fields.whole_number("quantity", 0)?;
            Some(Intent::Set(line(fields)?, n))
        }
        "remove" => Some(Intent::Remove(line(fields)?)),
        "save" => Some(Intent::Save(line(fields)?)),
        "unsave" => Some(Intent::Unsave(line(fields)?)),
        "clear" => clear(fields),
        "undo" => Some(Intent::Undo(fields.number("undo_seq", 1)?)),
        _ => {
            fields.fault("op", "Send add, set, remove, clear, save, unsave or undo.");
            None
        }
    }
}

fn clear(fields: &mut Fields<'_>) -> Option<Intent> {
    if !fields.has("lines") {
        return Some(Intent::Clear(None));
    }
    let lines = fields.texts("lines")?.iter().map(|text| LineId::parse(text)).collect::<Option<Vec<_>>>();
    if lines.is_none() {
        fields.fault("lines", "Send the ids of lines.");
    }
    Some(Intent::Clear(Some(lines?)))
}

/// By its id, or by sku and options; where both are there they mean the same line.
fn line(fields: &mut Fields<'_>) -> Option<LineRef> {
    let id = match fields.has("line") {
        true => {
            let id = LineId::parse(&fields.string("line")?);
            if id.is_none() {
                fields.fault("line", "Send the id of a line.");
                return None;
            }
            id
        }
        false => None,
    };
    if let (Some(id), false) = (id, fields.has("sku")) {
        return Some(LineRef::Id(id));
    }
    let sku = fields.string("sku")?;
    let options = fields.strings("options")?;
    match Item::new(&sku, options) {
        Ok(item) if id.is_none_or(|id| id == item.line_id()) => Some(LineRef::Item(Arc::new(item))),
        Ok(_) => {
            fields.fault("line", "Send the id of the line with this sku and these options, or none.");
            None
        }
        Err(wrong) => {
            fields.fault("sku", sentence(&wrong.to_string()));
            None
        }
    }
}

/// What a device is told: its queue's acknowledgement, one result an op, and the cart.
pub struct SyncedView<'a> {
    /// Whose queue.
    pub client: ClientId,
    /// The highest seq taken in.
    pub acked: Seq,
    /// One an op.
    pub results: &'a [OpResult],
    /// The cart.
    pub cart: &'a PricedCart,
}

impl Serialize for SyncedView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut view = serializer.serialize_struct("Synced", 4)?;
        view.serialize_field("client", &format_args!("{}", self.client))?;
        view.serialize_field("acked", &self.acked)?;
        view.serialize_field("results", &Results(self.results))?;
        view.serialize_field("cart", &CartView(self.cart))?;
        view.end()
    }
}

impl Schema for SyncedView<'_> {
    const NAME: &'static str = "Synced";

    fn schema(parts: &mut Components) -> Value {
        let result = Object::new()
            .must("seq", whole(1))
            .must("outcome", one_of(&OUTCOMES))
            .may("code", said(words(), "Why it was rejected, now or when it first came."));
        Object::new()
            .must("client", uuid())
            .must("acked", said(whole(0), "The highest seq taken in."))
            .must("results", list(result.schema()))
            .must("cart", parts.refer::<CartView<'_>>())
            .schema()
    }
}

struct Results<'a>(&'a [OpResult]);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ResultView))
    }
}

struct ResultView<'a>(&'a OpResult);

impl Serialize for ResultView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut view = serializer.serialize_struct("Result", 3)?;
        view.serialize_field("seq", &self.0.seq)?;
        view.serialize_field("outcome", outcome(self.0.outcome))?;
        if let Some(code) = self.0.code {
            view.serialize_field("code", code.as_str())?;
        }
        view.end()
    }
}

const OUTCOMES: [&str; 7] =
    ["applied", "duplicate", "covered", "superseded", "carried", "clamped", "rejected"];

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Applied => "applied",
        Outcome::Duplicate => "duplicate",
        Outcome::Covered => "covered",
        Outcome::Superseded => "superseded",
        Outcome::Carried => "carried",
        Outcome::Clamped => "clamped",
        Outcome::Rejected => "rejected",
    }
}
