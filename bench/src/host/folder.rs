//! A folder for one measurement, gone with it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::leave;

/// A folder that is removed when it is dropped, or a signal ends us.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A new one in `parent`: on the disk that is to be measured, not in a temporary file system.
    pub(crate) fn new(parent: &Path) -> io::Result<Folder> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        std::fs::create_dir_all(parent)?;
        let path = parent.canonicalize()?.join(name);
        std::fs::create_dir(&path)?;
        leave::made(&path);
        Ok(Folder { path })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A place in it.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        leave::remove(&self.path);
    }
}

/// Bytes of all files in a folder and below.
pub(crate) fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
