//! From the cart to an order: the page that is agreed to, the order, the list of orders, and a payment that failed.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use trolley_core::ids::OrderId;
use trolley_core::money::{Currency, Money};
use trolley_core::order::{Order, OrderLine};

use crate::http::extract::form::Form;
use crate::http::extract::path::OrderName;
use crate::http::extract::visitor::Visitor;
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::routes::cart::change::cart_of;
use crate::http::routes::cart::checkout::{Wish, order};
use crate::http::routes::cart::orders::no_such_order;
use crate::http::server::state::AppState;
use crate::pages::shop::actions::{Shopper, caller, redirect};
use crate::pages::shop::basket::{Notice, notes, total};
use crate::pages::shop::frame::{Frame, Hidden, PageVisit, printed, refused, shown};
use crate::pages::shop::told::{ago, name};
use crate::service::cart::checkout::WasShown;
use crate::service::catalogue::shown::PricedCart;

/// Orders on a page of the list.
const ORDERS_MAX: usize = 50;

#[derive(Template)]
#[template(path = "shop/checkout.html")]
struct CheckoutPage {
    frame: Frame,
    lines: Vec<Bought>,
    subtotal: String,
    /// What the form says was shown: revision, amount and currency.
    revision: u64,
    amount: u64,
    currency: String,
    notes: Vec<Notice>,
    short: bool,
    why: Option<String>,
    hidden: Hidden,
}

#[derive(Template)]
#[template(path = "shop/order.html")]
struct OrderPage {
    frame: Frame,
    id: String,
    placed: bool,
    when: String,
    cancelled: Option<String>,
    lines: Vec<Bought>,
    subtotal: String,
}

#[derive(Template)]
#[template(path = "shop/orders.html")]
struct OrdersPage {
    frame: Frame,
    orders: Vec<Listed>,
    /// Where those before them are.
    earlier: Option<String>,
}

struct Bought {
    what: String,
    quantity: u32,
    total: String,
}

struct Listed {
    id: String,
    when: String,
    what: String,
    subtotal: String,
    cancelled: bool,
}

/// `GET /checkout`.
pub async fn review(State(front): State<Arc<AppState>>, visit: PageVisit) -> Result<Response, Problem> {
    if visit.cart.quantity() == 0 {
        return Ok(redirect("/cart", None));
    }
    agreement(&front, &visit.visitor, &visit.cart, None)
}

/// `POST /checkout`: `revision`, `amount` and `currency` as they were shown, `available` where what there is will do.
pub async fn place(State(front): State<Arc<AppState>>, shopper: Shopper, form: Form) -> Response {
    let visitor = shopper.visitor.clone();
    let wish = Wish { seen: was_shown(&form), accept_available: form.get("available").is_some() };
    let placed = match caller(shopper, &form) {
        Ok(caller) => order(&front, caller, wish).await,
        Err(problem) => Err(problem),
    };
    match placed {
        Ok((order, _)) => redirect(&format!("/order/{}?placed=1", order.id), None),
        Err(problem) => match problem.code() {
            Code::CartEmpty => redirect("/cart", None),
            Code::CartChanged | Code::PriceUnknown | Code::PriceChanged | Code::ShortStock => {
                again(&front, &visitor, &problem).await.unwrap_or_else(IntoResponse::into_response)
            }
            _ => refused(&front, &visitor, &problem).await,
        },
    }
}

/// `GET /order/{id}`.
pub async fn show(
    State(front): State<Arc<AppState>>,
    visit: PageVisit,
    OrderName(id): OrderName,
) -> Result<Response, Problem> {
    let Some(order) = own(&front, &visit.visitor, id).await? else {
        return Ok(refused(&front, &visit.visitor, &no_such_order()).await);
    };
    let now = front.service.now();
    shown(
        StatusCode::OK,
        &OrderPage {
            frame: Frame::of(&visit.visitor, &visit.cart),
            id: order.id.to_string(),
            placed: visit.query.once("placed")?.is_some(),
            when: ago(order.created_at, now),
            cancelled: order.cancelled_at.map(|at| ago(at, now)),
            lines: order.lines.iter().map(bought).collect(),
            subtotal: order.subtotal.map(printed).unwrap_or_default(),
        },
    )
}

/// `GET /orders`.
pub async fn list(State(front): State<Arc<AppState>>, visit: PageVisit) -> Result<Response, Problem> {
    let after: Option<OrderId> = visit.query.once("after")?.and_then(|after| after.parse().ok());
    let mut orders = match &visit.visitor {
        Visitor::Known(visit) => front.service.orders_of(cart_of(visit)?, after, ORDERS_MAX + 1).await?,
        Visitor::Unknown => Vec::new(),
    };
    let more = orders.len() > ORDERS_MAX;
    orders.truncate(ORDERS_MAX);
    let earlier = orders.last().filter(|_| more).map(|last| format!("/orders?after={}", last.id));
    let now = front.service.now();
    let listed = |order: &Arc<Order>| Listed {
        id: order.id.to_string(),
        when: ago(order.created_at, now),
        what: summary(order),
        subtotal: order.subtotal.map(printed).unwrap_or_default(),
        cancelled: order.cancelled_at.is_some(),
    };
    let orders = orders.iter().map(listed).collect();
    shown(StatusCode::OK, &OrdersPage { frame: Frame::of(&visit.visitor, &visit.cart), orders, earlier })
}

