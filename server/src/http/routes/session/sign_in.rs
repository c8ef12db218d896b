//! `/v1/session/sign-in` and `sign-out`, and what they hand to the caller: cookies to a browser, a header to an app.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ETAG, SET_COOKIE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use trolley_core::account::email::Email;
use trolley_core::account::password::Password;
use trolley_core::cart::op::MergePolicy;
use trolley_core::session::Transport;

use crate::http::extract::account_caller::{Caller, ProvenCaller};
use crate::http::extract::cookie;
use crate::http::extract::json::{Json, NoBody, answer};
use crate::http::extract::leaver::Leaver;
use crate::http::extract::pending_tokens::TROLLEY_TOKEN;
use crate::http::extract::visitor::Visitor;
use crate::http::openapi::op::{OF_A_CART, OF_AN_END, op};
use crate::http::openapi::routes::Routes;
use crate::http::problem::code::Code;
use crate::http::routes::account::accounts::{ENTRY, no_content};
use crate::http::routes::account::credentials::Login;
use crate::http::routes::cart::lines::HandlerResult;
use crate::http::server::state::AppState;
use crate::http::wire::account::SignedInView;
use crate::http::wire::cart::CartView;
use crate::service::account::attach::{Attached, RememberCookie};
use crate::service::account::sign_in::{SignInRequest, SignedIn};
use crate::service::session::token::Token;

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Whether an Idempotency-Key makes a difference.
const AGAIN: &str = "The rule of retired tokens comes first: with the token that it took out of use the same call again is 401 session_ended for ten \
    minutes, under an Idempotency-Key too. Without a session there is nothing to end, and the answer is 204.";

/// The routes of signing in and out.
pub fn routes() -> Routes {
    let entered = op("sign_in", "Sign in; the guest's cart comes along").refuses(&ENTRY);
    let entered =
        entered.refuses(&[Code::InvalidCredentials]).answers::<SignedInView<'_>>(200).tells(&OF_A_CART[..1]);
    let left = op("sign_out", "This session is over").says(AGAIN).refuses(&ENTRY).empty(204).tells(OF_AN_END);
    Routes::about("Session").post("/v1/session/sign-in", sign_in, entered).post(
        "/v1/session/sign-out",
        sign_out,
        left,
    )
}

async fn sign_in(
    State(front): State<Arc<AppState>>,
    ProvenCaller(calling): ProvenCaller,
    Json(login): Json<Login>,
) -> HandlerResult {
    let arrival = calling.arrival(login.remember, login.merge);
    // What cannot be an address is nobody's: that is told like any other wrong one.
    let email = Email::parse(&login.email).ok();
    let password = Password::said(&login.password);
    let signed_in = front.service.sign_in(email.as_ref(), password, &arrival).await?;
    Ok(front.signed_in(StatusCode::OK, &signed_in))
}

async fn sign_out(State(front): State<Arc<AppState>>, leaving: Leaver, _: NoBody) -> HandlerResult {
    leaving.sign_out(&front).await?;
    let mut response = no_content();
    front.forget(&mut response, leaving.transport);
    Ok(response)
}

impl Caller {
    /// As somebody who signs in.
    pub fn arrival(self, remember: bool, merge: Option<MergePolicy>) -> SignInRequest {
        let visit = match self.visitor {
            Visitor::Known(visit) => Some(visit),
            Visitor::Unknown => None,
        };
        SignInRequest {
            visit,
            retired: self.retired,
            transport: self.transport,
            remember,
            merge,
            from: self.from,
        }
    }
}

impl AppState {
    /// The answer to a sign-in: it shows everything but the secrets, which go by header.
    pub fn signed_in(&self, status: StatusCode, signed_in: &SignedIn) -> Response<Body> {
        let mut response = answer(status, &SignedInView { signed_in, relay: None });
        response.headers_mut().insert(ETAG, CartView(&signed_in.cart).etag());
        self.hand_over(&mut response, &signed_in.entered);
        response
    }

    /// Hands out the secrets of a session that is another one now.
    pub fn hand_over(&self, response: &mut Response<Body>, entered: &Attached) {
        match entered.visit.session.transport {
            Transport::Bearer => {
                if let Ok(mut token) = HeaderValue::from_str(entered.token.expose()) {
                    token.set_sensitive(true);
                    response.headers_mut().insert(TROLLEY_TOKEN, token);
                }
            }
            Transport::Cookie => {
                for line in self.cookie_lines(entered) {
                    response.headers_mut().append(SET_COOKIE, line);
                }
            }
        }
    }

    /// The lines of Set-Cookie for a browser, the session's first.
    pub fn cookie_lines(&self, entered: &Attached) -> Vec<HeaderValue> {
        let (same_site, now) = (self.rules.same_site, self.service.now());
        let mut lines = vec![cookie::set(&entered.token, same_site, now, entered.visit.absolute_expires_at)];
        match &entered.remember {
            RememberCookie::Same => {}
            RememberCookie::New(token, until) => {
                lines.push(cookie::set_named(cookie::REMEMBER, token, same_site, now, *until));
            }
            RememberCookie::Dropped => lines.push(cookie::clear(cookie::REMEMBER, same_site)),
        }
        lines.extend(entered.known_by.as_ref().map(|known_by| self.device_line(known_by)));
        lines
    }

    fn device_line(&self, known_by: &Token) -> HeaderValue {
        let now = self.service.now();
        cookie::set_named(cookie::DEVICE, known_by, self.rules.same_site, now, now + cookie::DEVICE_FOR)
    }

    /// Hands a device what an account knows it by from now on.
    pub fn know(&self, response: &mut Response<Body>, known_by: Option<&Token>) {
        if let Some(known_by) = known_by {
            response.headers_mut().append(SET_COOKIE, self.device_line(known_by));
        }
    }

    /// Tells a browser to forget what opened the session, and what pages kept in it. Its cache holds nothing of ours (`no-store`), and to
    /// have that cleared stalls some browsers for seconds.
    pub fn forget(&self, response: &mut Response<Body>, transport: Transport) {
        if transport == Transport::Bearer {
            return;
        }
        let headers = response.headers_mut();
        for name in [cookie::NAME, cookie::REMEMBER] {
            headers.append(SET_COOKIE, cookie::clear(name, self.rules.same_site));
        }
        headers.insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"storage\""));
    }
}
