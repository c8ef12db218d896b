//! The demo shop: a plain page and its cart, made on the server. It needs no JavaScript and nothing from another host.

pub mod actions;
pub mod pages;
pub mod products;

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::front::Front;

/// Nothing runs, nothing is loaded but our own style, and nobody frames the page.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The demo's routes.
pub fn routes() -> Router<Arc<Front>> {
    Router::new()
        .route("/", get(pages::shop))
        .route("/cart", get(pages::cart))
        .route("/cart/add", post(actions::add))
        .route("/cart/set", post(actions::set))
        .route("/cart/remove", post(actions::remove))
        .route("/cart/clear", post(actions::clear))
        .route("/style.css", get(style))
}

async fn style() -> Response {
    let mut response = include_str!("../../../templates/style.css").into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// The headers that every page of the demo carries.
fn guarded(page: Response) -> Response {
    let mut page = page;
    let headers = page.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page
}
