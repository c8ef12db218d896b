//! What the embedded store counts for those who watch it: relaxed counters, a few nanoseconds each.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::activity::{Activity, BATCH_BOUNDS};
use crate::damage::Book;

/// The counters.
#[derive(Default)]
pub(super) struct Tally {
    commits: AtomicU64,
    conflicts: AtomicU64,
    batches: [AtomicU64; BATCH_BOUNDS.len() + 1],
    journal_written_bytes: AtomicU64,
    journal_bytes: AtomicU64,
    folds: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Tally {
    /// A batch of so many commits was done, of which some conflicted; its row had so many bytes.
    pub(super) fn batch(&self, commits: usize, conflicts: usize, row_bytes: usize) {
        self.commits.fetch_add((commits - conflicts) as u64, Ordering::Relaxed);
        self.conflicts.fetch_add(conflicts as u64, Ordering::Relaxed);
        self.journal_written_bytes.fetch_add(row_bytes as u64, Ordering::Relaxed);
        let size = BATCH_BOUNDS.partition_point(|bound| *bound < commits as u64);
        self.batches[size].fetch_add(1, Ordering::Relaxed);
    }

    /// The journal has so many bytes that are not folded.
    pub(super) fn journal(&self, bytes: usize) {
        self.journal_bytes.store(bytes as u64, Ordering::Relaxed);
    }

    /// A fold is finished.
    pub(super) fn fold(&self) {
        self.folds.fetch_add(1, Ordering::Relaxed);
    }

    /// A load was answered by memory.
    pub(super) fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    /// A load has to read from the disk.
    pub(super) fn miss(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    /// All of it.
    pub(super) fn read(&self, waiting: u64, damage: &Book) -> Activity {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Activity {
            waiting,
            commits: read(&self.commits),
            conflicts: read(&self.conflicts),
            batches: std::array::from_fn(|size| read(&self.batches[size])),
            journal_written_bytes: read(&self.journal_written_bytes),
            journal_bytes: read(&self.journal_bytes),
            folds: read(&self.folds),
            hits: read(&self.hits),
            misses: read(&self.misses),
            damaged: damage.met(),
            strays: damage.strays(),
        }
    }
}
