//! The demo's two pages: the products, and the cart.

use std::borrow::Cow;
use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use trolley_core::cart::state::Line;

use crate::http::condition;
use crate::http::error::Problem;
use crate::http::front::Front;
use crate::http::notice_wire::Told;
use crate::http::problems::page;
use crate::http::visitor::Visitor;
use crate::service::catalogue::shown::Shown;

use super::guarded;
use super::products::{self, PRODUCTS, Product};

/// What every form carries, hidden: a key of its own, by which a form sent twice counts once, and what the page showed.
struct Hidden {
    key: String,
    seen: String,
}

#[derive(Template)]
#[template(path = "shop.html")]
struct ShopPage {
    products: Vec<(Hidden, &'static Product)>,
    in_cart: u64,
}

#[derive(Template)]
#[template(path = "cart.html")]
struct CartPage {
    rows: Vec<Row>,
    clear: Hidden,
    in_cart: u64,
    notices: Vec<Cow<'static, str>>,
    cookie_missing: bool,
}

struct Row {
    line: String,
    title: String,
    options: String,
    price: &'static str,
    picture: &'static str,
    quantity: u32,
    fewer: u32,
    more: u32,
    forms: [Hidden; 4],
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage<'a> {
    title: &'a str,
    detail: &'a str,
    in_cart: u64,
}

/// `GET /`.
pub async fn shop(State(front): State<Arc<Front>>, visitor: Visitor) -> Result<Response, Problem> {
    let cart = front.shown(&visitor).await?;
    let products = PRODUCTS.iter().map(|product| (hidden(&front, &cart), product)).collect();
    Ok(guarded(page(&ShopPage { products, in_cart: cart.quantity() })?))
}

/// `GET /cart`. After a change the browser comes here with `?check=1`; without a session it did not keep the cookie.
pub async fn cart(
    State(front): State<Arc<Front>>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let cart = front.shown(&visitor).await?;
    let cookie_missing = matches!(visitor, Visitor::Unknown) && query.as_deref() == Some("check=1");
    Ok(guarded(page(&CartPage {
        rows: cart.lines().map(|line| row(&front, &cart, line)).collect(),
        clear: hidden(&front, &cart),
        in_cart: cart.quantity(),
        notices: cart.notes().iter().map(|note| Told::of(note).detail).collect(),
        cookie_missing,
    })?))
}

/// A page that says why a form was refused, with the problem's own status.
pub async fn refused(front: &Front, visitor: &Visitor, problem: &Problem) -> Response {
    let cart = front.shown(visitor).await.ok();
    let refused = RefusedPage {
        title: problem.code().title(),
        detail: problem.detail(),
        in_cart: cart.map_or(0, |cart| cart.quantity()),
    };
    let status = StatusCode::from_u16(problem.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match page(&refused) {
        Ok(page) => guarded((status, page).into_response()),
        Err(problem) => problem.into_response(),
    }
}

fn hidden(front: &Front, cart: &Shown) -> Hidden {
    let mut random = [0; 12];
    front.service.random().fill(&mut random);
    let seen = condition::etag(cart).to_str().unwrap_or_default().to_owned();
    Hidden { key: URL_SAFE_NO_PAD.encode(random), seen }
}

fn row(front: &Front, cart: &Shown, line: &Line) -> Row {
    let item = line.item.as_deref();
    let product = item.and_then(products::of);
    let options = item.iter().flat_map(|item| item.options()).map(|(name, value)| format!("{name}: {value}"));
    let forms = std::array::from_fn(|_| hidden(front, cart));
    Row {
        line: line.id.to_string(),
        title: product.map_or_else(
            || item.map_or("", |item| item.sku()).to_owned(),
            |product| product.title.to_owned(),
        ),
        options: options.collect::<Vec<_>>().join(", "),
        price: product.map_or("", |product| product.price),
        picture: product.map_or("", |product| product.picture),
        quantity: line.quantity(),
        fewer: line.quantity().saturating_sub(1),
        more: line.quantity().saturating_add(1),
        forms,
    }
}
