//! What can go wrong with the disk: why a store does not open, and why a transaction does not happen.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_IOERR_SHMMAP, SQLITE_IOERR_SHMSIZE};

/// Why the store in a folder does not open. Each says what to do where there is something to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenFolderError {
    /// The folder cannot be made, read or written.
    #[error("the folder {}: {source}", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process holds it.
    #[error("the folder {} is in use by another trolley (process {holder}): one folder has one server", folder.display())]
    InUse {
        /// Which.
        folder: PathBuf,
        /// Its process id, as the lock says.
        holder: String,
    },
    /// A newer release wrote it.
    #[error("{} was written by a newer trolley (its format is {found}, this one knows up to {known}): use that release, or restore a backup", file.display())]
    TooNew {
        /// The database.
        file: PathBuf,
        /// Its format.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// The file is something else.
    #[error("{} is not a trolley store", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// What was acknowledged cannot be read any more. To start without it would lose it in silence.
    #[error("{} is damaged: {what}; restore a backup, or a copy of the disk from before", file.display())]
    Damaged {
        /// The database.
        file: PathBuf,
        /// How it shows.
        what: String,
    },
    /// The engine cannot work with it.
    #[error("{}: {what}", file.display())]
    Engine {
        /// The database.
        file: PathBuf,
        /// What the engine says.
        what: String,
    },
    /// This build's engine is older than what was tested.
    #[error("this program was built with SQLite {0}, which is too old")]
    OldEngine(&'static str),
}

/// Why a transaction did not happen, or may not have.
#[derive(Clone, Debug)]
pub(super) enum EngineError {
    /// There is no space; it was rolled back.
    Full,
    /// The disk or the file failed: nobody knows what is on it.
    Broken(String),
}

impl From<rusqlite::Error> for EngineError {
    fn from(error: rusqlite::Error) -> EngineError {
        let full = error.sqlite_error().is_some_and(|error| {
            // The engine's shared index is a file too: where it cannot grow, nothing was written yet.
            error.code == ErrorCode::DiskFull
                || matches!(error.extended_code, SQLITE_IOERR_SHMSIZE | SQLITE_IOERR_SHMMAP)
        });
        if full { EngineError::Full } else { EngineError::Broken(error.to_string()) }
    }
}
