//! A change as it is asked for, and what came of it.

use std::sync::Arc;

use trolley_core::cart::op::{Intent, Refusal};
use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, Revision, SessionId};
use trolley_core::ledger::Answer;

/// A change of a cart by a caller without a queue.
#[derive(Clone, Debug)]
pub struct Order {
    /// Whose.
    pub session: SessionId,
    /// Of which cart.
    pub cart: CartId,
    /// What is wanted.
    pub wish: Wish,
}

/// What is wanted, before it is known whose cart it changes.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The change itself.
    pub intent: Intent,
    /// What the caller had seen of the cart.
    pub seen: Seen,
    /// Refuse it where the cart had changed since.
    pub strict: bool,
    /// The caller's key for a retry, if it sent one.
    pub keyed: Option<Keyed>,
}

/// What a caller had seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It does not say: the newest there is.
    Newest,
    /// The empty cart of a visitor without a session.
    Nothing,
    /// This revision of this cart.
    At(CartId, Revision),
}

impl Seen {
    /// The revision of `cart` that the caller had seen; another cart's tag counts as having seen nothing of this one.
    pub fn base(self, cart: CartId) -> Option<Revision> {
        match self {
            Seen::Newest => None,
            Seen::At(of, revision) if of == cart => Some(revision),
            Seen::Nothing | Seen::At(..) => Some(0),
        }
    }

    /// Whether the cart is still what the caller had seen, so that a strict call may change it.
    pub fn matches(self, cart: &Cart) -> bool {
        match self {
            Seen::Newest => true,
            Seen::At(of, revision) => of == cart.id && revision == cart.revision,
            Seen::Nothing => cart.revision == 0,
        }
    }
}

/// A caller's key, and what it was sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// The first 16 bytes of SHA-256 of the key.
    pub key: [u8; 16],
    /// The first 16 bytes of SHA-256 of everything that decides the request's effect.
    pub request: [u8; 16],
}

/// What came of an order.
#[derive(Clone, Debug)]
pub struct Done {
    /// The cart as of this change, or for a replay as it is now.
    pub cart: Arc<Cart>,
    /// What the same key was answered before, if this is a replay: nothing was changed by this one.
    pub replayed: Option<Answer>,
}

/// What a ledger keeps of a success.
pub fn kept_success() -> Answer {
    Answer { status: 200, code: None, about: None }
}

/// What a ledger keeps of a refusal: the answer that the caller was given.
pub fn kept_refusal(refusal: &Refusal) -> Answer {
    let status = match refusal {
        Refusal::LineNotFound => 404,
        Refusal::NotUndoable | Refusal::Sealed(_) => 409,
        _ => 422,
    };
    Answer { status, code: Some(refusal.code().as_str().into()), about: None }
}

/// What a ledger keeps of a strict call that came too late.
pub fn kept_stale() -> Answer {
    Answer { status: 412, code: Some("precondition_failed".into()), about: None }
}
