//! `GET /v1/verify`: who is calling, for a proxy's auth subrequest or a shop's own back end. It counts as activity, renews
//! nothing and sets no cookie: what it answers goes to the proxy, not to the browser.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, FromRequestParts, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts as Head;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use serde_json::json;

use crate::http::extract::address::{Address, Peer};
use crate::http::extract::visitor::Credential;
use crate::http::openapi::inputs::RequestInput;
use crate::http::openapi::op::{RequestParts, op};
use crate::http::openapi::routes::Routes;
use crate::http::openapi::shape::Components;
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::server::cross_site;
use crate::http::server::state::AppState;
use crate::service::limits::addresses::Guess;
use crate::service::session::recognise::{Presented, Recognition, Visit};

/// The path, for which the edge notes who asks.
pub const PATH: &str = "/v1/verify";

/// The method of the request that the proxy asks about. Without it, it is one that changes nothing.
const ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
const SIGNED_IN: HeaderName = HeaderName::from_static("trolley-signed-in");
const ACCOUNT: HeaderName = HeaderName::from_static("trolley-account");
const SESSION: HeaderName = HeaderName::from_static("trolley-session");

/// What the shop is told.
const NAMED: &[(&str, &str)] = &[
    ("Trolley-Signed-In", "true for an account, false for a guest."),
    ("Trolley-Account", "The account's name, where one is signed in."),
    ("Trolley-Session", "The session's public id."),
];
const CHALLENGE: (&str, &str) = (
    "WWW-Authenticate",
    "Bearer. No session: none came, it is over, two callers are meant (two cookies of the name; a cookie and a token of ours), or a token \
     of ours has no scheme. A Bearer that has not the form of our tokens is the shop's own and counts as none: the cookie decides.",
);

/// The route.
pub fn routes() -> Routes {
    let verified = op("verify", "Who is calling, for a proxy's auth subrequest");
    Routes::about("Session").get(
        PATH,
        verify,
        verified.empty(200).tells(NAMED).empty(401).tells(&[CHALLENGE]),
    )
}

async fn verify(
    State(front): State<Arc<AppState>>,
    Extension(Peer(peer)): Extension<Peer>,
    Address(from): Address,
    Asked { parts, method }: Asked,
) -> Result<Response<Body>, Problem> {
    let credential = Credential::beside_foreign(&parts.headers);
    // A Bearer lifts the rule where it is what opens the session. Another's does not: the cookie came by itself.
    let mut headers = parts.headers;
    if matches!(credential, Credential::Cookie(_)) {
        headers.remove(AUTHORIZATION);
    }
    cross_site::judge_asked(&method, &parts.uri, &headers, &front.rules, peer)?;
    let (token, transport) = credential.token();
    let presented = Presented { token, remember: None, transport, renews: false, watches: false };
    let Recognition::Known(visit, _) = front.service.recognise(&presented).await? else {
        if let Some(token) = &presented.token {
            // Too many guesses are no more than one: whoever guesses right is let in all the same, and a proxy takes 429 for a breakdown.
            front.service.guessed(from, Guess::Cookie(token.digest())).unwrap_or_default();
        }
        return Ok(empty(StatusCode::UNAUTHORIZED));
    };
    let account = front.service.owner(&visit).await?.map(|account| account.name());
    Ok(known(&visit, account))
}

fn known(visit: &Visit, account: Option<String>) -> Response<Body> {
    let mut response = empty(StatusCode::OK);
    let headers = response.headers_mut();
    let signed_in = if visit.session.account().is_some() { "true" } else { "false" };
    headers.insert(SIGNED_IN, HeaderValue::from_static(signed_in));
    if let Ok(session) = HeaderValue::from_str(&visit.session.id.to_string()) {
        headers.insert(SESSION, session);
    }
    if let Some(account) = account.and_then(|name| HeaderValue::from_bytes(name.as_bytes()).ok()) {
        headers.insert(ACCOUNT, account);
    }
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// The request that is asked about, as far as its headers were handed on.
struct Asked {
    parts: Head,
    method: Method,
}

impl FromRequestParts<Arc<AppState>> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Head, _: &Arc<AppState>) -> Result<Asked, Problem> {
        let mut named = parts.headers.get_all(ORIGINAL_METHOD).iter();
        let method = match (named.next(), named.next()) {
            (None, _) => Some(Method::GET),
            (Some(method), None) => Method::from_bytes(method.as_bytes()).ok(),
            _ => None,
        };
        let detail = "Send one X-Original-Method, as the request had it.";
        let method =
            method.ok_or_else(|| Problem::at(Code::InvalidRequest, "#/header/X-Original-Method", detail))?;
        Ok(Asked { parts: parts.clone(), method })
    }
}

impl RequestInput for Asked {
    fn describe(takes: &mut RequestParts, _: &mut Components) {
        takes.called_by(&["nobody", "cookie", "bearer"]);
        let method = json!({"type": "string", "pattern": "^[A-Za-z]+$"});
        takes.parameter("header", "X-Original-Method", false, method);
        takes.refuses(&[Code::InvalidRequest, Code::CrossSite]);
    }
}
