//! What is kept no longer although nothing of it expires by itself: guests that were never seen again, where there are too many of
//! them (SESSION.md, S34), and orders after their time (S39).
//!
//! Ids of sessions and orders begin with the time that they were made at, so that a walk through all of them meets the oldest first.

use tokio::sync::Mutex;
use trolley_core::ids::{OrderId, SessionId};
use trolley_core::time::{Span, Timestamp};
use trolley_store::port::Listing;
use trolley_store::records::{Key, Kind, Record};

use crate::service::Service;
use crate::service::account::revoke::Tokens;
use crate::service::error::{ServiceError, unless_damaged};
use crate::service::transaction::Transaction;

/// A walk through the sessions begins anew after this: a clock that was set back puts young ones behind it.
const WALK_FOR: Span = Span::from_hours(24);

/// How far the sessions were walked through. What lies behind is gone or was seen again, and stays so: nothing becomes unproven.
#[derive(Default)]
pub(crate) struct Walk(Mutex<Place>);

#[derive(Clone, Default)]
struct Place {
    after: Option<Vec<u8>>,
    began: Timestamp,
}

/// What leaves.
#[derive(Clone, Copy)]
enum Leaves {
    Guest(SessionId),
    Order(OrderId),
}

impl Service {
    /// One batch of what is kept no longer. True where another may be waiting.
    pub(crate) async fn let_go(&self) -> Result<bool, ServiceError> {
        Ok(self.let_orders_go().await? | self.let_guests_go().await?)
    }

    /// Of guests that were never seen again the oldest leave where there are more than are kept, but none within its first day.
    async fn let_guests_go(&self) -> Result<bool, ServiceError> {
        // One walks at a time: two would take out twice as many.
        let mut walk = self.walk.0.lock().await;
        let kept = self.settings.keeping.guests_unproven;
        let over = self.store.count().await?.unproven_guests.saturating_sub(kept);
        if over == 0 {
            return Ok(false);
        }
        let (now, most) = (self.now(), self.settings.bounds.sweep_batch);
        let mut place = walk.clone();
        if place.began > now || now.since(place.began) >= WALK_FOR {
            place = Place { after: None, began: now };
        }
        let listed = self.oldest(Kind::Session, place.after.clone(), most).await?;
        let (mut leaving, mut more) = (Vec::new(), !listed.is_empty());
        for record in listed {
            let Record::Session(session) = record else { continue };
            let true_now = self.now_from(session.created_at, now);
            if true_now < session.created_at + self.settings.policy.unpresented {
                more = false;
                break;
            }
            if self.settings.policy.may_give_way(&session, true_now) {
                if leaving.len() as u64 >= over {
                    more = false;
                    break;
                }
                leaving.push(Leaves::Guest(session.id));
            }
            place.after = Some(session.id.bytes().to_vec());
        }
        self.leave(&leaving).await?;
        *walk = place;
        Ok(more)
    }

    /// Orders leave after `--orders-for`, with the links by which they are found. That is judged by when they were made, so that
    /// another setting holds for all that there are.
    async fn let_orders_go(&self) -> Result<bool, ServiceError> {
        // Nearly always one look tells that there is none.
        let mut most = 1;
        let mut after = None;
        loop {
            let leaving = self.orders_over(after, most).await?;
            let Some(last) = leaving.last().copied() else { return Ok(false) };
            most = self.settings.bounds.sweep_batch;
            let leaving: Vec<_> = leaving.into_iter().map(Leaves::Order).collect();
            if self.leave(&leaving).await? > 0 {
                return Ok(true);
            }
            // None of them can go just now: those behind them are not held up by that.
            after = Some(last.bytes().to_vec());
        }
    }

    async fn orders_over(&self, after: Option<Vec<u8>>, most: usize) -> Result<Vec<OrderId>, ServiceError> {
        let now = self.now();
        let orders =
            self.oldest(Kind::Order, after, most).await?.into_iter().filter_map(|record| match record {
                Record::Order(order) => Some(order),
                _ => None,
            });
        let over = orders.take_while(|order| self.order_is_over(order.created_at, now));
        Ok(over.map(|order| order.id).collect())
    }

    fn order_is_over(&self, created_at: Timestamp, now: Timestamp) -> bool {
        now >= created_at + self.settings.keeping.orders
    }

    /// Up to `most` records of a kind behind `after`, the oldest first. One that is damaged is left out, and holds up nobody.
    async fn oldest(
        &self,
        kind: Kind,
        after: Option<Vec<u8>>,
        most: usize,
    ) -> Result<Vec<Record>, ServiceError> {
        let listing = Listing { after, ..Listing::all(kind) };
        let listed = self.store.list(listing, most).await?;
        Ok(listed.into_iter().map(|listed| listed.record).collect())
    }

    /// All in one commit; where one was changed meanwhile, or is damaged, each in its own, and that one stays for now. Says how many
    /// left.
    async fn leave(&self, leaving: &[Leaves]) -> Result<usize, ServiceError> {
        if leaving.is_empty() {
            return Ok(0);
        }
        let mut left = leaving.len();
        if unless_damaged(self.leave_together(leaving).await)? != Some(true) {
            left = 0;
            for leaves in leaving {
                let gone = unless_damaged(self.leave_together(&[*leaves]).await)?;
                left += usize::from(gone == Some(true));
            }
        }
        self.tally.swept(left);
        Ok(left)
    }

    /// False where one was changed meanwhile.
    async fn leave_together(&self, leaving: &[Leaves]) -> Result<bool, ServiceError> {
        let mut tx = Transaction::default();
        for leaves in leaving {
            self.leave_in(&mut tx, *leaves).await?;
        }
        self.commit_desk(tx).await
    }

    async fn leave_in(&self, tx: &mut Transaction, leaves: Leaves) -> Result<(), ServiceError> {
        match leaves {
            Leaves::Guest(session) => self.give_way_in(tx, session).await,
            Leaves::Order(order) => self.forget_order_in(tx, order).await,
        }
    }

    /// Judged once more, by what stands now and by what memory knows: one that came back stays.
    async fn give_way_in(&self, tx: &mut Transaction, id: SessionId) -> Result<(), ServiceError> {
        tx.read(&*self.store, Key::Session(id)).await?;
        let Some(Record::Session(session)) = tx.get(&Key::Session(id)) else { return Ok(()) };
        let now = self.now_from(session.created_at, self.now());
        if self.seen.at(id).is_some() || !self.settings.policy.may_give_way(session, now) {
            return Ok(());
        }
        if self.take_out_in(tx, id, Tokens::Forget).await? {
            tracing::info!(session = %id, "a guest that was never seen again gives way to younger ones");
        }
        Ok(())
    }

    /// The order goes, with its link, which stays at the cart that it came from.
    async fn forget_order_in(&self, tx: &mut Transaction, id: OrderId) -> Result<(), ServiceError> {
        tx.read(&*self.store, Key::Order(id)).await?;
        let Some(Record::Order(order)) = tx.get(&Key::Order(id)) else { return Ok(()) };
        if !self.order_is_over(order.created_at, self.now()) {
            return Ok(());
        }
        let link = Key::OrderLink(order.link());
        tx.read(&*self.store, link).await?;
        tx.remove(&link);
        tx.remove(&Key::Order(id));
        Ok(())
    }
}
