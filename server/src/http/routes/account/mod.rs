//! `/v1/accounts` and `/v1/account`.

pub mod accounts;
pub mod credentials;

use crate::http::openapi::routes::Routes;

/// The routes of this room.
pub fn routes() -> Routes {
    accounts::routes()
}
