//! The whole document: OpenAPI 3.1.

use serde_json::{Map, Value, json};

use crate::http::openapi::op::Refusals;
use crate::http::openapi::routes::Routes;
use crate::http::openapi::shape::Components;
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;

const ABOUT: &str = "Carts and the sessions that own them. Errors are problems as RFC 9457 has them; each code has its page under /problems/. \
    Limits (lines, quantities) are the defaults: a shop may set others. Where a tag is read, lists, weak tags and the suffixes of compressing \
    proxies are understood. The first add begins a session, and before there is one an Idempotency-Key \
    has no effect: a client sends its first write alone, and the others once its answer is there. Numbers are whole, however they are \
    written (1.0 and 1e0 are 1); null says the same as leaving out what may be left out, but in a merge patch; a name that comes twice is refused.";

/// What whatever changes something may be refused with.
const OF_A_CHANGE: [Code; 3] = [Code::CrossSite, Code::Busy, Code::StoreFull];

/// The document of these routes.
pub fn describe(routes: Routes) -> Value {
    let (mut parts, mut refusals) = (Components::default(), Refusals::default());
    parts.refer::<Problem>();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes.described {
        let mut op = route.op;
        op.takes.by_method(route.method);
        (route.inputs)(&mut op.takes, &mut parts);
        if route.method != "get" {
            op.takes.refuses(&OF_A_CHANGE);
        }
        let operation = op.describe(route.tag, &mut parts, &mut refusals);
        paths.entry(route.path).or_insert_with(|| json!({}))[route.method] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Trolley",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": parts.into_json(),
            "responses": refusals.into_json(),
            "securitySchemes": {
                "cookie": { "type": "apiKey", "in": "cookie", "name": "__Host-trolley" },
                "bearer": { "type": "http", "scheme": "bearer", "description": "A session's token, or an access token of the account." },
                "api_key": { "type": "http", "scheme": "bearer", "description": "A key of the shop's own systems (trk_...)." },
            },
        },
    })
}
