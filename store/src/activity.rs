//! What a store has done since it was opened, for those who watch it.

use crate::records::Key;

/// Counts, all of them since the store was opened but for those that say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Commits that wait for the writer, now.
    pub waiting: u64,
    /// Commits that were done.
    pub commits: u64,
    /// Commits that were refused: they found something else than they expected, or were too big.
    pub conflicts: u64,
    /// Batches by how many commits they had: up to [`BATCH_BOUNDS`] each, and the last beyond all of them.
    pub batches: [u64; BATCH_BOUNDS.len() + 1],
    /// Bytes that were appended to the journal.
    pub journal_written_bytes: u64,
    /// Bytes of the journal that are not yet folded, now.
    pub journal_bytes: u64,
    /// Folds of the journal that were finished.
    pub folds: u64,
    /// Loads that memory answered.
    pub hits: u64,
    /// Loads that had to read from the disk.
    pub misses: u64,
    /// The damaged records that were met, ten thousand at most.
    pub damaged: Vec<Key>,
    /// The rows that were met and are no record's, their names being damaged; ten thousand at most.
    pub strays: u64,
}

/// The upper bounds of the sizes by which batches are counted.
pub const BATCH_BOUNDS: [u64; 8] = [1, 2, 4, 8, 16, 64, 256, 1_024];
