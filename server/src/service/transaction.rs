//! The records that one commit is about: as they stand in the store, and as it will leave them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use trolley_core::time::Timestamp;
use trolley_store::port::{Expect, Store, StoreError, Write};
use trolley_store::records::{Key, Record};

use crate::service::feed::Minted;

/// What was laid out for a commit. Nothing of it happened yet.
#[derive(Default)]
pub(crate) struct Transaction {
    sheets: HashMap<Key, Held>,
    /// The ids of what is written down here in a feed.
    held: Vec<Minted>,
}

struct Held {
    /// The version that stands in the store; none where nothing does.
    before: Option<u64>,
    now: Option<Record>,
    expires_at: Option<Timestamp>,
    does: Effect,
}

/// What the commit does about a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// It was only read.
    Nothing,
    /// It must still be there, in any version.
    Keep,
    /// It must still be there in this version.
    Expect,
    /// It changes, or goes.
    Change,
}

impl Transaction {
    /// Lays out the record under `key` as it stands in the store, unless it lies there.
    pub(crate) async fn read(&mut self, store: &dyn Store, key: Key) -> Result<(), StoreError> {
        if let Entry::Vacant(place) = self.sheets.entry(key) {
            let now = store.load(key).await?;
            let before = now.as_ref().map(Record::version);
            place.insert(Held { before, now, expires_at: None, does: Effect::Nothing });
        }
        Ok(())
    }

    /// The record as the commit will leave it; none where there is none, or where it was not laid out.
    pub(crate) fn get(&self, key: &Key) -> Option<&Record> {
        self.sheets.get(key)?.now.as_ref()
    }

    /// The commit leaves this record. One that was not laid out must be new.
    pub(crate) fn put(&mut self, record: Record, expires_at: Option<Timestamp>) {
        let key = record.key();
        let before = self.sheets.get(&key).and_then(|sheet| sheet.before);
        self.sheets.insert(key, Held { before, now: Some(record), expires_at, does: Effect::Change });
    }

    /// Holds an id until the commit is over.
    pub(crate) fn hold(&mut self, minted: Minted) {
        self.held.push(minted);
    }

    /// The ids that are held, for the commit.
    pub(crate) fn take_held(&mut self) -> Vec<Minted> {
        std::mem::take(&mut self.held)
    }

    /// Lays out a record that is known to stand in the store as it is here, without a look.
    pub(crate) fn know(&mut self, record: Record) {
        let (key, before) = (record.key(), Some(record.version()));
        let sheet = Held { before, now: Some(record), expires_at: None, does: Effect::Nothing };
        self.sheets.entry(key).or_insert(sheet);
    }

    /// The commit takes out a record that was laid out; one that is not there stays so.
    pub(crate) fn remove(&mut self, key: &Key) {
        if let Some(sheet) = self.sheets.get_mut(key) {
            sheet.now = None;
            sheet.does = Effect::Change;
        }
    }

    /// The commit happens only where a record that it leaves alone is still there.
    pub(crate) fn keep(&mut self, key: Key) {
        let sheet = self.sheets.entry(key).or_insert(Held {
            before: None,
            now: None,
            expires_at: None,
            does: Effect::Keep,
        });
        if sheet.does == Effect::Nothing {
            sheet.does = Effect::Keep;
        }
    }

    /// The commit happens only where this record, which it leaves alone, still stands as it is here. Where the commit changes it
    /// besides, that says as much.
    pub(crate) fn expect(&mut self, record: Record) {
        let key = record.key();
        self.know(record);
        if let Some(sheet) = self.sheets.get_mut(&key)
            && sheet.does != Effect::Change
        {
            sheet.does = Effect::Expect;
        }
    }

    /// What the commit says.
    pub(crate) fn writes(self) -> Vec<Write> {
        let mut writes = Vec::with_capacity(self.sheets.len() + 1);
        for (key, sheet) in self.sheets {
            match (sheet.does, sheet.before, sheet.now) {
                (Effect::Nothing, ..) | (Effect::Change, None, None) => {}
                (Effect::Keep, ..) | (Effect::Expect, None, _) => writes.push(Write::keep(key)),
                (Effect::Expect, Some(before), _) => writes.push(Write::unchanged(key, before)),
                (Effect::Change, None, Some(record)) => writes.push(Write::create(record, sheet.expires_at)),
                (Effect::Change, Some(before), Some(record)) => {
                    writes.push(Write::swap(before, record, sheet.expires_at));
                }
                (Effect::Change, Some(before), None) => writes.push(Write::delete(key, before)),
            }
        }
        debug_assert!(writes.iter().all(|write| write.expect != Expect::Version(0)), "versions begin at 1");
        writes
    }
}
