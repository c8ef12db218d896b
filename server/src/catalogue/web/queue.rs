//! Questions that wait and those under way: so many and no more, each sku once, and each address and cart among them with its share.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;
use trolley_core::ids::CartId;
use trolley_core::time::Timestamp;

use crate::catalogue::web::pace::{Begun, Came, Pace};
use crate::catalogue::web::tally::Tally;
use crate::catalogue::web::turns::Turns;
use crate::service::catalogue::asker::Asker;
use crate::service::catalogue::listing::Lookup;
use crate::service::limits::addresses::Source;
use crate::service::limits::limiter::{Limiter, Quota};
use crate::service::running::Running;

/// Questions that wait.
const WAITING_MAX: usize = 8_192;
/// Those of them that are one address's: more are not answered before it gives up anyway.
const WAITING_OF_ONE: usize = 1_024;
/// Those of them that are for one cart: all that stands in a full one.
const WAITING_FOR_CART: usize = 512;
/// Of so many turns of strange questions one goes to what is merely named, where all others are taken by what stands in carts.
const TURNS: usize = 4;
/// Addresses whose questions are counted, at a time.
const SOURCES_MAX: usize = 65_536;

/// Which goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rank {
    /// A product, as far as is known.
    Product,
    /// What stands in a cart, and nobody told yet what it is.
    Stands,
    /// What somebody names.
    Named,
}

impl Rank {
    /// Whether a visitor may have made it up.
    fn is_strange(self) -> bool {
        self != Rank::Product
    }
}

pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    /// How many questions that come to nothing an address may have; none where that is not limited.
    fruitless: Option<Limiter<Source>>,
}

/// The questions of one address, by cart.
type Carts = Turns<Option<CartId>, VecDeque<Ticket>>;

struct Waiting {
    /// By rank: by address, and among those of an address by cart.
    ranks: [Turns<Asker, Carts>; 3],
    turn: usize,
    strange_turn: usize,
    pace: Pace,
    waiting: Tally<()>,
    waiting_of: Tally<Asker>,
    waiting_for: Tally<Asker>,
    under_way_of: Tally<Asker>,
    strange_of: Tally<Asker>,
    /// Every sku that somebody waits for.
    wanted: HashMap<Arc<str>, Wanted>,
    last_id: u64,
}

/// A question that waits for its turn.
struct Ticket {
    id: u64,
    sku: Arc<str>,
    now: Timestamp,
    asker: Asker,
    rank: Rank,
}

struct Wanted {
    /// Tells this time of it from an earlier one.
    id: u64,
    listeners: usize,
    is_under_way: bool,
    told: watch::Sender<Option<Lookup>>,
}

/// Somebody who waits for the answer about a sku; who leaves asks no more.
pub(crate) struct Listener {
    queue: Arc<Queue>,
    /// Which.
    pub(crate) sku: Arc<str>,
    wanted: u64,
    place: Option<(Rank, Asker, u64)>,
    told: watch::Receiver<Option<Lookup>>,
}

/// A question whose turn has come. Its place is free again when this is dropped.
pub(crate) struct UnderWay {
    queue: Arc<Queue>,
    pub(crate) sku: Arc<str>,
    pub(crate) now: Timestamp,
    asker: Asker,
    begun: Begun,
}

/// Whose share a question is of: the address's; where there is none, the cart's.
fn share(asker: Asker) -> Asker {
    Asker { cart: asker.cart.filter(|_| asker.source.is_none()), ..asker }
}

impl Queue {
    /// Nobody waits yet. One strange question is waited for so long; and an address may have so many that come to nothing.
    pub(crate) fn new(patience: Duration, fruitless: Option<Quota>) -> Queue {
        let waiting = Waiting {
            ranks: Default::default(),
            turn: 0,
            strange_turn: 0,
            pace: Pace::new(patience),
            waiting: Tally::default(),
            waiting_of: Tally::default(),
            waiting_for: Tally::default(),
            under_way_of: Tally::default(),
            strange_of: Tally::default(),
            wanted: HashMap::new(),
            last_id: 0,
        };
        let fruitless = fruitless.map(|quota| Limiter::new(quota, SOURCES_MAX));
        Queue { waiting: Mutex::new(waiting), fruitless }
    }

    /// Waits in line for a sku. None where the line is full: then what is known has to do.
    pub(crate) fn join(
        self: &Arc<Self>,
        sku: &str,
        rank: Rank,
        asker: Asker,
        now: Timestamp,
        at: Instant,
    ) -> Option<Listener> {
        let mut waiting = self.waiting.lock();
        // What is not asked for a while is not waited for.
        let has_room = waiting.has_room(asker) && !(rank.is_strange() && waiting.pace.rests(at));
        waiting.last_id += 1;
        let id = waiting.last_id;
        let wanted = waiting.wanted.get_mut(sku);
        let (sku, first, joined, is_under_way) = match wanted {
            Some(wanted) => {
                wanted.listeners += 1;
                (Arc::from(sku), wanted.id, wanted.told.subscribe(), wanted.is_under_way)
            }
            None if has_room => {
                let sku: Arc<str> = sku.into();
                let (told, joined) = watch::channel(None);
                let wanted = Wanted { id, listeners: 1, is_under_way: false, told };
                waiting.wanted.insert(sku.clone(), wanted);
                (sku, id, joined, false)
            }
            None => return None,
        };
        let place = (has_room && !is_under_way).then_some((rank, asker, id));
        if place.is_some() {
            waiting.count(asker, 1);
            let ticket = Ticket { id, sku: sku.clone(), now, asker, rank };
            waiting.ranks[rank as usize].line(share(asker)).line(asker.cart).push_back(ticket);
        }
        Some(Listener { queue: Arc::clone(self), sku, wanted: first, place, told: joined })
    }

