//! Damaged records: each that is met is named in the log once and counted, so that who watches knows, and whoever goes through
//! many records goes on with the others.

use std::collections::BTreeSet;
use std::fmt;

use parking_lot::Mutex;

use crate::port::StoreError;
use crate::records::{Key, Kind};

/// How many damaged records are told apart. Of a store with more of them nobody reads a list.
pub const MET_MAX: usize = 10_000;
/// How many bytes of an id that nobody knows are told.
const STRAY_BYTES_SHOWN: usize = 64;
/// How many are named where a command tells which they are.
const NAMED_MAX: usize = 100;

/// A row that is no record's: there is no such kind, or its kind has no such ids. Whatever it was, its name is damaged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stray {
    kind: String,
    id: String,
}

impl Stray {
    /// The row of this kind and id, as far as they are told.
    pub(crate) fn new(kind: impl Into<String>, id: &[u8]) -> Stray {
        let shown = id.iter().take(STRAY_BYTES_SHOWN).map(|byte| format!("{byte:02x}"));
        Stray { kind: kind.into(), id: shown.collect() }
    }
}

/// `kind -126, id 00ff…`.
impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kind {}, id {}", self.kind, self.id)
    }
}

/// The damaged records that were met since the store was opened.
#[derive(Default)]
pub struct Book(Mutex<BTreeSet<Key>>, Mutex<BTreeSet<Stray>>);

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

    /// A row was met that is no record's: it is told once, and passed by.
    pub(crate) fn note_stray(&self, stray: Stray) {
        let mut met = self.1.lock();
        if met.len() >= MET_MAX || met.contains(&stray) {
            return;
        }
        tracing::error!(%stray, "a row of the table is no record's: its name is damaged, and it is left as it is");
        met.insert(stray);
    }

    /// How many rows were met that are no record's, [`MET_MAX`] at most.
    pub fn strays(&self) -> u64 {
        self.1.lock().len() as u64
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
    /// How many rows are no record's, and the first of them.
    pub strays: (u64, Vec<Stray>),
}

impl Damaged {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.strays.0 == 0
    }

    /// One more row that is no record's.
    pub(crate) fn add_stray(&mut self, stray: Stray) {
        self.strays.0 += 1;
        if self.strays.1.len() < NAMED_MAX {
            self.strays.1.push(stray);
        }
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
        let keys = self.keys.iter().map(Key::to_string);
        let strays = self.strays.1.iter().map(|stray| format!("a row that is no record's ({stray})"));
        let (count, named) = (self.count + self.strays.0, keys.chain(strays).collect::<Vec<_>>());
        let are = if count == 1 { "record is" } else { "records are" };
        write!(f, "{count} {are} damaged: {}", named.join(", "))?;
        if count > named.len() as u64 { write!(f, " and others") } else { Ok(()) }
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
