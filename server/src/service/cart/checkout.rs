//! Checkout: what is in the cart becomes an order draft, once, in the same commit as the cart's change.
//!
//! What arrives while it freezes waits in the lane behind it and goes into the next cart: none is lost.

use std::sync::Arc;

use trolley_core::cart::checkout::{CheckedOut, Checkout as Asked, CheckoutError};
use trolley_core::cart::op::Refusal;
use trolley_core::cart::state::Cart;
use trolley_core::ids::{OrderId, Revision};
use trolley_core::money::Money;
use trolley_core::order::{Order, OrderLine};
use trolley_store::records::{Key, Record};

use crate::service::cart::context::{Context, Output};
use crate::service::cart::preconditions::SeenByCaller;
use crate::service::catalogue::quote::Quote;
use crate::service::error::{CheckoutRefusal, ServiceError};
use crate::service::feed::Minted;

/// A wish to order.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The name that the order will have.
    pub order: OrderId,
    /// That the shop's systems are shown no later order before this one is there, or never will be.
    pub(crate) _minted: Arc<Minted>,
    /// What the shopper agreed to, where the shop says it.
    pub shown: Option<WasShown>,
    /// Order what there is, where there is less than the shopper wants; the rest is saved for later.
    pub accept_available: bool,
}

/// What a shopper was shown before ordering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WasShown {
    /// The cart's revision.
    pub revision: Revision,
    /// The total.
    pub subtotal: Option<Money>,
}

impl Checkout {
    /// What it comes to where nothing is in the cart.
    pub(crate) fn of_nobody(&self) -> CheckoutRefusal {
        match self.shown {
            Some(shown) if shown.revision != 0 => CheckoutRefusal::CartChanged,
            _ => CheckoutRefusal::CartEmpty,
        }
    }

    /// Takes the lines out and leaves the order in the transaction.
    pub(crate) fn decide(&self, turn: &mut Context<'_>) -> Result<Output, ServiceError> {
        if self.shown.is_some_and(|shown| shown.revision != turn.cart.revision) {
            return Err(turn.not_ordered(CheckoutRefusal::CartChanged));
        }
        // Who says what was shown means all of it; else a tag says what the caller had seen, and what came later stays.
        let seen = if self.shown.is_some() { SeenByCaller::Newest } else { turn.seen };
        let (mut cart, taken) = turn.take_out(seen, &[])?;
        let quote = |taken: &[CheckedOut]| {
            let quote = Quote::of(taken, turn.cart, turn.listing);
            quote.map_err(|_| ServiceError::Refused(Refusal::TotalTooLarge))
        };
        let mut quoted = quote(&taken)?;
        if quoted.is_untold {
            return Err(turn.not_ordered(CheckoutRefusal::PriceUnknown));
        }
        // What the shop does not sell any more has no price, and none was agreed to: it is in no order.
        let agreed = self.shown.and_then(|shown| shown.subtotal);
        if agreed.is_some() && agreed != quoted.priced {
            return Err(turn.not_ordered(CheckoutRefusal::PriceChanged));
        }
        let missing = quoted.missing();
        if !missing.is_empty() {
            if !self.accept_available || quoted.lines.iter().all(|line| line.available == Some(0)) {
                return Err(turn.not_ordered(CheckoutRefusal::ShortStock));
            }
            let taken;
            (cart, taken) = turn.take_out(seen, &missing)?;
            quoted = quote(&taken)?;
        }
        let order = Arc::new(self.draft(turn, &cart, quoted)?);
        turn.tx.put(Record::from(order.link()), None);
        turn.tx.put(Record::Order(order.clone()), None);
        *turn.cart = Arc::new(cart);
        Ok(Output::Order(order))
    }

    fn draft(&self, turn: &Context<'_>, cart: &Cart, quote: Quote) -> Result<Order, ServiceError> {
        let lines = quote.lines.into_iter().map(|line| OrderLine {
            item: line.item,
            quantity: line.quantity,
            title: line.title,
            unit_price: line.unit_price,
            line_total: line.line_total,
        });
        Ok(Order {
            id: self.order,
            version: 1,
            cart: cart.id,
            session: turn.session()?,
            generation: turn.cart.generation,
            revision: cart.revision,
            created_at: turn.at,
            lines: lines.collect(),
            subtotal: quote.subtotal,
            cancelled_at: None,
            owed: false,
        })
    }
}

impl Context<'_> {
    /// The cart after an order of what was seen, and what it takes.
    fn take_out(
        &self,
        seen: SeenByCaller,
        left_out: &[CheckedOut],
    ) -> Result<(Cart, Vec<CheckedOut>), ServiceError> {
        let mut cart = Cart::clone(self.cart);
        let (session, base) = (self.session()?, seen.base(cart.id));
        let taken = cart.checkout(&Asked { session, base, at: self.at, left_out }, self.limits);
        match (taken, self.cart.sealed) {
            (Ok(taken), _) => Ok((cart, taken)),
            (Err(CheckoutError::CartEmpty), _) => Err(self.not_ordered(CheckoutRefusal::CartEmpty)),
            (Err(CheckoutError::CartChanged), _) => Err(self.not_ordered(CheckoutRefusal::CartChanged)),
            (Err(CheckoutError::Refused(refusal)), _) => Err(ServiceError::Refused(refusal)),
            (Err(CheckoutError::Sealed), Some(seal)) => {
                Err(ServiceError::Refused(Refusal::Sealed(seal.into)))
            }
            (Err(CheckoutError::Sealed), None) => {
                Err(ServiceError::Broken("a seal that leads nowhere".to_owned()))
            }
        }
    }

    fn not_ordered(&self, why: CheckoutRefusal) -> ServiceError {
        ServiceError::CheckoutRefused(why, self.shown())
    }
}

/// Marks the order as cancelled and gives its lines back, where its cart is still somebody's: one that left with its session
/// is not brought back.
pub(crate) fn decide_cancel(id: OrderId, turn: &mut Context<'_>) -> Result<Output, ServiceError> {
    let Some(Record::Order(order)) = turn.tx.get(&Key::Order(id)) else {
        return Err(ServiceError::Broken(format!("order {id} is gone")));
    };
    let Some(cancelled) = order.cancelled(turn.at) else { return Ok(Output::Order(order.clone())) };
    let cancelled = Arc::new(cancelled);
    if turn.cart.version > 0 {
        let (taken, author) = (cancelled.taken(), cancelled.session);
        let mut cart = turn.cart.clone();
        let given = Arc::make_mut(&mut cart).give_back_order(id, &taken, author, turn.at, turn.limits);
        given.map_err(ServiceError::Refused)?;
        // The order itself says from now on that it was cancelled, in the same commit.
        Arc::make_mut(&mut cart).forget_cancelled(id);
        *turn.cart = cart;
    }
    turn.tx.put(Record::Order(cancelled.clone()), None);
    Ok(Output::Order(cancelled))
}
