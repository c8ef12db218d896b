//! How many of each.

use std::collections::HashMap;
use std::hash::Hash;

/// How many of each; none of something is not kept.
pub(crate) struct Tally<K>(HashMap<K, usize>);

impl<K> Default for Tally<K> {
    fn default() -> Tally<K> {
        Tally(HashMap::new())
    }
}

impl<K: Eq + Hash> Tally<K> {
    pub(crate) fn of(&self, key: &K) -> usize {
        self.0.get(key).copied().unwrap_or_default()
    }

    pub(crate) fn add(&mut self, key: K, by: isize) {
        let now = self.of(&key).saturating_add_signed(by);
        if now == 0 {
            self.0.remove(&key);
        } else {
            self.0.insert(key, now);
        }
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
