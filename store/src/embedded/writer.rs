//! The one thread that writes: takes all commits that wait, makes them one transaction, answers, and folds in between.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::port::{CommitError, StoreError, Write};
use crate::records::counts::Counts;

use super::batch::{Batch, Committed};
use super::error::EngineError;
use super::fold::{Fold, Slice, drop_rows};
use super::folder::Folder;
use super::recovery::Found;
use super::schema::sync_commits;
use super::settings::{Durability, OnFatal};
use super::shared::Shared;

/// What the writer is asked for.
pub(super) enum Request {
    /// All of these, or none.
    Commit(Vec<Write>, oneshot::Sender<Result<(), CommitError>>),
    /// One bounded piece of upkeep.
    Upkeep(oneshot::Sender<Result<bool, StoreError>>),
    /// The end.
    Close(oneshot::Sender<()>),
}

/// How many commits share a transaction at most.
const BATCH_COMMITS_MAX: usize = 1024;
/// How many bytes a transaction's row has at most, but for its last commit.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// From this many bytes of the journal on, upkeep folds it; a smaller one is folded when nobody writes.
const FOLD_FROM: Threshold = Threshold { least: 4 << 20, folds: 2, most: 48 << 20 };
/// From this many bytes of the journal on, it is folded without being asked.
const FOLD_UNASKED: Threshold = Threshold { least: 16 << 20, folds: 3, most: 64 << 20 };
/// How many records are folded at once; more where a batch changed more, so that folding keeps up.
const FOLD_SLICE: usize = 256;
/// After how many bytes of images a slice ends, if it has kept up.
const FOLD_SLICE_BYTES: usize = 512 << 10;
/// After this many bytes that went into the write-ahead log, it is copied into the database.
const CHECKPOINT_BYTES: usize = 8 << 20;
/// Bytes that a record takes in the write-ahead log when it is folded, about: a page.
const FOLDED_BYTES: usize = 4096;
/// Pages of the database that may stand empty; what is beyond is given back to the file system.
const FREE_PAGES_KEPT: i64 = 4 * 1024;
/// How many empty pages are given back at once.
const FREE_PAGES_AT_ONCE: i64 = 256;

/// A length of the journal. After a fold the next change of each record is its whole image once more: where these alone
/// made a fold due, each change of a large cart would be written whole twice. So the journal grows with what a fold
/// writes, and most of it are deltas.
struct Threshold {
    /// So many bytes, …
    least: usize,
    /// … or so many times what the last fold wrote, …
    folds: usize,
    /// … but no more than this: the overlay is as large as the journal, and a start reads it.
    most: usize,
}

impl Threshold {
    fn is_reached(&self, journal_bytes: usize, last_fold_bytes: usize) -> bool {
        journal_bytes >= (self.folds * last_fold_bytes).clamp(self.least, self.most)
    }
}

/// The writer's state. Its folder's lock goes with it.
pub(super) struct CommitWriter {
    connection: Connection,
    shared: Arc<Shared>,
    asks: mpsc::Receiver<Request>,
    durability: Durability,
    last_resort: OnFatal,
    counts: Counts,
    /// The newest row of the journal.
    newest: u64,
    /// The last row that the tables have.
    folded: u64,
    /// How many bytes the rows after `folded` have.
    journal_bytes: usize,
    /// How many bytes went into the write-ahead log since it was copied.
    log_bytes: usize,
    /// How many records the last batch changed.
    changed: usize,
    /// How many bytes of images the last fold wrote.
    last_fold_bytes: usize,
    /// The newest row when upkeep was last asked for.
    seen_by_upkeep: u64,
    rows_to_drop: bool,
    fold: Option<Fold>,
    _folder: Folder,
}

impl CommitWriter {
    pub(super) fn new(
        (connection, folder): (Connection, Folder),
        shared: Arc<Shared>,
        asks: mpsc::Receiver<Request>,
        (durability, last_resort): (Durability, OnFatal),
        found: &Found,
    ) -> CommitWriter {
        shared.tally.journal(found.bytes);
        CommitWriter {
            connection,
            shared,
            asks,
            durability,
            last_resort,
            counts: found.counts,
            newest: found.newest,
            folded: found.folded,
            journal_bytes: found.bytes,
            log_bytes: 0,
            changed: 0,
            last_fold_bytes: 0,
            seen_by_upkeep: found.newest,
            rows_to_drop: true,
            fold: None,
            _folder: folder,
        }
    }

