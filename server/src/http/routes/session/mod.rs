//! `/v1/session`, `/v1/sessions` and `/v1/verify`.

pub mod current;
pub mod data;
pub mod devices;
pub mod sign_in;
pub mod verify;

use crate::http::openapi::routes::Routes;

/// The routes of this room.
pub fn routes() -> Routes {
    let session = current::routes().merge(verify::routes()).merge(data::routes());
    session.merge(sign_in::routes()).merge(devices::routes())
}
