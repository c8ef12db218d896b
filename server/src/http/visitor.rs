//! Who is calling: the cookie or the bearer token of a request becomes a [`Visitor`] before any handler runs.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use trolley_core::session::Transport;

use crate::service::abuse::Guess;
use crate::service::session::{Presented, Recognised, Visit};
use crate::service::token::Token;

use super::address::Address;
use super::authorization;
use super::cookie::{self, Sent};
use super::error::Problem;
use super::front::Front;
use super::mistaken::Door;
use super::problems::Code;
use super::tray::Tray;

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
        if cookie == Sent::Several {
            let detail = Code::DuplicateCookie.advice();
            return Err(Problem::at(Code::DuplicateCookie, "#/header/Cookie", detail));
        }
        let Some(token) = authorization::bearer(headers, Door::Shop)? else {
            return Ok(match cookie {
                Sent::One(value) => Token::parse(value).map_or(Credential::None, Credential::Cookie),
                Sent::None | Sent::Several => Credential::None,
            });
        };
        if cookie != Sent::None {
            let detail = Code::TwoCredentials.advice();
            return Err(Problem::at(Code::TwoCredentials, "#/header/Authorization", detail));
        }
        Ok(Credential::Bearer(Token::parse(token)))
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

impl FromRequestParts<Arc<Front>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<Front>) -> Result<Visitor, Problem> {
        let Address(from) = Address::from_request_parts(parts, front).await?;
        let remember = || cookie::token(&parts.headers, cookie::REMEMBER);
        let (token, remember, transport) = match Credential::of(&parts.headers)? {
            Credential::None => match remember() {
                None => return Ok(Visitor::Unknown),
                remember => (None, remember, Transport::Cookie),
            },
            Credential::Cookie(token) => (Some(token), remember(), Transport::Cookie),
            Credential::Bearer(Some(token)) => (Some(token), None, Transport::Bearer),
            Credential::Bearer(None) => {
                front.service.guessed(from, Guess::Bearer)?;
                return Err(Problem::new(Code::SessionEnded));
            }
        };
        let tray = parts.extensions.get::<Tray>();
        let presented = Presented { token, remember, transport, renews: tray.is_some() };
        match (front.service.recognise(&presented).await?, transport) {
            (Recognised::Known(visit, handed), _) => {
                if let Some(tray) = tray {
                    tray.lay(&visit, handed);
                }
                Ok(Visitor::Known(visit))
            }
            // Judged before anything else: a late write of another tab must not put a guest's cookie over a fresh one.
            (Recognised::Retired, Transport::Cookie) if !parts.method.is_safe() => {
                Err(Problem::new(Code::SessionEnded))
            }
            (Recognised::Retired, Transport::Cookie) => Ok(Visitor::Unknown),
            (Recognised::Retired, Transport::Bearer) => Err(Problem::new(Code::SessionEnded)),
            (Recognised::Nobody, Transport::Cookie) => {
                for token in presented.token.iter().chain(&presented.remember) {
                    front.service.guessed(from, Guess::Cookie(token.digest()))?;
                }
                Ok(Visitor::Unknown)
            }
            (Recognised::Nobody, Transport::Bearer) => {
                front.service.guessed(from, Guess::Bearer)?;
                Err(Problem::new(Code::SessionEnded))
            }
        }
    }
}
