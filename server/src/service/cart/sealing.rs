//! Whose a guest's orders are after a sign-in: the account's that the guest's cart was sealed into, for as long as one of them is
//! kept, however many there are and whatever became of the sealed cart. Nothing of them is rewritten: who asks follows the seal.

use trolley_core::ids::{CartId, OrderId};
use trolley_core::order::{SealedOrders, Sealing, SealingLink};
use trolley_core::time::{Span, Timestamp};
use trolley_store::port::{Direction, Listing};
use trolley_store::records::{Key, Kind, Record};

use crate::service::Service;
use crate::service::error::ServiceError;
use crate::service::transaction::Transaction;

/// How often it is looked whether a seal is still needed: orders are kept for years.
const LOOKED_AT_EVERY: Span = Span::from_days(90);
/// Seals that lead on at most. Only guests' carts are sealed, and into accounts' alone: one is what there is.
const SEALS_MAX: usize = 8;
/// Seals of an account's cart that are read at once.
const READ_AT_ONCE: usize = 256;

impl Service {
    /// The cart whose owner has the orders of `cart`: itself, or the one that it went into.
    pub(crate) async fn heir_of(&self, cart: CartId) -> Result<CartId, ServiceError> {
        let mut heir = cart;
        for _ in 0..SEALS_MAX {
            match self.store.load(Key::Sealing(heir)).await? {
                Some(Record::Sealing(sealing)) => heir = sealing.into,
                _ => return Ok(heir),
            }
        }
        Err(ServiceError::Broken(format!("the seals of cart {cart} lead nowhere")))
    }

    /// Lays in the transaction that the orders of a guest's cart, if it made any, are the account's from now on. Says whether it did. The
    /// guest's cart lies in the transaction already: an order that is made meanwhile changes it, so that all is decided anew.
    pub(crate) async fn seal_orders_in(
        &self,
        tx: &mut Transaction,
        from: CartId,
        into: CartId,
        now: Timestamp,
    ) -> Result<bool, ServiceError> {
        let newest = self.first_link_of(from, Direction::Descending).await?;
        let oldest = self.first_link_of(from, Direction::Ascending).await?;
        let Some((newest, oldest)) = newest.zip(oldest) else { return Ok(false) };
        let link = SealingLink::new(into, from);
        for key in [Key::Sealing(from), Key::SealingLink(link)] {
            tx.read(&*self.store, key).await?;
        }
        if tx.get(&Key::Sealing(from)).is_none() {
            let sealing = Sealing { from, version: 1, into };
            tx.put(Record::from(sealing), Some(now + LOOKED_AT_EVERY));
            tx.put(Record::from(SealedOrders { link, newest, oldest }), None);
        }
        Ok(true)
    }

    /// What becomes, in the transaction, of a seal that may be needed no more: it stays while an order of its cart does.
    pub(crate) async fn expire_sealing_in(
        &self,
        tx: &mut Transaction,
        from: CartId,
    ) -> Result<(), ServiceError> {
        let key = Key::Sealing(from);
        tx.read(&*self.store, key).await?;
        let Some(Record::Sealing(sealing)) = tx.get(&key).cloned() else { return Ok(()) };
        if self.first_link_of(from, Direction::Descending).await?.is_some() {
            let looked_at = Sealing { version: sealing.version + 1, ..*sealing };
            tx.put(Record::from(looked_at), Some(self.now() + LOOKED_AT_EVERY));
            return Ok(());
        }
        let link = Key::SealingLink(SealingLink::new(sealing.into, from));
        tx.read(&*self.store, link).await?;
        tx.remove(&key);
        tx.remove(&link);
        Ok(())
    }

    /// Those guests' carts with orders that went into this one.
    pub(crate) async fn sealed_into(&self, cart: CartId) -> Result<Vec<SealedOrders>, ServiceError> {
        let mut sealed: Vec<SealedOrders> = Vec::new();
        loop {
            let listing = Listing {
                prefix: cart.bytes().to_vec(),
                after: sealed.last().map(|last| last.link.bytes().to_vec()),
                ..Listing::all(Kind::SealingLink)
            };
            let listed = self.store.list(listing, READ_AT_ONCE).await?;
            let was_last = listed.len() < READ_AT_ONCE;
            sealed.extend(listed.into_iter().filter_map(|listed| match listed.record {
                Record::SealingLink(orders) => Some(*orders),
                _ => None,
            }));
            if was_last {
                return Ok(sealed);
            }
        }
    }

    /// The newest or the oldest order that came from a cart, by its link.
    async fn first_link_of(
        &self,
        cart: CartId,
        direction: Direction,
    ) -> Result<Option<OrderId>, ServiceError> {
        let listing = Listing { prefix: cart.bytes().to_vec(), direction, ..Listing::all(Kind::OrderLink) };
        let first = self.store.list(listing, 1).await?;
        Ok(first.into_iter().find_map(|listed| match listed.record {
            Record::OrderLink(link) => Some(link.order()),
            _ => None,
        }))
    }
}
