//! `/v1/cart/lines/{line}/save` and `/v1/cart/saved/{line}`: off the cart for later, back into it, or off the list for good.

use std::sync::Arc;

use axum::extract::State;
use trolley_core::cart::op::{Intent, LineRef};

use crate::http::extract::json::NoBody;
use crate::http::extract::path::LineName;
use crate::http::openapi::op::op;
use crate::http::openapi::routes::Routes;
use crate::http::routes::cart::change::CartCaller;
use crate::http::routes::cart::lines::{GROWTH, HandlerResult, unchanged};
use crate::http::server::state::AppState;

/// The routes of what is saved for later.
pub fn routes() -> Routes {
    Routes::about("Cart")
        .post(
            "/v1/cart/lines/{line}/save",
            save,
            op("save_line", "Off the cart, onto the saved list")
                .refuses(&GROWTH)
                .cart()
                .leads("unsave_line", "line", "/saved/0/id")
                .leads("discard_line", "line", "/saved/0/id"),
        )
        .post(
            "/v1/cart/saved/{line}/unsave",
            unsave,
            op("unsave_line", "Off the saved list, into the cart").refuses(&GROWTH).cart(),
        )
        .delete("/v1/cart/saved/{line}", discard, op("discard_line", "Off the saved list, for good").cart())
}

async fn save(
    State(front): State<Arc<AppState>>,
    caller: CartCaller,
    line: LineName,
    _: NoBody,
) -> HandlerResult {
    let intent = Intent::Save(LineRef::Id(line.known()?));
    Ok(front.answer(front.change(caller, intent).await?))
}

async fn unsave(
    State(front): State<Arc<AppState>>,
    caller: CartCaller,
    line: LineName,
    _: NoBody,
) -> HandlerResult {
    let intent = Intent::Unsave(LineRef::Id(line.known()?));
    Ok(front.answer(front.change(caller, intent).await?))
}

async fn discard(
    State(front): State<Arc<AppState>>,
    caller: CartCaller,
    LineName(line): LineName,
) -> HandlerResult {
    let changed = match line {
        Some(line) => front.change(caller, Intent::Discard(LineRef::Id(line))).await?,
        None => unchanged(&front, &caller).await?,
    };
    Ok(front.answer(changed))
}
