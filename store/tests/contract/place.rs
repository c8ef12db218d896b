//! Where the stores of the suite are: each in a place of its own, gone at the end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use trolley_store::embedded::settings::Settings;
use trolley_store::open::open;
use trolley_store::port::Store;

/// Which adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Memory,
    File,
}

/// A fresh place for a store.
pub(crate) struct Place {
    kind: Kind,
    folder: PathBuf,
}

impl Place {
    pub(crate) fn new(kind: Kind) -> Place {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("contract-{}-{n}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Place { kind, folder }
    }

    pub(crate) fn open(&self) -> Arc<dyn Store> {
        self.try_open().unwrap_or_else(|why| panic!("{why}"))
    }

    /// The store, or the sentence with which it refuses.
    pub(crate) fn try_open(&self) -> Result<Arc<dyn Store>, String> {
        let address = match self.kind {
            Kind::Memory => "memory:".to_owned(),
            Kind::File => format!("file:{}", self.folder.display()),
        };
        let last_resort = Arc::new(|sentence: &str| panic!("{sentence}"));
        open(&address, &Settings { cache_mb: 1, ..Settings::default() }, last_resort)
            .map_err(|why| why.to_string())
    }

    /// What a power cut of this moment would leave of a store that nobody writes to just now.
    pub(crate) fn copy(&self) -> Place {
        let copy = Place::new(self.kind);
        std::fs::create_dir_all(&copy.folder).unwrap();
        for name in ["trolley.db", "trolley.db-wal"] {
            std::fs::copy(self.folder.join(name), copy.folder.join(name)).unwrap();
        }
        copy
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("trolley.db")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
