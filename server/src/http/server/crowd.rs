//! The connections that are open. Of an address's share, and of all, none is ever refused while another only waits for its
//! client: the one that has waited longest gives way. A reserve answers the probes whoever else is there (SESSION.md, S37).

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::http::problem::code::Code;
use crate::http::server::turn::Turn;
use crate::service::limits::addresses::Source;

/// Connections beside the others, on which nothing but the probes is answered.
const RESERVE: usize = 32;

/// The connections of one listener.
pub struct Crowd {
    most: usize,
    each: usize,
    /// Counts connections, and how often one began to wait: which of two has waited longer.
    ticks: AtomicU64,
    open: Mutex<Book>,
    reserve: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    of: HashMap<Source, Held>,
    all: usize,
}

/// What one address has open.
#[derive(Default)]
struct Held {
    /// A trusted proxy speaks for many: it has no share to keep to, and gives way last.
    is_proxy: bool,
    open: HashMap<u64, Arc<Connection>>,
}

/// An open connection.
pub struct Connection {
    id: u64,
    source: Source,
    crowd: Arc<Crowd>,
    /// What a request on it is told that is none of a probe's.
    refuses: Option<Code>,
    /// Since when its client is waited for; zero while something is done for it.
    waits_since: AtomicU64,
    gives_way: AtomicBool,
    gone: Notify,
    /// Shared with its socket.
    pub turn: Arc<Turn>,
}

/// A connection's place; dropped, it is free again.
pub struct Ticket(pub Arc<Connection>);

impl Crowd {
    /// Room for so many in all, and so many for each address that is no trusted proxy.
    pub fn new(most: usize, each: usize) -> Arc<Crowd> {
        let (open, reserve) = (Mutex::default(), Mutex::default());
        Arc::new(Crowd { most, each, ticks: AtomicU64::new(1), open, reserve })
    }

    /// Lets a connection in. None where even the reserve has no room.
    pub fn enter(self: &Arc<Self>, source: Source, is_proxy: bool) -> Option<Ticket> {
        let mut open = self.open.lock();
        let refuses = if !is_proxy && open.held(source) >= self.each && !open.make_room_of(source) {
            Some(Code::TooManyAtOnce)
        } else if open.all >= self.most && !open.make_room() {
            Some(Code::Overloaded)
        } else {
            None
        };
        let connection = Arc::new(Connection {
            id: self.tick(),
            source,
            crowd: Arc::clone(self),
            refuses,
            waits_since: AtomicU64::new(self.tick()),
            gives_way: AtomicBool::new(false),
            gone: Notify::new(),
            turn: Arc::default(),
        });
        if refuses.is_none() {
            open.insert(&connection, is_proxy);
            return Some(Ticket(connection));
        }
        drop(open);
        let mut reserve = self.reserve.lock();
        if reserve.all >= RESERVE && !reserve.make_room() {
            return None;
        }
        reserve.insert(&connection, is_proxy);
        Some(Ticket(connection))
    }

    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed)
    }

    fn book(&self, connection: &Connection) -> &Mutex<Book> {
        if connection.refuses.is_some() { &self.reserve } else { &self.open }
    }
}

impl Book {
    fn held(&self, source: Source) -> usize {
        self.of.get(&source).map_or(0, |held| held.open.len())
    }

    fn insert(&mut self, connection: &Arc<Connection>, is_proxy: bool) {
        let held = self.of.entry(connection.source).or_default();
        held.is_proxy = is_proxy;
        held.open.insert(connection.id, Arc::clone(connection));
        self.all += 1;
    }

    fn remove(&mut self, source: Source, id: u64) {
        let Some(held) = self.of.get_mut(&source) else { return };
        if held.open.remove(&id).is_some() {
            self.all -= 1;
        }
        if held.open.is_empty() {
            self.of.remove(&source);
        }
    }

    /// The one of that address which has waited longest for its client gives way. False where all are at work.
    fn make_room_of(&mut self, source: Source) -> bool {
        let Some(held) = self.of.get(&source) else { return false };
        let waiting =
            held.open.values().filter_map(|connection| Some((connection.waits_since()?, connection)));
        let Some((_, longest)) = waiting.min_by_key(|(since, _)| *since) else { return false };
        let longest = Arc::clone(longest);
        self.remove(source, longest.id);
        longest.give_way();
        true
    }

