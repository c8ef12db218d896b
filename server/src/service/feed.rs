//! The ids by which a feed is followed: each is above all that were minted before it, and what is shown of the feed stops short
//! of the first whose commit is still under way. So nothing ever comes up behind the last one that a follower saw.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OnceCell;
use trolley_core::ids::{uuid_v7, uuid_v7_head, uuid_v7_with_head};
use trolley_core::time::Timestamp;
use trolley_store::port::{Direction, Listing};
use trolley_store::records::Kind;

use crate::service::Service;
use crate::service::error::ServiceError;

/// The feeds that the shop's systems follow, each once its newest id was looked up.
#[derive(Default)]
pub(crate) struct Feeds {
    orders: OnceCell<Arc<Feed>>,
    events: OnceCell<Arc<Feed>>,
}

/// The ids of one kind of record that this process mints. All who write to a store mint here: it is one process that holds it.
pub(crate) struct Feed(Mutex<Heads>);

/// A head is what an id's order hangs on: its milliseconds, and the twelve bits that follow them.
struct Heads {
    /// The highest there was. Minted ones are above it.
    last: u64,
    /// Those whose commit is not over.
    under_way: BTreeSet<u64>,
}

/// That an id was minted, and may yet be committed: whoever commits it holds this until that is over.
pub(crate) struct Minted {
    feed: Arc<Feed>,
    head: u64,
}

impl Service {
    /// The feed of orders.
    pub(crate) async fn order_feed(&self) -> Result<&Arc<Feed>, ServiceError> {
        self.feeds.orders.get_or_try_init(|| self.feed_of(Kind::Order)).await
    }

    /// The feed of the audit's events.
    pub(crate) async fn event_feed(&self) -> Result<&Arc<Feed>, ServiceError> {
        self.feeds.events.get_or_try_init(|| self.feed_of(Kind::Audit)).await
    }

    async fn feed_of(&self, kind: Kind) -> Result<Arc<Feed>, ServiceError> {
        let listing = Listing { direction: Direction::Descending, ..Listing::all(kind) };
        let newest = self.store.list(listing, 1).await?.first().map(|newest| newest.record.key());
        // One that is damaged was shown to followers before it was: the next is behind it all the same.
        let damaged = self.store.activity().damaged.into_iter().filter(|key| key.kind() == kind);
        let newest = newest.into_iter().chain(damaged).max();
        Ok(Feed::behind(newest.and_then(|newest| newest.id().try_into().ok())))
    }
}

impl Feed {
    /// One that goes on behind the newest id in the store, also where the clock was set back meanwhile.
    pub(crate) fn behind(newest: Option<[u8; 16]>) -> Arc<Feed> {
        let last = newest.map_or(0, |id| uuid_v7_head(&id));
        Arc::new(Feed(Mutex::new(Heads { last, under_way: BTreeSet::new() })))
    }

    /// The next id: of this time, or where there was one as high already, of the time that comes behind it.
    pub(crate) fn mint(self: &Arc<Self>, now: Timestamp, random: [u8; 10]) -> ([u8; 16], Minted) {
        let mut heads = self.0.lock();
        let head = uuid_v7_head(&uuid_v7(now, random)).max(heads.last + 1);
        heads.last = head;
        heads.under_way.insert(head);
        (uuid_v7_with_head(head, random), Minted { feed: Arc::clone(self), head })
    }

    /// What can be shown of what the store is asked for after this call: whoever is told of these ids misses none below them.
    pub(crate) fn settled(&self, now: Timestamp) -> Settled {
        let mut heads = self.0.lock();
        heads.last = heads.last.max(uuid_v7_head(&uuid_v7(now, [0; 10])));
        let below = heads.under_way.first().copied().unwrap_or(heads.last + 1);
        Settled { below }
    }
}

/// Up to where a feed is whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settled {
    below: u64,
}

impl Settled {
    /// Whether this id can be shown.
    pub(crate) fn holds(self, id: &[u8; 16]) -> bool {
        uuid_v7_head(id) < self.below
    }
}

impl Drop for Minted {
    fn drop(&mut self) {
        self.feed.0.lock().under_way.remove(&self.head);
    }
}

impl fmt::Debug for Minted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Minted")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    #[test]
    fn each_id_is_above_all_before_it_whatever_the_clock_and_the_bytes_say() {
        let feed = Feed::behind(None);
        let mut before = [0; 16];
        for n in 0..10_000_u64 {
            // All in three milliseconds, by a clock that runs back and forth.
            let at = Timestamp::from_ms(NOW.as_ms() + n % 3);
            let (id, _) = feed.mint(at, [(255 - n % 256) as u8; 10]);
            assert!(id > before, "{n}");
            assert_eq!((id[6] >> 4, id[8] >> 6), (7, 2), "a UUIDv7");
            before = id;
        }
        let (id, _) = Feed::behind(Some(before)).mint(Timestamp::from_ms(5), [0; 10]);
        assert!(id > before, "the clock was set back before the start");
    }

    #[test]
    fn an_id_of_its_own_millisecond_is_the_plain_one() {
        let (id, _) = Feed::behind(None).mint(NOW, [0xab; 10]);
        assert_eq!(id, uuid_v7(NOW, [0xab; 10]));
    }

    #[test]
    fn what_is_shown_stops_short_of_what_is_under_way() {
        let feed = Feed::behind(None);
        let ((one, first), (two, second), (three, third)) =
            (feed.mint(NOW, [1; 10]), feed.mint(NOW, [1; 10]), feed.mint(NOW, [1; 10]));
        let shown = || [one, two, three].map(|id| feed.settled(NOW).holds(&id));
        drop((first, third));
        assert_eq!(shown(), [true, false, false]);
        drop(second);
        assert_eq!(shown(), [true, true, true]);
    }

    #[test]
    fn what_is_minted_after_a_look_is_behind_all_that_it_shows() {
        let feed = Feed::behind(None);
        let settled = feed.settled(NOW);
        let (late, _) = feed.mint(NOW, [0; 10]);
        assert!(!settled.holds(&late), "in the same millisecond, and committed before the store is asked");
        assert!(
            settled.holds(&uuid_v7(Timestamp::from_ms(NOW.as_ms() - 1), [0xff; 10])),
            "of an earlier run"
        );
    }
}
