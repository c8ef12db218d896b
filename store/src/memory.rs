//! Records in this process's memory, gone with it: for trying out and for tests, and the reference for what the port means.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;

use parking_lot::Mutex;
use trolley_core::time::Timestamp;

use crate::port::{
    Action, BoxFuture, CommitError, Direction, Due, Expect, Listed, Listing, Store, StoreError, Write,
};
use crate::records::counts::Counts;
use crate::records::{Key, Record};

/// A store that forgets everything when it is dropped.
#[derive(Default)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    records: HashMap<Key, Held>,
    /// Their keys, in the order of a listing.
    keys: BTreeSet<Key>,
    /// What expires at all, soonest first.
    by_expiry: BTreeSet<Due>,
    counts: Counts,
    closed: bool,
}

struct Held {
    record: Record,
    expires_at: Option<Timestamp>,
}

impl Memory {
    /// An empty one.
    pub fn new() -> Memory {
        Memory::default()
    }

    /// Runs `work` on the state when the promise is first driven, unless the store is closed.
    fn with<'a, T, E>(
        &'a self,
        work: impl FnOnce(&mut State) -> Result<T, E> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, E>>
    where
        T: Send + 'a,
        E: From<StoreError> + Send + 'a,
    {
        Box::pin(async move {
            let mut state = self.state.lock();
            if state.closed {
                return Err(StoreError::Down("it was closed".into()).into());
            }
            work(&mut state)
        })
    }
}

impl Store for Memory {
    fn load(&self, key: Key) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        self.with(move |state| Ok(state.records.get(&key).map(|held| held.record.clone())))
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFuture<'_, Result<(), CommitError>> {
        self.with(move |state| {
            if let Some(other) = writes.iter().find(|write| !state.holds(write.key, write.expect)) {
                return Err(CommitError::Conflict(other.key));
            }
            for write in writes {
                state.apply(write);
            }
            Ok(())
        })
    }

    fn due(
        &self,
        now: Timestamp,
        after: Option<Due>,
        most: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, StoreError>> {
        self.with(move |state| {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let due = state.by_expiry.range((from, Bound::Unbounded)).take_while(|due| due.at <= now);
            Ok(due.take(most).copied().collect())
        })
    }

    fn list(&self, listing: Listing, most: usize) -> BoxFuture<'_, Result<Vec<Listed>, StoreError>> {
        self.with(move |state| Ok(state.list(&listing, most)))
    }

    fn upkeep(&self) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.with(|_| Ok(false))
    }

    fn count(&self) -> BoxFuture<'_, Result<Counts, StoreError>> {
        self.with(|state| Ok(state.counts))
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.with(|state| {
            state.closed = true;
            Ok(())
        })
    }
}

impl State {
    fn holds(&self, key: Key, expect: Expect) -> bool {
        expect.met_by(self.records.get(&key).map(|held| &held.record))
    }

    fn list(&self, listing: &Listing, most: usize) -> Vec<Listed> {
        let taken = self.keys.iter().filter(|key| listing.takes(key.kind(), key.id()));
        let listed = |key: &Key| {
            let held = self.records.get(key)?;
            Some(Listed { record: held.record.clone(), expires_at: held.expires_at })
        };
        match listing.direction {
            Direction::Ascending => taken.filter_map(listed).take(most).collect(),
            Direction::Descending => taken.rev().filter_map(listed).take(most).collect(),
        }
    }

    fn apply(&mut self, Write { key, action, .. }: Write) {
        let (before, after) = match action {
            Action::Keep => return,
            Action::Delete => (self.records.remove(&key), None),
            Action::Put { record, expires_at } => {
                debug_assert_eq!(record.key(), key, "a record belongs under its own key");
                self.counts.change(None, Some(&record));
                (self.records.insert(key, Held { record, expires_at }), Some(expires_at))
            }
        };
        self.counts.change(before.as_ref().map(|held| &held.record), None);
        if after.is_some() {
            self.keys.insert(key)
        } else {
            self.keys.remove(&key)
        };
        if let Some(at) = before.and_then(|held| held.expires_at) {
            self.by_expiry.remove(&Due { at, key });
        }
        if let Some(at) = after.flatten() {
            self.by_expiry.insert(Due { at, key });
        }
    }
}
