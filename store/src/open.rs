//! From the text of a setting to a store: `memory:`, `file:DIR`.

use std::path::Path;
use std::sync::Arc;

use crate::embedded::backup::{BackupFailed, Verified};
use crate::embedded::dump::{Exported, Import};
use crate::embedded::settings::{LastResort, Settings};
use crate::embedded::{Embedded, OpenFailed, backup, dump};
use crate::memory::Memory;
use crate::port::Store;

/// Why there is no store. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not an address of a store.
    #[error(
        "\"{0}\" is not a store: write file:DIR to keep carts in the folder DIR, or memory: to keep them until the process ends"
    )]
    UnknownScheme(String),
    /// `file:` and nothing more.
    #[error("\"file:\" names no folder: write, for example, file:data")]
    NoFolder,
    /// There is nothing on the disk to copy from or to.
    #[error("\"{0}\" is not a folder's store: this works on file:DIR only")]
    NotInAFolder(String),
    /// The copy failed.
    #[error(transparent)]
    Backup(#[from] BackupFailed),
    /// The folder's store does not open.
    #[error(transparent)]
    Embedded(#[from] OpenFailed),
}

/// The store at `address`. It blocks while a file store finds out what a crash left, seconds at the most.
///
/// `settings` and `last_resort` are those of a `file:` store; others have no use for them.
pub fn open(
    address: &str,
    settings: &Settings,
    last_resort: LastResort,
) -> Result<Arc<dyn Store>, OpenError> {
    match address.split_once(':') {
        Some(("memory", "")) => Ok(Arc::new(Memory::new())),
        Some(("file", "")) => Err(OpenError::NoFolder),
        Some(("file", folder)) => Ok(Arc::new(Embedded::open(Path::new(folder), settings, last_resort)?)),
        _ => Err(OpenError::UnknownScheme(address.to_owned())),
    }
}

/// Copies the store at `address` into the folder `to`, also while it is served.
pub fn back_up(address: &str, to: &Path) -> Result<Verified, OpenError> {
    Ok(backup::backup(folder_of(address)?, to)?)
}

/// Makes a store at `address`, where there is none, of the backup in the folder `from`.
pub fn restore(from: &Path, address: &str) -> Result<Verified, OpenError> {
    Ok(backup::restore(from, folder_of(address)?)?)
}

/// Gives `each` every record of the store at `address` as of one moment, also while it is served; says how many there were, and
/// which were left out because they are damaged.
pub fn export(address: &str, each: dump::Each<'_>) -> Result<Exported, OpenError> {
    Ok(dump::export(folder_of(address)?, each)?)
}

/// About how many records [`export`] would give.
pub fn records_in(address: &str) -> Result<u64, OpenError> {
    Ok(dump::records_in(folder_of(address)?)?)
}

/// Begins a store at `address`, where there is none, that is filled record by record.
pub fn import(address: &str) -> Result<Import, OpenError> {
    Ok(Import::begin(folder_of(address)?)?)
}

/// The folder of the store at `address`, where that is what it is.
pub fn folder_of(address: &str) -> Result<&Path, OpenError> {
    match address.split_once(':') {
        Some(("file", "")) => Err(OpenError::NoFolder),
        Some(("file", folder)) => Ok(Path::new(folder)),
        Some(("memory", "")) => Err(OpenError::NotInAFolder(address.to_owned())),
        _ => Err(OpenError::UnknownScheme(address.to_owned())),
    }
}
