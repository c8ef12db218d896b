//! What may be done to a cart in its lane: one variant a family, each decided by core on what stands now.
//!
//! A task that does not succeed leaves the cart and the desk as they were: the orders behind it are decided on the same ground.

use std::sync::Arc;

use trolley_core::cart::op::{Call, Intent, LineRef, NotUndoable, Refusal};
use trolley_core::item::Item;
use trolley_core::order::{Order, OrderLine};
use trolley_store::kind::Key;

use super::checkout::{Checkout, decide_cancel};
use super::failure::{Failure, NotOrdered};
use super::sync::Delivery;
use super::turn::{Made, Turn};

/// What is wanted of a cart.
#[derive(Clone, Debug)]
pub enum Task {
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
pub(super) enum Nobodys {
    /// It has something to keep: a session begins with it.
    Begins,
    /// The wish is fulfilled as it stands: the empty cart stays so.
    Nothing,
    /// It is refused, as for any empty cart.
    Refused(Failure),
    /// There is nothing to order.
    NotOrdered(NotOrdered),
}

impl Task {
    /// The records that it reads or changes besides the cart.
    pub(super) fn needs(&self) -> Vec<Key> {
        match self {
            Task::Change(_) | Task::Checkout(_) | Task::Sync(_) => Vec::new(),
            Task::Cancel(order) => vec![Key::Order(order.id)],
        }
    }

    /// The items that it names: what the catalogue says of them has to be known before it is decided.
    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        let (named, ordered, queue): (_, &[OrderLine], _) = match self {
            Task::Change(Intent::Add(line, _) | Intent::Set(line, _)) => (line.item(), &[], None),
            Task::Change(_) | Task::Checkout(_) => (None, &[], None),
            Task::Cancel(order) => (None, &order.lines, None),
            Task::Sync(delivery) => (None, &[], Some(delivery)),
        };
        let delivered = queue.into_iter().flat_map(|delivery| delivery.items());
        named.into_iter().chain(ordered.iter().map(|line| &line.item)).map(|item| &**item).chain(delivered)
    }

    /// Whether lines that were taken out may come back by it without being named.
    pub(super) fn may_bring_back(&self) -> bool {
        match self {
            Task::Change(intent) => matches!(intent, Intent::Undo(_)),
            Task::Sync(delivery) => delivery.may_bring_back(),
            Task::Checkout(_) | Task::Cancel(_) => false,
        }
    }

    /// Does it to the cart and the desk. A cart that was changed by it remembers the prices of this moment. What a device's empty,
    /// repeated or refused delivery stores is no change that anybody sees: a new price is told as before.
    pub(super) fn carry_out(&self, turn: &mut Turn<'_>) -> Result<Made, Failure> {
        let before = turn.cart.revision;
        let made = self.decide(turn)?;
        if turn.listing.is_told() && turn.cart.revision != before {
            Arc::make_mut(turn.cart).remember_prices(|item| turn.listing.price(item));
        }
        Ok(made)
    }

    fn decide(&self, turn: &mut Turn<'_>) -> Result<Made, Failure> {
        match self {
            Task::Change(intent) => {
                turn.listing.vet(intent, turn.cart).map_err(Failure::Refused)?;
                let (session, base) = (turn.session()?, turn.seen.base(turn.cart.id));
                let call = Call { session, base, at: turn.at, intent: intent.clone() };
                let stood = turn.cart.clone();
                Arc::make_mut(turn.cart).call(&call, turn.limits).map_err(refused)?;
                if turn.costs_too_much_since(&stood) {
                    *turn.cart = stood;
                    return Err(Failure::Refused(Refusal::TotalTooLarge));
                }
                Ok(Made::Change)
            }
            Task::Checkout(checkout) => checkout.decide(turn),
            Task::Cancel(order) => decide_cancel(order.id, turn),
            Task::Sync(delivery) => delivery.take_in(turn).map(Made::Synced),
        }
    }

    /// What it is to a visitor without a session.
    pub(super) fn of_nobody(&self) -> Nobodys {
        match self {
            // A device that only asks what was taken in has nothing to keep.
            Task::Sync(delivery) if delivery.ops.is_empty() => Nobodys::Nothing,
            Task::Change(Intent::Add(..)) | Task::Sync(_) => Nobodys::Begins,
            Task::Change(Intent::Set(LineRef::Id(_), _) | Intent::Save(_) | Intent::Unsave(_)) => {
                Nobodys::Refused(Failure::Refused(Refusal::LineNotFound))
            }
            Task::Change(Intent::Undo(_)) => Nobodys::Refused(Failure::Refused(NotUndoable::Unknown.into())),
            Task::Change(_) | Task::Cancel(_) => Nobodys::Nothing,
            Task::Checkout(checkout) => Nobodys::NotOrdered(checkout.of_nobody()),
        }
    }
}

/// A sealed cart was a guest's, whose session a sign-in has turned into another while the call was under way.
fn refused(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Sealed(_) => Failure::SessionEnded,
        refusal => Failure::Refused(refusal),
    }
}
