//! What a device keeps of its shopper's acts, and how they are said on the wire.

use serde_json::{Value, json};
use trolley_core::ids::ClientId;
use trolley_core::item::Item;

use crate::histories::Act;
use crate::oracle::Name;

/// What a device had seen: of which cart which revision, in which generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) cart: Name,
    pub(crate) revision: u64,
    pub(crate) generation: u64,
}

/// An op in a queue.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub(crate) seq: u64,
    pub(crate) act: Act,
    pub(crate) seen: Option<Seen>,
    pub(crate) acted: u64,
    /// How many ticks its device's clock is wrong.
    pub(crate) wrong: i64,
}

/// A browser or an app.
pub(crate) struct Device {
    pub(crate) client: ClientId,
    pub(crate) seen: Option<Seen>,
    pub(crate) next_seq: u64,
    pub(crate) queue: Vec<Queued>,
}

impl Device {
    pub(crate) fn new(client: ClientId) -> Device {
        Device { client, seen: None, next_seq: 1, queue: Vec::new() }
    }

    pub(crate) fn act(&mut self, act: Act, acted: u64, wrong: i64) {
        self.queue.push(Queued { seq: self.next_seq, act, seen: self.seen, acted, wrong });
        self.next_seq += 1;
    }
}

impl Queued {
    pub(crate) fn base(&self) -> u64 {
        self.seen.map_or(0, |seen| seen.revision)
    }

    /// As it is sent; `cart` is the id of the one that its device had seen.
    pub(crate) fn op(&self, age_ms: i64, cart: Option<String>) -> Value {
        let mut op = json!({
            "seq": self.seq,
            "op_id": format!("{:016x}", self.seq * 7_919),
            "base": self.base(),
            "age_ms": age_ms,
        });
        if let Some(seen) = self.seen {
            (op["cart"], op["generation"]) = (cart.into(), seen.generation.into());
        }
        let more = match &self.act {
            Act::Add(line, n) => json!({"op": "add", "sku": sku(*line), "quantity": n}),
            Act::Set(line, n) => json!({"op": "set", "sku": sku(*line), "quantity": n}),
            Act::Remove(line) => json!({"op": "remove", "line": line_id(*line)}),
            Act::Clear(lines) => {
                json!({"op": "clear", "lines": lines.iter().map(|line| line_id(*line)).collect::<Vec<_>>()})
            }
        };
        op.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        op
    }
}

impl Act {
    /// Method, path and body of the plain call.
    pub(crate) fn call(&self) -> (&'static str, String, Value) {
        match self {
            Act::Add(line, n) => {
                ("POST", "/v1/cart/lines".to_owned(), json!({"sku": sku(*line), "quantity": n}))
            }
            Act::Set(line, n) => ("PUT", at_line(*line), json!({"quantity": n})),
            Act::Remove(line) => ("DELETE", at_line(*line), Value::Null),
            Act::Clear(_) => ("DELETE", "/v1/cart".to_owned(), Value::Null),
        }
    }
}

pub(crate) fn sku(line: usize) -> &'static str {
    ["mug", "lamp", "book"][line]
}

fn line_id(line: usize) -> String {
    Item::new(sku(line), Vec::new()).expect("a sku").line_id().to_string()
}

fn at_line(line: usize) -> String {
    format!("/v1/cart/lines/{}", line_id(line))
}
