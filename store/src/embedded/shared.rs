//! What the writer and the readers share: the overlay, a cache of what was read from the tables, and whether the store is up.

use std::path::PathBuf;

use parking_lot::{Mutex, RwLock};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rusqlite::Connection;

use crate::damage::Book;
use crate::port::{CommitError, StoreError};
use crate::record::weight;
use crate::records::counts::Counts;
use crate::records::{Key, Record};

use super::overlay::{Overlay, Slot};
use super::schema::open_for_reading;
use super::tally::Tally;

/// What a reader of the tables runs into.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The engine.
    Engine(rusqlite::Error),
    /// This record.
    Record(StoreError),
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> ReadError {
        ReadError::Engine(error)
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> ReadError {
        ReadError::Record(error)
    }
}

impl From<ReadError> for StoreError {
    fn from(fault: ReadError) -> StoreError {
        match fault {
            ReadError::Engine(error) => StoreError::Down(error.to_string()),
            ReadError::Record(error) => error,
        }
    }
}

impl From<ReadError> for CommitError {
    fn from(fault: ReadError) -> CommitError {
        CommitError::Store(fault.into())
    }
}

/// The shared part.
pub(super) struct Shared {
    state: RwLock<State>,
    cache: Cache<Key, Record, Weigh>,
    readers: Mutex<Vec<Connection>>,
    database: PathBuf,
    pub(super) tally: Tally,
    /// The damaged records that were met.
    pub(super) damage: Book,
}

struct State {
    overlay: Overlay,
    counts: Counts,
    /// Counts how often something left the overlay: what was read from the tables before may be old since.
    epoch: u64,
    /// Why the store is down, if it is.
    down: Option<String>,
}

/// Where a record's newest committed state is.
pub(super) enum Lookup {
    /// Here.
    Here(Option<Record>),
    /// In the tables, as far as is known in this epoch.
    InTables(u64),
}

#[derive(Clone)]
struct Weigh;

impl Weighter<Key, Record> for Weigh {
    fn weight(&self, _: &Key, record: &Record) -> u64 {
        weight(record) as u64
    }
}

/// Bytes of a record as the cache's first guess of how many it will hold.
const GUESSED_BYTES: u64 = 1024;

impl Shared {
    pub(super) fn new(database: PathBuf, overlay: Overlay, counts: Counts, cache_mb: u64) -> Shared {
        let bytes = cache_mb.saturating_mul(1 << 20);
        let items = usize::try_from(bytes / GUESSED_BYTES).unwrap_or(usize::MAX);
        Shared {
            state: RwLock::new(State { overlay, counts, epoch: 0, down: None }),
            cache: Cache::with_weighter(items, bytes, Weigh),
            readers: Mutex::default(),
            database,
            tally: Tally::default(),
            damage: Book::default(),
        }
    }

    /// What is known of `key` without reading the tables.
    pub(super) fn known(&self, key: &Key) -> Result<Lookup, StoreError> {
        let state = self.state.read();
        if let Some(why) = &state.down {
            return Err(StoreError::Down(why.clone()));
        }
        if let Some(slot) = state.overlay.get(key) {
            return Ok(Lookup::Here(slot.record.clone()));
        }
        Ok(self.cache.get(key).map_or(Lookup::InTables(state.epoch), |record| Lookup::Here(Some(record))))
    }

    /// Keeps what was read from the tables, unless it may have become old since `epoch`.
    pub(super) fn remember(&self, key: Key, record: &Record, epoch: u64) {
        let state = self.state.read();
        if state.epoch == epoch && state.overlay.get(&key).is_none() {
            self.cache.insert(key, record.clone());
        }
    }

    /// What the journal says of `key`.
    pub(super) fn slot(&self, key: &Key) -> Option<Slot> {
        self.state.read().overlay.get(key).cloned()
    }

    /// Runs `look` on the overlay.
    pub(super) fn overlay<T>(&self, look: impl FnOnce(&Overlay) -> T) -> T {
        look(&self.state.read().overlay)
    }

    /// Shows committed states to the readers.
    pub(super) fn publish(&self, changed: impl Iterator<Item = (Key, Slot)>, counts: Counts) {
        let mut state = self.state.write();
        for (key, slot) in changed {
            self.cache.remove(&key);
            state.overlay.put(key, slot);
        }
        state.counts = counts;
    }

    /// Lets go of states that the tables have.
    pub(super) fn let_go(&self, keys: &[Key], upto: u64) {
        let mut state = self.state.write();
        state.epoch += 1;
        for key in keys {
            if let Some(Slot { record: Some(record), .. }) = state.overlay.take_folded(key, upto) {
                self.cache.insert(*key, record);
            }
        }
    }

    pub(super) fn counts(&self) -> Result<Counts, StoreError> {
        self.up()?;
        Ok(self.state.read().counts)
    }

    /// From now on every call is refused. The first reason stays.
    pub(super) fn take_down(&self, why: &str) {
        self.state.write().down.get_or_insert_with(|| why.to_owned());
        self.readers.lock().clear();
    }

    /// Whether the store is up.
    pub(super) fn up(&self) -> Result<(), StoreError> {
        self.state.read().down.clone().map_or(Ok(()), |why| Err(StoreError::Down(why)))
    }

    /// Runs `read` on a connection of its own. It blocks.
    pub(super) fn reading<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, ReadError>,
    ) -> Result<T, StoreError> {
        let idle = self.readers.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_for_reading(&self.database).map_err(|error| StoreError::Down(error.to_string()))?,
        };
        let result = read(&connection);
        let mut readers = self.readers.lock();
        if self.up().is_ok() {
            readers.push(connection);
        }
        result.map_err(StoreError::from).inspect_err(|error| self.damage.note(error))
    }
}
