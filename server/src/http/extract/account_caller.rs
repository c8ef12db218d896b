//! Who signs in, or asks something of an account: the visitor, with the device that it comes by.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use trolley_core::ids::AccountId;
use trolley_core::session::Transport;

use crate::http::extract::address::Address;
use crate::http::extract::idempotency::Key;
use crate::http::extract::user_agent::device;
use crate::http::extract::visitor::Visitor;
use crate::http::extract::{authorization, cookie};
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;
use crate::service::account::credentials::ClientDevice;
use crate::service::session::recognise::Visit;

/// A caller with its device.
pub struct Caller {
    /// Who.
    pub visitor: Visitor,
    /// How it is handed a token.
    pub transport: Transport,
    /// From where.
    pub from: ClientDevice,
}

/// The same, signed in.
pub struct AccountOwner {
    /// The session.
    pub visit: Visit,
    /// The account.
    pub account: AccountId,
    /// From where.
    pub from: ClientDevice,
}

/// The same, of somebody who proves by other means who it is. A token that was taken out of use counts as none here: whoever
/// signs in again since the answer was lost would else be held up for ten minutes.
pub struct ProvenCaller(pub Caller);

impl Caller {
    async fn read(parts: &mut Parts, front: &Arc<AppState>, visitor: Visitor) -> Result<Caller, Problem> {
        if !parts.method.is_safe() {
            // What is asked here is done anew when it is sent again: its answers hand out secrets, which nothing keeps.
            Key::of(&parts.headers)?;
        }
        let Address(address) = Address::from_request_parts(parts, front).await?;
        let bears = authorization::is_bearer(&parts.headers);
        let transport = if bears { Transport::Bearer } else { Transport::Cookie };
        let device = device(&parts.headers, address);
        let known_by = cookie::known_device(&parts.headers);
        Ok(Caller { visitor, transport, from: ClientDevice { device, known_by } })
    }
}

impl FromRequestParts<Arc<AppState>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<AppState>) -> Result<Caller, Problem> {
        let visitor = Visitor::from_request_parts(parts, front).await?;
        Caller::read(parts, front, visitor).await
    }
}

impl FromRequestParts<Arc<AppState>> for ProvenCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<AppState>) -> Result<ProvenCaller, Problem> {
        let visitor = match Visitor::from_request_parts(parts, front).await {
            Err(problem)
                if problem.code() == Code::SessionEnded && !authorization::is_bearer(&parts.headers) =>
            {
                Visitor::Unknown
            }
            visitor => visitor?,
        };
        Caller::read(parts, front, visitor).await.map(ProvenCaller)
    }
}

impl FromRequestParts<Arc<AppState>> for AccountOwner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<AppState>) -> Result<AccountOwner, Problem> {
        let Caller { visitor, from, .. } = Caller::from_request_parts(parts, front).await?;
        let Visitor::Known(visit) = visitor else { return Err(Problem::new(Code::NotSignedIn)) };
        let account = visit.session.account().ok_or_else(|| Problem::new(Code::NotSignedIn))?;
        Ok(AccountOwner { visit, account, from })
    }
}
