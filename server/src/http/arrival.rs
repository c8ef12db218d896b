//! Who signs in, or asks something of an account: the visitor, with the device that it comes by.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use trolley_core::ids::AccountId;
use trolley_core::session::{Device, Transport};

use crate::service::account::From;
use crate::service::session::Visit;

use super::address::Address;
use super::agent::friendly;
use super::authorization;
use super::cookie;
use super::error::Problem;
use super::front::Front;
use super::idempotency::Key;
use super::problems::Code;
use super::visitor::Visitor;

/// A caller with its device.
pub struct Calling {
    /// Who.
    pub visitor: Visitor,
    /// How it is handed a token.
    pub transport: Transport,
    /// From where.
    pub from: From,
}

/// The same, signed in.
pub struct Owner {
    /// The session.
    pub visit: Visit,
    /// The account.
    pub account: AccountId,
    /// From where.
    pub from: From,
}

/// The same, of somebody who proves by other means who it is. A token that was taken out of use counts as none here: whoever
/// signs in again since the answer was lost would else be held up for ten minutes.
pub struct Proving(pub Calling);

impl Calling {
    async fn read(parts: &mut Parts, front: &Arc<Front>, visitor: Visitor) -> Result<Calling, Problem> {
        if !parts.method.is_safe() {
            // What is asked here is done anew when it is sent again: its answers hand out secrets, which nothing keeps.
            Key::of(&parts.headers)?;
        }
        let Address(address) = Address::from_request_parts(parts, front).await?;
        let bears = authorization::is_bearer(&parts.headers);
        let transport = if bears { Transport::Bearer } else { Transport::Cookie };
        let device = Device { name: device_name(&parts.headers), address: address.to_string().into() };
        let known_by = cookie::known_device(&parts.headers);
        Ok(Calling { visitor, transport, from: From { device, known_by } })
    }
}

impl FromRequestParts<Arc<Front>> for Calling {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<Front>) -> Result<Calling, Problem> {
        let visitor = Visitor::from_request_parts(parts, front).await?;
        Calling::read(parts, front, visitor).await
    }
}

impl FromRequestParts<Arc<Front>> for Proving {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<Front>) -> Result<Proving, Problem> {
        let visitor = match Visitor::from_request_parts(parts, front).await {
            Err(problem)
                if problem.code() == Code::SessionEnded && !authorization::is_bearer(&parts.headers) =>
            {
                Visitor::Unknown
            }
            visitor => visitor?,
        };
        Calling::read(parts, front, visitor).await.map(Proving)
    }
}

impl FromRequestParts<Arc<Front>> for Owner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<Front>) -> Result<Owner, Problem> {
        let Calling { visitor, from, .. } = Calling::from_request_parts(parts, front).await?;
        let Visitor::Known(visit) = visitor else { return Err(Problem::new(Code::NotSignedIn)) };
        let account = visit.session.account().ok_or_else(|| Problem::new(Code::NotSignedIn))?;
        Ok(Owner { visit, account, from })
    }
}

fn device_name(headers: &HeaderMap) -> Box<str> {
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    friendly(agent).chars().take(Device::TEXT_MAX).collect::<String>().into()
}
