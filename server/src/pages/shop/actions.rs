//! What the demo's forms do to the cart: the same service calls as the API's, then back to the cart (post, redirect, get).

use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::http::header::{HeaderValue, LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use trolley_core::cart::op::{Intent, LineRef};
use trolley_core::item::{Item, LineId};

use crate::http::extract::address::Address;
use crate::http::extract::form::Form;
use crate::http::extract::idempotency::Key;
use crate::http::extract::preconditions;
use crate::http::extract::visitor::Visitor;
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::routes::cart::change::{CartCaller, CartChange};
use crate::http::server::state::AppState;
use crate::pages::shop::frame::{guarded, refused};
use crate::pages::shop::products;
use crate::service::cart::preconditions::SeenByCaller;

/// A browser with a form.
pub struct Shopper {
    /// Who.
    pub visitor: Visitor,
    /// From where.
    pub from: Address,
}

impl FromRequestParts<Arc<AppState>> for Shopper {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<AppState>) -> Result<Shopper, Response> {
        match Shopper::read(parts, front).await {
            Ok(shopper) => Ok(shopper),
            // A tab that was open while another signed out: a page says so, and not a problem in JSON.
            Err(problem) => Err(refused(front, &Visitor::Unknown, &problem).await),
        }
    }
}

impl Shopper {
    async fn read(parts: &mut Parts, front: &Arc<AppState>) -> Result<Shopper, Problem> {
        let visitor = Visitor::from_request_parts(parts, front).await?;
        Ok(Shopper { visitor, from: Address::from_request_parts(parts, front).await? })
    }
}

/// `POST /cart/add`: `sku`, `quantity`, and `option.…` for each choice.
pub async fn add(State(front): State<Arc<AppState>>, shopper: Shopper, form: Form) -> Response {
    let intent = added(&form);
    done(&front, shopper, &form, intent).await
}

/// `POST /cart/set`: `line`, and `to` (a button with the number it shows, less or plus one) or `quantity`.
pub async fn set(State(front): State<Arc<AppState>>, shopper: Shopper, form: Form) -> Response {
    let intent = line(&form).and_then(|line| Ok(Intent::Set(line, number(&form)?)));
    done(&front, shopper, &form, intent).await
}

/// `POST /cart/remove`: `line`.
pub async fn remove(State(front): State<Arc<AppState>>, shopper: Shopper, form: Form) -> Response {
    let intent = line(&form).map(Intent::Remove);
    done(&front, shopper, &form, intent).await
}

/// `POST /cart/save`: `line`.
pub async fn save(State(front): State<Arc<AppState>>, shopper: Shopper, form: Form) -> Response {
    let intent = line(&form).map(Intent::Save);
    done(&front, shopper, &form, intent).await
}

/// `POST /cart/unsave`: `line`.
pub async fn unsave(State(front): State<Arc<AppState>>, shopper: Shopper, form: Form) -> Response {
    let intent = line(&form).map(Intent::Unsave);
    done(&front, shopper, &form, intent).await
}

/// `POST /cart/discard`: `line`.
pub async fn discard(State(front): State<Arc<AppState>>, shopper: Shopper, form: Form) -> Response {
    let intent = line(&form).map(Intent::Discard);
    done(&front, shopper, &form, intent).await
}

/// `POST /cart/clear`.
pub async fn clear(State(front): State<Arc<AppState>>, shopper: Shopper, form: Form) -> Response {
    done(&front, shopper, &form, Ok(Intent::Clear(None))).await
}

/// `POST /cart/undo`: `revision`.
pub async fn undo(State(front): State<Arc<AppState>>, shopper: Shopper, form: Form) -> Response {
    let revision = form.get("revision").and_then(|text| text.parse().ok());
    let intent = revision.map(Intent::Undo).ok_or_else(|| Problem::new(Code::NotUndoable));
    done(&front, shopper, &form, intent).await
}

async fn done(front: &AppState, shopper: Shopper, form: &Form, intent: Result<Intent, Problem>) -> Response {
    let again = shopper.visitor.clone();
    let changed = match (intent, caller(shopper, form)) {
        (Ok(intent), Ok(caller)) => front.change(caller, intent).await,
        (Err(problem), _) | (_, Err(problem)) => Err(problem),
    };
    match changed {
        Ok(changed) => to_cart(front, &changed),
        // A line that another tab took out: the cart itself says so best.
        Err(problem) if problem.code() == Code::LineNotFound => redirect("/cart", None),
        Err(problem) => refused(front, &again, &problem).await,
    }
}

/// To the cart, which tells what was done.
fn to_cart(front: &AppState, changed: &CartChange) -> Response {
    let cookie = changed.begun.as_ref().map(|begun| front.cookie(begun));
    let at = match (&changed.made, changed.cart.cart()) {
        (Ok(_), Some(cart)) => cart.revision,
        _ => 0,
    };
    let check = if cookie.is_some() { "&check=1" } else { "" };
    redirect(&format!("/cart?at={at}{check}"), cookie)
}

/// 303: the browser comes back with a GET, and a reload sends no form twice.
pub fn redirect(to: &str, cookie: Option<HeaderValue>) -> Response {
    let mut response = guarded(StatusCode::SEE_OTHER.into_response());
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, to);
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// The hidden fields stand for the headers that an API caller sends.
pub fn caller(Shopper { visitor, from }: Shopper, form: &Form) -> Result<CartCaller, Problem> {
    let seen = form.get("seen").map_or(Some(SeenByCaller::Newest), preconditions::parse);
    let seen = seen.ok_or_else(|| Problem::new(Code::InvalidEtag))?;
    let key = match form.get("key") {
        Some(key) => Some(Key::parse(key.as_bytes()).ok_or_else(|| Problem::new(Code::InvalidKey))?),
        None => None,
    };
    Ok(CartCaller { visitor, from, method: Method::POST, seen, strict: false, key })
}

fn added(form: &Form) -> Result<Intent, Problem> {
    let sku = form.get("sku").unwrap_or_default();
    let mut options = Vec::new();
    for (name, values) in products::of(sku).map_or(&[][..], |product| &product.options) {
        let chosen = form.get(&format!("option.{name}")).unwrap_or_default();
        if !values.iter().any(|value| value == chosen) {
            return Err(Problem::at(
                Code::InvalidBody,
                format!("#/{name}"),
                format!("Choose a {name} first."),
            ));
        }
        options.push((name.clone(), chosen.to_owned()));
    }
    let item = Item::new(sku, options);
    let item = item.map_err(|wrong| Problem::at(Code::InvalidBody, "#/sku", wrong.to_string()))?;
    let quantity = if form.get("quantity").is_some() { number(form)? } else { 1 };
    Ok(Intent::Add(LineRef::Item(Arc::new(item)), quantity))
}

fn line(form: &Form) -> Result<LineRef, Problem> {
    let line = form.get("line").and_then(LineId::parse);
    line.map(LineRef::Id).ok_or_else(|| Problem::new(Code::LineNotFound))
}

fn number(form: &Form) -> Result<u32, Problem> {
    let text = form.get("to").or_else(|| form.get("quantity")).unwrap_or_default().trim();
    // A number that is too long to be counted is still one, and too large.
    let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let number = if is_number { Some(text.parse().unwrap_or(u32::MAX)) } else { None };
    number.ok_or_else(|| Problem::at(Code::InvalidQuantity, "#/quantity", "Enter a whole number."))
}