    /// The next question to ask, while there are places.
    pub(crate) fn next(self: &Arc<Self>, at: Instant) -> Option<UnderWay> {
        let mut waiting = self.waiting.lock();
        while waiting.pace.has_place() {
            let Ticket { sku, now, asker, rank, .. } = waiting.take(at)?;
            let Some(wanted) = waiting.wanted.get_mut(&sku).filter(|wanted| !wanted.is_under_way) else {
                continue;
            };
            if rank.is_strange() && !self.may_guess(asker, now) {
                // Another who wants it asks in his own turn.
                if wanted.listeners == 1 {
                    waiting.wanted.remove(&sku);
                }
                continue;
            }
            wanted.is_under_way = true;
            waiting.under_way_of.add(share(asker), 1);
            if rank.is_strange() {
                waiting.strange_of.add(share(asker), 1);
            }
            let begun = waiting.pace.begin(rank.is_strange(), at);
            return Some(UnderWay { queue: Arc::clone(self), sku, now, asker, begun });
        }
        None
    }

    fn may_guess(&self, asker: Asker, now: Timestamp) -> bool {
        let (Some(limit), Some(source)) = (&self.fruitless, asker.source) else { return true };
        limit.take(source, Running::from_ms(now.as_ms())).is_ok()
    }

    /// Nobody waits any more: all are to do with what is known. What is under way goes on.
    pub(crate) fn send_away(&self) {
        let mut waiting = self.waiting.lock();
        waiting.wanted.retain(|_, wanted| wanted.is_under_way);
        waiting.ranks = Default::default();
        (waiting.waiting, waiting.waiting_of, waiting.waiting_for) = Default::default();
    }
}

impl Waiting {
    fn has_room(&self, asker: Asker) -> bool {
        self.waiting.of(&()) < WAITING_MAX
            && self.waiting_of.of(&share(asker)) < WAITING_OF_ONE
            && self.waiting_for.of(&asker) < WAITING_FOR_CART
    }

    fn count(&mut self, asker: Asker, by: isize) {
        self.waiting.add((), by);
        self.waiting_of.add(share(asker), by);
        self.waiting_for.add(asker, by);
    }

    /// Products go first, but for a turn now and then; of the rest what stands in carts does, but for every fourth.
    fn take(&mut self, at: Instant) -> Option<Ticket> {
        let is_strange_turn = (self.turn + 1).is_multiple_of(self.pace.strange_turn());
        let product = [Some(Rank::Product), None, None];
        let strange = if !self.pace.has_strange_place(at) {
            [None, None, None]
        } else if (self.strange_turn + 1).is_multiple_of(TURNS) {
            [Some(Rank::Named), Some(Rank::Stands), None]
        } else {
            [Some(Rank::Stands), Some(Rank::Named), None]
        };
        let order = if is_strange_turn { [strange, product] } else { [product, strange] };
        let Waiting { ranks, under_way_of, strange_of, pace, .. } = self;
        let ticket = order.into_iter().flatten().flatten().find_map(|rank| {
            let may = |share: &Asker| {
                under_way_of.of(share) < pace.of_one()
                    && (!rank.is_strange() || pace.has_strange_share(share, strange_of.of(share), at))
            };
            ranks[rank as usize].next(may, |carts| carts.next(|_| true, VecDeque::pop_front))
        })?;
        self.turn = self.turn.wrapping_add(1);
        if ticket.rank.is_strange() {
            self.strange_turn = self.strange_turn.wrapping_add(1);
        }
        self.count(ticket.asker, -1);
        Some(ticket)
    }
}

impl Listener {
    /// Waits until there is an answer, or nobody is going to ask.
    pub(crate) async fn heard(&mut self) {
        let _ = self.told.wait_for(Option::is_some).await;
    }

    /// What was said, if anything.
    pub(crate) fn told(&self) -> Option<Lookup> {
        self.told.borrow().clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut waiting = self.queue.waiting.lock();
        if let Some((rank, asker, id)) = self.place {
            let left = waiting.ranks[rank as usize].leave(share(asker), |carts| {
                carts.leave(asker.cart, |tickets| {
                    let place = tickets.iter().position(|ticket| ticket.id == id)?;
                    tickets.remove(place)
                })
            });
            if left.is_some() {
                waiting.count(asker, -1);
            }
        }
        if let Some(wanted) = waiting.wanted.get_mut(&self.sku).filter(|wanted| wanted.id == self.wanted) {
            wanted.listeners -= 1;
            if wanted.listeners == 0 && !wanted.is_under_way {
                waiting.wanted.remove(&self.sku);
            }
        }
    }
}

impl UnderWay {
    /// Whether nobody knows yet that it is a product.
    pub(crate) fn is_strange(&self) -> bool {
        self.begun.is_strange
    }

    /// Says what came of it. Whether no strange question can be why, where that is silence.
    pub(crate) fn came(&self, came: Came, at: Instant) -> bool {
        if came == Came::Product
            && self.is_strange()
            && let (Some(limit), Some(source)) = (&self.queue.fruitless, self.asker.source)
        {
            limit.give_back(source);
        }
        self.queue.waiting.lock().pace.came(self.begun, share(self.asker), came, at)
    }

    /// Tells all who wait for it.
    pub(crate) fn tell(&self, word: Lookup) {
        if let Some(wanted) = self.queue.waiting.lock().wanted.get(&self.sku) {
            wanted.told.send_replace(Some(word));
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut waiting = self.queue.waiting.lock();
        waiting.wanted.remove(&self.sku);
        waiting.pace.end(self.begun);
        waiting.under_way_of.add(share(self.asker), -1);
        if self.is_strange() {
            waiting.strange_of.add(share(self.asker), -1);
        }
    }
}

#[cfg(test)]
mod tests;
