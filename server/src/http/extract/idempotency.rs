//! `Idempotency-Key`: the caller's name for a request, and the digest that tells a retry from another request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method};
use sha2::{Digest, Sha256};
use trolley_core::cart::op::{Intent, LineRef};

use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::service::cart::preconditions::{IdempotencyKey, SeenByCaller};
use crate::service::cart::sync::Delivery;

/// The header.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const KEY_CHARS_MAX: usize = 128;

/// A call by a key of the shop's that does no more when it is done again, or whose answer hands out a secret, which nothing keeps. It
/// takes an idempotency key as every unsafe call does, and needs none: only the key's form is looked at.
pub struct Again;

impl<S: Sync> FromRequestParts<S> for Again {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Again, Problem> {
        Key::of(&parts.headers).map(|_| Again)
    }
}

/// The key of a change whose outcome is kept under it, as an argument of its handler.
pub struct Under(pub Option<Key>);

impl<S: Sync> FromRequestParts<S> for Under {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Under, Problem> {
        Key::of(&parts.headers).map(Under)
    }
}

/// The key as it was sent, if it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key([u8; 16]);

impl Key {
    /// From the request's headers.
    pub fn of(headers: &HeaderMap) -> Result<Option<Key>, Problem> {
        let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(key) = keys.next() else { return Ok(None) };
        match (Key::parse(key.as_bytes()), keys.next()) {
            (Some(key), None) => Ok(Some(key)),
            _ => Err(Problem::at(Code::InvalidKey, "#/header/Idempotency-Key", Code::InvalidKey.advice())),
        }
    }

    /// From its 1 to 128 visible ASCII characters.
    pub fn parse(key: &[u8]) -> Option<Key> {
        let valid = (1..=KEY_CHARS_MAX).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
        valid.then(|| Key(half(Sha256::digest(key).into())))
    }

    /// With everything that decides the request's effect: the method, what it is done to, and what the caller had seen.
    /// The intent stands for path and body, so that a body's spaces and the order of its fields make no difference.
    pub fn with_request(
        self,
        method: &Method,
        intent: &Intent,
        seen: SeenByCaller,
        strict: bool,
    ) -> IdempotencyKey {
        let mut digest = Sha256::new();
        digest.update(method.as_str());
        hash_intent(&mut digest, intent);
        self.finish(digest, seen, strict)
    }

    /// The same for a device's queue.
    pub fn with_delivery(self, delivery: &Delivery, seen: SeenByCaller, strict: bool) -> IdempotencyKey {
        let mut digest = Sha256::new();
        hash_delivery(&mut digest, delivery);
        self.finish(digest, seen, strict)
    }

    /// The same for a request that is no plain change: `what` names it, and `parts` are all that it says.
    pub fn with_parts(
        self,
        method: &Method,
        what: &str,
        parts: &[Vec<u8>],
        seen: SeenByCaller,
        strict: bool,
    ) -> IdempotencyKey {
        let mut digest = Sha256::new();
        for part in
            [method.as_str().as_bytes(), what.as_bytes()].into_iter().chain(parts.iter().map(|part| &**part))
        {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        self.finish(digest, seen, strict)
    }

    fn finish(self, mut digest: Sha256, seen: SeenByCaller, strict: bool) -> IdempotencyKey {
        hash_seen(&mut digest, seen);
        digest.update([u8::from(strict)]);
        IdempotencyKey { key: self.0, request: half(digest.finalize().into()) }
    }
}

/// What was understood of `If-Match`, however it was written.
fn hash_seen(digest: &mut Sha256, seen: SeenByCaller) {
    match seen {
        SeenByCaller::Newest => digest.update(b"\0newest"),
        SeenByCaller::Nothing => digest.update(b"\0nothing"),
        SeenByCaller::At(cart, revision) => {
            digest.update(b"\0at");
            digest.update(cart.bytes());
            digest.update(revision.to_be_bytes());
        }
        SeenByCaller::Several(several) => several.each().for_each(|seen| hash_seen(digest, seen)),
    }
}

/// What is done, to which line.
fn hash_intent(digest: &mut Sha256, intent: &Intent) {
    match intent {
        Intent::Add(line, quantity) => hash_line(digest, b"add", line, *quantity),
        Intent::Set(line, quantity) => hash_line(digest, b"set", line, *quantity),
        Intent::Remove(line) => hash_line(digest, b"remove", line, 0),
        Intent::Save(line) => hash_line(digest, b"save", line, 0),
        Intent::Unsave(line) => hash_line(digest, b"unsave", line, 0),
        Intent::Discard(line) => hash_line(digest, b"discard", line, 0),
        Intent::Clear(_) => digest.update(b"\0clear"),
        Intent::BringIn(id) => {
            digest.update(b"\0bring_in\0");
            digest.update(id.bytes());
        }
        Intent::DropLeftover(id) => {
            digest.update(b"\0drop_leftover\0");
            digest.update(id.bytes());
        }
        Intent::Undo(revision) => {
            digest.update(b"\0undo\0");
            digest.update(revision.to_be_bytes());
        }
    }
}

/// Everything that decides what a delivery does. Not how long ago it was: a retry is older than what it repeats.
fn hash_delivery(digest: &mut Sha256, delivery: &Delivery) {
    digest.update(b"\0sync\0");
    digest.update(delivery.client.bytes());
    for op in &delivery.ops {
        digest.update(op.seq.to_be_bytes());
        digest.update(op.op_id.to_be_bytes());
        digest.update(op.base.to_be_bytes());
        digest.update(op.cart.map_or([0; 16], |cart| *cart.bytes()));
        digest.update(op.generation.unwrap_or(u64::MAX).to_be_bytes());
        match &op.intent {
            Ok(Intent::Clear(Some(lines))) => lines.iter().for_each(|line| digest.update(line.as_str())),
            Ok(intent) => hash_intent(digest, intent),
            Err(_) => digest.update(b"\0invalid"),
        }
    }
}

fn hash_line(digest: &mut Sha256, verb: &[u8], line: &LineRef, quantity: u32) {
    digest.update(b"\0");
    digest.update(verb);
    digest.update(b"\0");
    digest.update(line.id().as_str());
    digest.update(quantity.to_be_bytes());
}

fn half(digest: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}