    /// Works until it is asked to close, nobody is left to ask, or the disk fails.
    pub(super) fn run(mut self) {
        while let Some(ask) = self.asks.blocking_recv() {
            match self.answer(ask) {
                Ok(None) => {}
                Ok(Some(closed)) => {
                    self.shared.take_down("it was closed");
                    self.checkpoint();
                    // Whoever asked may open the folder again at once.
                    drop(self);
                    let _ = closed.send(());
                    return;
                }
                Err(why) => return self.give_up(&why),
            }
        }
        self.shared.take_down("it was closed");
    }

    /// Answers one ask, and those that wait behind it where they share its transaction. Gives back who asked for the end.
    fn answer(&mut self, ask: Request) -> Result<Option<oneshot::Sender<()>>, String> {
        let mut next = Some(ask);
        while let Some(ask) = next.take() {
            match ask {
                Request::Commit(writes, reply) => {
                    next = self.commit(writes, reply)?;
                    self.fold_unasked()?;
                }
                Request::Upkeep(reply) => {
                    let done = self.upkeep();
                    let more = done.as_ref().is_ok_and(|more| *more);
                    let _ = reply.send(Ok(more));
                    done?;
                }
                Request::Close(reply) => return Ok(Some(reply)),
            }
        }
        Ok(None)
    }

