//! From the text of a setting to a store: `memory:`, `file:DIR`.

use std::path::Path;
use std::sync::Arc;

use crate::embedded::backup::{BackupError, Verified};
use crate::embedded::dump::{Exported, Import};
use crate::embedded::settings::{OnFatal, Settings};
use crate::embedded::{Embedded, OpenFolderError, backup, dump, inspect};
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
    #[error("\"file:\" names no folder with nothing behind it: write, for example, file:data")]
    NoFolder,
    /// An address that would be read as something else than it says.
    #[error("\"{address}\" {why}: write {instead}")]
    Astray {
        /// As it was written.
        address: String,
        /// What is wrong with it.
        why: &'static str,
        /// What may have been meant.
        instead: String,
    },
    /// There is nothing on the disk to copy from or to.
    #[error("\"{0}\" is not a folder's store: this works on file:DIR only")]
    NotInAFolder(String),
    /// The copy failed.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The folder's store does not open.
    #[error(transparent)]
    Embedded(#[from] OpenFolderError),
}

/// The store at `address`. It blocks while a file store finds out what a crash left, seconds at the most.
///
/// `settings` and `last_resort` are those of a `file:` store; others have no use for them.
pub fn open(address: &str, settings: &Settings, last_resort: OnFatal) -> Result<Arc<dyn Store>, OpenError> {
    match folder_of(address) {
        Ok(folder) => Ok(Arc::new(Embedded::open(folder, settings, last_resort)?)),
        Err(OpenError::NotInAFolder(_)) => Ok(Arc::new(Memory::new())),
        Err(error) => Err(error),
    }
}

/// Whether [`open`] would open the store at `address`; who serves it at present is told, where somebody does. It makes and changes
/// nothing.
pub fn inspect(address: &str) -> Result<Option<OpenError>, OpenError> {
    match folder_of(address) {
        Ok(folder) => Ok(inspect::inspect(folder)?
            .map(|holder| OpenFolderError::InUse { folder: folder.to_owned(), holder }.into())),
        Err(OpenError::NotInAFolder(_)) => Ok(None),
        Err(error) => Err(error),
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

/// The folder of the store at `address`, where that is what it is: `file:DIR` from where the program was started, `file:/DIR` and
/// `file:///DIR` (RFC 8089) from the root.
pub fn folder_of(address: &str) -> Result<&Path, OpenError> {
    match address.split_once(':') {
        Some(("file", "" | "//")) => Err(OpenError::NoFolder),
        Some(("file", rest)) => folder(address, rest),
        Some(("memory", "")) => Err(OpenError::NotInAFolder(address.to_owned())),
        _ => Err(OpenError::UnknownScheme(address.to_owned())),
    }
}

fn folder<'a>(address: &str, rest: &'a str) -> Result<&'a Path, OpenError> {
    let astray = |why, instead| Err(OpenError::Astray { address: address.to_owned(), why, instead });
    if rest == "~" || rest.starts_with("~/") {
        let home = "the whole path, such as file:/srv/data".to_owned();
        return astray("names a folder called ~ here, since no shell has replaced it", home);
    }
    let Some(after) = rest.strip_prefix("//") else { return Ok(Path::new(rest)) };
    let path = after.strip_prefix("localhost").filter(|path| path.starts_with('/')).unwrap_or(after);
    if !path.starts_with('/') {
        let instead =
            format!("file:{after} for a folder below this one, or file:/{after} for one below the root");
        let instead = instead.replace("file:/./", "file:/").replace("file:/../", "file:/");
        return astray("names a machine between // and /, and a store is on this one", instead);
    }
    if path.starts_with("//") {
        let instead = format!("file:/{}", path.trim_start_matches('/'));
        return astray("has more slashes than a path", instead);
    }
    if path.contains(['%', '?', '#']) {
        let why = "is a URL with %, ? or #, which would have to be read as more than a path";
        return astray(why, "file: and the path as it is, with one slash: file:/srv/a folder".to_owned());
    }
    Ok(Path::new(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_folder_means_what_it_says() {
        for (address, folder) in [
            ("file:data", "data"),
            ("file:./data", "./data"),
            ("file:../data", "../data"),
            ("file:/srv/data", "/srv/data"),
            ("file:///srv/data", "/srv/data"),
            ("file://localhost/srv/data", "/srv/data"),
            ("file:a b%20c", "a b%20c"),
            ("file:data:1", "data:1"),
        ] {
            assert_eq!(folder_of(address).unwrap(), Path::new(folder), "{address}");
        }
    }

    #[test]
    fn one_that_would_mean_something_else_is_refused_and_told_what_to_write() {
        for (address, says) in [
            ("file://./data", "write file:./data"),
            ("file://data", "write file:data"),
            ("file://host/srv/data", "names a machine"),
            ("file://../data", "write file:../data"),
            ("file:////srv/data", "write file:/srv/data"),
            ("file:///srv/a%20b", "the path as it is"),
            ("file://", "names no folder"),
            ("file:~/data", "the whole path"),
            ("file:", "names no folder"),
            ("FILE:data", "is not a store"),
            ("./data", "is not a store"),
            ("memory:x", "is not a store"),
            ("", "is not a store"),
        ] {
            let why = folder_of(address).unwrap_err().to_string();
            assert!(why.contains(says), "{address}: {why}");
            assert!(inspect(address).is_err(), "{address}");
        }
        assert!(inspect("memory:").unwrap().is_none());
    }
}
