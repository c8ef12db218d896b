//! The port: what the service asks of a store. A new adapter can be written from these comments alone.
//!
//! A store keeps *records* under *keys*. Every record has a version that each change advances, and the one primitive that
//! changes anything is compare-and-set on it: there are no blind writes.

use std::future::Future;
use std::pin::Pin;

use trolley_core::time::Timestamp;

use crate::activity::Activity;
use crate::records::counts::Counts;
use crate::records::{Key, Kind, Record};

/// What a call of the port gives back: a future that any thread may drive.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One part of a commit.
#[derive(Clone, Debug)]
pub struct Write {
    /// Which record.
    pub key: Key,
    /// What must stand there for the commit to happen.
    pub expect: Expect,
    /// What is done with it.
    pub action: Action,
}

/// What must stand under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    Absent,
    /// A record of this version.
    Version(u64),
    /// A record of any version: a session that is still there. Goes with [`Action::Keep`] and [`Action::Delete`] only.
    Present,
}

/// What is done with a record.
#[derive(Clone, Debug)]
pub enum Action {
    /// Nothing: only the expectation counts.
    Keep,
    /// It becomes this; the new version is higher than the expected one.
    Put {
        /// The new record; [`Record::key`] is the write's key.
        record: Record,
        /// When [`Store::expired`] begins to name it; never, where there is none. Expiry hides nothing by itself.
        expires_at: Option<Timestamp>,
    },
    /// It goes.
    Delete,
}

impl Expect {
    /// Whether `found` is what was expected.
    pub fn met_by(self, found: Option<&Record>) -> bool {
        match (self, found) {
            (Expect::Absent, found) => found.is_none(),
            (Expect::Version(version), Some(record)) => record.version() == version,
            (Expect::Present, Some(_)) => true,
            (_, None) => false,
        }
    }
}

impl Write {
    /// A record that must be new.
    pub fn create(record: Record, expires_at: Option<Timestamp>) -> Write {
        Write { key: record.key(), expect: Expect::Absent, action: Action::Put { record, expires_at } }
    }

    /// A record that takes the place of its version `expected`.
    pub fn swap(expected: u64, record: Record, expires_at: Option<Timestamp>) -> Write {
        Write {
            key: record.key(),
            expect: Expect::Version(expected),
            action: Action::Put { record, expires_at },
        }
    }

    /// A record that must still be there.
    pub fn keep(key: Key) -> Write {
        Write { key, expect: Expect::Present, action: Action::Keep }
    }

    /// A record that must still stand in its version `expected`, and is left alone.
    pub fn unchanged(key: Key, expected: u64) -> Write {
        Write { key, expect: Expect::Version(expected), action: Action::Keep }
    }

    /// A record of version `expected` that goes.
    pub fn delete(key: Key, expected: u64) -> Write {
        Write { key, expect: Expect::Version(expected), action: Action::Delete }
    }
}

/// Which records to list, and from where on.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Of this kind.
    pub kind: Kind,
    /// Whose id begins with these bytes.
    pub prefix: Vec<u8>,
    /// Only those behind this id, in the listing's own direction: the last one that an earlier listing gave.
    pub after: Option<Vec<u8>>,
    /// In which direction.
    pub direction: Direction,
}

/// The order of a listing: that of the ids' bytes. A UUIDv7 begins with its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The lowest id first.
    Ascending,
    /// The highest id first.
    Descending,
}

/// A record whose time is over; in the order in which they are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// Since when.
    pub at: Timestamp,
    /// Which.
    pub key: Key,
}

/// A record as a listing gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The record.
    pub record: Record,
    /// When [`Store::expired`] begins to name it.
    pub expires_at: Option<Timestamp>,
}

impl Listing {
    /// All records of a kind, the lowest id first.
    pub fn all(kind: Kind) -> Listing {
        Listing { kind, prefix: Vec::new(), after: None, direction: Direction::Ascending }
    }

    /// Whether it is about the record of this kind and id.
    pub fn takes(&self, kind: Kind, id: &[u8]) -> bool {
        let behind = |after: &Vec<u8>| match self.direction {
            Direction::Ascending => id > after.as_slice(),
            Direction::Descending => id < after.as_slice(),
        };
        kind == self.kind && id.starts_with(&self.prefix) && self.after.as_ref().is_none_or(behind)
    }
}

