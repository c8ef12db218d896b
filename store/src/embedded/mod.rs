//! Records in one folder on this machine's disk, by SQLite: the default, durable and fast on one node.
//!
//! Changes are appended to a journal in commit order, many callers' in one synced transaction, and folded into a table of
//! records later. What only the journal says stands decoded in memory.

pub mod backup;
mod batch;
pub mod dump;
mod error;
mod fold;
mod folder;
pub mod inspect;
mod journal;
mod overlay;
mod recovery;
mod schema;
pub mod settings;
mod shared;
mod table;
mod tally;
mod writer;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};
use trolley_core::time::Timestamp;

use crate::activity::Activity;
use crate::port::{BoxFuture, CommitError, Direction, Due, Listed, Listing, Store, StoreError, Write};
use crate::record::decode;
use crate::records::counts::Counts;
use crate::records::{Key, Record};

use self::folder::Folder;
use self::settings::{OnFatal, Settings};
use self::shared::{Lookup, ReadError, Shared};
use self::writer::{CommitWriter, Request};

pub use self::error::OpenFolderError;

/// How many asks wait for the writer at most; who comes later waits to be let in.
const WAITING_MAX: usize = 4096;

/// A store in a folder.
pub struct Embedded {
    shared: Arc<Shared>,
    asks: Option<mpsc::Sender<Request>>,
    writer: Option<JoinHandle<()>>,
}

impl Embedded {
    /// Opens the store in `folder`, or makes one. It blocks while it reads what the journal says.
    pub fn open(
        folder: &Path,
        settings: &Settings,
        last_resort: OnFatal,
    ) -> Result<Embedded, OpenFolderError> {
        let held = Folder::hold(folder)?;
        let file = held.database();
        let connection = schema::open_for_writing(&file, settings.durability)?;
        let found = recovery::read(&connection, &file)?;
        held.sync().map_err(|source| OpenFolderError::Folder { folder: folder.to_owned(), source })?;

        let mut found = found;
        let overlay = std::mem::take(&mut found.overlay);
        let shared = Arc::new(Shared::new(file, overlay, found.counts, settings.cache_mb));
        let (asks, receiver) = mpsc::channel(WAITING_MAX);
        let how = (settings.durability, last_resort);
        let writer = CommitWriter::new((connection, held), Arc::clone(&shared), receiver, how, &found);
        let thread = std::thread::Builder::new().name("store-writer".into()).spawn(move || writer.run());
        let thread =
            thread.map_err(|source| OpenFolderError::Folder { folder: folder.to_owned(), source })?;
        Ok(Embedded { shared, asks: Some(asks), writer: Some(thread) })
    }

    /// Asks the writer. Where it is gone, so is the answer.
    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Request) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.asks.as_ref()?.send(ask(reply)).await.ok()?;
        answer.await.ok()
    }

    fn why_down(&self) -> StoreError {
        self.shared.up().err().unwrap_or_else(|| StoreError::Down("its writer ended".into()))
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // The writer ends when nobody is left to ask; then the folder is free for the next.
        self.asks.take();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl Store for Embedded {
    fn load(&self, key: Key) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            let epoch = match self.shared.known(&key)? {
                Lookup::Here(record) => {
                    self.shared.tally.hit();
                    return Ok(record);
                }
                Lookup::InTables(epoch) => epoch,
            };
            self.shared.tally.miss();
            let shared = Arc::clone(&self.shared);
            blocking(move || {
                let record = shared.reading(|connection| table::load(connection, &key))?;
                if let Some(record) = &record {
                    shared.remember(key, record, epoch);
                }
                Ok(record)
            })
            .await
        })
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(async move {
            self.shared.up()?;
            match self.ask(|reply| Request::Commit(writes, reply)).await {
                Some(result) => result,
                None => Err(CommitError::Unknown(self.why_down().to_string())),
            }
        })
    }

    fn due(
        &self,
        now: Timestamp,
        after: Option<Due>,
        most: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, StoreError>> {
        Box::pin(async move {
            self.shared.up()?;
            let shared = Arc::clone(&self.shared);
            blocking(move || due(&shared, now, after, most)).await
        })
    }

    fn list(&self, listing: Listing, most: usize) -> BoxFuture<'_, Result<Vec<Listed>, StoreError>> {
        Box::pin(async move {
            self.shared.up()?;
            let shared = Arc::clone(&self.shared);
            blocking(move || list(&shared, &listing, most)).await
        })
    }

    fn upkeep(&self) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            self.shared.up()?;
            self.ask(Request::Upkeep).await.unwrap_or_else(|| Err(self.why_down()))
        })
    }

    fn count(&self) -> BoxFuture<'_, Result<Counts, StoreError>> {
        Box::pin(async move { self.shared.counts() })
    }

    fn activity(&self) -> Activity {
        let waiting = self.asks.as_ref().map_or(0, |asks| asks.max_capacity() - asks.capacity());
        self.shared.tally.read(waiting as u64, &self.shared.damage)
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.shared.up()?;
            self.ask(Request::Close).await.ok_or_else(|| self.why_down())
        })
    }
}

/// The overlay first, then the table: what is folded in between is found twice, never missed.
fn due(shared: &Shared, now: Timestamp, after: Option<Due>, most: usize) -> Result<Vec<Due>, StoreError> {
    let newer = shared.overlay(|overlay| overlay.due(now, after, most));
    let mut found: HashMap<Key, Timestamp> = newer.into_iter().map(|due| (due.key, due.at)).collect();
    let mut more = 0;
    shared.reading(|connection| {
        let enough = |due: Due| {
            if shared.slot(&due.key).is_none() && found.insert(due.key, due.at).is_none() {
                more += 1;
            }
            more >= most
        };
        table::due(connection, now, after, &shared.damage, enough).map_err(ReadError::from)
    })?;
    let mut found: Vec<_> = found.into_iter().map(|(key, at)| Due { at, key }).collect();
    found.sort_unstable();
    found.truncate(most);
    Ok(found)
}

/// Two ordered lists become one: what the journal says of a record counts before what the table says. What is damaged in the
/// table is named and left out, unless the journal has it whole.
fn list(shared: &Shared, listing: &Listing, most: usize) -> Result<Vec<Listed>, StoreError> {
    let mut newer = shared.overlay(|overlay| overlay.list(listing, most)).into_iter().peekable();
    let mut found: Vec<Listed> = Vec::new();
    let is_before = |a: &Key, b: &Key| match listing.direction {
        Direction::Ascending => a < b,
        Direction::Descending => a > b,
    };
    shared.reading(|connection| {
        let enough = |key: Key, image: &[u8], expires_at| {
            while let Some((_, slot)) = newer.next_if(|(newer, _)| is_before(newer, &key)) {
                found.extend(slot.listed());
            }
            match newer.next_if(|(newer, _)| *newer == key) {
                Some((_, slot)) => found.extend(slot.listed()),
                None => match decode(key, image) {
                    Ok(record) => found.push(Listed { record, expires_at }),
                    Err(damaged) => shared.damage.note(&damaged),
                },
            }
            found.len() >= most
        };
        table::list(connection, listing, &shared.damage, enough).map_err(ReadError::from)
    })?;
    found.extend(newer.filter_map(|(_, slot)| slot.listed()));
    found.truncate(most);
    Ok(found)
}

/// Runs what reads from the disk on a thread that may wait for it.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(read).await;
    done.unwrap_or_else(|error| Err(StoreError::Down(error.to_string())))
}
