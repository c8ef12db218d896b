//! `/v1/cart` and `/v1/orders`.

pub mod change;
pub mod checkout;
pub mod events;
pub mod history;
pub mod lines;
pub mod orders;
pub mod saved;
pub mod sync;

use crate::http::openapi::routes::Routes;

/// The routes of this room.
pub fn routes() -> Routes {
    let cart = lines::routes().merge(saved::routes()).merge(history::routes()).merge(checkout::routes());
    cart.merge(orders::routes()).merge(sync::routes()).merge(events::routes())
}
