//! `POST /test/clock`: turns this server's clock, for integrators' own tests. There only with `--test-clock`.

use std::sync::Arc;

use axum::Json as JsonAnswer;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use serde::Serialize;
use serde_json::Value;
use trolley_core::time::Span;

use crate::http::extract::address::Peer;
use crate::http::extract::idempotency::Again;
use crate::http::extract::json::{Fields, FromJson, Json};
use crate::http::openapi::op::op;
use crate::http::openapi::routes::Routes;
use crate::http::openapi::shape::{Components, Object, Schema, between, time};
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;
use crate::http::wire::time::{LATEST_MS, Rfc3339};

/// The path, for which the edge notes who asks.
pub const PATH: &str = "/test/clock";

/// What a proxy adds: a request with one of these may come from anywhere.
const FORWARDING: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

/// The test clock's route.
pub fn routes() -> Routes {
    let turned = op("turn_clock", "Turns the server's clock ahead, for integrators' own tests");
    Routes::about("Running").post(
        PATH,
        turn,
        turned.refuses(&[Code::LoopbackOnly, Code::NotFound, Code::Busy]).answers::<Now>(200),
    )
}

async fn turn(
    State(front): State<Arc<AppState>>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    _: Again,
    Json(Turn { advance_ms }): Json<Turn>,
) -> Result<JsonAnswer<Now>, Problem> {
    if !peer.ip().is_loopback() || FORWARDING.iter().any(|name| headers.contains_key(*name)) {
        return Err(Problem::new(Code::LoopbackOnly));
    }
    if front.service.now().as_ms().saturating_add(advance_ms) > LATEST_MS {
        let at = "#/advance_ms";
        return Err(Problem::at(Code::InvalidBody, at, "The clock cannot be turned beyond the year 9999."));
    }
    let now = front.service.turn_clock(Span::from_ms(advance_ms)).await?;
    let now = now.ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(JsonAnswer(Now { now: Rfc3339::new(now) }))
}

/// The most of one call: ten years, longer than anything lives. Beyond it somebody mistook the unit.
const ADVANCE_MAX_MS: u64 = Span::from_days(3_650).as_ms();

/// `{"advance_ms": n}`: by exactly so much, or not at all.
struct Turn {
    advance_ms: u64,
}

impl FromJson for Turn {
    fn take(fields: &mut Fields<'_>) -> Option<Turn> {
        let advance_ms = fields.number("advance_ms", 0)?;
        if advance_ms > ADVANCE_MAX_MS {
            fields.fault("advance_ms", format!("Send at most {ADVANCE_MAX_MS}, which is ten years."));
            return None;
        }
        Some(Turn { advance_ms })
    }
}

#[derive(Serialize)]
struct Now {
    now: Rfc3339,
}

impl Schema for Turn {
    const NAME: &'static str = "Turn";

    fn schema(_: &mut Components) -> Value {
        Object::new().must("advance_ms", between(0, ADVANCE_MAX_MS)).schema()
    }
}

impl Schema for Now {
    const NAME: &'static str = "Now";

    fn schema(_: &mut Components) -> Value {
        Object::new().must("now", time()).schema()
    }
}
