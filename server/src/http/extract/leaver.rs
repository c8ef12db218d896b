//! Who signs out: by a session, by a remembered device, or by both. A device that is to be forgotten is not used once more: that would
//! begin a session, for which another one of the account may have to leave, or which is one too many.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use trolley_core::session::Transport;

use crate::http::extract::idempotency::Key;
use crate::http::extract::visitor::{Miss, Visitor};
use crate::http::extract::{authorization, cookie};
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;
use crate::service::error::ServiceError;
use crate::service::session::token::Token;

/// A caller who leaves.
pub struct Leaver {
    /// Who.
    pub visitor: Visitor,
    /// How its token came.
    pub transport: Transport,
    /// The token of the remembered device that it came from.
    remember: Option<Token>,
}

impl Leaver {
    /// Signs out whoever is signed in by now, and forgets the device.
    pub async fn sign_out(&self, front: &AppState) -> Result<(), ServiceError> {
        if let Visitor::Known(visit) = &self.visitor {
            front.service.sign_out(visit).await?;
        }
        match &self.remember {
            Some(remember) => front.service.forget_device(remember).await,
            None => Ok(()),
        }
    }
}

impl FromRequestParts<Arc<AppState>> for Leaver {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<AppState>) -> Result<Leaver, Problem> {
        let bears = authorization::is_bearer(&parts.headers);
        let sent = cookie::token(&parts.headers, cookie::REMEMBER).filter(|_| !bears);
        let is_known = match &sent {
            Some(remember) => front.service.remembers(remember).await?,
            None => false,
        };
        // One that no device has begins no session either, and counts as the guess that it is.
        let (remember, unknown, miss) =
            if is_known { (sent, None, Miss::Passes) } else { (None, sent, Miss::Counts) };
        let visitor = Visitor::with(parts, front, unknown, miss).await?;
        Key::of(&parts.headers)?;
        let transport = if bears { Transport::Bearer } else { Transport::Cookie };
        Ok(Leaver { visitor, transport, remember })
    }
}
