//! A limit on how often something may happen to whom: so many within a time, and then one whenever a place becomes free.
//!
//! Each key has one number, when all its places are free again (the generic cell rate algorithm). What must not be counted
//! is given back. Bounded: the keys unseen longest leave, and begin anew.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};

use parking_lot::Mutex;
use trolley_core::time::Span;

use crate::service::running::Running;

/// How many locks share the keys.
const SHARDS: usize = 16;

/// So many within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What it is called in answers: a word.
    pub name: &'static str,
    /// How many.
    pub most: u32,
    /// Within this time; a place becomes free each `within / most`.
    pub within: Span,
}

/// How a key stands with its quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaState {
    /// Which quota.
    pub quota: Quota,
    /// How many more may follow at once.
    pub remaining: u32,
    /// When all places are free again, if nothing follows.
    pub full_again_in: Span,
    /// When the next place is free; at once where some are.
    pub next_in: Span,
}

/// A quota for each key.
pub struct Limiter<K> {
    quota: Quota,
    shards: Vec<Mutex<Shard<K>>>,
    hasher: RandomState,
    /// How many keys a generation of a shard holds.
    generation: usize,
}

/// When all places of a key are free again, in microseconds. Two generations: when the young one is full it becomes the old
/// one, and what was not touched since the last turn leaves.
struct Shard<K> {
    young: HashMap<K, u64>,
    old: HashMap<K, u64>,
}

impl<K: Copy + Eq + Hash> Limiter<K> {
    /// A quota for each of about `most` keys at a time.
    pub fn new(quota: Quota, most: usize) -> Limiter<K> {
        let shard = || Mutex::new(Shard { young: HashMap::new(), old: HashMap::new() });
        Limiter {
            quota,
            shards: (0..SHARDS).map(|_| shard()).collect(),
            hasher: RandomState::new(),
            generation: (most / SHARDS / 2).max(1),
        }
    }

    /// Takes a place. Where none is free nothing is counted: who keeps on asking does not wait the longer for it.
    pub fn take(&self, key: K, now: Running) -> Result<QuotaState, QuotaState> {
        let now_us = us(now);
        self.with(key, |full_at| {
            let taken = (*full_at).max(now_us) + self.place_us();
            if taken - now_us > self.within_us() {
                return Err(self.standing(*full_at, now_us));
            }
            *full_at = taken;
            Ok(self.standing(taken, now_us))
        })
    }

    /// Gives a place back: what it was taken for turned out to be none of what is counted.
    pub fn give_back(&self, key: K) {
        self.with(key, |full_at| *full_at = full_at.saturating_sub(self.place_us()));
    }

    fn standing(&self, full_at: u64, now: u64) -> QuotaState {
        let taken = full_at.saturating_sub(now);
        let free = self.within_us().saturating_sub(taken);
        let remaining = u32::try_from(free / self.place_us()).unwrap_or(u32::MAX).min(self.quota.most);
        let next = if remaining > 0 { 0 } else { self.place_us().saturating_sub(free) };
        let span = |us: u64| Span::from_ms(us.div_ceil(1_000));
        QuotaState { quota: self.quota, remaining, full_again_in: span(taken), next_in: span(next) }
    }

    fn with<T>(&self, key: K, change: impl FnOnce(&mut u64) -> T) -> T {
        let mut shard = self.shards[self.hasher.hash_one(key) as usize % SHARDS].lock();
        if let Some(full_at) = shard.young.get_mut(&key) {
            return change(full_at);
        }
        let mut full_at = shard.old.remove(&key).unwrap_or_default();
        let result = change(&mut full_at);
        if shard.young.len() >= self.generation {
            shard.old = std::mem::take(&mut shard.young);
        }
        shard.young.insert(key, full_at);
        result
    }

    fn within_us(&self) -> u64 {
        self.quota.within.as_ms().saturating_mul(1_000)
    }

    fn place_us(&self) -> u64 {
        (self.within_us() / u64::from(self.quota.most.max(1))).max(1)
    }
}

fn us(at: Running) -> u64 {
    at.as_ms().saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: Quota = Quota { name: "three", most: 3, within: Span::from_s(60) };

    fn at(seconds: u64) -> Running {
        Running::from_ms(1_700_000_000_000 + 1_000 * seconds)
    }

    #[test]
    fn so_many_may_follow_at_once_and_then_one_whenever_a_place_is_free() {
        let limiter = Limiter::new(THREE, 1_000);
        let remaining =
            |seconds| limiter.take(1, at(seconds)).map(|standing| standing.remaining).map_err(|s| s.next_in);
        assert_eq!([remaining(0), remaining(0), remaining(0)], [Ok(2), Ok(1), Ok(0)]);
        assert_eq!(remaining(0), Err(Span::from_s(20)));
        assert_eq!(remaining(19), Err(Span::from_s(1)), "asking in vain counts nothing");
        assert_eq!((remaining(20), remaining(20)), (Ok(0), Err(Span::from_s(20))));
        assert_eq!(remaining(100), Ok(2), "after a rest all places are free");
    }

    #[test]
    fn keys_do_not_share_and_what_is_given_back_is_not_counted() {
        let limiter = Limiter::new(THREE, 1_000);
        for _ in 0..100 {
            assert_eq!(limiter.take(1, at(0)).unwrap().remaining, 2);
            limiter.give_back(1);
        }
        assert_eq!(limiter.take(1, at(0)).unwrap().full_again_in, Span::from_s(20));
        assert_eq!(limiter.take(2, at(0)).unwrap().remaining, 2);
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_frees_nothing() {
        let limiter = Limiter::new(THREE, 1_000);
        assert!((0..3).all(|_| limiter.take(1, at(100)).is_ok()));
        assert!(limiter.take(1, at(100)).is_err() && limiter.take(1, at(0)).is_err());
    }

    #[test]
    fn a_million_keys_take_no_more_room_than_was_given_and_the_busy_ones_stay() {
        let limiter = Limiter::new(THREE, 1_024);
        assert!((0..3).all(|_| limiter.take(u32::MAX, at(0)).is_ok()));
        for key in 0..1_000_000 {
            let _ = limiter.take(key, at(0));
            if key % 8 == 0 {
                assert!(limiter.take(u32::MAX, at(0)).is_err(), "a key in use is forgotten at {key}");
            }
        }
        let held: usize =
            limiter.shards.iter().map(|shard| shard.lock()).map(|s| s.young.len() + s.old.len()).sum();
        assert!(held <= 1_024 + SHARDS, "{held}");
    }
}
