//! What all pages share: who looks, the cart in the head, the hidden fields of a form, and the headers of an answer.

use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use trolley_core::ids::AccountId;
use trolley_core::money::Money;

use crate::http::extract::cookie;
use crate::http::extract::cookie::CookieValue;
use crate::http::extract::query::Query;
use crate::http::extract::visitor::Visitor;
use crate::http::problem::pages::page;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;
use crate::http::wire::cart::CartView;
use crate::pages::shop::{assets, refusal_words};
use crate::service::catalogue::shown::PricedCart;

/// Only what comes from here runs, is shown or is asked; nobody frames the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A request for a page: who looks, and at which cart.
pub struct PageVisit {
    /// Who.
    pub visitor: Visitor,
    /// The cart, with what the catalogue says of it.
    pub cart: PricedCart,
    /// The address's query.
    pub query: Query,
    /// A cookie of ours came that opens nothing any more.
    pub lapsed: bool,
    /// An account was once signed in by this browser.
    pub known: bool,
}

impl FromRequestParts<Arc<AppState>> for PageVisit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<AppState>) -> Result<PageVisit, Problem> {
        let visitor = Visitor::from_request_parts(parts, front).await?;
        let query = Query::from_request_parts(parts, front).await?;
        let cart = front.shown(&visitor).await?;
        let lapsed = matches!(visitor, Visitor::Unknown) && cookie::find(&parts.headers) != CookieValue::None;
        let known = cookie::known_device(&parts.headers).is_some();
        Ok(PageVisit { visitor, cart, query, lapsed, known })
    }
}

/// What stands around every page.
pub struct Frame {
    /// Where this build's files are.
    pub edition: &'static str,
    /// Units in the cart.
    pub in_cart: u64,
    /// The cart's tag: what this page showed.
    pub seen: String,
    /// Whether there is a cart that could change while the page is open.
    pub live: bool,
    /// Whether an account is signed in.
    pub signed_in: bool,
    /// Which aisle the page is in.
    pub here: &'static str,
    /// What was searched.
    pub query: String,
}

impl Frame {
    /// Around a page that shows this cart.
    pub fn of(visitor: &Visitor, cart: &PricedCart) -> Frame {
        Frame {
            edition: assets::edition(),
            in_cart: cart.quantity(),
            seen: tag(cart),
            live: cart.cart().is_some(),
            signed_in: account_of(visitor).is_some(),
            here: "",
            query: String::new(),
        }
    }

    /// The same in an aisle.
    pub fn at(visitor: &Visitor, cart: &PricedCart, here: &'static str) -> Frame {
        Frame { here, ..Frame::of(visitor, cart) }
    }

    /// The aisles for the head.
    pub fn aisles(&self) -> &'static [crate::pages::shop::products::Aisle] {
        &crate::pages::shop::products::AISLES
    }
}

/// Whose account is signed in.
pub fn account_of(visitor: &Visitor) -> Option<AccountId> {
    match visitor {
        Visitor::Known(visit) => visit.session.account(),
        Visitor::Unknown => None,
    }
}

/// What every form carries, hidden: a key of its own, by which a form sent twice counts once, and what the page showed.
pub struct Hidden {
    /// The key.
    pub key: String,
    /// The cart's tag.
    pub seen: String,
}

impl Hidden {
    /// For one form of a page.
    pub fn fresh(front: &AppState, cart: &PricedCart) -> Hidden {
        let mut random = [0; 12];
        front.service.random().fill(&mut random);
        Hidden { key: URL_SAFE_NO_PAD.encode(random), seen: tag(cart) }
    }
}

fn tag(cart: &PricedCart) -> String {
    CartView(cart).etag().to_str().unwrap_or_default().to_owned()
}

/// An amount as this shop prints it: `€1,012.50`.
pub fn printed(money: Money) -> String {
    let words = money.to_string();
    match words.split_once(' ') {
        Some(("EUR", amount)) => format!("€{}", grouped(amount)),
        Some((code, amount)) => format!("{code} {}", grouped(amount)),
        None => words,
    }
}

/// With a comma before each three digits that stand before the point.
fn grouped(amount: &str) -> String {
    let whole = amount.find('.').unwrap_or(amount.len());
    let mut grouped = String::with_capacity(amount.len() + whole / 3);
    for (at, c) in amount.char_indices() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(c);
    }
    grouped
}

/// A page with its status and headers.
pub fn shown(status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
    Ok(guarded((status, page(template)?).into_response()))
}

/// The headers that every answer of the demo carries.
pub fn guarded(page: Response) -> Response {
    let mut page = page;
    let headers = page.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page
}

#[derive(Template)]
#[template(path = "shop/refused.html")]
struct RefusedPage<'a> {
    frame: Frame,
    title: &'a str,
    detail: &'a str,
    changed_nothing: bool,
}

/// A page that says why something was refused, with the problem's own status.
pub async fn refused(front: &AppState, visitor: &Visitor, problem: &Problem) -> Response {
    let status = problem.code().status_code();
    told(front, visitor, problem, status.is_client_error() && status != StatusCode::NOT_FOUND).await
}

/// A page that says why there is none to see.
pub async fn not_shown(front: &AppState, visitor: &Visitor, problem: &Problem) -> Response {
    told(front, visitor, problem, false).await
}

async fn told(front: &AppState, visitor: &Visitor, problem: &Problem, changed_nothing: bool) -> Response {
    let cart = match front.shown(visitor).await {
        Ok(cart) => cart,
        Err(_) => front.service.nobodys_cart().await,
    };
    let (title, detail) = refusal_words::said(problem);
    let refused = RefusedPage { frame: Frame::of(visitor, &cart), title, detail: &detail, changed_nothing };
    shown(problem.code().status_code(), &refused).unwrap_or_else(IntoResponse::into_response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let amounts =
            ["0", "0.05", "999.00", "1000", "1000.00", "149573.40", "1234567.89", "184467440737095516.15"];
        let read = [
            "0",
            "0.05",
            "999.00",
            "1,000",
            "1,000.00",
            "149,573.40",
            "1,234,567.89",
            "184,467,440,737,095,516.15",
        ];
        assert_eq!(amounts.map(grouped), read);
    }
}
