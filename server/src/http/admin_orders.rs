//! `/v1/admin/orders`: every order draft of the shop, for its own systems; and cancelling one.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use trolley_core::ids::OrderId;

use super::api_key::{ApiKey, Orders, OrdersRead};
use super::cart::Answer;
use super::front::Front;
use super::idempotency::Again;
use super::json::{NoBody, answer};
use super::openapi::op::op;
use super::openapi::routes::Routes;
use super::order_wire::{OrderView, OrdersView};
use super::orders::no_such_order;
use super::page::Page;
use super::path::OrderName;
use super::problems::Code;
use super::query::Query;

/// The routes of all orders.
pub fn routes() -> Routes {
    let listed =
        op("all_orders", "Every order draft, oldest first; none comes up behind one that was listed").pages();
    let shown = op("any_order", "One order draft").refuses(&[Code::OrderNotFound]);
    let cancelled = op("cancel_order", "The payment failed: the order's lines return to its cart, once");
    let cancelled = cancelled.refuses(&[Code::OrderNotFound, Code::CartTooLarge]);
    Routes::about("Admin")
        .get("/v1/admin/orders", list, listed.answers::<OrdersView>(200))
        .get("/v1/admin/orders/{id}", show, shown.answers::<OrderView<'_>>(200))
        .post("/v1/admin/orders/{id}/cancel", cancel, cancelled.answers::<OrderView<'_>>(200))
}

/// The oldest first: who comes back with the last one it saw is given all that came since.
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
    _: Again,
    _: NoBody,
) -> Answer {
    let order = front.service.cancel(id.ok_or_else(no_such_order)?).await?.ok_or_else(no_such_order)?;
    tracing::info!(order = %order.id, key = %key.id, "an order is cancelled");
    Ok(answer(StatusCode::OK, &OrderView::with_origin(&order)))
}
