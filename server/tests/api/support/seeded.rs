//! Random bytes that come out the same in every run. No two shops of a process share them: their stores may be shared.

use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use trolley::service::random::Random;

static SHOPS: AtomicU64 = AtomicU64::new(0);

pub struct Seeded {
    shop: u64,
    drawn: AtomicU64,
}

impl Seeded {
    pub fn new() -> Seeded {
        Seeded { shop: SHOPS.fetch_add(1, Ordering::Relaxed), drawn: AtomicU64::new(0) }
    }
}

impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let draw = self.drawn.fetch_add(1, Ordering::Relaxed);
            let block = Sha256::digest([self.shop.to_be_bytes(), draw.to_be_bytes()].concat());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}
