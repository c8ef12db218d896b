//! A task's turn: what it may read and change, and what it made.

use std::sync::Arc;

use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::SyncOutcome;
use trolley_core::cart::state::Cart;
use trolley_core::ids::SessionId;
use trolley_core::ledger::LedgerAnswer;
use trolley_core::money::SumError;
use trolley_core::order::Order;
use trolley_core::time::Timestamp;

use crate::service::cart::preconditions::SeenByCaller;
use crate::service::catalogue::listing::Listing;
use crate::service::catalogue::shown::PricedCart;
use crate::service::error::ServiceError;
use crate::service::transaction::Transaction;

/// An order's turn: what its task may read and change.
pub(crate) struct Context<'a> {
    /// The cart, with what the orders before it did.
    pub(crate) cart: &'a mut Arc<Cart>,
    /// The other records of the commit: those that the task needs, and those that it makes.
    pub(crate) tx: &'a mut Transaction,
    /// Whose order it is; none where the shop's own systems ask.
    pub(crate) session: Option<SessionId>,
    /// What the caller had seen.
    pub(crate) seen: SeenByCaller,
    /// When the order was received.
    pub(crate) at: Timestamp,
    /// How large carts grow.
    pub(crate) limits: &'a Limits,
    /// What the catalogue says of the cart's lines and of what the task names.
    pub(crate) listing: &'a Listing,
}

impl Context<'_> {
    /// Whose order it is, for what only a shopper asks for.
    pub(crate) fn session(&self) -> Result<SessionId, ServiceError> {
        self.session.ok_or_else(|| ServiceError::Broken("a shopper's task came without a session".to_owned()))
    }

    /// The cart as it stands in this turn.
    pub(crate) fn shown(&self) -> PricedCart {
        PricedCart::new(self.cart.clone(), self.listing.clone())
    }

    /// Whether the total was an amount and is none any more. Where it was none before (prices rose), a shopper may still take
    /// things out.
    pub(crate) fn costs_too_much_since(&self, stood: &Cart) -> bool {
        self.listing.worth(self.cart) == Err(SumError::TooLarge) && self.listing.worth(stood).is_ok()
    }
}

/// What a task made, besides the cart.
#[derive(Clone, Debug)]
pub enum Output {
    /// The change that was asked for.
    Change,
    /// This order, or that it is cancelled.
    Order(Arc<Order>),
    /// What became of each op of a queue.
    Synced(SyncOutcome),
}

impl Output {
    /// What a ledger keeps of it: as much as a replay needs.
    pub(crate) fn kept(&self) -> LedgerAnswer {
        match self {
            Output::Change | Output::Synced(_) => LedgerAnswer { status: 200, code: None, about: None },
            Output::Order(order) => LedgerAnswer { status: 201, code: None, about: Some(*order.id.bytes()) },
        }
    }

    /// The order, if it made one.
    pub fn into_order(self) -> Option<Arc<Order>> {
        match self {
            Output::Order(order) => Some(order),
            Output::Change | Output::Synced(_) => None,
        }
    }
}
