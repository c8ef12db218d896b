//! `/v1/admin/orders`: every order draft of the shop, for its own systems; and cancelling one.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use trolley_core::ids::OrderId;

use super::api_key::{ApiKey, Orders, OrdersRead};
use super::cart::Answer;
use super::front::Front;
use super::json::{NoBody, answer};
use super::order_wire::{OrderView, OrdersView};
use super::orders::no_such_order;
use super::page::Page;
use super::path::OrderName;
use super::query::Query;

/// The routes of all orders.
pub fn routes() -> Router<Arc<Front>> {
    Router::new()
        .route("/v1/admin/orders", get(list))
        .route("/v1/admin/orders/{id}", get(show))
        .route("/v1/admin/orders/{id}/cancel", post(cancel))
}

/// The oldest first: who comes back with the last one it saw is given what came since.
async fn list(_: ApiKey<OrdersRead>, State(front): State<Arc<Front>>, query: Query) -> Answer {
    let page: Page<OrderId> = Page::of(&query)?;
    let orders = front.service.all_orders(page.after, page.looked_for()).await?;
    Ok(page.answer("/v1/admin/orders", orders, |order| order.id, OrdersView::with_origin))
}

async fn show(_: ApiKey<OrdersRead>, State(front): State<Arc<Front>>, OrderName(id): OrderName) -> Answer {
    let order = front.service.order(id.ok_or_else(no_such_order)?).await?;
    Ok(answer(StatusCode::OK, &OrderView::with_origin(&*order.ok_or_else(no_such_order)?)))
}

/// The lines return to the cart, once. A second time it is cancelled already, and the answer is the same.
async fn cancel(
    key: ApiKey<Orders>,
    State(front): State<Arc<Front>>,
    OrderName(id): OrderName,
    _: NoBody,
) -> Answer {
    let order = front.service.cancel(id.ok_or_else(no_such_order)?).await?.ok_or_else(no_such_order)?;
    tracing::info!(order = %order.id, key = %key.id, "an order is cancelled");
    Ok(answer(StatusCode::OK, &OrderView::with_origin(&order)))
}
