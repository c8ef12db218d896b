//! Backup of a store, also while it is served, and its way back. Both are verified before they are called done.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::damage::{Damaged, Stray};
use crate::record::decode;
use crate::records::Key;
use crate::records::counts::Counts;

use super::error::OpenFolderError;
use super::folder::{Folder, database_in, sync_folder};
use super::recovery;
use super::schema;
use super::table::named;

/// A copy that was written down and read again, every record of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What it holds.
    pub counts: Counts,
    /// How many bytes it takes.
    pub bytes: u64,
    /// The records that were damaged where it was copied from: it has them as they are, and all others whole.
    pub damaged: Damaged,
}

/// Why there is no backup, or no restored store. Nothing that was there is touched.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to copy.
    #[error("there is no store in {}", .0.display())]
    NoStore(PathBuf),
    /// Something is there already.
    #[error("{} holds a store already: name a new folder", .0.display())]
    Taken(PathBuf),
    /// What is copied, or its copy, does not open or is damaged.
    #[error(transparent)]
    Store(#[from] OpenFolderError),
    /// The copy could not be written.
    #[error("{}: {what}", file.display())]
    Write {
        /// Which file.
        file: PathBuf,
        /// Why.
        what: String,
    },
}

/// Copies the store in `folder` into the folder `to`, as of one moment. Who serves it goes on, also with writing.
pub fn backup(folder: &Path, to: &Path) -> Result<Verified, BackupError> {
    if !database_in(folder).exists() {
        return Err(BackupError::NoStore(folder.to_owned()));
    }
    if database_in(to).exists() {
        return Err(BackupError::Taken(to.to_owned()));
    }
    let written = DirBuilder::new().recursive(true).mode(0o700).create(to);
    written.map_err(|error| failed(to, &error))?;
    copy(&schema::open_for_reading(&database_in(folder))?, to)
}

/// What a copy does about records that are damaged where it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfDamaged {
    /// It says which they are: for one damaged record there would be no backup of all others for ever.
    Tell,
    /// There is no copy.
    Refuse,
}

/// Makes a store in `folder`, where there is none, of the backup in the folder `from`.
pub fn restore(from: &Path, folder: &Path) -> Result<Verified, BackupError> {
    if !database_in(from).exists() {
        return Err(BackupError::NoStore(from.to_owned()));
    }
    let held = Folder::hold(folder)?;
    if held.database().exists() {
        return Err(BackupError::Taken(folder.to_owned()));
    }
    let source = read_only(&database_in(from))?;
    verify(&source, &database_in(from))?;
    copy(&source, folder)
}

/// Writes a copy beside its place, and settles it.
fn copy(source: &Connection, folder: &Path) -> Result<Verified, BackupError> {
    let unfinished = unfinished_in(folder);
    let _ = std::fs::remove_file(&unfinished);
    let write = || -> rusqlite::Result<bool> {
        let mut target = Connection::open(&unfinished)?;
        // All pages in one step: the source stands still for this reader alone.
        let whole = Backup::new(source, &mut target)?.step(-1)? == StepResult::Done;
        // One file, without a log beside it, that is read without being written to.
        target.pragma_update(None, "journal_mode", "DELETE")?;
        Ok(whole)
    };
    if !write().map_err(|error| failed(&unfinished, &error))? {
        return Err(failed(&unfinished, &"the store was not to be read as a whole"));
    }
    settle(folder, OfDamaged::Tell)
}

/// The file that is being written in `folder`.
pub(super) fn unfinished_in(folder: &Path) -> PathBuf {
    folder.join("unfinished.db")
}

/// Verifies what was written in `folder`, and gives it its name when it is on the disk.
pub(super) fn settle(folder: &Path, of_damaged: OfDamaged) -> Result<Verified, BackupError> {
    let (place, unfinished) = (database_in(folder), unfinished_in(folder));
    let (counts, damaged) = verify(&read_only(&unfinished)?, &unfinished)?;
    if of_damaged == OfDamaged::Refuse && !damaged.is_empty() {
        return Err(OpenFolderError::Damaged { file: unfinished, what: damaged.to_string() }.into());
    }
    let settle = || -> io::Result<u64> {
        let file = File::open(&unfinished)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, &place)?;
        sync_folder(folder)?;
        Ok(file.metadata()?.len())
    };
    let bytes = settle().map_err(|error| failed(&place, &error))?;
    Ok(Verified { counts, bytes, damaged })
}

/// Reads all of it: the engine's own structure, every row of the journal, every record. Gives the records that are damaged;
/// anything else that is refuses it.
fn verify(connection: &Connection, file: &Path) -> Result<(Counts, Damaged), OpenFolderError> {
    schema::check(connection, file)?;
    let damaged = |what: String| OpenFolderError::Damaged { file: file.to_owned(), what };
    let engine = |error: rusqlite::Error| damaged(error.to_string());
    let whole: String =
        connection.query_row("PRAGMA integrity_check(1)", (), |row| row.get(0)).map_err(engine)?;
    if whole != "ok" {
        return Err(damaged(whole));
    }
    let found = recovery::read(connection, file)?;
    let (mut counts, mut lost) = (Counts::default(), Damaged::default());
    let mut select = connection.prepare("SELECT kind, id, image FROM records").map_err(engine)?;
    let mut rows = select.query(()).map_err(engine)?;
    while let Some(row) = rows.next().map_err(engine)? {
        let key = match key_of(row).map_err(engine)? {
            Ok(key) => key,
            Err(stray) => {
                lost.add_stray(stray);
                continue;
            }
        };
        let image = row.get_ref(2).and_then(|image| Ok(image.as_blob()?)).map_err(engine)?;
        if found.overlay.get(&key).is_some() {
            // What the journal says of it is newer.
            continue;
        }
        match decode(key, image) {
            Ok(record) => counts.change(None, Some(&record)),
            Err(_) => lost.add(key),
        }
    }
    for key in found.overlay.keys() {
        counts.change(None, found.overlay.get(&key).and_then(|slot| slot.record.as_ref()));
    }
    let (carts, sessions) = lost.uncounted;
    // Of a row whose name is damaged nobody knows whether it was a cart, a session or neither.
    let strays = lost.strays.0;
    let is_whole = counts == found.counts || carts + sessions + strays > 0;
    let missing = [
        (found.counts.carts(), counts.carts() + carts),
        (found.counts.sessions(), counts.sessions() + sessions),
    ];
    let missing = missing.map(|(said, there)| said.checked_sub(there));
    let is_told = matches!(missing, [Some(carts), Some(sessions)] if carts + sessions <= strays);
    if !is_whole || !is_told {
        return Err(damaged(format!("it holds {counts:?}, and says {:?}", found.counts)));
    }
    Ok((counts, lost))
}

/// Whose row it is.
pub(super) fn key_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Result<Key, Stray>> {
    Ok(named(row.get_ref(0)?, row.get_ref(1)?))
}

fn read_only(file: &Path) -> Result<Connection, OpenFolderError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(file, flags)
        .map_err(|error| OpenFolderError::Engine { file: file.to_owned(), what: error.to_string() })
}

pub(super) fn failed(file: &Path, why: &dyn std::fmt::Display) -> BackupError {
    BackupError::Write { file: file.to_owned(), what: why.to_string() }
}
