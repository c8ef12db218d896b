//! A task's turn: what it may read and change, and what it made.

use std::sync::Arc;

use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::Synced;
use trolley_core::cart::state::Cart;
use trolley_core::ids::SessionId;
use trolley_core::ledger::Answer;
use trolley_core::money::NoSum;
use trolley_core::order::Order;
use trolley_core::time::Timestamp;

use super::catalogue::listing::Listing;
use super::catalogue::shown::Shown;
use super::desk::Desk;
use super::failure::Failure;
use super::terms::Seen;

/// An order's turn: what its task may read and change.
pub(super) struct Turn<'a> {
    /// The cart, with what the orders before it did.
    pub(super) cart: &'a mut Arc<Cart>,
    /// The other records of the commit: those that the task needs, and those that it makes.
    pub(super) desk: &'a mut Desk,
    /// Whose order it is; none where the shop's own systems ask.
    pub(super) session: Option<SessionId>,
    /// What the caller had seen.
    pub(super) seen: Seen,
    /// When the order was received.
    pub(super) at: Timestamp,
    /// How large carts grow.
    pub(super) limits: &'a Limits,
    /// What the catalogue says of the cart's lines and of what the task names.
    pub(super) listing: &'a Listing,
}

impl Turn<'_> {
    /// Whose order it is, for what only a shopper asks for.
    pub(super) fn session(&self) -> Result<SessionId, Failure> {
        self.session.ok_or_else(|| Failure::Broken("a shopper's task came without a session".to_owned()))
    }

    /// The cart as it stands in this turn.
    pub(super) fn shown(&self) -> Shown {
        Shown::new(self.cart.clone(), self.listing.clone())
    }

    /// Whether the total was an amount and is none any more. Where it was none before (prices rose), a shopper may still take
    /// things out.
    pub(super) fn costs_too_much_since(&self, stood: &Cart) -> bool {
        self.listing.worth(self.cart) == Err(NoSum::TooLarge) && self.listing.worth(stood).is_ok()
    }
}

/// What a task made, besides the cart.
#[derive(Clone, Debug)]
pub enum Made {
    /// The change that was asked for.
    Change,
    /// This order, or that it is cancelled.
    Order(Arc<Order>),
    /// What became of each op of a queue.
    Synced(Synced),
}

impl Made {
    /// What a ledger keeps of it: as much as a replay needs.
    pub(super) fn kept(&self) -> Answer {
        match self {
            Made::Change | Made::Synced(_) => Answer { status: 200, code: None, about: None },
            Made::Order(order) => Answer { status: 201, code: None, about: Some(*order.id.bytes()) },
        }
    }

    /// The order, if it made one.
    pub fn into_order(self) -> Option<Arc<Order>> {
        match self {
            Made::Order(order) => Some(order),
            Made::Change | Made::Synced(_) => None,
        }
    }
}
