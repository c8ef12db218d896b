//! On which terms a change is asked for: what the caller had seen, and how it would repeat itself.

use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, Revision};

/// What a caller says about any change: what it had seen, and how it would repeat itself.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// What the caller had seen of the cart.
    pub seen: Seen,
    /// Refuse the change where the cart had changed since.
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
