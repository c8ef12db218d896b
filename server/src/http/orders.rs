//! `/v1/orders`: a shopper's own order drafts.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use trolley_core::ids::OrderId;

use super::cart::Answer;
use super::change::cart_of;
use super::error::Problem;
use super::front::Front;
use super::json::answer;
use super::openapi::op::op;
use super::openapi::routes::Routes;
use super::order_wire::{OrderView, OrdersView};
use super::page::Page;
use super::path::OrderName;
use super::problems::Code;
use super::query::Query;
use super::visitor::Visitor;

/// The orders' routes.
pub fn routes() -> Routes {
    let listed = op("list_orders", "The caller's own order drafts, newest first").pages();
    let shown = op("show_order", "One of the caller's own order drafts").refuses(&[Code::OrderNotFound]);
    Routes::about("Orders").get("/v1/orders", list, listed.answers::<OrdersView>(200)).get(
        "/v1/orders/{id}",
        show,
        shown.answers::<OrderView<'_>>(200),
    )
}

/// The newest first.
async fn list(State(front): State<Arc<Front>>, visitor: Visitor, query: Query) -> Answer {
    let page: Page<OrderId> = Page::of(&query)?;
    let orders = match visitor {
        Visitor::Known(visit) => {
            front.service.orders_of(cart_of(&visit)?, page.after, page.looked_for()).await?
        }
        Visitor::Unknown => Vec::new(),
    };
    Ok(page.answer("/v1/orders", orders, |order| order.id, OrdersView::of))
}

/// Somebody else's order is as good as none.
async fn show(State(front): State<Arc<Front>>, visitor: Visitor, OrderName(id): OrderName) -> Answer {
    let (Visitor::Known(visit), Some(id)) = (visitor, id) else { return Err(no_such_order()) };
    let cart = cart_of(&visit)?;
    let order = front.service.order_of(cart, id).await?;
    Ok(answer(StatusCode::OK, &OrderView::of(&*order.ok_or_else(no_such_order)?)))
}

/// 404.
pub fn no_such_order() -> Problem {
    Problem::new(Code::OrderNotFound)
}
