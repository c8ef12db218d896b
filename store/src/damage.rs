//! Damaged records: each that is met is named in the log once and counted, so that who watches knows, and whoever goes through
//! many records goes on with the others.

use std::collections::BTreeSet;
use std::fmt;

use parking_lot::Mutex;

use crate::port::StoreError;
use crate::records::{Key, Kind};

/// How many damaged records are told apart. Of a store with more of them nobody reads a list.
pub const MET_MAX: usize = 10_000;
/// How many are named where a command tells which they are.
const NAMED_MAX: usize = 100;

/// The damaged records that were met since the store was opened.
#[derive(Default)]
pub struct Book(Mutex<BTreeSet<Key>>);

impl Book {
    /// One was met, if that is what the error says: the first time it is named in the log, by its key and without its content.
    pub fn note(&self, error: &StoreError) {
        let StoreError::Damaged { key, what } = error else { return };
        let mut met = self.0.lock();
        if met.len() >= MET_MAX || !met.insert(*key) {
            return;
        }
        tracing::error!(%key, %what, "a record is damaged: it is left as it is");
        if met.len() == MET_MAX {
            tracing::error!(MET_MAX, "so many records are damaged: no more of them are named or counted");
        }
    }

    /// All of them, [`MET_MAX`] at most.
    pub fn met(&self) -> Vec<Key> {
        self.0.lock().iter().copied().collect()
    }
}

/// The damaged records that a command met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damaged {
    /// How many.
    pub count: u64,
    /// The first of them, a hundred at most.
    pub keys: Vec<Key>,
    /// How many of them are carts, and how many sessions: those are counted by who holds them, which nobody can read any more.
    pub(crate) uncounted: (u64, u64),
}

impl Damaged {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// One more.
    pub(crate) fn add(&mut self, key: Key) {
        self.count += 1;
        match key.kind() {
            Kind::Cart => self.uncounted.0 += 1,
            Kind::Session => self.uncounted.1 += 1,
            _ => {}
        }
        if self.keys.len() < NAMED_MAX {
            self.keys.push(key);
        }
    }
}

/// `2 records are damaged: Cart(…), Order(…)`.
impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.keys.iter().map(Key::to_string).collect();
        let are = if self.count == 1 { "record is" } else { "records are" };
        write!(f, "{} {are} damaged: {}", self.count, keys.join(", "))?;
        if self.count > self.keys.len() as u64 { write!(f, " and others") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use trolley_core::ids::SessionId;

    use super::*;

    #[test]
    fn each_is_kept_once_and_no_more_than_a_bounded_number() {
        let book = Book::default();
        for n in 0..2 * MET_MAX as u64 {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&(n / 2).to_be_bytes());
            let key = Key::Session(SessionId::from_bytes(id));
            book.note(&StoreError::Damaged { key, what: "a test".into() });
            assert_eq!(book.met().len() as u64, n / 2 + 1);
            if n == 40 {
                break;
            }
        }
        for n in 0..MET_MAX as u64 + 10 {
            let mut id = [1; 16];
            id[..8].copy_from_slice(&n.to_be_bytes());
            let key = Key::Data(SessionId::from_bytes(id));
            book.note(&StoreError::Damaged { key, what: "a test".into() });
        }
        book.note(&StoreError::Down("a test".into()));
        assert_eq!(book.met().len(), MET_MAX);
    }
}