/// `POST /order/{id}/cancel`: what the shop's own systems do when a payment fails. Here the shopper plays them.
pub async fn cancel(
    State(front): State<Arc<AppState>>,
    shopper: Shopper,
    OrderName(id): OrderName,
    _: Form,
) -> Response {
    let cancelled = match own(&front, &shopper.visitor, id).await {
        Ok(Some(order)) => cancelled(&front, &shopper.visitor, order.id).await,
        Ok(None) => Ok(None),
        Err(problem) => Err(problem),
    };
    match cancelled {
        Ok(Some(order)) => redirect(&format!("/order/{}", order.id), None),
        Ok(None) => refused(&front, &shopper.visitor, &no_such_order()).await,
        Err(problem) => refused(&front, &shopper.visitor, &problem).await,
    }
}

/// The form may have taken its time: the shopper's token is asked for again.
async fn cancelled(front: &AppState, visitor: &Visitor, id: OrderId) -> Result<Option<Arc<Order>>, Problem> {
    if let Visitor::Known(visit) = visitor {
        front.service.require(&visit.claim()).await?;
    }
    Ok(front.service.cancel(id).await?)
}

/// The page that is agreed to once more, with what is different now.
async fn again(front: &AppState, visitor: &Visitor, problem: &Problem) -> Result<Response, Problem> {
    let why = match problem.code() {
        Code::CartChanged => "Your cart was changed while you looked. This is what is in it now.",
        Code::PriceUnknown => {
            "We cannot look up a price at the moment, so nothing is ordered yet. Try again later, or take it out."
        }
        Code::PriceChanged => "A price was changed while you looked. This is what it costs now.",
        _ => "There is less left than you want. Order what there is, or change your cart.",
    };
    agreement(front, visitor, &front.shown(visitor).await?, Some(why.to_owned()))
}

fn agreement(
    front: &AppState,
    visitor: &Visitor,
    cart: &PricedCart,
    why: Option<String>,
) -> Result<Response, Problem> {
    // What is not on sale any more is in no order, so it is in nothing that is agreed to.
    let agreed = cart.worth().ok().flatten();
    let lines = cart.lines().map(|line| {
        let unit = cart.tag(line).unit_price;
        Bought {
            what: line.item.as_deref().map(name).unwrap_or_default(),
            quantity: line.quantity(),
            total: unit
                .and_then(|unit| unit.times(u64::from(line.quantity())).ok())
                .map(printed)
                .unwrap_or_default(),
        }
    });
    let is_short =
        |line| cart.tag(line).available.is_some_and(|available| available < u64::from(line.quantity()));
    let page = CheckoutPage {
        frame: Frame::of(visitor, cart),
        lines: lines.collect(),
        subtotal: total(cart),
        revision: cart.cart().map_or(0, |cart| cart.revision),
        amount: agreed.map_or(0, |agreed| agreed.amount),
        currency: agreed.map(|agreed| agreed.currency.as_str().to_owned()).unwrap_or_default(),
        notes: notes(front, cart),
        short: cart.lines().any(is_short),
        hidden: Hidden::fresh(front, cart),
        why,
    };
    let status = if page.why.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    shown(status, &page)
}

/// What the form says the shopper was shown; a form that says nothing agrees to nothing in particular.
fn was_shown(form: &Form) -> Option<WasShown> {
    let revision = form.get("revision")?.parse().ok()?;
    let amount = form.get("amount").and_then(|amount| amount.parse().ok());
    let currency = form.get("currency").and_then(Currency::parse);
    let subtotal = amount.zip(currency).map(|(amount, currency)| Money { amount, currency });
    Some(WasShown { revision, subtotal })
}

/// An order of this visitor; somebody else's is as good as none.
async fn own(
    front: &AppState,
    visitor: &Visitor,
    id: Option<OrderId>,
) -> Result<Option<Arc<Order>>, Problem> {
    let (Visitor::Known(visit), Some(id)) = (visitor, id) else { return Ok(None) };
    Ok(front.service.order_of(cart_of(visit)?, id).await?)
}

fn bought(line: &OrderLine) -> Bought {
    Bought {
        what: name(&line.item),
        quantity: line.quantity,
        total: line.line_total.map(printed).unwrap_or_default(),
    }
}

/// `Enamel mug, blue and 2 more`.
fn summary(order: &Order) -> String {
    let first = order.lines.first().map(|line| name(&line.item)).unwrap_or_default();
    match order.lines.len() {
        0 | 1 => first,
        lines => format!("{first} and {} more", lines - 1),
    }
}
