//! How much of something is held: by each address and by all together, and neither may be more than its bound (SESSION.md, S37).

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::service::limits::addresses::Source;

/// How many locks share the addresses.
const SHARDS: usize = 16;

/// What is held of one thing.
pub struct Shares {
    most: usize,
    each: usize,
    all: AtomicUsize,
    /// Addresses that hold some, so there are never more of them than is held.
    shards: Vec<Mutex<HashMap<Source, usize>>>,
    hasher: RandomState,
}

/// What one holds; dropped, it is free again.
pub struct Share {
    shares: Arc<Shares>,
    of: Option<Source>,
    held: usize,
}

/// No more is to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// By this address, which holds its share.
    #[error("the address holds its share")]
    Address,
    /// By anybody.
    #[error("all is held")]
    All,
}

impl Shares {
    /// So many in all, and so many for each address.
    pub fn new(most: usize, each: usize) -> Arc<Shares> {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Arc::new(Shares { most, each, all: AtomicUsize::new(0), shards, hasher: RandomState::new() })
    }

    /// Takes so much; in no address's name where it has no share to keep to.
    pub fn take(self: &Arc<Self>, of: Option<Source>, n: usize) -> Result<Share, Full> {
        let mut share = Share { shares: Arc::clone(self), of, held: 0 };
        share.grow(n)?;
        Ok(share)
    }

    fn shard(&self, of: Source) -> &Mutex<HashMap<Source, usize>> {
        &self.shards[self.hasher.hash_one(of) as usize % SHARDS]
    }

    fn give_back(&self, of: Option<Source>, n: usize) {
        let Some(of) = of else { return };
        let mut held = self.shard(of).lock();
        if let Some(count) = held.get_mut(&of) {
            *count = count.saturating_sub(n);
            if *count == 0 {
                held.remove(&of);
            }
        }
    }
}

impl Share {
    /// Takes so much more, or nothing.
    pub fn grow(&mut self, by: usize) -> Result<(), Full> {
        if by == 0 {
            return Ok(());
        }
        if let Some(of) = self.of {
            let mut held = self.shares.shard(of).lock();
            let before = held.get(&of).copied().unwrap_or_default();
            if before.saturating_add(by) > self.shares.each {
                return Err(Full::Address);
            }
            held.insert(of, before + by);
        }
        let before = self.shares.all.fetch_add(by, Ordering::Relaxed);
        if before.saturating_add(by) > self.shares.most {
            self.shares.all.fetch_sub(by, Ordering::Relaxed);
            self.shares.give_back(self.of, by);
            return Err(Full::All);
        }
        self.held += by;
        Ok(())
    }

    /// How much it is.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Gives all of it back.
    pub fn let_go(&mut self) {
        if self.held > 0 {
            self.shares.all.fetch_sub(self.held, Ordering::Relaxed);
            self.shares.give_back(self.of, self.held);
            self.held = 0;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({})", self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u8) -> Option<Source> {
        Some(Source::of([192, 0, 2, n].into()))
    }

    #[test]
    fn an_address_takes_its_share_and_all_together_what_there_is() {
        let shares = Shares::new(5, 2);
        let one = [shares.take(address(1), 1).unwrap(), shares.take(address(1), 1).unwrap()];
        assert_eq!(shares.take(address(1), 1).unwrap_err(), Full::Address);
        let two = shares.take(address(2), 2).unwrap();
        let exempt = shares.take(None, 1).unwrap();
        assert_eq!(shares.take(address(3), 1).unwrap_err(), Full::All);
        assert_eq!(shares.take(None, 1).unwrap_err(), Full::All);
        drop((one, two, exempt));
        let mut again = shares.take(address(1), 1).unwrap();
        assert_eq!((again.grow(2), again.grow(1), again.held()), (Err(Full::Address), Ok(()), 2));
    }

    #[test]
    fn who_holds_nothing_is_not_remembered() {
        let shares = Shares::new(usize::MAX, 2);
        for n in 0..=255 {
            let share = shares.take(address(n), 2).unwrap();
            assert_eq!(shares.take(address(n), 1).unwrap_err(), Full::Address);
            drop(share);
        }
        let full = Shares::new(1, 2);
        let held = full.take(None, 1).unwrap();
        assert_eq!(full.take(address(1), 1).unwrap_err(), Full::All);
        drop(held);
        for shares in [shares, full] {
            assert!(shares.shards.iter().all(|shard| shard.lock().is_empty()));
            assert_eq!(shares.all.load(Ordering::Relaxed), 0);
        }
    }
}
