//! Who is calling: the cookie or the bearer token of a request becomes a [`Visitor`] before any handler runs.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use trolley_core::session::Transport;

use crate::http::extract::address::Address;
use crate::http::extract::authorization::Ours;
use crate::http::extract::cookie::CookieValue;
use crate::http::extract::mistaken_authorization::Door;
use crate::http::extract::pending_tokens::PendingTokens;
use crate::http::extract::user_agent::device;
use crate::http::extract::{authorization, cookie};
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;
use crate::service::limits::addresses::Guess;
use crate::service::session::recognise::{Presented, Recognition, Remembered, Visit};
use crate::service::session::token::Token;

/// What a stream that is opened again had seen.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A caller.
#[derive(Clone, Debug)]
pub enum Visitor {
    /// Without a live session. A dead, unknown or malformed cookie is the same as none.
    Unknown,
    /// With one.
    Known(Visit),
}

/// What a request says of its caller, before anybody believes it.
#[derive(Debug)]
pub enum Credential {
    /// Nothing that could be a token.
    None,
    /// A token in the cookie.
    Cookie(Token),
    /// A token in the Authorization header; none where it cannot be one.
    Bearer(Option<Token>),
}

impl Credential {
    /// Reads the headers. What could mean two things is refused.
    pub fn of(headers: &HeaderMap) -> Result<Credential, Problem> {
        let cookie = cookie::find(headers);
        if cookie == CookieValue::Several {
            let detail = Code::DuplicateCookie.advice();
            return Err(Problem::at(Code::DuplicateCookie, "#/header/Cookie", detail));
        }
        let Some(token) = authorization::bearer(headers, Door::Shop)? else {
            return Ok(match cookie {
                CookieValue::One(value) => Token::parse(value).map_or(Credential::None, Credential::Cookie),
                CookieValue::None | CookieValue::Several => Credential::None,
            });
        };
        if cookie != CookieValue::None {
            let detail = Code::TwoCredentials.advice();
            return Err(Problem::at(Code::TwoCredentials, "#/header/Authorization", detail));
        }
        Ok(Credential::Bearer(Token::parse(token)))
    }

    /// Reads the headers of a request that is the shop's own. A Bearer that has not the form of our tokens is the shop's affair, and the
    /// cookie decides; what could mean two callers is nobody, since the proxy that asks understands no other refusal.
    pub fn beside_foreign(headers: &HeaderMap) -> Credential {
        match (cookie::find(headers), authorization::ours(headers)) {
            (CookieValue::One(value), Ours::Nothing) => {
                Token::parse(value).map_or(Credential::None, Credential::Cookie)
            }
            (CookieValue::None, Ours::One(token)) => Credential::Bearer(Some(token)),
            _ => Credential::None,
        }
    }
}

impl Credential {
    /// The session's token, if it is one, and how it came.
    pub fn token(self) -> (Option<Token>, Transport) {
        match self {
            Credential::None => (None, Transport::Cookie),
            Credential::Cookie(token) => (Some(token), Transport::Cookie),
            Credential::Bearer(token) => (token, Transport::Bearer),
        }
    }
}

impl FromRequestParts<Arc<AppState>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<AppState>) -> Result<Visitor, Problem> {
        let remember = cookie::token(&parts.headers, cookie::REMEMBER);
        Visitor::with(parts, front, remember, Miss::Counts).await
    }
}

/// What a token that opens nothing is to the limits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Miss {
    /// A guess.
    Counts,
    /// Nothing: who sends it is known by something else.
    Passes,
}

