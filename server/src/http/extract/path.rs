//! What a path names: a line, an order. A name that nothing ever has is no error here.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use trolley_core::ids::{AccountId, OrderId, SessionId};
use trolley_core::item::LineId;

use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;
use crate::service::account::sign_in::account_named;

/// The line that the path names; none where no line ever has such an id.
pub struct LineName(pub Option<LineId>);

impl LineName {
    /// Its id, by a caller who means a line that is there.
    pub fn known(self) -> Result<LineId, Problem> {
        self.0.ok_or_else(|| Problem::new(Code::LineNotFound))
    }
}

impl FromRequestParts<Arc<AppState>> for LineName {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<AppState>) -> Result<LineName, Infallible> {
        Ok(LineName(name(parts, front).await.and_then(|name| LineId::parse(&name))))
    }
}

/// The order that the path names; none where no order ever has such an id.
pub struct OrderName(pub Option<OrderId>);

impl FromRequestParts<Arc<AppState>> for OrderName {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<AppState>) -> Result<OrderName, Infallible> {
        Ok(OrderName(name(parts, front).await.and_then(|name| name.parse().ok())))
    }
}

/// The account that the path names: by our id, or by the shop's own.
pub struct AccountName(pub AccountId);

impl FromRequestParts<Arc<AppState>> for AccountName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<AppState>) -> Result<AccountName, Problem> {
        let name = name(parts, front).await.ok_or_else(|| Problem::new(Code::AccountNotFound))?;
        Ok(AccountName(account_named(&name)))
    }
}

/// The device that the path names; none where no device ever has such an id.
pub struct DeviceName(pub Option<SessionId>);

impl FromRequestParts<Arc<AppState>> for DeviceName {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<AppState>) -> Result<DeviceName, Infallible> {
        Ok(DeviceName(name(parts, front).await.and_then(|name| name.parse().ok())))
    }
}

/// The path's one variable part; none where it is not UTF-8.
async fn name(parts: &mut Parts, front: &Arc<AppState>) -> Option<String> {
    let named = Path::<String>::from_request_parts(parts, front).await;
    named.ok().map(|Path(name)| name)
}
