//! Renewed tokens, on their way from the extractor that recognises a caller to the answer that hands them out: the one place
//! from which a GET sets a cookie.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE,
};
use axum::http::{Request, Response, StatusCode};
use parking_lot::Mutex;
use trolley_core::session::Transport;
use trolley_core::time::Timestamp;

use crate::http::extract::cookie;
use crate::http::extract::cookie::{NAME, REMEMBER};
use crate::http::server::state::AppState;
use crate::service::session::claim::Claim;
use crate::service::session::recognise::{RenewedTokens, Visit};
use crate::service::session::token::Token;

/// Where a bearer caller is handed a token that a browser would get as a cookie.
pub const TROLLEY_TOKEN: HeaderName = HeaderName::from_static("trolley-token");

/// Holds what a request's answer will hand out.
#[derive(Clone, Default)]
pub struct PendingTokens(Arc<Mutex<Option<Renewed>>>);

struct Renewed {
    claim: Claim,
    transport: Transport,
    handed: RenewedTokens,
}

impl PendingTokens {
    /// A tray for a request that could bring a token; others need none.
    pub fn before(request: &mut Request<Body>) -> Option<PendingTokens> {
        let headers = request.headers();
        if !headers.contains_key(COOKIE) && !headers.contains_key(AUTHORIZATION) {
            return None;
        }
        let tray = PendingTokens::default();
        request.extensions_mut().insert(tray.clone());
        Some(tray)
    }

    /// Lays down what the caller is to be handed.
    pub fn lay(&self, visit: &Visit, handed: RenewedTokens) {
        if handed.session.is_some() || handed.remember.is_some() {
            *self.0.lock() =
                Some(Renewed { claim: visit.claim(), transport: visit.session.transport, handed });
        }
    }

    /// Hands it out with the answer, unless the request failed, the answer sets that cookie itself, or the token that came went out
    /// of use meanwhile: with a sign-in or a new password its successor did too, and must not be put over the fresh one. What is
    /// lost is handed out again next time.
    pub async fn serve(self, front: &AppState, response: &mut Response<Body>) {
        let Some(Renewed { claim, transport, handed }) = self.0.lock().take() else { return };
        let status = response.status();
        if status.is_server_error() || status == StatusCode::UNAUTHORIZED {
            return;
        }
        if !front.service.holds(&claim).await.unwrap_or(false) {
            return;
        }
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if transport == Transport::Bearer {
            if let Some((token, _)) = handed.session {
                headers.entry(TROLLEY_TOKEN).or_insert_with(|| secret(&token));
            }
            return;
        }
        set(front, headers, NAME, handed.session);
        set(front, headers, REMEMBER, handed.remember);
    }
}

fn set(front: &AppState, headers: &mut HeaderMap, name: &str, handed: Option<(Token, Timestamp)>) {
    let Some((token, until)) = handed else { return };
    let named = |line: &HeaderValue| {
        line.as_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
    };
    if !headers.get_all(SET_COOKIE).iter().any(named) {
        let line = cookie::set_named(name, &token, front.rules.same_site, front.service.now(), until);
        headers.append(SET_COOKIE, line);
    }
}

fn secret(token: &Token) -> HeaderValue {
    let mut value = HeaderValue::from_str(token.expose()).expect("a token is visible ASCII");
    value.set_sensitive(true);
    value
}
