//! CORS for trusted origins: exact, with credentials, and for nobody else.

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use axum::http::{Method, Request, Response, StatusCode};

use crate::http::server::cross_site;
use crate::http::server::state::HttpConfig;

const EXPOSED: &str =
    "ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, Idempotency-Replayed, Trolley-Token";
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const HEADERS: &str =
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Trolley-Strict";

/// The origin of a request, where it is trusted.
pub fn trusted_origin(headers: &HeaderMap, rules: &HttpConfig) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    cross_site::is_one_of(origin.as_bytes(), rules.trusted_origins.iter()).then(|| origin.clone())
}

/// The answer to a browser that asks first, where its origin is trusted.
pub fn preflight(request: &Request<Body>, rules: &HttpConfig) -> Option<Response<Body>> {
    if request.method() != Method::OPTIONS || !request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    trusted_origin(request.headers(), rules)?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    Some(response)
}

/// Lets the page of a trusted origin read the answer. With a list of origins every answer varies by them.
pub fn allow(headers: &mut HeaderMap, origin: Option<HeaderValue>, rules: &HttpConfig) {
    if rules.trusted_origins.is_empty() {
        return;
    }
    headers.append(VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = origin else { return };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}
