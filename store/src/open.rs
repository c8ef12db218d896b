//! From the text of a setting to a store: `memory:`, `file:DIR`.

use std::path::Path;
use std::sync::Arc;

use crate::embedded::settings::{LastResort, Settings};
use crate::embedded::{Embedded, OpenFailed};
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
