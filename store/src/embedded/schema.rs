//! The database: its tables, its settings, and how an older one becomes today's.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::error::OpenFolderError;
use super::settings::Durability;

/// "TRLY": tells the file from other SQLite databases.
const APPLICATION: i64 = 0x5452_4c59;
/// The release of SQLite from which on the write-ahead log is known to be sound (a lost-commit fault of its reset
/// went in 3.51.3).
const ENGINE_LEAST: i32 = 3_051_003;
/// Bytes of a page: what the engine writes at least for a commit.
const PAGE_BYTES: i64 = 4096;
/// Kibibytes of pages that the writer's connection keeps.
const WRITER_CACHE_KIB: i64 = 16 * 1024;
/// Kibibytes of pages that each reading connection keeps; the operating system keeps the rest.
const READER_CACHE_KIB: i64 = 2 * 1024;
/// What stays of the write-ahead log's file after it was copied into the database.
const LOG_KEPT_BYTES: i64 = 64 << 20;

/// What was added by each release that changed the tables, oldest first. One that was released is never edited: the
/// database's `user_version` says how many of them it has had.
const STEPS: &[&str] = &[
    "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT;
    INSERT INTO meta VALUES ('folded', 0), ('guest_carts', 0), ('account_carts', 0), ('merged_carts', 0),
        ('guest_sessions', 0), ('account_sessions', 0), ('unproven_guests', 0);
    CREATE TABLE journal (seq INTEGER PRIMARY KEY, row BLOB NOT NULL) STRICT;
    CREATE TABLE records (
        kind INTEGER NOT NULL, id BLOB NOT NULL, image BLOB NOT NULL, expires_at INTEGER,
        PRIMARY KEY (kind, id)
    ) WITHOUT ROWID, STRICT;
    CREATE INDEX sessions_by_expiry ON records (expires_at) WHERE kind = 2 AND expires_at IS NOT NULL;
",
    "
    DROP INDEX sessions_by_expiry;
    CREATE INDEX records_by_expiry ON records (expires_at) WHERE expires_at IS NOT NULL;
",
];

/// A connection that writes. It makes the tables where there are none, and upgrades older ones.
pub(super) fn open_for_writing(file: &Path, durability: Durability) -> Result<Connection, OpenFolderError> {
    if rusqlite::version_number() < ENGINE_LEAST {
        return Err(OpenFolderError::OldEngine(rusqlite::version()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut connection = Connection::open_with_flags(file, flags).map_err(|error| engine(file, &error))?;
    check(&connection, file)?;
    prepare(&mut connection, durability).map_err(|error| engine(file, &error))?;
    Ok(connection)
}

/// A connection that reads what is committed. It writes nothing, and makes no database where there is none.
pub(super) fn open_for_reading(file: &Path) -> Result<Connection, OpenFolderError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(file, flags).map_err(|error| engine(file, &error))?;
    let set = || {
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))
    };
    set().map_err(|error| engine(file, &error))?;
    check(&connection, file)?;
    Ok(connection)
}

/// Whether commits of this connection from now on are synced to the disk before they return.
///
/// Folding repeats what the journal has already, so that its own transactions need no sync: the write-ahead log loses
/// none before one that came earlier.
pub(super) fn sync_commits(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    let synchronous = match durability {
        Durability::Strict => "FULL",
        Durability::Relaxed => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)
}

/// Refuses what is not ours or newer than we are, before anything is written.
pub(super) fn check(connection: &Connection, file: &Path) -> Result<(), OpenFolderError> {
    let read = || -> rusqlite::Result<(i64, i64, i64)> {
        let one = |sql| connection.query_row(sql, (), |row| row.get(0));
        let tables = one("SELECT count(*) FROM sqlite_schema")?;
        Ok((one("PRAGMA application_id")?, one("PRAGMA user_version")?, tables))
    };
    let (application, version, tables) = read().map_err(|error| engine(file, &error))?;
    let known = STEPS.len() as i64;
    match (application, version) {
        (0, 0) if tables == 0 => Ok(()),
        (APPLICATION, version) if version <= known => Ok(()),
        (APPLICATION, found) => Err(OpenFolderError::TooNew { file: file.to_owned(), found, known }),
        _ => Err(OpenFolderError::Foreign { file: file.to_owned() }),
    }
}

/// Whether anything was ever made in it.
pub(super) fn has_tables(connection: &Connection, file: &Path) -> Result<bool, OpenFolderError> {
    let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get::<_, i64>(0));
    Ok(tables.map_err(|error| engine(file, &error))? > 0)
}

fn prepare(connection: &mut Connection, durability: Durability) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", LOG_KEPT_BYTES)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(32);
    sync_commits(connection, durability)?;
    upgrade(connection)
}

fn upgrade(connection: &mut Connection) -> rusqlite::Result<()> {
    let had: i64 = connection.query_row("PRAGMA user_version", (), |row| row.get(0))?;
    let had = usize::try_from(had).unwrap_or_default();
    if had == STEPS.len() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for step in &STEPS[had..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", STEPS.len() as i64)?;
    transaction.commit()
}

fn engine(file: &Path, error: &rusqlite::Error) -> OpenFolderError {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) {
        return OpenFolderError::Foreign { file: file.to_owned() };
    }
    OpenFolderError::Engine { file: file.to_owned(), what: error.to_string() }
}
