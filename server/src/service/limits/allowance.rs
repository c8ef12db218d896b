//! So much a day: an amount that each key may use up within a time which begins with its first use.
//!
//! A [`Limiter`](crate::service::limits::limiter::Limiter) frees a place whenever one is due; here all of it comes back at once, when the time is
//! over, so that what is promised for a day is what a day takes. Bounded as a limiter is: keys unseen longest leave, and begin anew.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};

use parking_lot::Mutex;
use trolley_core::time::Span;

use crate::service::limits::limiter::{Quota, QuotaState};
use crate::service::running::Running;

/// How many locks share the keys.
const SHARDS: usize = 16;

/// An allowance for each key.
pub struct Allowance<K> {
    quota: Quota,
    shards: Vec<Mutex<Shard<K>>>,
    hasher: RandomState,
    /// How many keys a generation of a shard holds.
    generation: usize,
}

/// Two generations: when the young one is full it becomes the old one, and what was not touched since the last turn leaves.
struct Shard<K> {
    young: HashMap<K, Used>,
    old: HashMap<K, Used>,
}

/// What a key has used.
#[derive(Clone, Copy)]
struct Used {
    since: Running,
    amount: u32,
}

impl<K: Copy + Eq + Hash> Allowance<K> {
    /// An allowance for each of about `keys` keys at a time.
    pub fn new(quota: Quota, keys: usize) -> Allowance<K> {
        let shard = || Mutex::new(Shard { young: HashMap::new(), old: HashMap::new() });
        Allowance {
            quota,
            shards: (0..SHARDS).map(|_| shard()).collect(),
            hasher: RandomState::new(),
            generation: (keys / SHARDS / 2).max(1),
        }
    }

    /// How a key stands; refused where nothing is left.
    pub fn left(&self, key: K, now: Running) -> Result<QuotaState, QuotaState> {
        self.with(key, now, |used| self.standing(*used, now))
    }

    /// Uses `amount`; refused where nothing was left before. Who has anything left may use more than that once: how much
    /// something is, is known only when it is there.
    pub fn take(&self, key: K, amount: u32, now: Running) -> Result<QuotaState, QuotaState> {
        self.with(key, now, |used| {
            self.standing(*used, now)?;
            used.amount = used.amount.saturating_add(amount);
            let (Ok(standing) | Err(standing)) = self.standing(*used, now);
            Ok(standing)
        })
    }

    /// Gives back what was not used after all.
    pub fn give_back(&self, key: K, amount: u32, now: Running) {
        self.with(key, now, |used| used.amount = used.amount.saturating_sub(amount));
    }

    fn standing(&self, used: Used, now: Running) -> Result<QuotaState, QuotaState> {
        let remaining = self.quota.most.saturating_sub(used.amount);
        let ends = used.since + self.quota.within;
        let full_again_in = if used.amount == 0 { Span::default() } else { ends.since(now) };
        let next_in = if remaining == 0 { full_again_in } else { Span::default() };
        let standing = QuotaState { quota: self.quota, remaining, full_again_in, next_in };
        if remaining == 0 { Err(standing) } else { Ok(standing) }
    }

    fn with<T>(&self, key: K, now: Running, change: impl FnOnce(&mut Used) -> T) -> T {
        let mut shard = self.shards[self.hasher.hash_one(key) as usize % SHARDS].lock();
        let Shard { young, old } = &mut *shard;
        if !young.contains_key(&key) {
            let used = old.remove(&key).unwrap_or(Used { since: now, amount: 0 });
            if young.len() >= self.generation {
                *old = std::mem::take(young);
            }
            young.insert(key, used);
        }
        let used = young.entry(key).or_insert(Used { since: now, amount: 0 });
        if used.amount == 0 || now.since(used.since) >= self.quota.within {
            *used = Used { since: now, amount: 0 };
        }
        change(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Quota = Quota { name: "ten", most: 10, within: Span::from_hours(24) };

    fn at(hours: u64) -> Running {
        Running::from_ms(1_700_000_000_000) + Span::from_hours(hours)
    }

    #[test]
    fn a_day_begins_with_the_first_use_and_takes_what_it_takes() {
        let daily = Allowance::new(TEN, 1_000);
        for used in 0..10 {
            assert_eq!(daily.take(1, 1, at(used)).unwrap().remaining, 9 - used as u32);
        }
        let refused = daily.take(1, 1, at(20)).unwrap_err();
        assert_eq!((refused.remaining, refused.next_in), (0, Span::from_hours(4)));
        assert!(daily.left(1, at(23)).is_err() && daily.left(2, at(23)).is_ok(), "another has its own");
        assert_eq!(daily.take(1, 1, at(24)).unwrap().remaining, 9, "the next day");
    }

    #[test]
    fn who_has_anything_left_may_go_over_once_and_what_is_given_back_was_not_used() {
        let daily = Allowance::new(TEN, 1_000);
        assert_eq!(daily.take(1, 9, at(0)).unwrap().remaining, 1);
        assert_eq!(daily.take(1, 500, at(0)).unwrap().remaining, 0);
        assert!(daily.take(1, 1, at(23)).is_err());
        daily.give_back(1, 500, at(23));
        assert_eq!(daily.left(1, at(23)).unwrap().remaining, 1);
    }

    #[test]
    fn a_million_keys_take_no_more_room_than_was_given_and_the_busy_ones_stay() {
        let daily = Allowance::new(TEN, 1_024);
        daily.take(u32::MAX, 10, at(0)).unwrap();
        for key in 0..1_000_000 {
            let _ = daily.take(key, 1, at(0));
            if key % 8 == 0 {
                assert!(daily.left(u32::MAX, at(0)).is_err(), "a key in use is forgotten at {key}");
            }
        }
        let held: usize =
            daily.shards.iter().map(|shard| shard.lock()).map(|s| s.young.len() + s.old.len()).sum();
        assert!(held <= 1_024 + SHARDS, "{held}");
    }
}
