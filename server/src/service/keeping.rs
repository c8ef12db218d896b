//! What is kept no longer although nothing of it expires by itself: guests that were never seen again, where there are too many of
//! them (SESSION.md, S34), and orders after their time (S39).
//!
//! Ids of sessions and orders begin with the time that they were made at, so that a walk through all of them meets the oldest first.

use tokio::sync::Mutex;
use trolley_core::ids::{CartId, OrderId, SessionId};
use trolley_core::order::OrderLink;
use trolley_core::time::{Span, Timestamp};
use trolley_store::kind::{Key, Kind, Record};
use trolley_store::port::{Listing, StoreError};

use super::Service;
use super::desk::Desk;
use super::failure::Failure;
use super::leave::Tokens;

/// A walk through the sessions begins anew after this: a clock that was set back puts young ones behind it.
const WALK_FOR: Span = Span::from_hours(24);
/// How often an order is followed from a cart into the one that this was merged into.
const SEALS_MOST: usize = 4;

/// How far the sessions were walked through. What lies behind is gone or was seen again, and stays so: nothing becomes unproven.
#[derive(Default)]
pub(super) struct Walk(Mutex<Place>);

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
    pub(super) async fn let_go(&self) -> Result<bool, Failure> {
        Ok(self.let_orders_go().await? | self.let_guests_go().await?)
    }

    /// Of guests that were never seen again the oldest leave where there are more than are kept, but none within its first day.
    async fn let_guests_go(&self) -> Result<bool, Failure> {
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
        let listed = self.oldest(Kind::Session, &mut place.after, most).await?;
        let (mut leaving, mut more) = (Vec::new(), !listed.is_empty());
        for record in listed {
            let Record::Session(session) = record else { continue };
            if now < session.created_at + self.settings.policy.unpresented {
                more = false;
                break;
            }
            if self.settings.policy.may_give_way(&session, now) {
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
    async fn let_orders_go(&self) -> Result<bool, Failure> {
        let mut after = None;
        // Nearly always one look tells that there is none.
        if self.orders_over(&mut after, 1).await?.is_empty() {
            return Ok(false);
        }
        let leaving = self.orders_over(&mut after, self.settings.bounds.sweep_batch).await?;
        Ok(self.leave(&leaving).await? > 0)
    }

    async fn orders_over(&self, after: &mut Option<Vec<u8>>, most: usize) -> Result<Vec<Leaves>, Failure> {
        let now = self.now();
        let orders =
            self.oldest(Kind::Order, after, most).await?.into_iter().filter_map(|record| match record {
                Record::Order(order) => Some(order),
                _ => None,
            });
        let over = orders.take_while(|order| self.order_is_over(order.created_at, now));
        Ok(over.map(|order| Leaves::Order(order.id)).collect())
    }

    fn order_is_over(&self, created_at: Timestamp, now: Timestamp) -> bool {
        now >= created_at + self.settings.keeping.orders
    }

    /// Up to `most` records of a kind behind `after`, the oldest first. One that is damaged holds up nobody: it is passed by.
    async fn oldest(
        &self,
        kind: Kind,
        after: &mut Option<Vec<u8>>,
        most: usize,
    ) -> Result<Vec<Record>, Failure> {
        let mut most = most;
        loop {
            let listing = Listing { after: after.clone(), ..Listing::all(kind) };
            match self.store.list(listing, most).await {
                Ok(listed) => return Ok(listed.into_iter().map(|listed| listed.record).collect()),
                // Those before it come first, one by one.
                Err(StoreError::Damaged { .. }) if most > 1 => most = 1,
                Err(StoreError::Damaged { key, what }) => {
                    tracing::error!(%key, what, "a damaged record is passed by");
                    *after = Some(match key {
                        Key::Session(id) => id.bytes().to_vec(),
                        Key::Order(id) => id.bytes().to_vec(),
                        _ => return Err(StoreError::Damaged { key, what }.into()),
                    });
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// All in one commit; where one was changed meanwhile, each in its own, and that one stays for now. Says how many left.
    async fn leave(&self, leaving: &[Leaves]) -> Result<usize, Failure> {
        if leaving.is_empty() {
            return Ok(0);
        }
        let mut desk = Desk::default();
        for leaves in leaving {
            self.leave_on(&mut desk, *leaves).await?;
        }
        let mut left = leaving.len();
        if !self.commit_desk(desk).await? {
            left = 0;
            for leaves in leaving {
                let mut desk = Desk::default();
                self.leave_on(&mut desk, *leaves).await?;
                left += usize::from(self.commit_desk(desk).await?);
            }
        }
        self.tally.swept(left);
        Ok(left)
    }

    async fn leave_on(&self, desk: &mut Desk, leaves: Leaves) -> Result<(), Failure> {
        match leaves {
            Leaves::Guest(session) => self.give_way_on(desk, session).await,
            Leaves::Order(order) => self.forget_order_on(desk, order).await,
        }
    }

    /// Judged once more, by what stands now and by what memory knows: one that came back stays.
    async fn give_way_on(&self, desk: &mut Desk, id: SessionId) -> Result<(), Failure> {
        desk.lay_out(&*self.store, Key::Session(id)).await?;
        let Some(Record::Session(session)) = desk.get(&Key::Session(id)) else { return Ok(()) };
        if self.seen.at(id).is_some() || !self.settings.policy.may_give_way(session, self.now()) {
            return Ok(());
        }
        if self.take_out_on(desk, id, Tokens::Forget).await? {
            tracing::info!(session = %id, "a guest that was never seen again gives way to younger ones");
        }
        Ok(())
    }

    /// The order goes, with its link: that of the cart it came from, or of the one that this was merged into.
    async fn forget_order_on(&self, desk: &mut Desk, id: OrderId) -> Result<(), Failure> {
        desk.lay_out(&*self.store, Key::Order(id)).await?;
        let Some(Record::Order(order)) = desk.get(&Key::Order(id)) else { return Ok(()) };
        if !self.order_is_over(order.created_at, self.now()) {
            return Ok(());
        }
        let mut cart: Option<CartId> = Some(order.cart);
        for _ in 0..SEALS_MOST {
            let Some(of) = cart else { break };
            let link = Key::OrderLink(OrderLink::new(of, id));
            desk.lay_out(&*self.store, link).await?;
            desk.remove(&link);
            desk.lay_out(&*self.store, Key::Cart(of)).await?;
            cart = match desk.get(&Key::Cart(of)) {
                Some(Record::Cart(cart)) => cart.sealed.map(|seal| seal.into),
                _ => None,
            };
        }
        desk.remove(&Key::Order(id));
        Ok(())
    }
}
