//! Who calls `/v1/admin/*`: a system of the shop's own, by a key that holds the scope which the call needs.
//!
//! A handler says what it needs by its arguments: `_: ApiKey<OrdersRead>`.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use trolley_core::access::{Scope, allows};
use trolley_core::ids::ApiKeyId;

use crate::http::extract::address::Address;
use crate::http::extract::cookie::CookieValue;
use crate::http::extract::mistaken_authorization::Door;
use crate::http::extract::{authorization, cookie};
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;
use crate::service::keys::api_keys::ApiKeySecret;
use crate::service::limits::addresses::Guess;

/// A caller whose key holds the scope `S`.
pub struct ApiKey<S> {
    /// Which key, for the log and the audit trail.
    pub id: ApiKeyId,
    needs: PhantomData<S>,
}

/// A scope as a type, so that a handler without one does not compile.
pub trait Needs: Send {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! needs {
    ($($scope:ident),*) => {$(
        #[doc = concat!("[`Scope::", stringify!($scope), "`]")]
        pub struct $scope;

        impl Needs for $scope {
            const SCOPE: Scope = Scope::$scope;
        }
    )*};
}
needs!(OrdersRead, Orders, AccountsRead, Accounts, SignIns, Audit);

impl<S: Needs> FromRequestParts<Arc<AppState>> for ApiKey<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, front: &Arc<AppState>) -> Result<ApiKey<S>, Problem> {
        let Address(from) = Address::from_request_parts(parts, front).await?;
        let key = match sent(&parts.headers)? {
            Some(secret) => front.service.recognise_key(&secret).await?,
            None => None,
        };
        let Some(key) = key else {
            front.service.guessed(from, Guess::Bearer)?;
            return Err(Problem::new(Code::UnknownApiKey));
        };
        if !allows(&key.scopes, S::SCOPE) {
            let detail = format!("This call needs a key with the scope {}.", S::SCOPE);
            return Err(Problem::with(Code::MissingScope, detail));
        }
        Ok(ApiKey { id: key.id, needs: PhantomData })
    }
}

/// The key that was sent; none where it cannot be one. What could mean two things is refused, as everywhere.
fn sent(headers: &HeaderMap) -> Result<Option<ApiKeySecret>, Problem> {
    let key = authorization::bearer(headers, Door::Admin)?.ok_or_else(|| Problem::new(Code::NoApiKey))?;
    if cookie::find(headers) != CookieValue::None {
        let detail = Code::TwoCredentials.advice();
        return Err(Problem::at(Code::TwoCredentials, "#/header/Authorization", detail));
    }
    Ok(ApiKeySecret::parse(key))
}
