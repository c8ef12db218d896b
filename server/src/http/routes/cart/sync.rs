//! `POST /v1/cart/sync`: a device's queue of offline changes, each taken in exactly once.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use trolley_core::cart::op::SyncRefusal;

use crate::http::extract::json::Json;
use crate::http::openapi::op::{OF_A_CART, op};
use crate::http::openapi::routes::Routes;
use crate::http::problem::code::Code;
use crate::http::problem::response::{Fault, Problem, sentence};
use crate::http::routes::cart::change::{CartCaller, CartChange};
use crate::http::routes::cart::lines::HandlerResult;
use crate::http::server::state::AppState;
use crate::http::wire::sync::SyncedView;
use crate::service::cart::command::Replay;
use crate::service::cart::context::Output;
use crate::service::cart::kind::CommandKind;
use crate::service::cart::preconditions::Preconditions;
use crate::service::cart::sync::Delivery;

/// The route.
pub fn routes() -> Routes {
    let synced = op("sync", "A device's queue of offline changes, each taken in exactly once")
        .refuses(&[
            Code::SequenceGap,
            Code::ClientForked,
            Code::ForeignCart,
            Code::ClientExpired,
            Code::TooManyClients,
            Code::BaseDecreased,
            Code::TooManyOps,
        ])
        .answers::<SyncedView<'_>>(200)
        .tells(OF_A_CART);
    Routes::about("Cart").post("/v1/cart/sync", sync, synced)
}

async fn sync(
    State(front): State<Arc<AppState>>,
    caller: CartCaller,
    Json(delivery): Json<Delivery>,
) -> HandlerResult {
    let delivery = Arc::new(delivery);
    let keyed = caller.key.map(|key| key.with_delivery(&delivery, caller.seen, caller.strict));
    let terms = Preconditions { seen: caller.seen, strict: caller.strict, keyed };
    let changed =
        front.carry_out(caller.visitor, caller.from, terms, CommandKind::Sync(Arc::clone(&delivery))).await?;
    let body = told(&delivery, &changed);
    let mut response = front.answer(changed);
    response.headers_mut().remove(CONTENT_LENGTH);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = Body::from(body);
    Ok(response)
}

/// What the device is told. A repeated call is told that all of it was taken in before.
fn told(delivery: &Delivery, changed: &CartChange) -> Vec<u8> {
    let synced = match &changed.made {
        Ok(Output::Synced(synced)) => synced.clone(),
        Ok(_) | Err(Replay(_)) => delivery.taken_in_before(changed.cart.cart().map(|cart| &**cart)),
    };
    let view = SyncedView {
        client: delivery.client,
        acked: synced.acked,
        results: &synced.results,
        cart: &changed.cart,
    };
    serde_json::to_vec(&view).unwrap_or_default()
}

impl From<SyncRefusal> for Problem {
    fn from(refusal: SyncRefusal) -> Problem {
        let detail = sentence(&refusal.to_string());
        match refusal {
            SyncRefusal::SequenceGap { expected } => {
                Problem::new(Code::SequenceGap).counting("expected_seq", expected)
            }
            SyncRefusal::ClientForked { seq } => Problem::new(Code::ClientForked).counting("seq", seq),
            SyncRefusal::ForeignCart => Problem::new(Code::ForeignCart),
            SyncRefusal::ClientExpired => Problem::new(Code::ClientExpired),
            SyncRefusal::TooManyClients => Problem::new(Code::TooManyClients),
            SyncRefusal::BaseDecreased { .. } => Problem::at(Code::BaseDecreased, "#/ops", detail),
            SyncRefusal::TooManyOps(_) => {
                Problem::with(Code::TooManyOps, detail.clone()).and(vec![Fault::new("#/ops", detail)])
            }
            SyncRefusal::Sealed(_) => Problem::new(Code::CartSealed),
        }
    }
}
