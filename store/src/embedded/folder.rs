//! The folder of a store: made for its owner alone, and locked by the one process that may write to it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::error::OpenFolderError;

/// The database's name in the folder.
const DATABASE: &str = "trolley.db";
/// The lock's name in the folder.
pub(super) const LOCK: &str = "lock";

/// A folder that this process holds. The lock goes with this value, and with the process however it ends.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder where it is missing, and locks it.
    pub(super) fn hold(path: &Path) -> Result<Folder, OpenFolderError> {
        let in_the_way = |source| OpenFolderError::Folder { folder: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(in_the_way)?;
        let lock = lock(path).map_err(in_the_way)?;
        let lock = lock.map_err(|holder| OpenFolderError::InUse { folder: path.to_owned(), holder })?;
        Ok(Folder { path: path.to_owned(), _lock: lock })
    }

    /// Where the database is.
    pub(super) fn database(&self) -> PathBuf {
        database_in(&self.path)
    }

    /// Makes the names in the folder, and the folder's own, outlast a power cut.
    pub(super) fn sync(&self) -> io::Result<()> {
        sync_folder(&self.path)
    }
}

/// Where the database of the store in `folder` is.
pub(super) fn database_in(folder: &Path) -> PathBuf {
    folder.join(DATABASE)
}

/// Makes the names in `folder`, and the folder's own, outlast a power cut.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()?;
    let folder = folder.canonicalize()?;
    folder.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

/// The lock, or who holds it as far as that is known. It is never removed: a lock on a file that another process may
/// have replaced would be no lock.
fn lock(folder: &Path) -> io::Result<Result<File, String>> {
    let path = folder.join(LOCK);
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            write!(file, "{}", std::process::id())?;
            Ok(Ok(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.take(20).read_to_string(&mut holder);
            Ok(Err(holder))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}
