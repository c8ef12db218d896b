//! `/v1/orders`: a shopper's own order drafts.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use trolley_core::ids::OrderId;

use super::cart::Answer;
use super::change::cart_of;
use super::error::Problem;
use super::front::Front;
use super::json::answer;
use super::order_wire::{OrderView, OrdersView};
use super::page::Page;
use super::path::OrderName;
use super::problems::Code;
use super::query::Query;
use super::visitor::Visitor;

/// The orders' routes.
pub fn routes() -> Router<Arc<Front>> {
    Router::new().route("/v1/orders", get(list)).route("/v1/orders/{id}", get(show))
}

/// The newest first.
async fn list(State(front): State<Arc<Front>>, visitor: Visitor, query: Query) -> Answer {
    let page: Page<OrderId> = Page::of(&query)?;
    let orders = match visitor {
        Visitor::Guest(guest) => {
            front.service.orders_of(cart_of(&guest)?, page.after, page.looked_for()).await?
        }
        Visitor::Unknown => Vec::new(),
    };
    Ok(page.answer("/v1/orders", orders, |order| order.id, OrdersView::of))
}

/// Somebody else's order is as good as none.
async fn show(State(front): State<Arc<Front>>, visitor: Visitor, OrderName(id): OrderName) -> Answer {
    let (Visitor::Guest(guest), Some(id)) = (visitor, id) else { return Err(no_such_order()) };
    let cart = cart_of(&guest)?;
    let order = front.service.order(id).await?.filter(|order| order.cart == cart);
    Ok(answer(StatusCode::OK, &OrderView::of(&*order.ok_or_else(no_such_order)?)))
}

/// 404.
pub fn no_such_order() -> Problem {
    Problem::new(Code::OrderNotFound)
}