/// A place where records are kept.
pub trait Store: Send + Sync + 'static {
    /// The record as the last successful commit left it.
    ///
    /// *Absent* is `None`. *Expired* records are still given: who asks judges. What a commit that is not yet durable
    /// would write is never seen.
    fn load(&self, key: Key) -> BoxFuture<'_, Result<Option<Record>, StoreError>>;

    /// Does all of `writes`, or none. When it succeeds they are durable as configured and every later `load` sees them.
    ///
    /// *Conflicting*: where one key does not hold what is expected of it, the answer is [`CommitError::Conflict`] and
    /// nothing happened. Two writes of one commit never name the same key. *Cut short*: where the future is dropped, the
    /// commit may or may not happen, but never in part. *Too big* and *full* change nothing and later commits may succeed.
    /// *Unknown*: after [`CommitError::Unknown`] it may have happened or not; who must know loads again.
    fn commit(&self, writes: Vec<Write>) -> BoxFuture<'_, Result<(), CommitError>>;

    /// Up to `most` records whose `expires_at` is at or before `now`, soonest first; of those behind `after`, where it is named:
    /// so whoever can do nothing about some of them gets on to the others. None left is an empty list.
    ///
    /// It names records by their keys alone: damaged ones too.
    fn due(
        &self,
        now: Timestamp,
        after: Option<Due>,
        most: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, StoreError>>;

    /// The first `most` of [`Store::due`].
    fn expired(&self, now: Timestamp, most: usize) -> BoxFuture<'_, Result<Vec<Key>, StoreError>> {
        Box::pin(async move {
            let due = self.due(now, None, most).await?;
            Ok(due.into_iter().map(|due| due.key).collect())
        })
    }

    /// Up to `most` records of a listing, in its order; none left is an empty list.
    ///
    /// What was committed before the call is seen as it was left, what is committed meanwhile may be seen or not. One that is
    /// *damaged* is left out, and told by [`Store::activity`]; whoever loads it by its key is given the error.
    fn list(&self, listing: Listing, most: usize) -> BoxFuture<'_, Result<Vec<Listed>, StoreError>>;

    /// Does one bounded piece of upkeep (folding a journal, giving disk space back) and says whether more is waiting.
    /// Never needed for correctness; writers are not held up by it for longer than a commit or two.
    fn upkeep(&self) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// How many records of each kind there are.
    fn count(&self) -> BoxFuture<'_, Result<Counts, StoreError>>;

    /// What it has done since it was opened, and which damaged records it met: each is named in the log once. A store that
    /// counts nothing says nothing.
    fn activity(&self) -> Activity {
        Activity::default()
    }

    /// Finishes what was begun and lets go of the store. Calls after it are refused as [`StoreError::Down`].
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// Why a record cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store does not answer, or is closed.
    #[error("the store is down: {0}")]
    Down(String),
    /// A newer release wrote it: this one cannot read it, and does not touch it.
    #[error("the record of {key:?} has format {format}, which a newer trolley wrote: run that one")]
    NewerFormat {
        /// Which.
        key: Key,
        /// Its format.
        format: u8,
    },
    /// What is stored is not what was written: its checksum or its form is wrong.
    #[error("the record of {key:?} is damaged: {what}")]
    Damaged {
        /// Which.
        key: Key,
        /// How it shows.
        what: String,
    },
}

/// Why a commit did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// This key does not hold what was expected; nothing happened.
    #[error("{0:?} was changed meanwhile")]
    Conflict(Key),
    /// There is no space; nothing happened, and when there is space again a commit succeeds.
    #[error("the store is full")]
    Full,
    /// A record is larger than the store takes; nothing happened.
    #[error("a record of {bytes} bytes is too big; {most} is the most")]
    TooBig {
        /// Its size.
        bytes: usize,
        /// The bound.
        most: usize,
    },
    /// The store is down, or a record it had to compare is damaged; nothing happened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store went away between commit and answer: it may have happened or not.
    #[error("the store went away while it committed: {0}")]
    Unknown(String),
}
