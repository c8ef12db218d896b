//! A catalogue in a JSON file. It is read again when it changes; a new state that cannot be read leaves the old one standing.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use trolley_core::time::Timestamp;

use crate::catalogue::form;
use crate::catalogue::form::CatalogueError;
use crate::service::catalogue::listing::Listing;
use crate::service::catalogue::product::ProductTable;
use crate::service::catalogue::{BoxFuture, Catalogue, Skus};

/// The largest file that is read.
const BYTES_MAX: u64 = 256 << 20;

/// The catalogue.
pub struct File(Arc<Followed>);

/// A file and what it said when it was last read well.
struct Followed {
    path: PathBuf,
    shelf: RwLock<Arc<ProductTable>>,
    /// The state of the file that was last looked at, whether it could be read or not.
    looked_at: Mutex<Option<Mark>>,
}

/// Why a file is no catalogue.
#[derive(Debug, thiserror::Error)]
pub enum ReadCatalogueError {
    /// The system does not give it.
    #[error("{path} cannot be read: {error}")]
    NotThere {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// It is larger than 256 MiB.
    #[error("{0} is larger than 256 MiB")]
    TooLarge(PathBuf),
    /// It is not in a catalogue's form.
    #[error("{path} is not a catalogue: {why}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: CatalogueError,
    },
}

/// What tells one state of a file from the next: also where one is renamed over another within the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl From<&Metadata> for Mark {
    fn from(of: &Metadata) -> Mark {
        Mark { inode: of.ino(), bytes: of.size(), modified: (of.mtime(), of.mtime_nsec()) }
    }
}

impl File {
    /// Reads it for the first time.
    pub fn open(path: &Path) -> Result<File, ReadCatalogueError> {
        let (shelf, mark) = read(path)?;
        let shelf = RwLock::new(Arc::new(shelf));
        Ok(File(Arc::new(Followed { path: path.to_owned(), shelf, looked_at: Mutex::new(Some(mark)) })))
    }
}

impl Followed {
    /// Reads it again if it changed. What is wrong with the new state is told once.
    fn look(&self) {
        let mark = std::fs::metadata(&self.path).ok().map(|found| Mark::from(&found));
        let before = std::mem::replace(&mut *self.looked_at.lock(), mark);
        if mark == before {
            return;
        }
        match read(&self.path) {
            Ok((shelf, mark)) => {
                tracing::info!(path = %self.path.display(), products = shelf.len(), "the catalogue was read again");
                *self.looked_at.lock() = Some(mark);
                *self.shelf.write() = Arc::new(shelf);
            }
            Err(error) => {
                tracing::warn!(%error, "the catalogue has changed for the worse: the old one stands");
            }
        }
    }
}

/// The mark is taken of the file that is read, before it is read: a change meanwhile is seen the next time.
fn read(path: &Path) -> Result<(ProductTable, Mark), ReadCatalogueError> {
    let not_there = |error| ReadCatalogueError::NotThere { path: path.to_owned(), error };
    let file = std::fs::File::open(path).map_err(not_there)?;
    let found = file.metadata().map_err(not_there)?;
    if found.len() > BYTES_MAX {
        return Err(ReadCatalogueError::TooLarge(path.to_owned()));
    }
    let mut json = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, BYTES_MAX), &mut json).map_err(not_there)?;
    let shelf =
        form::shelf(&json).map_err(|why| ReadCatalogueError::Malformed { path: path.to_owned(), why })?;
    Ok((shelf, Mark::from(&found)))
}

impl Catalogue for File {
    fn listing<'a>(&'a self, _skus: Skus<'a>, _now: Timestamp) -> BoxFuture<'a, Listing> {
        Box::pin(std::future::ready(Listing::Whole(self.0.shelf.read().clone())))
    }

    /// A large file takes a while, and its disk may be slow: never on a thread that answers requests.
    fn refresh(&self) -> BoxFuture<'_, ()> {
        let followed = Arc::clone(&self.0);
        Box::pin(async move {
            if let Err(error) = tokio::task::spawn_blocking(move || followed.look()).await {
                tracing::error!(%error, "the catalogue could not be looked at");
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that goes when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = std::env::temp_dir().join(format!("trolley-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            Folder(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn products(price: &str) -> String {
        format!(r#"{{"currency": "EUR", "products": [{{"sku": "mug", "title": "Mug", "price": {price}}}]}}"#)
    }

    fn price(file: &File) -> u64 {
        file.0.shelf.read().get("mug").unwrap().product.price.amount
    }

    #[tokio::test]
    async fn a_changed_file_is_read_again_and_a_broken_one_leaves_the_old_one_standing() {
        let folder = Folder::new("catalogue");
        let path = folder.0.join("catalogue.json");
        std::fs::write(&path, products("1250")).unwrap();
        let file = File::open(&path).unwrap();
        for (text, stands) in [
            (Some(products("1400")), 1_400),
            (Some(products("12.5")), 1_400),
            (Some("{".to_owned()), 1_400),
            (None, 1_400),
            (Some(products("900")), 900),
        ] {
            // Renamed over the old one, as editors and deployments do: the inode tells, whatever the clock's grain is.
            match &text {
                Some(text) => {
                    std::fs::write(folder.0.join("new"), text).unwrap();
                    std::fs::rename(folder.0.join("new"), &path).unwrap();
                }
                None => std::fs::remove_file(&path).unwrap(),
            }
            file.refresh().await;
            assert_eq!(price(&file), stands, "{text:?}");
        }
    }

    #[test]
    fn a_file_that_is_no_catalogue_is_refused_at_the_start_by_its_name() {
        let folder = Folder::new("no-catalogue");
        let path = folder.0.join("catalogue.json");
        let why = File::open(&path).map(|_| ()).unwrap_err().to_string();
        assert!(why.contains("catalogue.json cannot be read"), "{why}");
        std::fs::write(&path, products("-1")).unwrap();
        let why = File::open(&path).map(|_| ()).unwrap_err().to_string();
        assert!(why.contains("catalogue.json is not a catalogue") && why.contains("line 1"), "{why}");
    }
}
