//! How a server is spoken to: the bytes of each step, and what its answers say.

use serde_json::Value;

use crate::wire::answer::Answer;
use crate::wire::request;

use super::step::Step;
use super::visit::Visit;

/// What a server understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tongue {
    /// Trolley's own HTTP API. The peers that we wrote the handlers of speak as much of it as they can do.
    Trolley,
    /// Vendure's shop API: GraphQL.
    Vendure,
}

/// What stands in a cart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// The sum of all quantities.
    pub(crate) units: u64,
    /// How many lines there are.
    pub(crate) lines: u64,
}

const VENDURE_READ: &str = r#"{"query":"{activeOrder{totalQuantity lines{quantity}}}"}"#;
const VENDURE_ADD: &str = r#"{"query":"mutation{addItemToOrder(productVariantId:1,quantity:1){__typename ... on Order{totalQuantity} ... on ErrorResult{errorCode message}}}"}"#;

impl Tongue {
    /// Writes one step of a visit. `item` tells the line, `key` the idempotency key where the step has one.
    pub(crate) fn put(
        self,
        out: &mut Vec<u8>,
        host: &str,
        visit: &mut Visit,
        step: Step,
        item: u64,
        key: &str,
    ) {
        match self {
            Tongue::Trolley => trolley(out, host, visit, step, item, key),
            Tongue::Vendure => {
                let body = if step.units() > 0 { VENDURE_ADD } else { VENDURE_READ };
                request::put(out, "POST", "/shop-api", host, &[&visit.cookie], body.as_bytes());
            }
        }
    }

    /// Whether this is what a step's answer should be.
    pub(crate) fn is_good(self, step: Step, answer: &Answer<'_>) -> bool {
        match (self, step) {
            (Tongue::Trolley, Step::Badge) => matches!(answer.status, 200 | 304),
            (Tongue::Trolley, Step::Checkout) => answer.status == 201,
            (Tongue::Trolley, _) => answer.status == 200,
            // GraphQL says 200 to everything: what was done stands in the body.
            (Tongue::Vendure, Step::Badge | Step::Read) => {
                answer.status == 200 && !contains(&answer.body, b"\"errors\"")
            }
            (Tongue::Vendure, _) => {
                answer.status == 200 && contains(&answer.body, b"\"__typename\":\"Order\"")
            }
        }
    }

    /// What the body of a read says.
    pub(crate) fn held(self, body: &Value) -> Option<Held> {
        let (cart, units) = match self {
            Tongue::Trolley => (body, "quantity"),
            Tongue::Vendure => (body.pointer("/data/activeOrder")?, "totalQuantity"),
        };
        let lines = cart.get("lines")?.as_array()?.len() as u64;
        Some(Held { units: cart.get(units)?.as_u64()?, lines })
    }
}

fn trolley(out: &mut Vec<u8>, host: &str, visit: &mut Visit, step: Step, item: u64, key: &str) {
    let keyed = || format!("idempotency-key: {key}\r\n");
    match step {
        Step::Read => request::put(out, "GET", "/v1/cart", host, &[&visit.cookie], b""),
        Step::Badge => {
            let seen =
                visit.etag.as_ref().map(|etag| format!("if-none-match: {etag}\r\n")).unwrap_or_default();
            request::put(out, "GET", "/v1/cart", host, &[&visit.cookie, &seen], b"");
        }
        Step::Add | Step::AddKeyed => {
            let body = add(item);
            let key = if step == Step::AddKeyed { keyed() } else { String::new() };
            request::put(out, "POST", "/v1/cart/lines", host, &[&visit.cookie, &key], body.as_bytes());
        }
        Step::Checkout => {
            request::put(out, "POST", "/v1/cart/checkout", host, &[&visit.cookie, &keyed()], b"{}");
        }
        Step::Sync => {
            let body = visit.device.call(item);
            request::put(out, "POST", "/v1/cart/sync", host, &[&visit.cookie], body.as_bytes());
        }
    }
}

/// The body that adds one unit of an item.
pub(crate) fn add(item: u64) -> String {
    format!(r#"{{"sku":"item-{item}","quantity":1}}"#)
}

fn contains(body: &[u8], what: &[u8]) -> bool {
    body.windows(what.len()).any(|part| part == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cart_is_counted_in_every_tongue() {
        let trolley = serde_json::json!({"quantity": 5, "lines": [{"quantity": 2}, {"quantity": 3}]});
        let vendure = serde_json::json!({"data": {"activeOrder": {"totalQuantity": 5, "lines": [{}, {}]}}});
        let held = Some(Held { units: 5, lines: 2 });
        assert_eq!((Tongue::Trolley.held(&trolley), Tongue::Vendure.held(&vendure)), (held, held));
        assert_eq!(Tongue::Vendure.held(&serde_json::json!({"data": {"activeOrder": null}})), None);
    }
}
