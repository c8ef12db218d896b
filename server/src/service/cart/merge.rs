//! A guest's cart comes into the account's: sealed, applied under its key and marked done. Here the three are one commit;
//! each can be done again, so that a store which splits them loses nothing by a crash in between.

use std::sync::Arc;

use trolley_core::cart::op::MergePolicy;
use trolley_core::cart::state::{AppliedKey, Cart, Holder};
use trolley_core::ids::{CartId, Revision, SessionId};
use trolley_core::time::{Span, Timestamp};
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::catalogue::asker::Asker;
use crate::service::catalogue::standing;
use crate::service::error::ServiceError;
use crate::service::transaction::Transaction;

/// How long a sealed cart is kept whose devices may still send what they had queued: as long as a client's lease.
const SEALED_FOR: Span = Span::from_days(90);
/// How long one is kept that no device holds a queue for: late requests of other tabs still find that it is over.
const SEALED_ALONE_FOR: Span = Span::from_days(1);

/// What a sign-in brought along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MergeReport {
    /// By which policy.
    pub policy: MergePolicy,
    /// Of which guest's cart.
    pub from: CartId,
    /// The merge's revision in the account's cart: what UNDO names.
    pub revision: Revision,
    /// Lines of the guest's cart, saved ones too.
    pub lines: usize,
}

impl Service {
    /// Lays the account's cart in the transaction, with the guest's in it if it was not yet, and says what came in.
    pub(crate) async fn merge_in(
        &self,
        tx: &mut Transaction,
        guests: Option<CartId>,
        accounts: CartId,
        policy: MergePolicy,
        session: SessionId,
        now: Timestamp,
    ) -> Result<(Arc<Cart>, Option<MergeReport>), ServiceError> {
        let mut cart = self.cart_in(tx, accounts, Holder::Account, now).await?;
        let Some(from) = guests.filter(|guests| *guests != accounts) else { return Ok((cart, None)) };
        let mut guest = self.cart_in(tx, from, Holder::Guest, now).await?;
        if guest.sealed.is_some_and(|seal| seal.done || seal.into != accounts) {
            return Ok((cart, None));
        }
        let has_orders = self.seal_orders_in(tx, from, accounts, now).await?;
        // A cart that was never written is sealed too: an add that is under way then finds that it is over.
        Arc::make_mut(&mut guest).seal(accounts);
        let merged = self.apply_merge(&mut cart, &guest, policy, session, now)?;
        Arc::make_mut(&mut guest).mark_merged();
        let kept = if guest.clients.is_empty() { SEALED_ALONE_FOR } else { SEALED_FOR };
        tx.put(Record::Cart(guest), Some(now + kept));
        if merged.is_some() {
            // The other end is marked done in the same commit.
            Arc::make_mut(&mut cart).forget_applied(AppliedKey::Merge(from));
            // As after any change, the prices of this moment are those that it remembers.
            let listing = self.listing(standing(&cart, false, Asker::here(Some(accounts)))).await;
            if listing.is_told() {
                Arc::make_mut(&mut cart).remember_prices(|item| listing.price(item));
            }
            tx.put(Record::Cart(Arc::clone(&cart)), None);
        } else if has_orders && cart.version == 0 {
            // An order that is cancelled gives its lines to a cart that is there: one that is not is nobody's any more.
            Arc::make_mut(&mut cart).version = 1;
            tx.put(Record::Cart(Arc::clone(&cart)), None);
        }
        Ok((cart, merged))
    }

    fn apply_merge(
        &self,
        cart: &mut Arc<Cart>,
        guest: &Cart,
        policy: MergePolicy,
        session: SessionId,
        now: Timestamp,
    ) -> Result<Option<MergeReport>, ServiceError> {
        let lines = guest.shown().count() + guest.shown_saved().count();
        // Its clients move along even where nothing is in it: what they still send is forwarded.
        if lines == 0 && guest.clients.is_empty() {
            return Ok(None);
        }
        let limits = &self.settings.limits;
        let came =
            Arc::make_mut(cart).merge(guest, policy, session, now, limits).map_err(ServiceError::Refused)?;
        Ok(came.then_some(MergeReport { policy, from: guest.id, revision: cart.revision, lines }))
    }

    async fn cart_in(
        &self,
        tx: &mut Transaction,
        id: CartId,
        holder: Holder,
        now: Timestamp,
    ) -> Result<Arc<Cart>, ServiceError> {
        tx.read(&*self.store, Key::Cart(id)).await?;
        Ok(match tx.get(&Key::Cart(id)) {
            Some(Record::Cart(cart)) => Arc::clone(cart),
            _ => Arc::new(Cart::held_by(holder, id, now)),
        })
    }
}
