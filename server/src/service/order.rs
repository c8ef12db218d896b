//! A change of a cart as it is asked for, and what came of it.

use trolley_core::cart::op::Refusal;
use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, Revision, SessionId};
use trolley_core::ledger::Answer;

use super::catalogue::shown::Shown;
use super::failure::Failure;
use super::task::{Made, Task};

/// A change of a cart that waits for its turn.
#[derive(Clone, Debug)]
pub struct Order {
    /// Whose: it must still be there when the change is committed. None where the shop's own systems ask.
    pub session: Option<SessionId>,
    /// Of which cart.
    pub cart: CartId,
    /// On which terms.
    pub terms: Terms,
    /// What is wanted.
    pub task: Task,
}

impl Order {
    /// Under which key of which session its answer is kept.
    pub(super) fn keyed(&self) -> Option<(SessionId, Keyed)> {
        self.session.zip(self.terms.keyed)
    }
}

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

/// What came of an order.
#[derive(Clone, Debug)]
pub struct Done {
    /// The cart as of this change, or for a replay as it is now.
    pub cart: Shown,
    /// Whether it was done by this order, or by an earlier one under the same key.
    pub made: Result<Made, Replayed>,
}

/// What the same key was answered before: nothing was changed by this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed(pub Answer);

/// What a ledger keeps of a failure: of one that the cart itself is the reason for. What another try may answer
/// otherwise (a store that is down, a session that ended) is not kept.
pub(super) fn kept_failure(failure: &Failure) -> Option<Answer> {
    match failure {
        Failure::Refused(refusal) => Some(kept_refusal(refusal)),
        Failure::Unsynced(refusal) => super::sync::kept(refusal),
        Failure::Stale(_) => {
            Some(Answer { status: 412, code: Some("precondition_failed".into()), about: None })
        }
        Failure::NotOrdered(why, _) => {
            Some(Answer { status: 409, code: Some(why.as_str().into()), about: None })
        }
        _ => None,
    }
}

/// What a ledger keeps of a refusal: the answer that the caller was given.
pub fn kept_refusal(refusal: &Refusal) -> Answer {
    let status = match refusal {
        Refusal::LineNotFound => 404,
        Refusal::NotUndoable(_) | Refusal::Sealed(_) => 409,
        _ => 422,
    };
    Answer { status, code: Some(refusal.code().as_str().into()), about: None }
}
