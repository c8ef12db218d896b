//! Changes of one cart queue up in its lane and are applied in turn to its newest committed state, many within a commit.
//!
//! A lane exists while something waits in it. Its own task carries it, so that a caller who hangs up stalls nobody.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use trolley_core::ids::CartId;
use trolley_core::time::Timestamp;

use super::Service;
use super::catalogue::asker::Asker;
use super::failure::Failure;
use super::order::{Done, Order};
use super::underway::{Begun, Underway};

/// How many locks share the lanes, so that different carts seldom meet.
const SHARDS: usize = 64;

/// What an order is answered.
pub(super) type Reply = Result<Done, Failure>;

/// An order that waits for its turn.
pub(super) struct Waiting {
    pub(super) order: Order,
    /// When it was received: what its `eff` cannot pass.
    pub(super) at: Timestamp,
    /// Whose questions to the catalogue it brings.
    pub(super) asker: Asker,
    pub(super) reply: oneshot::Sender<Reply>,
}

/// What stands in a lane.
enum Queued {
    /// An order.
    Order(Box<Waiting>),
    /// Somebody who wants the lane for itself.
    Hold(oneshot::Sender<Hold>),
}

/// A lane that is held: until this is dropped nothing else changes the cart here. A change of several carts at once holds
/// theirs, so that it need not compete with each of their orders; that it is right is the commit's to see to.
pub(super) struct Hold {
    _over: oneshot::Sender<()>,
}

/// What the lane's task does next.
enum Next {
    Orders(Vec<Waiting>),
    Hold(oneshot::Sender<Hold>),
}

/// The lanes of all carts that are being changed.
pub(super) struct Lanes {
    shards: Vec<Mutex<HashMap<CartId, VecDeque<Queued>>>>,
    underway: Arc<Underway>,
}

enum Place {
    First,
    Behind,
    NoRoom,
}

impl Lanes {
    pub(super) fn new() -> Lanes {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Lanes { shards, underway: Arc::default() }
    }

    /// Waits until there is none.
    pub(super) async fn idle(&self) {
        self.underway.idle().await;
    }

    /// How many lanes there are.
    pub(super) fn running(&self) -> usize {
        self.underway.running()
    }

    fn join(&self, cart: CartId, queued: Queued, most: usize) -> Place {
        match self.shard(cart).lock().entry(cart) {
            Entry::Vacant(lane) => {
                lane.insert(VecDeque::from([queued]));
                Place::First
            }
            Entry::Occupied(lane) if lane.get().len() >= most => Place::NoRoom,
            Entry::Occupied(mut lane) => {
                lane.get_mut().push_back(queued);
                Place::Behind
            }
        }
    }

    /// The next batch of orders, or who holds the lane next; where nothing waits the lane is over.
    fn take(&self, cart: CartId, most: usize) -> Option<Next> {
        let mut lanes = self.shard(cart).lock();
        let lane = lanes.get_mut(&cart)?;
        let mut orders = Vec::new();
        while let Some(queued) = lane.pop_front() {
            match queued {
                Queued::Order(waiting) => orders.push(*waiting),
                Queued::Hold(holder) if orders.is_empty() => return Some(Next::Hold(holder)),
                Queued::Hold(holder) => {
                    lane.push_front(Queued::Hold(holder));
                    break;
                }
            }
            if orders.len() >= most {
                break;
            }
        }
        if orders.is_empty() {
            lanes.remove(&cart);
            return None;
        }
        Some(Next::Orders(orders))
    }

    fn shard(&self, cart: CartId) -> &Mutex<HashMap<CartId, VecDeque<Queued>>> {
        &self.shards[usize::from(cart.bytes()[15]) % SHARDS]
    }
}

/// Holds a lane while its task runs. Where the task panics, those who wait are answered (their senders drop) and the
/// next order opens the lane anew.
struct Running<'a> {
    lanes: &'a Lanes,
    cart: CartId,
    _begun: Begun,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.lanes.shard(self.cart).lock().remove(&self.cart);
        }
    }
}

impl Service {
    /// Does one change and answers when it is committed. What was taken in is finished even where the caller goes away.
    pub async fn change(self: &Arc<Self>, order: Order) -> Result<Done, Failure> {
        let cart = order.cart;
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting { order, at: self.now(), asker: Asker::here(Some(cart)), reply };
        self.join_lane(cart, Queued::Order(Box::new(waiting)))?;
        answer.await.unwrap_or_else(|_| Err(Failure::Broken("a lane went down".to_owned())))
    }

    /// Waits for the lane of a cart and holds it. Who holds several takes a guest's first: nobody waits in a circle.
    pub(super) async fn hold_lane(self: &Arc<Self>, cart: CartId) -> Result<Hold, Failure> {
        let (holder, held) = oneshot::channel();
        self.join_lane(cart, Queued::Hold(holder))?;
        held.await.map_err(|_| Failure::Broken("a lane went down".to_owned()))
    }

    fn join_lane(self: &Arc<Self>, cart: CartId, queued: Queued) -> Result<(), Failure> {
        match self.lanes.join(cart, queued, self.settings.bounds.lane_waiting) {
            Place::First => {
                let begun = self.lanes.underway.begin();
                tokio::spawn(Arc::clone(self).run_lane(cart, begun));
            }
            Place::Behind => {}
            Place::NoRoom => return Err(Failure::Busy),
        }
        Ok(())
    }

    async fn run_lane(self: Arc<Self>, cart: CartId, begun: Begun) {
        let _running = Running { lanes: &self.lanes, cart, _begun: begun };
        while let Some(next) = self.lanes.take(cart, self.settings.bounds.lane_batch) {
            match next {
                Next::Orders(batch) => self.settle(cart, batch).await,
                Next::Hold(holder) => {
                    let (over, until) = oneshot::channel();
                    if holder.send(Hold { _over: over }).is_ok() {
                        // It never sends: it is dropped when it is over.
                        let _ = until.await;
                    }
                }
            }
        }
    }
}
