//! The demo shop: Cartwright, general store. Made on the server; scripts only make it quicker, and nothing comes from another host.

pub mod account;
pub mod actions;
pub mod assets;
pub mod back_room;
pub mod basket;
pub mod frame;
pub mod ordering;
pub mod outbox;
pub mod products;
pub mod refusal;
pub mod refusal_words;
pub mod shelves;
pub mod told;
pub mod welcome;

use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::{Extension, Router};

use crate::http::server::app::Pages;
use crate::http::server::state::AppState;
use crate::pages::shop::outbox::Outbox;

/// The demo shop, for an application to serve: its pages, and a page in place of a problem for whoever asked for one.
pub fn pages() -> Pages {
    Pages {
        routes: routes(),
        around: |routes, front| routes.layer(from_fn_with_state(Arc::clone(front), refusal::as_a_page)),
    }
}

fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/", get(shelves::home))
        .route("/aisle/{slug}", get(shelves::aisle))
        .route("/search", get(shelves::search))
        .route("/product/{sku}", get(shelves::product))
        .route("/cart", get(basket::cart))
        .route("/cart/history", get(basket::history))
        .route("/cart/add", post(actions::add))
        .route("/cart/set", post(actions::set))
        .route("/cart/remove", post(actions::remove))
        .route("/cart/save", post(actions::save))
        .route("/cart/unsave", post(actions::unsave))
        .route("/cart/discard", post(actions::discard))
        .route("/cart/clear", post(actions::clear))
        .route("/cart/undo", post(actions::undo))
        .route("/checkout", get(ordering::review).post(ordering::place))
        .route("/orders", get(ordering::list))
        .route("/order/{id}", get(ordering::show))
        .route("/order/{id}/cancel", post(ordering::cancel))
        .route("/sign-in", get(welcome::sign_in_page).post(welcome::sign_in))
        .route("/sign-up", get(welcome::sign_up_page).post(welcome::sign_up))
        .route("/sign-out", post(welcome::sign_out))
        .route("/forgot", get(welcome::forgot_page).post(welcome::forgot))
        .route("/outbox", get(welcome::outbox_page))
        .route("/reset", get(welcome::reset_page).post(welcome::reset))
        .route("/account", get(account::show))
        .route("/account/password", post(account::password))
        .route("/account/devices", post(account::end))
        .route("/account/delete", post(account::delete))
        .route("/back-room", get(back_room::show).post(back_room::change))
        .route("/shop/{edition}/{*name}", get(assets::serve))
        .layer(Extension(Arc::new(Outbox::default())))
}
