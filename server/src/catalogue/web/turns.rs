//! Lines that are served in turns: one of each, and then one of each again, however long any of them is.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// What can wait in turn: a queue, or lines that are served in turns themselves.
pub(crate) trait Line: Default {
    fn is_empty(&self) -> bool;
}

impl<T> Line for VecDeque<T> {
    fn is_empty(&self) -> bool {
        VecDeque::is_empty(self)
    }
}

/// The lines, by whose they are. An empty one is none.
#[derive(Debug)]
pub(crate) struct Turns<K, L> {
    order: VecDeque<K>,
    lines: HashMap<K, L>,
}

impl<K, L> Default for Turns<K, L> {
    fn default() -> Turns<K, L> {
        Turns { order: VecDeque::new(), lines: HashMap::new() }
    }
}

impl<K, L> Line for Turns<K, L> {
    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl<K: Copy + Eq + Hash, L: Line> Turns<K, L> {
    /// The line of `key`, for somebody to join; a new one is the last to be served.
    pub(crate) fn line(&mut self, key: K) -> &mut L {
        match self.lines.entry(key) {
            Entry::Occupied(line) => line.into_mut(),
            Entry::Vacant(line) => {
                self.order.push_back(key);
                line.insert(L::default())
            }
        }
    }

    /// Serves the first whose turn it is of those that may be served.
    pub(crate) fn next<T>(
        &mut self,
        may: impl Fn(&K) -> bool,
        serve: impl FnOnce(&mut L) -> Option<T>,
    ) -> Option<T> {
        let place = self.order.iter().position(may)?;
        let key = self.order.remove(place)?;
        let line = self.lines.get_mut(&key)?;
        let served = serve(line);
        if line.is_empty() {
            self.lines.remove(&key);
        } else {
            self.order.push_back(key);
        }
        served
    }

    /// Lets somebody leave the line of `key`.
    pub(crate) fn leave<T>(&mut self, key: K, from: impl FnOnce(&mut L) -> Option<T>) -> Option<T> {
        let line = self.lines.get_mut(&key)?;
        let left = from(line);
        if line.is_empty() {
            self.lines.remove(&key);
            self.order.retain(|other| *other != key);
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_turn_and_one_that_was_left_is_none() {
        let mut turns: Turns<char, VecDeque<u32>> = Turns::default();
        for (key, n) in [('a', 1), ('a', 2), ('a', 3), ('b', 4), ('c', 5), ('b', 6)] {
            turns.line(key).push_back(n);
        }
        turns.leave('c', VecDeque::pop_front);
        let served: Vec<_> = std::iter::from_fn(|| turns.next(|_| true, VecDeque::pop_front)).collect();
        assert_eq!(served, [1, 4, 2, 6, 3]);
        assert!(turns.is_empty() && turns.order.is_empty());
        turns.line('a').push_back(1);
        turns.line('b').push_back(2);
        assert_eq!(turns.next(|key| *key == 'b', VecDeque::pop_front), Some(2));
        assert_eq!(turns.next(|key| *key == 'b', VecDeque::pop_front), None);
    }
}
