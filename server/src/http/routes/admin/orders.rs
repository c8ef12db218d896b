//! `/v1/admin/orders`: every order draft of the shop, for its own systems; and cancelling one.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use trolley_core::ids::OrderId;

use crate::http::extract::api_key::{ApiKey, Orders, OrdersRead};
use crate::http::extract::cursor::Paging;
use crate::http::extract::idempotency::Again;
use crate::http::extract::json::{NoBody, answer};
use crate::http::extract::path::OrderName;
use crate::http::extract::query::Query;
use crate::http::openapi::op::op;
use crate::http::openapi::routes::Routes;
use crate::http::problem::code::Code;
use crate::http::routes::cart::lines::HandlerResult;
use crate::http::routes::cart::orders::no_such_order;
use crate::http::server::state::AppState;
use crate::http::wire::order::{OrderView, OrdersView};

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
async fn list(_: ApiKey<OrdersRead>, State(front): State<Arc<AppState>>, query: Query) -> HandlerResult {
    let page: Paging<OrderId> = Paging::of(&query)?;
    let orders = front.service.all_orders(page.after, page.looked_for()).await?;
    Ok(page.answer("/v1/admin/orders", orders, |order| order.id, OrdersView::with_origin))
}

async fn show(
    _: ApiKey<OrdersRead>,
    State(front): State<Arc<AppState>>,
    OrderName(id): OrderName,
) -> HandlerResult {
    let order = front.service.order(id.ok_or_else(no_such_order)?).await?;
    Ok(answer(StatusCode::OK, &OrderView::with_origin(&*order.ok_or_else(no_such_order)?)))
}

/// The lines return to the cart, once. A second time it is cancelled already, and the answer is the same.
async fn cancel(
    key: ApiKey<Orders>,
    State(front): State<Arc<AppState>>,
    OrderName(id): OrderName,
    _: Again,
    _: NoBody,
) -> HandlerResult {
    let order = front.service.cancel(id.ok_or_else(no_such_order)?).await?.ok_or_else(no_such_order)?;
    tracing::info!(order = %order.id, key = %key.id, "an order is cancelled");
    Ok(answer(StatusCode::OK, &OrderView::with_origin(&order)))
}
