//! The records that one commit is about: as they stand in the store, and as it will leave them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use trolley_core::time::Timestamp;
use trolley_store::kind::{Key, Record};
use trolley_store::port::{Expect, Store, StoreError, Write};

use super::feed::Minted;

/// What was laid out for a commit. Nothing of it happened yet.
#[derive(Default)]
pub(super) struct Desk {
    sheets: HashMap<Key, Sheet>,
    /// The ids of what is written down here in a feed.
    held: Vec<Minted>,
}

struct Sheet {
    /// The version that stands in the store; none where nothing does.
    before: Option<u64>,
    now: Option<Record>,
    expires_at: Option<Timestamp>,
    does: Does,
}

/// What the commit does about a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    /// It was only read.
    Nothing,
    /// It must still be there, in any version.
    Keep,
    /// It must still be there in this version.
    Expect,
    /// It changes, or goes.
    Change,
}

impl Desk {
    /// Lays out the record under `key` as it stands in the store, unless it lies there.
    pub(super) async fn lay_out(&mut self, store: &dyn Store, key: Key) -> Result<(), StoreError> {
        if let Entry::Vacant(place) = self.sheets.entry(key) {
            let now = store.load(key).await?;
            let before = now.as_ref().map(Record::version);
            place.insert(Sheet { before, now, expires_at: None, does: Does::Nothing });
        }
        Ok(())
    }

    /// The record as the commit will leave it; none where there is none, or where it was not laid out.
    pub(super) fn get(&self, key: &Key) -> Option<&Record> {
        self.sheets.get(key)?.now.as_ref()
    }

    /// The commit leaves this record. One that was not laid out must be new.
    pub(super) fn put(&mut self, record: Record, expires_at: Option<Timestamp>) {
        let key = record.key();
        let before = self.sheets.get(&key).and_then(|sheet| sheet.before);
        self.sheets.insert(key, Sheet { before, now: Some(record), expires_at, does: Does::Change });
    }

    /// Holds an id until the commit is over.
    pub(super) fn hold(&mut self, minted: Minted) {
        self.held.push(minted);
    }

    /// The ids that are held, for the commit.
    pub(super) fn take_held(&mut self) -> Vec<Minted> {
        std::mem::take(&mut self.held)
    }

    /// Lays out a record that is known to stand in the store as it is here, without a look.
    pub(super) fn know(&mut self, record: Record) {
        let (key, before) = (record.key(), Some(record.version()));
        let sheet = Sheet { before, now: Some(record), expires_at: None, does: Does::Nothing };
        self.sheets.entry(key).or_insert(sheet);
    }

    /// The commit takes out a record that was laid out; one that is not there stays so.
    pub(super) fn remove(&mut self, key: &Key) {
        if let Some(sheet) = self.sheets.get_mut(key) {
            sheet.now = None;
            sheet.does = Does::Change;
        }
    }

    /// The commit happens only where a record that it leaves alone is still there.
    pub(super) fn keep(&mut self, key: Key) {
        let sheet = self.sheets.entry(key).or_insert(Sheet {
            before: None,
            now: None,
            expires_at: None,
            does: Does::Keep,
        });
        if sheet.does == Does::Nothing {
            sheet.does = Does::Keep;
        }
    }

    /// The commit happens only where this record, which it leaves alone, still stands as it is here. Where the commit changes it
    /// besides, that says as much.
    pub(super) fn expect(&mut self, record: Record) {
        let key = record.key();
        self.know(record);
        if let Some(sheet) = self.sheets.get_mut(&key)
            && sheet.does != Does::Change
        {
            sheet.does = Does::Expect;
        }
    }

    /// What the commit says.
    pub(super) fn writes(self) -> Vec<Write> {
        let mut writes = Vec::with_capacity(self.sheets.len() + 1);
        for (key, sheet) in self.sheets {
            match (sheet.does, sheet.before, sheet.now) {
                (Does::Nothing, ..) | (Does::Change, None, None) => {}
                (Does::Keep, ..) | (Does::Expect, None, _) => writes.push(Write::keep(key)),
                (Does::Expect, Some(before), _) => writes.push(Write::unchanged(key, before)),
                (Does::Change, None, Some(record)) => writes.push(Write::create(record, sheet.expires_at)),
                (Does::Change, Some(before), Some(record)) => {
                    writes.push(Write::swap(before, record, sheet.expires_at));
                }
                (Does::Change, Some(before), None) => writes.push(Write::delete(key, before)),
            }
        }
        debug_assert!(writes.iter().all(|write| write.expect != Expect::Version(0)), "versions begin at 1");
        writes
    }
}
