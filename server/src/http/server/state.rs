//! What every handler is given: the service, and the rules of this front.

use std::sync::Arc;
use std::time::Duration;

use crate::http::extract::address::Proxies;
use crate::http::extract::cookie::SameSite;
use crate::http::wire::body_cache::BodyCache;
use crate::service::Service;

/// The state of the router.
pub struct AppState {
    /// The only doer.
    pub service: Arc<Service>,
    /// What HTTP keeps to.
    pub rules: HttpConfig,
    /// Bodies of large carts.
    pub rendered: BodyCache,
}

impl AppState {
    /// A front of a service.
    pub fn new(service: Arc<Service>, rules: HttpConfig) -> AppState {
        AppState { service, rules, rendered: BodyCache::default() }
    }
}

/// What HTTP keeps to.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// The cookie's attribute.
    pub same_site: SameSite,
    /// Who we are behind a proxy: `https://shop.example`.
    pub public_origin: Option<String>,
    /// Other origins whose pages may change carts.
    pub trusted_origins: Vec<String>,
    /// Who is believed about where a request came from.
    pub trusted_proxies: Proxies,
    /// `/v1/admin/*` and `/metrics` are served beside the rest.
    pub admin: bool,
    /// The demo shop on `/`.
    pub demo: bool,
    /// `POST /test/clock`.
    pub test_clock: bool,
    /// How long a body may take.
    pub body_timeout: Duration,
    /// How long a request may take in all.
    pub total_timeout: Duration,
    /// Requests that may be under way at once.
    pub max_in_flight: usize,
}

impl Default for HttpConfig {
    fn default() -> HttpConfig {
        HttpConfig {
            same_site: SameSite::Lax,
            public_origin: None,
            trusted_origins: Vec::new(),
            trusted_proxies: Proxies::default(),
            admin: true,
            demo: false,
            test_clock: false,
            body_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(30),
            max_in_flight: 1_024,
        }
    }
}
