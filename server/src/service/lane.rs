//! Changes of one cart queue up in its lane and are applied in turn to its newest committed state, many within a commit.
//!
//! A lane exists while something waits in it. Its own task carries it, so that a caller who hangs up stalls nobody.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use trolley_core::ids::CartId;
use trolley_core::time::Timestamp;

use super::Service;
use super::failure::Failure;
use super::order::{Done, Order};

/// How many locks share the lanes, so that different carts seldom meet.
const SHARDS: usize = 64;

/// What an order is answered.
pub(super) type Reply = Result<Done, Failure>;

/// An order that waits for its turn.
pub(super) struct Waiting {
    pub(super) order: Order,
    /// When it was received: what its `eff` cannot pass.
    pub(super) at: Timestamp,
    pub(super) reply: oneshot::Sender<Reply>,
}

/// The lanes of all carts that are being changed.
pub(super) struct Lanes {
    shards: Vec<Mutex<HashMap<CartId, VecDeque<Waiting>>>>,
    running: AtomicUsize,
    idle: Notify,
}

enum Place {
    First,
    Behind,
    NoRoom,
}

impl Lanes {
    pub(super) fn new() -> Lanes {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Lanes { shards, running: AtomicUsize::new(0), idle: Notify::new() }
    }

    /// How many lanes there are.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    fn join(&self, waiting: Waiting, most: usize) -> Place {
        match self.shard(waiting.order.cart).lock().entry(waiting.order.cart) {
            Entry::Vacant(lane) => {
                lane.insert(VecDeque::from([waiting]));
                Place::First
            }
            Entry::Occupied(lane) if lane.get().len() >= most => Place::NoRoom,
            Entry::Occupied(mut lane) => {
                lane.get_mut().push_back(waiting);
                Place::Behind
            }
        }
    }

    /// The next batch; where nothing waits the lane is over.
    fn take(&self, cart: CartId, most: usize) -> Option<Vec<Waiting>> {
        let mut lanes = self.shard(cart).lock();
        let lane = lanes.get_mut(&cart)?;
        if lane.is_empty() {
            lanes.remove(&cart);
            return None;
        }
        let batch = lane.len().min(most);
        Some(lane.drain(..batch).collect())
    }

    fn shard(&self, cart: CartId) -> &Mutex<HashMap<CartId, VecDeque<Waiting>>> {
        &self.shards[usize::from(cart.bytes()[15]) % SHARDS]
    }
}

/// Holds a lane while its task runs. Where the task panics, those who wait are answered (their senders drop) and the
/// next order opens the lane anew.
struct Running<'a> {
    lanes: &'a Lanes,
    cart: CartId,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.lanes.shard(self.cart).lock().remove(&self.cart);
        }
        if self.lanes.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.lanes.idle.notify_waiters();
        }
    }
}

impl Service {
    /// Does one change and answers when it is committed. What was taken in is finished even where the caller goes away.
    pub async fn change(self: &Arc<Self>, order: Order) -> Result<Done, Failure> {
        let cart = order.cart;
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting { order, at: self.now(), reply };
        match self.lanes.join(waiting, self.settings.bounds.lane_waiting) {
            Place::First => {
                self.lanes.running.fetch_add(1, Ordering::AcqRel);
                tokio::spawn(Arc::clone(self).run_lane(cart));
            }
            Place::Behind => {}
            Place::NoRoom => return Err(Failure::Busy),
        }
        answer.await.unwrap_or_else(|_| Err(Failure::Broken("a lane went down".to_owned())))
    }

    async fn run_lane(self: Arc<Self>, cart: CartId) {
        let _running = Running { lanes: &self.lanes, cart };
        while let Some(batch) = self.lanes.take(cart, self.settings.bounds.lane_batch) {
            self.settle(cart, batch).await;
        }
    }

    /// Waits until no change is under way.
    pub async fn lanes_idle(&self) {
        loop {
            let idle = self.lanes.idle.notified();
            if self.lanes.running.load(Ordering::Acquire) == 0 {
                return;
            }
            idle.await;
        }
    }
}
