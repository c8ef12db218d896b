//! Questions that wait and those under way: so many and no more, each sku once, and each address and cart among them with its share.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;
use trolley_core::ids::CartId;
use trolley_core::time::Timestamp;

use crate::catalogue::web::turns::Turns;
use crate::service::catalogue::asker::Asker;
use crate::service::catalogue::listing::Lookup;

/// Questions under way at once.
pub(crate) const UNDER_WAY_MAX: usize = 32;
/// Those of them that are one address's: the others find a place whatever it asks for.
const UNDER_WAY_OF_ONE: usize = 24;
/// Questions that wait.
const WAITING_MAX: usize = 8_192;
/// Those of them that are one address's: more are not answered before it gives up anyway.
const WAITING_OF_ONE: usize = 1_024;
/// Those of them that are for one cart: all that stands in a full one.
const WAITING_FOR_CART: usize = 512;
/// Of so many turns one goes to what is merely named, where all others are taken by what stands in carts.
const TURNS: usize = 4;

/// Which goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rank {
    /// What stands in a cart.
    Stands,
    /// What somebody names.
    Named,
}

#[derive(Default)]
pub(crate) struct Queue(Mutex<Waiting>);

/// The questions of one address, by cart.
type Carts = Turns<Option<CartId>, VecDeque<Ticket>>;

#[derive(Default)]
struct Waiting {
    /// By rank: by address, and among those of an address by cart.
    ranks: [Turns<Asker, Carts>; 2],
    turn: usize,
    waiting: Tally<()>,
    waiting_of: Tally<Asker>,
    waiting_for: Tally<Asker>,
    under_way: Tally<()>,
    under_way_of: Tally<Asker>,
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
    share: Asker,
}

/// Whose share a question is of: the address's; where there is none, the cart's.
fn share(asker: Asker) -> Asker {
    Asker { cart: asker.cart.filter(|_| asker.source.is_none()), ..asker }
}