impl Visitor {
    /// The caller, by the session's token, and by this one of a remembered device.
    pub(super) async fn with(
        parts: &mut Parts,
        front: &Arc<AppState>,
        remember: Option<Token>,
        miss: Miss,
    ) -> Result<Visitor, Problem> {
        match recognised(parts, front, remember, false, miss).await? {
            (Recognition::Known(visit, _), _) => Ok(Visitor::Known(visit)),
            // Judged before anything else: a late write of another tab must not put a guest's cookie over a fresh one.
            (Recognition::Retired, Transport::Cookie) if !parts.method.is_safe() => {
                Err(Problem::new(Code::SessionEnded))
            }
            (_, Transport::Cookie) => Ok(Visitor::Unknown),
            (_, Transport::Bearer) => Err(Problem::new(Code::SessionEnded)),
        }
    }
}

/// Who opens an event stream.
pub enum Watcher {
    /// Somebody without a live session.
    Unknown,
    /// Somebody whose token was taken out of use lately: the caller has another one by now, or will have it in a moment.
    Retired,
    /// Somebody with one.
    Known(Visit),
}

impl FromRequestParts<Arc<AppState>> for Watcher {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<AppState>) -> Result<Watcher, Problem> {
        // A stream that is opened again by itself does not bring a remembered device back: nobody may be looking.
        let is_first = !parts.headers.contains_key(LAST_EVENT_ID);
        let remember = cookie::token(&parts.headers, cookie::REMEMBER).filter(|_| is_first);
        match recognised(parts, front, remember, true, Miss::Counts).await? {
            (Recognition::Known(visit, _), _) => Ok(Watcher::Known(visit)),
            (Recognition::Retired, _) => Ok(Watcher::Retired),
            (Recognition::Nobody | Recognition::Unrenewed, Transport::Cookie) => Ok(Watcher::Unknown),
            (Recognition::Nobody | Recognition::Unrenewed, Transport::Bearer) => {
                Err(Problem::new(Code::SessionEnded))
            }
        }
    }
}

/// Whom the request comes from, and how its token came. What it is handed lies on the tray.
async fn recognised(
    parts: &mut Parts,
    front: &Arc<AppState>,
    remember: Option<Token>,
    watches: bool,
    miss: Miss,
) -> Result<(Recognition, Transport), Problem> {
    let Address(from) = Address::from_request_parts(parts, front).await?;
    let (token, remember, transport) = match Credential::of(&parts.headers)? {
        Credential::None if remember.is_none() => return Ok((Recognition::Nobody, Transport::Cookie)),
        Credential::None => (None, remember, Transport::Cookie),
        Credential::Cookie(token) => (Some(token), remember, Transport::Cookie),
        Credential::Bearer(Some(token)) => (Some(token), None, Transport::Bearer),
        Credential::Bearer(None) => {
            front.service.guessed(from, Guess::Bearer)?;
            return Ok((Recognition::Nobody, Transport::Bearer));
        }
    };
    let tray = parts.extensions.get::<PendingTokens>();
    let remember = remember.map(|token| Remembered { token, device: device(&parts.headers, from) });
    let presented = Presented { token, remember, transport, renews: tray.is_some(), watches };
    let recognised = front.service.recognise(&presented).await?;
    match (&recognised, transport) {
        (Recognition::Known(visit, handed), _) => {
            front.service.name_device(visit, || device(&parts.headers, from)).await;
            if let Some(tray) = tray {
                tray.lay(visit, handed.clone());
            }
        }
        (Recognition::Nobody, Transport::Cookie) if miss == Miss::Passes => {}
        (Recognition::Retired, _) => {}
        // What the device is remembered by opens something, though not now; what came beside it does not.
        (Recognition::Unrenewed, _) => {
            if let Some(token) = &presented.token {
                front.service.guessed(from, Guess::Cookie(token.digest()))?;
            }
        }
        (Recognition::Nobody, Transport::Cookie) => {
            for token in presented.token.iter().chain(presented.remember_token()) {
                front.service.guessed(from, Guess::Cookie(token.digest()))?;
            }
        }
        (Recognition::Nobody, Transport::Bearer) => front.service.guessed(from, Guess::Bearer)?,
    }
    Ok((recognised, transport))
}
