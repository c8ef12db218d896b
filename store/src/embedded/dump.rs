//! All records of a store as images, also while it is served; and a new store that is filled with such, all or nothing.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, params};
use trolley_core::time::Timestamp;

use crate::damage::Damaged;
use crate::record::{decode, encode};
use crate::records::counts::Counts;
use crate::records::{Key, Record};

use super::backup::{BackupError, OfDamaged, Verified, failed, key_of, settle, unfinished_in};
use super::error::OpenFolderError;
use super::folder::{Folder, database_in};
use super::overlay::Overlay;
use super::recovery;
use super::schema;
use super::settings::Durability;
use super::table;

/// Kibibytes of pages that an import keeps: token digests come in no order, and each finds its page in memory.
const CACHE_KIB: i64 = 512 * 1024;

/// What is done with each record of an export: its key, its image, when it expires. A sentence ends the export.
pub type Each<'a> = &'a mut dyn FnMut(&Key, &[u8], Option<Timestamp>) -> Result<(), String>;

/// About how many records there are: those that only the journal has are not counted.
pub fn records_in(folder: &Path) -> Result<u64, BackupError> {
    let connection = open(folder)?;
    let count = connection.query_row("SELECT count(*) FROM records", (), |row| row.get::<_, i64>(0));
    count.map(i64::unsigned_abs).map_err(|error| failed(&database_in(folder), &error))
}

/// What an export gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// So many records.
    pub records: u64,
    /// Those that are damaged, and were left out.
    pub damaged: Damaged,
}

/// Gives `each` every record of the store in `folder` as of one moment. Who serves it goes on.
///
/// They come in the order of their kind's number and their id. Each image is read again before it is given; one that is damaged
/// is left out and told.
pub fn export(folder: &Path, each: Each<'_>) -> Result<Exported, BackupError> {
    let (file, connection) = (database_in(folder), open(folder)?);
    let engine = |error: rusqlite::Error| failed(&file, &error);
    // One moment: all that is read from here on is what this transaction saw first.
    connection.execute_batch("BEGIN").map_err(engine)?;
    let newest = recovery::read(&connection, &file)?.overlay;
    let mut given = Given { each, newest: &newest, file: &file, count: 0 };
    let mut damaged = Damaged::default();
    let mut waiting = newest.keys();
    waiting.sort_unstable_by(|a, b| b.cmp(a));
    let mut select = connection
        .prepare("SELECT kind, id, image, expires_at FROM records ORDER BY kind, id")
        .map_err(engine)?;
    let mut rows = select.query(()).map_err(engine)?;
    while let Some(row) = rows.next().map_err(engine)? {
        let key = match key_of(row).map_err(engine)? {
            Ok(key) => key,
            Err(stray) => {
                damaged.add_stray(stray);
                continue;
            }
        };
        while let Some(next) = waiting.pop_if(|next| *next <= key) {
            given.newest(&next)?;
        }
        if newest.get(&key).is_some() {
            continue;
        }
        let image = row.get_ref(2).and_then(|image| Ok(image.as_blob()?)).map_err(engine)?;
        if decode(key, image).is_err() {
            damaged.add(key);
            continue;
        }
        let expires_at = row.get::<_, Option<i64>>(3).map_err(engine)?;
        given.give(&key, image, expires_at.map(|at| Timestamp::from_ms(at.unsigned_abs())))?;
    }
    while let Some(next) = waiting.pop() {
        given.newest(&next)?;
    }
    Ok(Exported { records: given.count, damaged })
}

/// What was given so far.
struct Given<'a> {
    each: Each<'a>,
    newest: &'a Overlay,
    file: &'a Path,
    count: u64,
}

impl Given<'_> {
    fn give(&mut self, key: &Key, image: &[u8], expires_at: Option<Timestamp>) -> Result<(), BackupError> {
        self.count += 1;
        (self.each)(key, image, expires_at).map_err(|why| failed(self.file, &why))
    }

    /// Gives what the journal says last of a record, unless that is its end.
    fn newest(&mut self, key: &Key) -> Result<(), BackupError> {
        match self.newest.get(key) {
            Some(slot) => match &slot.record {
                Some(record) => self.give(key, &encode(record), slot.expires_at),
                None => Ok(()),
            },
            None => Ok(()),
        }
    }
}

fn open(folder: &Path) -> Result<Connection, BackupError> {
    let file = database_in(folder);
    if !file.exists() {
        return Err(BackupError::NoStore(folder.to_owned()));
    }
    Ok(schema::open_for_reading(&file)?)
}

/// A store that is being filled. Until [`Import::finish`] there is none at its place.
pub struct Import {
    connection: Connection,
    folder: PathBuf,
    _held: Folder,
    counts: Counts,
}

impl Import {
    /// Begins one in `folder`, where there is none.
    pub fn begin(folder: &Path) -> Result<Import, BackupError> {
        let held = Folder::hold(folder)?;
        if held.database().exists() {
            return Err(BackupError::Taken(folder.to_owned()));
        }
        let unfinished = unfinished_in(folder);
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", unfinished.display()));
        }
        let connection = schema::open_for_writing(&unfinished, Durability::Relaxed)?;
        let prepare = || {
            // Nobody sees the file before it is whole, so that it needs neither a log nor a sync on the way.
            connection.pragma_update(None, "journal_mode", "OFF")?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
            connection.execute_batch("BEGIN IMMEDIATE")
        };
        prepare().map_err(|error| failed(&unfinished, &error))?;
        Ok(Import { connection, folder: folder.to_owned(), _held: held, counts: Counts::default() })
    }

    /// Puts in a record of which there is the image. It is read again: what is damaged goes no further.
    pub fn put_image(
        &mut self,
        key: Key,
        image: &[u8],
        expires_at: Option<Timestamp>,
    ) -> Result<(), BackupError> {
        let record = decode(key, image).map_err(|error| failed(&self.folder, &error))?;
        self.insert(&record, image, expires_at)
    }

    /// Puts in a record.
    pub fn put(&mut self, record: &Record, expires_at: Option<Timestamp>) -> Result<(), BackupError> {
        self.insert(record, &encode(record), expires_at)
    }

    fn insert(
        &mut self,
        record: &Record,
        image: &[u8],
        expires_at: Option<Timestamp>,
    ) -> Result<(), BackupError> {
        let key = record.key();
        let (kind, id) = (key.kind() as u8, key.id());
        let expires_at = expires_at.map(|at| i64::try_from(at.as_ms()).unwrap_or(i64::MAX));
        let insert = || {
            let sql = "INSERT INTO records (kind, id, image, expires_at) VALUES (?1, ?2, ?3, ?4)";
            self.connection.prepare_cached(sql)?.execute(params![kind, id, image, expires_at])
        };
        insert().map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => {
                failed(&self.folder, &format!("the record of {key:?} comes twice"))
            }
            _ => failed(&self.folder, &error),
        })?;
        self.counts.change(None, Some(record));
        Ok(())
    }

    /// Verifies all of it, and makes it the store of its folder when it is on the disk.
    pub fn finish(self) -> Result<Verified, BackupError> {
        let Import { connection, folder, _held, counts } = self;
        let close = || {
            table::note_folded(&connection, 0, counts)?;
            connection.execute_batch("COMMIT")?;
            connection.pragma_update(None, "journal_mode", "DELETE")
        };
        close().map_err(|error| failed(&folder, &error))?;
        let closed = connection.close();
        closed.map_err(|(_, error)| OpenFolderError::Engine {
            file: folder.clone(),
            what: error.to_string(),
        })?;
        settle(&folder, OfDamaged::Refuse)
    }
}
