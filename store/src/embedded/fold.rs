//! Folding: the newest states go from the journal into the tables, in small slices and in key order, between commits.

use rusqlite::{Connection, params};

use crate::records::Key;
use crate::records::counts::Counts;

use super::error::EngineError;
use super::shared::Shared;
use super::table;

/// How many rows of the journal that the tables have made needless go at a time.
const ROWS_AT_ONCE: i64 = 500;

/// A fold under way.
///
/// A slice that was written and is lost again by a power cut costs nothing: the journal still says it. That is why
/// `folded` is noted in the last slice, and rows go only after it.
pub(super) struct Fold {
    /// The last row that it brings into the tables.
    upto: u64,
    /// How many bytes the journal had then.
    bytes: usize,
    /// The records that changed up to then, in the order of the tables.
    keys: Vec<Key>,
    /// How many of them the tables have.
    written: usize,
    /// How many of them have left the overlay.
    left: usize,
    /// How many bytes their images have, so far.
    image_bytes: usize,
}

/// How much of a fold is done at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    /// So many records, however large: else what comes in meanwhile would outrun the fold.
    pub(super) least: usize,
    /// No more than so many records …
    pub(super) most: usize,
    /// … and no further record after this many bytes of images: who commits meanwhile waits for all of the slice.
    pub(super) bytes: usize,
}

impl Fold {
    /// Begins one of everything that the journal says up to row `upto`, its newest.
    pub(super) fn begin(shared: &Shared, upto: u64, bytes: usize) -> Fold {
        let mut keys = shared.overlay(super::overlay::Overlay::keys);
        keys.sort_unstable();
        Fold { upto, bytes, keys, written: 0, left: 0, image_bytes: 0 }
    }

    /// The last row that it brings into the tables.
    pub(super) fn upto(&self) -> u64 {
        self.upto
    }

    /// How many bytes of the journal it makes needless.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many bytes the images have that it has written.
    pub(super) fn image_bytes(&self) -> usize {
        self.image_bytes
    }

    /// Whether the tables have all of it.
    pub(super) fn noted(&self) -> bool {
        self.written == self.keys.len()
    }

    /// Does the next slice; says whether it is finished.
    pub(super) fn step(
        &mut self,
        shared: &Shared,
        connection: &Connection,
        counts: Counts,
        slice: Slice,
    ) -> Result<bool, EngineError> {
        if !self.noted() {
            let (records, bytes) = self.write(shared, connection, counts, slice)?;
            self.written += records;
            self.image_bytes += bytes;
            return Ok(false);
        }
        let gone = &self.keys[self.left..self.keys.len().min(self.left + slice.most)];
        shared.let_go(gone, self.upto);
        self.left += gone.len();
        Ok(self.left == self.keys.len())
    }

    /// Writes the newest states of the next records in one transaction; with the last of all, that the fold is done.
    /// Says how many records that were, and how many bytes.
    fn write(
        &self,
        shared: &Shared,
        connection: &Connection,
        counts: Counts,
        slice: Slice,
    ) -> Result<(usize, usize), EngineError> {
        let transaction = connection.unchecked_transaction()?;
        let (mut records, mut bytes) = (0, 0);
        for key in self.keys[self.written..].iter().take(slice.most) {
            if records >= slice.least && bytes >= slice.bytes {
                break;
            }
            if let Some(slot) = shared.slot(key) {
                bytes += table::fold(&transaction, key, &slot)?;
            }
            records += 1;
        }
        if self.written + records == self.keys.len() {
            table::note_folded(&transaction, self.upto, counts)?;
        }
        transaction.commit()?;
        Ok((records, bytes))
    }
}

/// Lets a bounded number of rows go that the tables have made needless; says whether there are more.
pub(super) fn drop_rows(connection: &Connection, folded: u64) -> Result<bool, EngineError> {
    let folded = i64::try_from(folded).unwrap_or(i64::MAX);
    let mut delete = connection.prepare_cached(
        "DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE seq <= ?1 ORDER BY seq LIMIT ?2)",
    )?;
    let gone = delete.execute(params![folded, ROWS_AT_ONCE])?;
    Ok(i64::try_from(gone).unwrap_or(0) == ROWS_AT_ONCE)
}
