//! One batch: the commits of many callers, checked in turn, as one row of the journal and one transaction of the engine.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use crate::port::{Action, CommitError, StoreError, Write};
use crate::record::{delta, encode};
use crate::records::counts::Counts;
use crate::records::{Key, Record};

use super::error::EngineError;
use super::journal::{State, put_entry, seal};
use super::overlay::Slot;
use super::shared::{Lookup, Shared};
use super::table;

/// Bytes of the largest record that is taken; what the core's bounds allow stays far below it.
pub(super) const RECORD_BYTES_MAX: usize = 1 << 20;

/// A batch that is being put together. Nothing of it is visible, and nothing of it is written.
pub(super) struct Batch<'a> {
    shared: &'a Shared,
    connection: &'a Connection,
    /// The number of the row that it becomes.
    seq: u64,
    /// States up to this row are about to leave the journal: a change of one of them is kept whole.
    folding_upto: u64,
    staged: HashMap<Key, Slot>,
    counts: Counts,
    entries: Vec<u8>,
}

/// A batch that is on the disk.
pub(super) struct Committed {
    /// The records that changed, with their newest states.
    pub(super) changed: HashMap<Key, Slot>,
    /// How many records there are after it.
    pub(super) counts: Counts,
    /// How many bytes its row has.
    pub(super) row_bytes: usize,
}

/// What stands under a key, seen from within the batch.
struct Standing {
    record: Option<Record>,
    /// Whether the journal has this state where a delta may build on it.
    in_journal: bool,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        connection: &'a Connection,
        seq: u64,
        folding_upto: u64,
        counts: Counts,
    ) -> Batch<'a> {
        Batch { shared, connection, seq, folding_upto, staged: HashMap::new(), counts, entries: Vec::new() }
    }

    /// How many bytes its entries have so far.
    pub(super) fn bytes(&self) -> usize {
        self.entries.len()
    }

    /// Adds one caller's commit, all of it or nothing.
    pub(super) fn add(&mut self, writes: Vec<Write>) -> Result<(), CommitError> {
        let mut standing = Vec::with_capacity(writes.len());
        for write in &writes {
            let stands = self.standing(&write.key)?;
            if !write.expect.met_by(stands.record.as_ref()) {
                return Err(CommitError::Conflict(write.key));
            }
            standing.push(stands);
        }
        let began = self.entries.len();
        for (write, stands) in writes.iter().zip(&standing) {
            if let Err(too_big) = self.write_down(write, stands) {
                self.entries.truncate(began);
                return Err(too_big);
            }
        }
        for (write, stands) in writes.into_iter().zip(standing) {
            self.stage(write, &stands);
        }
        Ok(())
    }

    /// Makes it durable as configured; without space or with a broken disk nothing of it happened, or nobody knows.
    pub(super) fn commit(self) -> Result<Committed, EngineError> {
        if self.entries.is_empty() {
            return Ok(Committed { changed: self.staged, counts: self.counts, row_bytes: 0 });
        }
        let row = seal(self.seq, self.counts, &self.entries);
        let seq = i64::try_from(self.seq).map_err(|error| EngineError::Broken(error.to_string()))?;
        // One statement is one transaction: it returns when the row is synced.
        self.connection
            .prepare_cached("INSERT INTO journal (seq, row) VALUES (?1, ?2)")?
            .execute(params![seq, row])?;
        Ok(Committed { changed: self.staged, counts: self.counts, row_bytes: row.len() })
    }

    fn standing(&self, key: &Key) -> Result<Standing, CommitError> {
        if let Some(slot) = self.staged.get(key) {
            return Ok(Standing { record: slot.record.clone(), in_journal: true });
        }
        if let Some(slot) = self.shared.slot(key) {
            return Ok(Standing { record: slot.record, in_journal: slot.seq > self.folding_upto });
        }
        let record = match self.shared.known(key)? {
            Lookup::Here(record) => record,
            Lookup::InTables(_) => {
                let loaded = table::load(self.connection, key).map_err(StoreError::from);
                loaded.inspect_err(|error| self.shared.damage.note(error))?
            }
        };
        Ok(Standing { record, in_journal: false })
    }

    fn write_down(&mut self, write: &Write, stands: &Standing) -> Result<(), CommitError> {
        let (record, expires_at) = match &write.action {
            Action::Keep => return Ok(()),
            Action::Delete => {
                put_entry(&mut self.entries, &write.key, &State::Gone);
                return Ok(());
            }
            Action::Put { record, expires_at } => (record, *expires_at),
        };
        let before = stands.record.as_ref().filter(|_| stands.in_journal);
        if let Some(delta) = before.and_then(|before| delta(before, record)) {
            put_entry(&mut self.entries, &write.key, &State::Delta(&delta, expires_at));
            return Ok(());
        }
        let image = encode(record);
        if image.len() > RECORD_BYTES_MAX {
            return Err(CommitError::TooBig { bytes: image.len(), most: RECORD_BYTES_MAX });
        }
        put_entry(&mut self.entries, &write.key, &State::Image(&image, expires_at));
        Ok(())
    }

    fn stage(&mut self, write: Write, stands: &Standing) {
        let (record, expires_at) = match write.action {
            Action::Keep => return,
            Action::Delete => (None, None),
            Action::Put { record, expires_at } => {
                debug_assert_eq!(record.key(), write.key, "a record belongs under its own key");
                (Some(record), expires_at)
            }
        };
        self.counts.change(stands.record.as_ref(), record.as_ref());
        self.staged.insert(write.key, Slot { record, expires_at, seq: self.seq });
    }
}
