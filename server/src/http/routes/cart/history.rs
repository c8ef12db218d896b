//! `/v1/cart/history` and `/v1/cart/undo`: what was done to the cart, and taking one of it back.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use serde_json::Value;
use trolley_core::cart::op::Intent;

use crate::http::extract::json::{Fields, FromJson, Json, answer};
use crate::http::extract::query::Query;
use crate::http::extract::visitor::Visitor;
use crate::http::openapi::op::op;
use crate::http::openapi::routes::Routes;
use crate::http::openapi::shape::{Components, Object, Schema, between, counted, or};
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::routes::cart::change::{CartCaller, cart_of};
use crate::http::routes::cart::lines::{GROWTH, HandlerResult};
use crate::http::server::state::AppState;
use crate::http::wire::history::HistoryView;

/// Changes that are shown where the caller does not say how many.
const USUAL: usize = 50;
/// Changes that a cart remembers at most.
const MOST: usize = 256;

/// The history's routes.
pub fn routes() -> Routes {
    let history = op("history", "What was done to the cart, newest first");
    let undone = op("undo", "Takes back one change of the history").refuses(&GROWTH);
    Routes::about("Cart")
        .get(
            "/v1/cart/history",
            show,
            history.query("limit", or(between(1, MOST as u64), USUAL)).answers::<HistoryView<'_>>(200),
        )
        .post("/v1/cart/undo", undo, undone.refuses(&[Code::NotUndoable]).cart())
}

async fn show(
    State(front): State<Arc<AppState>>,
    visitor: Visitor,
    query: Query,
) -> Result<Response<Body>, Problem> {
    let limit = query.limit(USUAL, MOST)?;
    let cart = match visitor {
        Visitor::Known(visit) => Some(front.service.cart(cart_of(&visit)?).await?),
        Visitor::Unknown => None,
    };
    Ok(answer(StatusCode::OK, &HistoryView::of(cart.as_deref(), limit)))
}

async fn undo(
    State(front): State<Arc<AppState>>,
    caller: CartCaller,
    Json(undo): Json<Undo>,
) -> HandlerResult {
    Ok(front.answer(front.change(caller, Intent::Undo(undo.revision)).await?))
}

/// `{revision}`.
struct Undo {
    revision: u64,
}

impl FromJson for Undo {
    fn take(fields: &mut Fields<'_>) -> Option<Undo> {
        Some(Undo { revision: fields.number("revision", 1)? })
    }
}

impl Schema for Undo {
    const NAME: &'static str = "Undo";

    fn schema(_: &mut Components) -> Value {
        Object::new().must("revision", counted(1)).schema()
    }
}
