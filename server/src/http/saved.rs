//! `/v1/cart/lines/{line}/save` and `/v1/cart/saved/{line}`: off the cart for later, back into it, or off the list for good.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{delete, post};
use trolley_core::cart::op::{Intent, LineRef};

use super::cart::{Answer, unchanged};
use super::change::Caller;
use super::front::Front;
use super::json::NoBody;
use super::path::LineName;

/// The routes of what is saved for later.
pub fn routes() -> Router<Arc<Front>> {
    Router::new()
        .route("/v1/cart/lines/{line}/save", post(save))
        .route("/v1/cart/saved/{line}/unsave", post(unsave))
        .route("/v1/cart/saved/{line}", delete(discard))
}

async fn save(State(front): State<Arc<Front>>, caller: Caller, line: LineName, _: NoBody) -> Answer {
    let intent = Intent::Save(LineRef::Id(line.known()?));
    Ok(front.answer(front.change(caller, intent).await?))
}

async fn unsave(State(front): State<Arc<Front>>, caller: Caller, line: LineName, _: NoBody) -> Answer {
    let intent = Intent::Unsave(LineRef::Id(line.known()?));
    Ok(front.answer(front.change(caller, intent).await?))
}

async fn discard(State(front): State<Arc<Front>>, caller: Caller, LineName(line): LineName) -> Answer {
    let changed = match line {
        Some(line) => front.change(caller, Intent::Discard(LineRef::Id(line))).await?,
        None => unchanged(&front, &caller.visitor).await?,
    };
    Ok(front.answer(changed))
}
