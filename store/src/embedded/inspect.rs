//! Whether a store in a folder would open: found out before it is, and so that nothing is there afterwards which was not before.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::error::OpenFolderError;
use super::folder::{LOCK, database_in};
use super::{recovery, schema};

/// The name of a file that is made and removed, to find out whether files can be made.
const PROBE: &str = "probe";

/// Who serves the store in `folder` at present, where somebody does: then no more is looked at. An error is one that opening it would
/// be refused with.
pub fn inspect(folder: &Path) -> Result<Option<String>, OpenFolderError> {
    let in_the_way = |source| OpenFolderError::Folder { folder: folder.to_owned(), source };
    let missing = missing(folder);
    if !missing.is_empty() {
        could_be_made(folder, &missing).map_err(in_the_way)?;
        return Ok(None);
    }
    let _lock = match hold(&folder.join(LOCK)).map_err(in_the_way)? {
        Held::By(holder) => return Ok(Some(holder)),
        Held::Here(lock) => lock,
    };
    could_be_written(folder).map_err(in_the_way)?;
    let file = database_in(folder);
    if file.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(None);
    }
    let unwritable =
        |error: io::Error| OpenFolderError::Engine { file: file.clone(), what: error.to_string() };
    OpenOptions::new().read(true).write(true).open(&file).map_err(unwritable)?;
    let connection = schema::open_for_reading(&file)?;
    if schema::has_tables(&connection, &file)? {
        recovery::read(&connection, &file)?;
    }
    Ok(None)
}

/// The folder and those above it that are not there yet, the outermost last.
fn missing(folder: &Path) -> Vec<PathBuf> {
    let above = folder.ancestors().filter(|path| !path.as_os_str().is_empty());
    above.take_while(|path| !path.exists()).map(Path::to_owned).collect()
}

/// Makes the folders and takes them away again.
fn could_be_made(folder: &Path, missing: &[PathBuf]) -> io::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let made = made.and_then(|()| could_be_written(folder));
    for folder in missing {
        let _ = std::fs::remove_dir(folder);
    }
    made
}

fn could_be_written(folder: &Path) -> io::Result<()> {
    let probe = folder.join(PROBE);
    File::create_new(&probe)?;
    std::fs::remove_file(probe)
}

/// A folder's lock.
enum Held {
    /// By another process, as it says.
    By(String),
    /// Here for a moment, where there is a file to lock.
    Here(Option<File>),
}

fn hold(path: &Path) -> io::Result<Held> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Held::Here(None)),
        opened => opened?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Held::Here(Some(file))),
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.by_ref().take(20).read_to_string(&mut holder);
            Ok(Held::By(holder))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::embedded::Embedded;
    use crate::embedded::settings::Settings;

    /// A folder that goes when the test ends.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Place {
            let place = std::env::temp_dir().join(format!("trolley-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&place).unwrap();
            Place(place)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_folder_that_could_be_made_is_not_made_and_one_that_could_not_is_told() {
        let place = Place::new("inspected");
        assert_eq!(inspect(&place.0.join("a/b/c")).unwrap(), None);
        assert!(!place.0.join("a").exists());
        assert_eq!(inspect(&place.0).unwrap(), None);
        assert_eq!(std::fs::read_dir(&place.0).unwrap().count(), 0);
        std::fs::write(place.0.join("file"), "x").unwrap();
        assert!(matches!(inspect(&place.0.join("file/below")), Err(OpenFolderError::Folder { .. })));
        assert!(matches!(inspect(&place.0.join("file")), Err(OpenFolderError::Folder { .. })));
    }

    #[test]
    fn a_store_is_looked_at_whole_unless_somebody_serves_it() {
        let place = Place::new("looked-at");
        let store = Embedded::open(&place.0, &Settings::default(), Arc::new(|_: &str| {})).unwrap();
        assert_eq!(inspect(&place.0).unwrap(), Some(std::process::id().to_string()));
        drop(store);
        assert_eq!(inspect(&place.0).unwrap(), None);
        // The engine's log may still hold all of it, and then nothing is lost: without it there is only this.
        for beside in ["trolley.db-wal", "trolley.db-shm"] {
            let _ = std::fs::remove_file(place.0.join(beside));
        }
        let text = "no database, and long enough to be read as one ".repeat(100);
        std::fs::write(database_in(&place.0), text).unwrap();
        let found = inspect(&place.0).map_err(|error| error.to_string()).unwrap_err();
        assert!(found.contains("is not a trolley store"), "{found}");
    }
}