    /// Commits, with all others that wait. Gives back the first ask that is none.
    fn commit(
        &mut self,
        writes: Vec<Write>,
        reply: oneshot::Sender<Result<(), CommitError>>,
    ) -> Result<Option<Request>, String> {
        let folding_upto = self.fold.as_ref().map_or(self.folded, Fold::upto);
        let mut batch =
            Batch::new(&self.shared, &self.connection, self.newest + 1, folding_upto, self.counts);
        let mut replies = vec![(batch.add(writes), reply)];
        let mut next = None;
        while replies.len() < BATCH_COMMITS_MAX && batch.bytes() < BATCH_BYTES_MAX {
            match self.asks.try_recv() {
                Ok(Request::Commit(writes, reply)) => replies.push((batch.add(writes), reply)),
                Ok(other) => {
                    next = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        match batch.commit() {
            Ok(committed) => {
                let conflicts = replies.iter().filter(|(result, _)| result.is_err()).count();
                self.shared.tally.batch(replies.len(), conflicts, committed.row_bytes);
                self.show(committed);
            }
            Err(EngineError::Full) => {
                // What conflicted did so with a state that may not have come about: all are told the same.
                replies.iter_mut().for_each(|(result, _)| *result = Err(CommitError::Full));
            }
            Err(EngineError::Broken(why)) => {
                for (_, reply) in replies {
                    let _ = reply.send(Err(CommitError::Unknown(why.clone())));
                }
                return Err(why);
            }
        }
        for (result, reply) in replies {
            let _ = reply.send(result);
        }
        Ok(next)
    }

    fn show(&mut self, committed: Committed) {
        if committed.row_bytes == 0 {
            return;
        }
        self.newest += 1;
        self.counts = committed.counts;
        self.journal_bytes += committed.row_bytes;
        self.log_bytes += committed.row_bytes + FOLDED_BYTES;
        self.changed = committed.changed.len();
        self.shared.tally.journal(self.journal_bytes);
        self.shared.publish(committed.changed.into_iter(), committed.counts);
    }

    /// After a commit: a slice of the fold under way, or the first of one that has become due.
    fn fold_unasked(&mut self) -> Result<(), String> {
        if self.fold.is_some()
            || self.rows_to_drop
            || FOLD_UNASKED.is_reached(self.journal_bytes, self.last_fold_bytes)
        {
            self.fold_a_slice()?;
        }
        if self.log_bytes >= CHECKPOINT_BYTES {
            self.checkpoint();
        }
        Ok(())
    }

    /// One piece of what is due, while others may be waiting to write. Says whether more is due.
    fn upkeep(&mut self) -> Result<bool, String> {
        let idle = self.newest == std::mem::replace(&mut self.seen_by_upkeep, self.newest);
        let due = FOLD_FROM.is_reached(self.journal_bytes, self.last_fold_bytes)
            || (idle && self.journal_bytes > 0);
        if self.fold.is_some() || self.rows_to_drop || due {
            self.fold_a_slice()?;
            return Ok(true);
        }
        if self.log_bytes >= CHECKPOINT_BYTES || (idle && self.log_bytes > 0) {
            self.checkpoint();
            return Ok(true);
        }
        self.give_space_back()
    }

    fn fold_a_slice(&mut self) -> Result<(), String> {
        let unsynced = sync_commits(&self.connection, Durability::Relaxed);
        let folded = unsynced.map_err(EngineError::from).and_then(|()| self.fold_step());
        let synced = sync_commits(&self.connection, self.durability).map_err(EngineError::from);
        match folded.and(synced) {
            // Without space the journal stays as long as it is: it is tried again after the next commit.
            Ok(()) | Err(EngineError::Full) => Ok(()),
            Err(EngineError::Broken(why)) => Err(why),
        }
    }

    fn fold_step(&mut self) -> Result<(), EngineError> {
        if self.fold.is_none() && self.rows_to_drop {
            self.rows_to_drop = drop_rows(&self.connection, self.folded)?;
            self.log_bytes += FOLDED_BYTES;
            return Ok(());
        }
        let mut fold = match self.fold.take() {
            Some(fold) => fold,
            None => Fold::begin(&self.shared, self.newest, self.journal_bytes),
        };
        let (was_noted, had) = (fold.noted(), fold.image_bytes());
        let least = 2 * self.changed;
        let slice = Slice { least, most: FOLD_SLICE.max(least), bytes: FOLD_SLICE_BYTES };
        let done = fold.step(&self.shared, &self.connection, self.counts, slice);
        if fold.noted() && !was_noted {
            self.last_fold_bytes = fold.image_bytes();
            self.folded = fold.upto();
            self.journal_bytes -= fold.bytes();
            self.shared.tally.fold();
            self.shared.tally.journal(self.journal_bytes);
        }
        self.rows_to_drop |= fold.noted();
        self.log_bytes += slice.most * FOLDED_BYTES / 4 + (fold.image_bytes() - had);
        if !matches!(done, Ok(true)) {
            self.fold = Some(fold);
        }
        done.map(drop)
    }

    /// Gives empty pages back to the file system, some at a time.
    fn give_space_back(&mut self) -> Result<bool, String> {
        let free = || self.connection.query_row("PRAGMA freelist_count", (), |row| row.get::<_, i64>(0));
        let free = free().map_err(|error| error.to_string())?;
        if free <= FREE_PAGES_KEPT {
            return Ok(false);
        }
        let vacuum = format!("PRAGMA incremental_vacuum({FREE_PAGES_AT_ONCE})");
        match self.connection.execute_batch(&vacuum).map_err(EngineError::from) {
            Ok(()) => {
                self.log_bytes += FOLDED_BYTES * FREE_PAGES_AT_ONCE.unsigned_abs() as usize;
                Ok(true)
            }
            Err(EngineError::Full) => Ok(false),
            Err(EngineError::Broken(why)) => Err(why),
        }
    }

    /// Copies the write-ahead log into the database, as far as no reader stands in the way.
    fn checkpoint(&mut self) {
        let copied = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()));
        match copied {
            Ok(()) => self.log_bytes = 0,
            // The log has it all the same; where the disk is broken, the next commit says so.
            Err(error) => tracing::warn!(%error, "the write-ahead log could not be copied into the database"),
        }
    }

    /// Nobody knows what is on the disk any more.
    fn give_up(mut self, why: &str) {
        self.shared.take_down(why);
        (self.last_resort)(&format!("the disk failed under the store: {why}"));
        self.asks.close();
        while let Some(ask) = self.asks.blocking_recv() {
            match ask {
                Request::Commit(_, reply) => drop(reply.send(Err(StoreError::Down(why.to_owned()).into()))),
                Request::Upkeep(reply) => drop(reply.send(Err(StoreError::Down(why.to_owned())))),
                Request::Close(reply) => drop(reply.send(())),
            }
        }
    }
}
