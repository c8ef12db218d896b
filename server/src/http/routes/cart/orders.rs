//! `/v1/orders`: a shopper's own order drafts.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use trolley_core::ids::OrderId;

use crate::http::extract::cursor::Paging;
use crate::http::extract::json::answer;
use crate::http::extract::path::OrderName;
use crate::http::extract::query::Query;
use crate::http::extract::visitor::Visitor;
use crate::http::openapi::op::op;
use crate::http::openapi::routes::Routes;
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::routes::cart::change::cart_of;
use crate::http::routes::cart::lines::HandlerResult;
use crate::http::server::state::AppState;
use crate::http::wire::order::{OrderView, OrdersView};

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
async fn list(State(front): State<Arc<AppState>>, visitor: Visitor, query: Query) -> HandlerResult {
    let page: Paging<OrderId> = Paging::of(&query)?;
    let orders = match visitor {
        Visitor::Known(visit) => {
            front.service.orders_of(cart_of(&visit)?, page.after, page.looked_for()).await?
        }
        Visitor::Unknown => Vec::new(),
    };
    Ok(page.answer("/v1/orders", orders, |order| order.id, OrdersView::of))
}

/// Somebody else's order is as good as none.
async fn show(
    State(front): State<Arc<AppState>>,
    visitor: Visitor,
    OrderName(id): OrderName,
) -> HandlerResult {
    let (Visitor::Known(visit), Some(id)) = (visitor, id) else { return Err(no_such_order()) };
    let cart = cart_of(&visit)?;
    let order = front.service.order_of(cart, id).await?;
    Ok(answer(StatusCode::OK, &OrderView::of(&*order.ok_or_else(no_such_order)?)))
}

/// 404.
pub fn no_such_order() -> Problem {
    Problem::new(Code::OrderNotFound)
}
