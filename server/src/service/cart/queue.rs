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

use crate::service::Service;
use crate::service::cart::command::{Command, Outcome};
use crate::service::catalogue::asker::Asker;
use crate::service::error::ServiceError;
use crate::service::in_flight::{InFlight, InFlightGuard};

/// How many locks share the lanes, so that different carts seldom meet.
const SHARDS: usize = 64;

/// What an order is answered.
pub(crate) type Reply = Result<Outcome, ServiceError>;

/// An order that waits for its turn.
pub(crate) struct Pending {
    pub(crate) order: Command,
    /// When it was received: what its `eff` cannot pass.
    pub(crate) at: Timestamp,
    /// Whose questions to the catalogue it brings.
    pub(crate) asker: Asker,
    pub(crate) reply: oneshot::Sender<Reply>,
}

/// What stands in a lane.
enum Queued {
    /// An order.
    Command(Box<Pending>),
    /// Somebody who wants the lane for itself.
    Guard(oneshot::Sender<QueueGuard>),
}

/// A lane that is held: until this is dropped nothing else changes the cart here. A change of several carts at once holds
/// theirs, so that it need not compete with each of their orders; that it is right is the commit's to see to.
pub(crate) struct QueueGuard {
    _over: oneshot::Sender<()>,
}

/// What the lane's task does next.
enum Next {
    Commands(Vec<Pending>),
    Guard(oneshot::Sender<QueueGuard>),
}

/// The lanes of all carts that are being changed.
pub(crate) struct CartQueues {
    shards: Vec<Mutex<HashMap<CartId, VecDeque<Queued>>>>,
    underway: Arc<InFlight>,
}

enum Place {
    First,
    Behind,
    NoRoom,
}

impl CartQueues {
    pub(crate) fn new() -> CartQueues {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        CartQueues { shards, underway: Arc::default() }
    }

    /// Waits until there is none.
    pub(crate) async fn idle(&self) {
        self.underway.idle().await;
    }

    /// How many lanes there are.
    pub(crate) fn running(&self) -> usize {
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
                Queued::Command(waiting) => orders.push(*waiting),
                Queued::Guard(holder) if orders.is_empty() => return Some(Next::Guard(holder)),
                Queued::Guard(holder) => {
                    lane.push_front(Queued::Guard(holder));
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
        Some(Next::Commands(orders))
    }

    fn shard(&self, cart: CartId) -> &Mutex<HashMap<CartId, VecDeque<Queued>>> {
        &self.shards[usize::from(cart.bytes()[15]) % SHARDS]
    }
}

/// Holds a lane while its task runs. Where the task panics, those who wait are answered (their senders drop) and the
/// next order opens the lane anew.
struct Running<'a> {
    lanes: &'a CartQueues,
    cart: CartId,
    _begun: InFlightGuard,
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
    pub async fn change(self: &Arc<Self>, order: Command) -> Result<Outcome, ServiceError> {
        let cart = order.cart;
        let (reply, answer) = oneshot::channel();
        let waiting = Pending { order, at: self.now(), asker: Asker::here(Some(cart)), reply };
        self.join_lane(cart, Queued::Command(Box::new(waiting)))?;
        answer.await.unwrap_or_else(|_| Err(ServiceError::Broken("a lane went down".to_owned())))
    }

    /// Waits for the lane of a cart and holds it. Who holds several takes a guest's first: nobody waits in a circle.
    pub(crate) async fn hold_lane(self: &Arc<Self>, cart: CartId) -> Result<QueueGuard, ServiceError> {
        let (holder, held) = oneshot::channel();
        self.join_lane(cart, Queued::Guard(holder))?;
        held.await.map_err(|_| ServiceError::Broken("a lane went down".to_owned()))
    }

    fn join_lane(self: &Arc<Self>, cart: CartId, queued: Queued) -> Result<(), ServiceError> {
        match self.lanes.join(cart, queued, self.settings.bounds.lane_waiting) {
            Place::First => {
                let begun = self.lanes.underway.begin();
                tokio::spawn(Arc::clone(self).run_lane(cart, begun));
            }
            Place::Behind => {}
            Place::NoRoom => return Err(ServiceError::Busy),
        }
        Ok(())
    }

    async fn run_lane(self: Arc<Self>, cart: CartId, begun: InFlightGuard) {
        let _running = Running { lanes: &self.lanes, cart, _begun: begun };
        while let Some(next) = self.lanes.take(cart, self.settings.bounds.lane_batch) {
            match next {
                Next::Commands(batch) => self.settle(cart, batch).await,
                Next::Guard(holder) => {
                    let (over, until) = oneshot::channel();
                    if holder.send(QueueGuard { _over: over }).is_ok() {
                        // It never sends: it is dropped when it is over.
                        let _ = until.await;
                    }
                }
            }
        }
    }
}
