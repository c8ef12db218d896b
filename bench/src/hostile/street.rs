//! Where neighbours live, what they come for, and when it is whose turn.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::book::{Book, Kind, Verdict};

/// So many addresses are theirs, from this one on.
pub(super) const ADDRESSES: u8 = 10;
const FIRST: u8 = 10;

/// The address of neighbour `n`.
pub(super) fn address(n: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, FIRST + (n % usize::from(ADDRESSES)) as u8)
}

/// The e-mail addresses of so many accounts, none of which a server had before.
pub(super) fn emails(many: usize) -> Vec<String> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let stamp = since.as_nanos() as u64;
    (0..many).map(|n| format!("neighbour-{stamp:x}-{n}@shop.example")).collect()
}

/// What all neighbours know.
#[derive(Debug)]
pub(super) struct Street {
    pub(super) server: SocketAddr,
    /// Since when prices move.
    pub(super) opened: Instant,
    pub(super) book: Mutex<Book>,
    /// Nothing that is new to the catalogue has a name that was used before.
    pub(super) names: AtomicU64,
}

impl Street {
    /// Notes what came of a request that should have begun at `due`.
    pub(super) fn note(&self, kind: Kind, due: Instant, verdict: Verdict) {
        let now = Instant::now();
        self.book.lock().unwrap_or_else(PoisonError::into_inner).note(kind, due, now, verdict);
    }

    /// A number that was not used before.
    pub(super) fn name(&self) -> u64 {
        self.names.fetch_add(1, Ordering::Relaxed)
    }
}

/// What a neighbour came for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NeighbourErrand {
    /// Looks into its cart now and then.
    Look,
    /// Puts things in: known ones, ones that nobody asked for yet, and ones that are not there.
    Fill,
    /// Comes, fills a cart, looks at it and orders.
    Buy,
    /// Comes with something in the cart and signs in.
    SignIn,
    /// Opens a stream of its cart's events, and watches it until it opens the next.
    Watch,
    /// Asks after the server's health.
    Probe,
}

impl NeighbourErrand {
    /// What it begins with.
    pub(super) fn kind(self) -> Kind {
        match self {
            NeighbourErrand::Look => Kind::Read,
            NeighbourErrand::Fill => Kind::Add,
            NeighbourErrand::Buy | NeighbourErrand::SignIn => Kind::Arrive,
            NeighbourErrand::Watch => Kind::Watch,
            NeighbourErrand::Probe => Kind::Probe,
        }
    }
}

/// The even distances at which neighbours of one errand begin, whoever is free.
#[derive(Debug)]
pub(super) struct Turns {
    pub(super) from: Instant,
    pub(super) until: Instant,
    pub(super) every: Duration,
    pub(super) next: AtomicU64,
}

impl Turns {
    /// The next one's moment.
    pub(super) fn take(&self) -> Option<Instant> {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let due =
            self.from + Duration::from_nanos(u64::try_from(self.every.as_nanos()).ok()?.saturating_mul(n));
        (due < self.until).then_some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_taken_at_even_distances_until_the_end() {
        let from = Instant::now();
        let every = Duration::from_millis(10);
        let turns = Turns { from, until: from + Duration::from_millis(25), every, next: AtomicU64::new(0) };
        let taken: Vec<_> = std::iter::from_fn(|| turns.take()).map(|due| due - from).collect();
        assert_eq!(taken, [0, 10, 20].map(Duration::from_millis));
    }
}
