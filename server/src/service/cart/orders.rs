//! Order drafts: found by their owner and by the shop's own systems, and cancelled once.

use std::cmp::Reverse;
use std::sync::Arc;

use trolley_core::cart::op::Refusal;
use trolley_core::ids::{CartId, OrderId};
use trolley_core::order::{Order as Draft, OrderLink};
use trolley_store::port::{Direction, Listing, Write};
use trolley_store::records::{Key, Kind, Record};

use crate::service::Service;
use crate::service::cart::checkout::{Checkout, WasShown};
use crate::service::cart::command::Command;
use crate::service::cart::context::Output;
use crate::service::cart::kind::CommandKind;
use crate::service::cart::preconditions::{Preconditions, SeenByCaller};
use crate::service::error::{ServiceError, unless_damaged};

impl Service {
    /// A wish to order, under the name that the order will have.
    pub async fn checkout(
        &self,
        shown: Option<WasShown>,
        accept_available: bool,
    ) -> Result<Checkout, ServiceError> {
        let (id, minted) = self.order_feed().await?.mint(self.now(), self.ten_random_bytes());
        let (order, _minted) = (OrderId::from_bytes(id), Arc::new(minted));
        Ok(Checkout { order, _minted, shown, accept_available })
    }

    /// The order of this name, if there is one.
    pub async fn order(&self, id: OrderId) -> Result<Option<Arc<Draft>>, ServiceError> {
        match self.store.load(Key::Order(id)).await? {
            Some(Record::Order(order)) => Ok(Some(order)),
            Some(_) | None => Ok(None),
        }
    }

    /// Up to `most` orders of a cart's owner, the newest first; of those before `after`, where it is named. They came from this cart
    /// or from guests' that went into it. One that is damaged is left out.
    pub async fn orders_of(
        &self,
        cart: CartId,
        after: Option<OrderId>,
        most: usize,
    ) -> Result<Vec<Arc<Draft>>, ServiceError> {
        let (mut orders, mut after) = (Vec::new(), after);
        while orders.len() < most {
            let named = self.order_names_of(cart, after, most - orders.len()).await?;
            let Some(last) = named.last() else { break };
            after = Some(*last);
            for id in named {
                orders.extend(unless_damaged(self.order(id).await)?.flatten());
            }
        }
        Ok(orders)
    }

    /// Up to `most` names of such orders, by their links. Of the carts that went into this one those are looked into whose orders
    /// may be among them: the one with the newest first, until there are enough newer ones.
    async fn order_names_of(
        &self,
        cart: CartId,
        after: Option<OrderId>,
        most: usize,
    ) -> Result<Vec<OrderId>, ServiceError> {
        let mut sealed = self.sealed_into(cart).await?;
        sealed.retain(|sealed| after.is_none_or(|after| sealed.oldest < after));
        sealed.sort_unstable_by_key(|sealed| Reverse(sealed.newest));
        let mut names = self.linked_to(cart, after, most).await?;
        for sealed in sealed {
            if names.len() >= most && names.last().is_some_and(|last| *last > sealed.newest) {
                break;
            }
            names.extend(self.linked_to(sealed.link.from(), after, most).await?);
            names.sort_unstable_by_key(|name| Reverse(*name));
            names.dedup();
            names.truncate(most);
        }
        Ok(names)
    }

    /// Up to `most` names of orders that came from this very cart, the newest first.
    async fn linked_to(
        &self,
        cart: CartId,
        after: Option<OrderId>,
        most: usize,
    ) -> Result<Vec<OrderId>, ServiceError> {
        let listing = Listing {
            kind: Kind::OrderLink,
            prefix: cart.bytes().to_vec(),
            after: after.map(|order| OrderLink::new(cart, order).bytes().to_vec()),
            direction: Direction::Descending,
        };
        let names =
            self.store.list(listing, most).await?.into_iter().filter_map(|listed| match listed.record {
                Record::OrderLink(link) => Some(link.order()),
                _ => None,
            });
        Ok(names.collect())
    }

    /// The order of this name, if it came from this cart, or from a guest's that went into it.
    pub async fn order_of(&self, cart: CartId, id: OrderId) -> Result<Option<Arc<Draft>>, ServiceError> {
        let Some(order) = self.order(id).await? else { return Ok(None) };
        let is_theirs = order.cart == cart || self.heir_of(order.cart).await? == cart;
        Ok(Some(order).filter(|_| is_theirs))
    }

    /// What takes out the links to a cart's orders, up to `most`. The orders themselves are the shop's, and stay.
    pub(crate) async fn links_of(&self, cart: CartId, most: usize) -> Result<Vec<Write>, ServiceError> {
        let listing = Listing { prefix: cart.bytes().to_vec(), ..Listing::all(Kind::OrderLink) };
        let listed = self.store.list(listing, most).await?;
        Ok(listed.into_iter().map(|listed| Write::delete(listed.record.key(), 1)).collect())
    }

    /// Up to `most` orders of the whole shop, the oldest first; of those behind `after`, where it is named. None ever comes up
    /// behind one that was given: what was begun later waits here for what was begun earlier.
    pub async fn all_orders(
        &self,
        after: Option<OrderId>,
        most: usize,
    ) -> Result<Vec<Arc<Draft>>, ServiceError> {
        let settled = self.order_feed().await?.settled(self.now());
        let after = after.map(|order| order.bytes().to_vec());
        let listed = self.store.list(Listing { after, ..Listing::all(Kind::Order) }, most).await?;
        let orders = listed.into_iter().filter_map(|listed| match listed.record {
            Record::Order(order) => Some(order),
            _ => None,
        });
        Ok(orders.take_while(|order| settled.holds(order.id.bytes())).collect())
    }

    /// Cancels an order, once: its lines return to its cart, or to the cart that this was merged into. A second time nothing
    /// happens and the answer is the same. None where there is no such order, or none any more.
    pub async fn cancel(self: &Arc<Self>, id: OrderId) -> Result<Option<Arc<Draft>>, ServiceError> {
        let Some(order) = self.order(id).await? else { return Ok(None) };
        let terms = Preconditions { seen: SeenByCaller::Newest, strict: false, keyed: None };
        // Whose cart it is now: a sealed one may have left long ago.
        let mut cart = self.heir_of(order.cart).await?;
        for _ in 0..self.settings.bounds.commit_tries {
            let order =
                Command { claim: None, cart, payer: None, terms, task: CommandKind::Cancel(order.clone()) };
            match self.change(order).await {
                Ok(done) => return Ok(done.made.ok().and_then(Output::into_order)),
                Err(ServiceError::Refused(Refusal::Sealed(into))) => cart = into,
                // Its time may have been over while it waited for its turn.
                Err(failure) if self.order(id).await?.is_some() => return Err(failure),
                Err(_) => return Ok(None),
            }
        }
        Err(ServiceError::Busy)
    }
}
