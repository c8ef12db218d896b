//! `/v1/session/sign-in` and `sign-out`, and what they hand to the caller: cookies to a browser, a header to an app.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use trolley_core::account::email::Email;
use trolley_core::account::password::Password;
use trolley_core::cart::op::Policy;
use trolley_core::session::Transport;

use crate::service::enter::{Entered, Remembering};
use crate::service::sign_in::{Arrival, SignedIn};

use super::account_wire::SignedInView;
use super::accounts::{ENTRY, no_content};
use super::arrival::{Calling, Proving};
use super::cart::Answer;
use super::cookie;
use super::credentials::Login;
use super::front::Front;
use super::json::{Json, NoBody, answer};
use super::openapi::op::op;
use super::openapi::routes::Routes;
use super::problems::Code;
use super::tray::TROLLEY_TOKEN;
use super::visitor::Visitor;

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// The routes of signing in and out.
pub fn routes() -> Routes {
    let entered = op("sign_in", "Sign in; the guest's cart comes along").refuses(&ENTRY);
    let entered = entered.refuses(&[Code::InvalidCredentials]).answers::<SignedInView<'_>>(200);
    let left = op("sign_out", "This session is over").refuses(&ENTRY).empty(204);
    Routes::about("Session").post("/v1/session/sign-in", sign_in, entered).post(
        "/v1/session/sign-out",
        sign_out,
        left,
    )
}

async fn sign_in(
    State(front): State<Arc<Front>>,
    Proving(calling): Proving,
    Json(login): Json<Login>,
) -> Answer {
    let arrival = calling.arrival(login.remember, login.merge);
    // What cannot be an address is nobody's: that is told like any other wrong one.
    let email = Email::parse(&login.email).ok();
    let password = Password::said(&login.password);
    let signed_in = front.service.sign_in(email.as_ref(), password, &arrival).await?;
    Ok(front.signed_in(StatusCode::OK, &signed_in))
}

async fn sign_out(State(front): State<Arc<Front>>, calling: Calling, _: NoBody) -> Answer {
    if let Visitor::Known(visit) = &calling.visitor {
        front.service.sign_out(visit).await?;
    }
    let mut response = no_content();
    front.forget(&mut response, calling.transport);
    Ok(response)
}

impl Calling {
    /// As somebody who signs in.
    pub fn arrival(self, remember: bool, merge: Option<Policy>) -> Arrival {
        let visit = match self.visitor {
            Visitor::Known(visit) => Some(visit),
            Visitor::Unknown => None,
        };
        Arrival { visit, transport: self.transport, remember, merge, from: self.from }
    }
}

impl Front {
    /// The answer to a sign-in: it shows everything but the secrets, which go by header.
    pub fn signed_in(&self, status: StatusCode, signed_in: &SignedIn) -> Response<Body> {
        let mut response = answer(status, &SignedInView { signed_in, relay: None });
        self.hand_over(&mut response, &signed_in.entered);
        response
    }

    /// Hands out the secrets of a session that is another one now.
    pub fn hand_over(&self, response: &mut Response<Body>, entered: &Entered) {
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
    pub fn cookie_lines(&self, entered: &Entered) -> Vec<HeaderValue> {
        let (same_site, now) = (self.rules.same_site, self.service.now());
        let mut lines = vec![cookie::set(&entered.token, same_site, now, entered.visit.absolute_expires_at)];
        match &entered.remember {
            Remembering::Same => {}
            Remembering::New(token, until) => {
                lines.push(cookie::set_named(cookie::REMEMBER, token, same_site, now, *until));
            }
            Remembering::Dropped => lines.push(cookie::clear(cookie::REMEMBER, same_site)),
        }
        if let Some(known_by) = &entered.known_by {
            lines.push(cookie::set_named(cookie::DEVICE, known_by, same_site, now, now + cookie::DEVICE_FOR));
        }
        lines
    }

    /// Tells a browser to forget what opened the session, and what it kept of its pages.
    pub fn forget(&self, response: &mut Response<Body>, transport: Transport) {
        if transport == Transport::Bearer {
            return;
        }
        let headers = response.headers_mut();
        for name in [cookie::NAME, cookie::REMEMBER] {
            headers.append(SET_COOKIE, cookie::clear(name, self.rules.same_site));
        }
        headers.insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\", \"storage\""));
    }
}