impl Queue {
    /// Waits in line for a sku. None where the line is full: then what is known has to do.
    pub(crate) fn join(
        self: &Arc<Self>,
        sku: &str,
        rank: Rank,
        asker: Asker,
        now: Timestamp,
    ) -> Option<Listener> {
        let mut waiting = self.0.lock();
        let has_room = waiting.has_room(asker);
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
            let ticket = Ticket { id, sku: sku.clone(), now, asker };
            waiting.ranks[rank as usize].line(share(asker)).line(asker.cart).push_back(ticket);
        }
        Some(Listener { queue: Arc::clone(self), sku, wanted: first, place, told: joined })
    }

    /// The next question to ask, while there are places.
    pub(crate) fn next(self: &Arc<Self>) -> Option<UnderWay> {
        let mut waiting = self.0.lock();
        while waiting.under_way.of(&()) < UNDER_WAY_MAX {
            let Ticket { sku, now, asker, .. } = waiting.take()?;
            let Some(wanted) = waiting.wanted.get_mut(&sku).filter(|wanted| !wanted.is_under_way) else {
                continue;
            };
            wanted.is_under_way = true;
            let share = share(asker);
            waiting.under_way.add((), 1);
            waiting.under_way_of.add(share, 1);
            return Some(UnderWay { queue: Arc::clone(self), sku, now, share });
        }
        None
    }

    /// Nobody waits any more: all are to do with what is known. What is under way goes on.
    pub(crate) fn send_away(&self) {
        let mut waiting = self.0.lock();
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

    fn take(&mut self) -> Option<Ticket> {
        self.turn = (self.turn + 1) % TURNS;
        let order = if self.turn == 0 { [Rank::Named, Rank::Stands] } else { [Rank::Stands, Rank::Named] };
        let Waiting { ranks, under_way_of, .. } = self;
        let may = |share: &Asker| under_way_of.of(share) < UNDER_WAY_OF_ONE;
        let ticket = order.into_iter().find_map(|rank| {
            ranks[rank as usize].next(may, |carts| carts.next(|_| true, VecDeque::pop_front))
        })?;
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
        let mut waiting = self.queue.0.lock();
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
    /// Tells all who wait for it.
    pub(crate) fn tell(&self, word: Lookup) {
        if let Some(wanted) = self.queue.0.lock().wanted.get(&self.sku) {
            wanted.told.send_replace(Some(word));
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut waiting = self.queue.0.lock();
        waiting.wanted.remove(&self.sku);
        waiting.under_way.add((), -1);
        waiting.under_way_of.add(self.share, -1);
    }
}

/// How many of each; none of something is not kept.
struct Tally<K>(HashMap<K, usize>);

impl<K> Default for Tally<K> {
    fn default() -> Tally<K> {
        Tally(HashMap::new())
    }
}

impl<K: Eq + Hash> Tally<K> {
    fn of(&self, key: &K) -> usize {
        self.0.get(key).copied().unwrap_or_default()
    }

    fn add(&mut self, key: K, by: isize) {
        let now = self.of(&key).saturating_add_signed(by);
        if now == 0 {
            self.0.remove(&key);
        } else {
            self.0.insert(key, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::limits::addresses::Source;

    fn asker(address: u8, cart: u8) -> Asker {
        Asker {
            source: Some(Source::of([192, 0, 2, address].into())),
            cart: Some(CartId::from_bytes([cart; 16])),
        }
    }

    fn join(queue: &Arc<Queue>, sku: &str, rank: Rank, asker: Asker) -> Option<Listener> {
        queue.join(sku, rank, asker, Timestamp::from_ms(0))
    }

    /// The skus that are asked for next, as many as may be under way.
    fn next(queue: &Arc<Queue>) -> Vec<UnderWay> {
        std::iter::from_fn(|| queue.next()).collect()
    }

    #[test]
    fn thirty_thousand_questions_of_one_address_keep_no_other_waiting() {
        let queue = Arc::<Queue>::default();
        let join = |sku: &str, asker| join(&queue, sku, Rank::Named, asker);
        let flood: Vec<_> = (0..60)
            .flat_map(|cart| (0..500).map(move |n| (cart, format!("{cart}-{n}"))))
            .filter_map(|(cart, sku)| join(&sku, asker(1, cart)))
            .collect();
        assert_eq!(flood.len(), WAITING_OF_ONE, "what is over its share does not wait");
        let under_way = next(&queue);
        assert_eq!(under_way.len(), UNDER_WAY_OF_ONE, "nor do all places go to one address");
        let _other = join("mug", asker(2, 200)).unwrap();
        let mug = queue.next().unwrap();
        assert_eq!(&*mug.sku, "mug");
        drop((under_way, mug));
        assert_eq!(queue.0.lock().under_way.of(&()), 0);
    }

    #[test]
    fn carts_behind_one_address_have_their_turns_too() {
        let queue = Arc::<Queue>::default();
        let join = |sku: &str, cart| join(&queue, sku, Rank::Named, asker(1, cart)).unwrap();
        let _long: Vec<_> = (0..500).map(|n| join(&n.to_string(), 1)).collect();
        let _short = join("mug", 2);
        assert_eq!(&*next(&queue)[1].sku, "mug");
    }

    #[test]
    fn what_stands_in_carts_goes_first_and_still_leaves_a_turn_in_four() {
        let queue = Arc::<Queue>::default();
        let (mut named, mut stands) = (Vec::new(), Vec::new());
        for n in 0..40 {
            named.push(join(&queue, &format!("named-{n}"), Rank::Named, asker(n, 1)).unwrap());
            stands.push(join(&queue, &format!("stands-{n}"), Rank::Stands, asker(n, 1)).unwrap());
        }
        let first = next(&queue);
        let named = first.iter().filter(|question| question.sku.starts_with("named")).count();
        assert_eq!((first.len(), named), (UNDER_WAY_MAX, UNDER_WAY_MAX / TURNS));
        assert!(first[0].sku.starts_with("stands"));
    }

    #[test]
    fn who_gave_up_asks_no_more_and_takes_no_room() {
        let queue = Arc::<Queue>::default();
        let join = |sku: &str, cart| join(&queue, sku, Rank::Named, asker(1, cart)).unwrap();
        let (lamp, pen) = (join("lamp", 1), join("pen", 1));
        let (mug, again) = (join("mug", 2), join("mug", 3));
        drop((lamp, mug));
        let asked: Vec<_> = next(&queue).into_iter().map(|question| question.sku.to_string()).collect();
        assert_eq!(asked, ["pen", "mug"], "the other who wants a mug asks in its place");
        drop((pen, again));
        let waiting = queue.0.lock();
        assert!(
            waiting.wanted.is_empty() && waiting.waiting.0.is_empty() && waiting.waiting_for.0.is_empty()
        );
        assert!(waiting.under_way.0.is_empty() && waiting.under_way_of.0.is_empty());
    }

    #[test]
    fn one_sku_is_asked_for_once_and_all_who_wait_are_told() {
        let queue = Arc::<Queue>::default();
        let join = |cart| join(&queue, "mug", Rank::Named, asker(1, cart)).unwrap();
        let before = [join(1), join(2)];
        let [question] = <[UnderWay; 1]>::try_from(next(&queue)).unwrap_or_else(|_| panic!("asked twice"));
        let late = join(3);
        assert!(queue.next().is_none());
        question.tell(Lookup::Unknown);
        drop(question);
        assert!(
            before.iter().chain([&late]).all(|listener| matches!(listener.told(), Some(Lookup::Unknown)))
        );
    }

    #[tokio::test]
    async fn who_is_sent_away_waits_for_nothing() {
        let queue = Arc::<Queue>::default();
        let mut mug = join(&queue, "mug", Rank::Stands, asker(1, 1)).unwrap();
        queue.send_away();
        assert!(queue.next().is_none());
        mug.heard().await;
        assert!(mug.told().is_none());
        drop(mug);
        assert!(queue.0.lock().waiting.0.is_empty());
    }
}