    /// One of the address that has most, of several the one that waited longest; of trusted proxies only where nobody else has
    /// one to spare.
    fn make_room(&mut self) -> bool {
        let most = self.of.iter().filter_map(|(source, held)| {
            let longest = held.open.values().filter_map(|connection| connection.waits_since()).min()?;
            Some((!held.is_proxy, held.open.len(), Reverse(longest), *source))
        });
        let most = most.max_by_key(|(is_nobodys, open, longest, _)| (*is_nobodys, *open, *longest));
        most.is_some_and(|(_, _, _, source)| self.make_room_of(source))
    }
}

impl Connection {
    /// Its client is waited for from now on, to send or to read: it may have to give way.
    pub fn wait(&self) {
        let _ = self.waits_since.compare_exchange(0, self.crowd.tick(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Something is done for it.
    pub fn work(&self) {
        self.waits_since.store(0, Ordering::Relaxed);
    }

    fn waits_since(&self) -> Option<u64> {
        Some(self.waits_since.load(Ordering::Relaxed)).filter(|since| *since > 0)
    }

    /// What a request on it is told, where it is of the reserve.
    pub fn refuses(&self) -> Option<Code> {
        self.refuses
    }

    /// Whether it has to give way.
    pub fn gives_way(&self) -> bool {
        self.gives_way.load(Ordering::Relaxed)
    }

    fn give_way(&self) {
        self.gives_way.store(true, Ordering::Relaxed);
        self.gone.notify_one();
    }

    /// Until it has to give way.
    pub async fn gone(&self) {
        self.gone.notified().await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Ticket(connection) = self;
        connection.crowd.book(connection).lock().remove(connection.source, connection.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u8) -> Source {
        Source::of([192, 0, 2, n].into())
    }

    fn enter(crowd: &Arc<Crowd>, n: u8) -> Ticket {
        crowd.enter(address(n), false).unwrap()
    }

    #[test]
    fn of_an_address_the_one_that_waits_longest_for_its_client_gives_way() {
        let crowd = Crowd::new(100, 3);
        let [busy, slow, fresh, other] = [1, 1, 1, 2].map(|n| enter(&crowd, n));
        busy.0.work();
        let next = enter(&crowd, 1);
        assert!(slow.0.gives_way() && next.0.refuses().is_none());
        assert!(![&busy, &fresh, &other].into_iter().any(|ticket| ticket.0.gives_way()));
        drop(slow);
        fresh.0.work();
        next.0.work();
        assert_eq!(enter(&crowd, 1).0.refuses(), Some(Code::TooManyAtOnce), "all are at work");
        assert_eq!(enter(&crowd, 2).0.refuses(), None);
        fresh.0.wait();
        assert_eq!(enter(&crowd, 1).0.refuses(), None);
        assert!(fresh.0.gives_way());
    }

    #[test]
    fn of_all_one_of_the_address_that_has_most_gives_way_and_a_proxys_last() {
        let crowd = Crowd::new(6, 100);
        let proxys: Vec<_> = (0..3).map(|_| crowd.enter(address(9), true).unwrap()).collect();
        let [one, two, three] = [1, 1, 2].map(|n| enter(&crowd, n));
        let held = enter(&crowd, 3);
        assert!(one.0.gives_way());
        [&two, &three, &held].into_iter().for_each(|ticket| ticket.0.work());
        let four = enter(&crowd, 4);
        assert!(proxys[0].0.gives_way() && four.0.refuses().is_none());
        four.0.work();
        proxys.iter().for_each(|proxy| proxy.0.work());
        assert_eq!(enter(&crowd, 5).0.refuses(), Some(Code::Overloaded));
    }

    #[test]
    fn a_trusted_proxy_has_no_share_to_keep_to() {
        let crowd = Crowd::new(100, 2);
        let proxys: Vec<_> = (0..50).map(|_| crowd.enter(address(9), true).unwrap()).collect();
        assert!(!proxys.iter().any(|ticket| ticket.0.gives_way() || ticket.0.refuses().is_some()));
    }

    #[test]
    fn the_reserve_has_room_for_who_comes_last_and_all_leave_nothing_behind() {
        let crowd = Crowd::new(1, 1);
        let busy = enter(&crowd, 1);
        busy.0.work();
        let mut reserved: Vec<Ticket> = Vec::new();
        for n in 0..1_000 {
            let ticket = enter(&crowd, (n % 7) as u8);
            assert!(ticket.0.refuses().is_some());
            reserved.push(ticket);
            assert!(crowd.reserve.lock().all <= RESERVE);
        }
        assert_eq!(reserved.iter().filter(|ticket| !ticket.0.gives_way()).count(), RESERVE);
        drop((busy, reserved));
        for book in [&crowd.open, &crowd.reserve] {
            let book = book.lock();
            assert!(book.of.is_empty() && book.all == 0);
        }
    }
}
