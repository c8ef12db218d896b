//! A caller whose address counts: of limits, and of what is believed of a proxy.

use std::net::SocketAddr;

use axum::http::HeaderMap;
use trolley::http::server::app::App;

use crate::support::{Actor, Shop};

/// Somebody at an address, with these headers.
pub struct Somebody<'a> {
    app: &'a App,
    address: String,
    pub headers: HeaderMap,
}

impl Actor for Somebody<'_> {
    fn app(&self) -> &App {
        self.app
    }

    fn peer(&self) -> SocketAddr {
        SocketAddr::new(self.address.parse().unwrap(), 40_000)
    }

    fn credentials(&self, headers: &mut HeaderMap) {
        headers.extend(self.headers.clone());
    }
}

/// Somebody at this address, without any.
pub fn at<'a>(shop: &'a Shop, address: &str) -> Somebody<'a> {
    Somebody { app: &shop.app, address: address.to_owned(), headers: HeaderMap::new() }
}
