//! What may be done to a cart in its lane: one variant a family, each decided by core on what stands now.
//!
//! A task that does not succeed leaves the cart and the transaction as they were: the orders behind it are decided on the same ground.

use std::sync::Arc;

use trolley_core::cart::op::{Call, Intent, LineRef, NotUndoable, Refusal};
use trolley_core::item::Item;
use trolley_core::order::{Order, OrderLine};
use trolley_store::records::Key;

use crate::service::cart::checkout::{Checkout, decide_cancel};
use crate::service::cart::context::{Context, Output};
use crate::service::cart::sync::Delivery;
use crate::service::error::{CheckoutRefusal, ServiceError};

/// What is wanted of a cart.
#[derive(Clone, Debug)]
pub enum CommandKind {
    /// A plain call's change.
    Change(Intent),
    /// An order of what is in the cart.
    Checkout(Checkout),
    /// An order that came from this cart is cancelled.
    Cancel(Arc<Order>),
    /// A device's queue.
    Sync(Arc<Delivery>),
}

/// What a visitor without a session gets of a task.
pub(crate) enum WithoutSession {
    /// It has something to keep: a session begins with it.
    Begins,
    /// The wish is fulfilled as it stands: the empty cart stays so.
    Nothing,
    /// It is refused, as for any empty cart.
    Refused(ServiceError),
    /// There is nothing to order.
    CheckoutRefused(CheckoutRefusal),
}

impl CommandKind {
    /// The records that it reads or changes besides the cart.
    pub(crate) fn needs(&self) -> Vec<Key> {
        match self {
            CommandKind::Change(_) | CommandKind::Checkout(_) | CommandKind::Sync(_) => Vec::new(),
            CommandKind::Cancel(order) => vec![Key::Order(order.id)],
        }
    }

    /// The items that it names: what the catalogue says of them has to be known before it is decided.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        let (named, ordered, queue): (_, &[OrderLine], _) = match self {
            CommandKind::Change(Intent::Add(line, _) | Intent::Set(line, _)) => (line.item(), &[], None),
            CommandKind::Change(_) | CommandKind::Checkout(_) => (None, &[], None),
            CommandKind::Cancel(order) => (None, &order.lines, None),
            CommandKind::Sync(delivery) => (None, &[], Some(delivery)),
        };
        let delivered = queue.into_iter().flat_map(|delivery| delivery.items());
        named.into_iter().chain(ordered.iter().map(|line| &line.item)).map(|item| &**item).chain(delivered)
    }

    /// Whether lines that were taken out may come back by it without being named.
    pub(crate) fn may_bring_back(&self) -> bool {
        match self {
            CommandKind::Change(intent) => matches!(intent, Intent::Undo(_)),
            CommandKind::Sync(delivery) => delivery.may_bring_back(),
            CommandKind::Checkout(_) | CommandKind::Cancel(_) => false,
        }
    }

    /// Does it to the cart and the transaction. A cart that was changed by it remembers the prices of this moment. What a device's empty,
    /// repeated or refused delivery stores is no change that anybody sees: a new price is told as before.
    pub(crate) fn carry_out(&self, turn: &mut Context<'_>) -> Result<Output, ServiceError> {
        let before = turn.cart.revision;
        let made = self.decide(turn)?;
        if turn.listing.is_told() && turn.cart.revision != before {
            Arc::make_mut(turn.cart).remember_prices(|item| turn.listing.price(item));
        }
        Ok(made)
    }

    fn decide(&self, turn: &mut Context<'_>) -> Result<Output, ServiceError> {
        match self {
            CommandKind::Change(intent) => {
                turn.listing.vet(intent, turn.cart).map_err(ServiceError::Refused)?;
                let (session, base) = (turn.session()?, turn.seen.base(turn.cart.id));
                let call = Call { session, base, at: turn.at, intent: intent.clone() };
                let stood = turn.cart.clone();
                Arc::make_mut(turn.cart).call(&call, turn.limits).map_err(refused)?;
                if turn.costs_too_much_since(&stood) {
                    *turn.cart = stood;
                    return Err(ServiceError::Refused(Refusal::TotalTooLarge));
                }
                Ok(Output::Change)
            }
            CommandKind::Checkout(checkout) => checkout.decide(turn),
            CommandKind::Cancel(order) => decide_cancel(order.id, turn),
            CommandKind::Sync(delivery) => delivery.take_in(turn).map(Output::Synced),
        }
    }

    /// What it is to a visitor without a session.
    pub(crate) fn of_nobody(&self) -> WithoutSession {
        match self {
            // A device that only asks what was taken in has nothing to keep.
            CommandKind::Sync(delivery) if delivery.ops.is_empty() => WithoutSession::Nothing,
            CommandKind::Change(Intent::Add(..)) | CommandKind::Sync(_) => WithoutSession::Begins,
            CommandKind::Change(Intent::Set(LineRef::Id(_), _) | Intent::Save(_) | Intent::Unsave(_)) => {
                WithoutSession::Refused(ServiceError::Refused(Refusal::LineNotFound))
            }
            CommandKind::Change(Intent::Undo(_)) => {
                WithoutSession::Refused(ServiceError::Refused(NotUndoable::Unknown.into()))
            }
            CommandKind::Change(_) | CommandKind::Cancel(_) => WithoutSession::Nothing,
            CommandKind::Checkout(checkout) => WithoutSession::CheckoutRefused(checkout.of_nobody()),
        }
    }
}

/// A sealed cart was a guest's, whose session a sign-in has turned into another while the call was under way.
fn refused(refusal: Refusal) -> ServiceError {
    match refusal {
        Refusal::Sealed(_) => ServiceError::SessionEnded,
        refusal => ServiceError::Refused(refusal),
    }
}
