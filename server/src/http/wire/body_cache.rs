//! Bodies of large carts, rendered once: what a strong tag names is the same bytes each time it is asked for.

use axum::http::HeaderValue;
use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::http::wire::cart::CartView;
use crate::service::catalogue::shown::PricedCart;

/// Memory for bodies: a thousand carts of 200 lines, with room to spare.
const BYTES: u64 = 64 << 20;
/// A smaller cart is rendered as fast as it is found.
const LINES_LEAST: usize = 16;
/// Bytes of a body, as the first guess of how many there will be.
const GUESSED_BYTES: u64 = 8 << 10;

/// Bodies by their tags, which tell cart, revision and what the catalogue says of it.
pub struct BodyCache(Cache<HeaderValue, Bytes, Weigh>);

#[derive(Clone)]
struct Weigh;

impl Weighter<HeaderValue, Bytes> for Weigh {
    fn weight(&self, tag: &HeaderValue, body: &Bytes) -> u64 {
        (tag.len() + body.len()) as u64
    }
}

impl Default for BodyCache {
    fn default() -> BodyCache {
        let guessed = usize::try_from(BYTES / GUESSED_BYTES).unwrap_or(usize::MAX);
        BodyCache(Cache::with_weighter(guessed, BYTES, Weigh))
    }
}

impl BodyCache {
    /// The body of a cart, whose tag is `tag`.
    pub fn body(&self, shown: &PricedCart, tag: &HeaderValue) -> Bytes {
        if shown.lines().take(LINES_LEAST).count() < LINES_LEAST {
            return CartView(shown).to_json().into();
        }
        if let Some(body) = self.0.get(tag) {
            return body;
        }
        let body = Bytes::from(CartView(shown).to_json());
        self.0.insert(tag.clone(), body.clone());
        body
    }
}
