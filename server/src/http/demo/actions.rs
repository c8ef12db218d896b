//! What the demo's forms do: the same service calls as the API's, then back to the cart (post, redirect, get).

use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use trolley_core::cart::op::{Intent, LineRef};
use trolley_core::item::{Item, LineId};

use crate::http::address::Address;
use crate::http::change::Caller;
use crate::http::condition;
use crate::http::error::Problem;
use crate::http::form::Form;
use crate::http::front::Front;
use crate::http::idempotency::Key;
use crate::http::problems::Code;
use crate::http::visitor::Visitor;
use crate::service::order::Seen;

use super::{guarded, pages};

/// A browser with a form.
pub struct Shopper(Visitor, Address);

impl FromRequestParts<Arc<Front>> for Shopper {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<Front>) -> Result<Shopper, Problem> {
        let visitor = Visitor::from_request_parts(parts, front).await?;
        Ok(Shopper(visitor, Address::from_request_parts(parts, front).await?))
    }
}

/// `POST /cart/add`: `sku`, `quantity`.
pub async fn add(State(front): State<Arc<Front>>, shopper: Shopper, form: Form) -> Response {
    let intent = added(&form);
    done(&front, shopper, &form, intent).await
}

/// `POST /cart/set`: `line`, `quantity`. The buttons send the number they show, less or plus one.
pub async fn set(State(front): State<Arc<Front>>, shopper: Shopper, form: Form) -> Response {
    let intent = line(&form).and_then(|line| Ok(Intent::Set(line, number(&form)?)));
    done(&front, shopper, &form, intent).await
}

/// `POST /cart/remove`: `line`.
pub async fn remove(State(front): State<Arc<Front>>, shopper: Shopper, form: Form) -> Response {
    let intent = line(&form).map(Intent::Remove);
    done(&front, shopper, &form, intent).await
}

/// `POST /cart/clear`.
pub async fn clear(State(front): State<Arc<Front>>, shopper: Shopper, form: Form) -> Response {
    done(&front, shopper, &form, Ok(Intent::Clear(None))).await
}

async fn done(
    front: &Front,
    Shopper(visitor, from): Shopper,
    form: &Form,
    intent: Result<Intent, Problem>,
) -> Response {
    let again = match &visitor {
        Visitor::Guest(guest) => Visitor::Guest(guest.clone()),
        Visitor::Unknown => Visitor::Unknown,
    };
    let changed = match (intent, caller(visitor, from, form)) {
        (Ok(intent), Ok(caller)) => front.change(caller, intent).await,
        (Err(problem), _) | (_, Err(problem)) => Err(problem),
    };
    let changed = match changed {
        Ok(changed) => changed,
        // A line that another tab took out: the cart itself says so best.
        Err(problem) if problem.code() == Code::LineNotFound => return to_cart(None),
        Err(problem) => return pages::refused(front, &again, &problem).await,
    };
    to_cart(changed.begun.map(|begun| front.cookie(&begun)))
}

fn to_cart(cookie: Option<HeaderValue>) -> Response {
    let location = if cookie.is_some() { "/cart?check=1" } else { "/cart" };
    let mut response = guarded(StatusCode::SEE_OTHER.into_response());
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(location));
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// The hidden fields stand for the headers that an API caller sends.
fn caller(visitor: Visitor, from: Address, form: &Form) -> Result<Caller, Problem> {
    let seen = form.get("seen").map_or(Some(Seen::Newest), condition::parse);
    let seen = seen.ok_or_else(|| Problem::new(Code::InvalidEtag))?;
    let key = match form.get("key") {
        Some(key) => Some(Key::parse(key.as_bytes()).ok_or_else(|| Problem::new(Code::InvalidKey))?),
        None => None,
    };
    Ok(Caller { visitor, from, method: Method::POST, seen, strict: false, key })
}

fn added(form: &Form) -> Result<Intent, Problem> {
    let item = Item::new(form.get("sku").unwrap_or_default(), Vec::new());
    let item = item.map_err(|wrong| Problem::at(Code::InvalidBody, "#/sku", wrong.to_string()))?;
    let quantity = if form.get("quantity").is_some() { number(form)? } else { 1 };
    Ok(Intent::Add(LineRef::Item(Arc::new(item)), quantity))
}

fn line(form: &Form) -> Result<LineRef, Problem> {
    let line = form.get("line").and_then(LineId::parse);
    line.map(LineRef::Id).ok_or_else(|| Problem::new(Code::LineNotFound))
}

fn number(form: &Form) -> Result<u32, Problem> {
    let number = form.get("quantity").and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| Problem::at(Code::InvalidQuantity, "#/quantity", "Enter a whole number."))
}
