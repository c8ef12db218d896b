//! Order drafts: found by their owner and by the shop's own systems, and cancelled once.

use std::sync::Arc;

use trolley_core::cart::op::Refusal;
use trolley_core::ids::{CartId, OrderId};
use trolley_core::order::{Order as Draft, OrderLink};
use trolley_store::kind::{Key, Kind, Record};
use trolley_store::port::{Direction, Listing, Write};

use super::Service;
use super::checkout::{Checkout, WasShown};
use super::desk::Desk;
use super::failure::Failure;
use super::order::Order;
use super::task::Task;
use super::terms::{Seen, Terms};
use super::turn::Made;

impl Service {
    /// A wish to order, under the name that the order will have.
    pub async fn checkout(
        &self,
        shown: Option<WasShown>,
        accept_available: bool,
    ) -> Result<Checkout, Failure> {
        let (id, minted) = self.order_feed().await?.mint(self.now(), self.ten_random_bytes());
        let (order, _minted) = (OrderId::from_bytes(id), Arc::new(minted));
        Ok(Checkout { order, _minted, shown, accept_available })
    }

    /// The order of this name, if there is one.
    pub async fn order(&self, id: OrderId) -> Result<Option<Arc<Draft>>, Failure> {
        match self.store.load(Key::Order(id)).await? {
            Some(Record::Order(order)) => Ok(Some(order)),
            Some(_) | None => Ok(None),
        }
    }

    /// Up to `most` orders that came from a cart, the newest first; of those before `after`, where it is named.
    pub async fn orders_of(
        &self,
        cart: CartId,
        after: Option<OrderId>,
        most: usize,
    ) -> Result<Vec<Arc<Draft>>, Failure> {
        let listing = Listing {
            kind: Kind::OrderLink,
            prefix: cart.bytes().to_vec(),
            after: after.map(|order| OrderLink::new(cart, order).bytes().to_vec()),
            direction: Direction::Descending,
        };
        let mut orders = Vec::new();
        for listed in self.store.list(listing, most).await? {
            if let Record::OrderLink(link) = listed.record {
                orders.extend(self.order(link.order()).await?);
            }
        }
        Ok(orders)
    }

    /// The order of this name, if it came from this cart, or from a guest's that came into it.
    pub async fn order_of(&self, cart: CartId, id: OrderId) -> Result<Option<Arc<Draft>>, Failure> {
        match self.store.load(Key::OrderLink(OrderLink::new(cart, id))).await? {
            Some(_) => self.order(id).await,
            None => Ok(None),
        }
    }

    /// Lays on the desk that a guest's orders are the account's from now on: up to a bounded number of the newest.
    pub(super) async fn hand_over_orders(
        &self,
        desk: &mut Desk,
        from: CartId,
        to: CartId,
    ) -> Result<(), Failure> {
        for order in self.orders_of(from, None, self.settings.bounds.sweep_batch).await? {
            desk.know(Record::OrderLink(OrderLink::new(from, order.id)));
            desk.remove(&Key::OrderLink(OrderLink::new(from, order.id)));
            desk.put(Record::OrderLink(OrderLink::new(to, order.id)), None);
        }
        Ok(())
    }

    /// What takes out the links to a cart's orders, up to `most`. The orders themselves are the shop's, and stay.
    pub(super) async fn links_of(&self, cart: CartId, most: usize) -> Result<Vec<Write>, Failure> {
        let listing = Listing { prefix: cart.bytes().to_vec(), ..Listing::all(Kind::OrderLink) };
        let listed = self.store.list(listing, most).await?;
        Ok(listed.into_iter().map(|listed| Write::delete(listed.record.key(), 1)).collect())
    }

    /// Up to `most` orders of the whole shop, the oldest first; of those behind `after`, where it is named. None ever comes up
    /// behind one that was given: what was begun later waits here for what was begun earlier.
    pub async fn all_orders(&self, after: Option<OrderId>, most: usize) -> Result<Vec<Arc<Draft>>, Failure> {
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
    /// happens and the answer is the same. None where there is no such order.
    pub async fn cancel(self: &Arc<Self>, id: OrderId) -> Result<Option<Arc<Draft>>, Failure> {
        let Some(order) = self.order(id).await? else { return Ok(None) };
        let terms = Terms { seen: Seen::Newest, strict: false, keyed: None };
        let mut cart = order.cart;
        for _ in 0..self.settings.bounds.commit_tries {
            let order = Order { claim: None, cart, terms, task: Task::Cancel(order.clone()) };
            match self.change(order).await {
                Ok(done) => return Ok(done.made.ok().and_then(Made::into_order)),
                Err(Failure::Refused(Refusal::Sealed(into))) => cart = into,
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::Busy)
    }
}
