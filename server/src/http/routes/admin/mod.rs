//! `/v1/admin`: what the shop's own systems call.

pub mod accounts;
pub mod orders;

use crate::http::openapi::routes::Routes;

/// The routes of this room. Each of them asks for a key.
pub fn routes() -> Routes {
    orders::routes().merge(accounts::routes())
}
