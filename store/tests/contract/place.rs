//! Where the stores of this crate's adapters are.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use trolley_store::embedded::settings::Settings;
use trolley_store::memory::Memory;
use trolley_store::open::open;
use trolley_store::port::{BoxFuture, Store};
use trolley_store_contract::place::Place;

/// In memory: gone with the store.
pub(crate) struct MemoryPlace;

impl MemoryPlace {
    pub(crate) fn new() -> MemoryPlace {
        MemoryPlace
    }
}

impl Place for MemoryPlace {
    const LASTS: bool = false;

    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async { Arc::new(Memory::new()) as Arc<dyn Store> })
    }
}

/// A folder of its own, gone at the end.
pub(crate) struct FilePlace {
    folder: PathBuf,
}

impl FilePlace {
    pub(crate) fn new() -> FilePlace {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("contract-{}-{n}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        FilePlace { folder }
    }

    pub(crate) fn open(&self) -> Arc<dyn Store> {
        self.try_open().unwrap_or_else(|why| panic!("{why}"))
    }

    /// The store, or the sentence with which it refuses.
    pub(crate) fn try_open(&self) -> Result<Arc<dyn Store>, String> {
        let address = format!("file:{}", self.folder.display());
        let on_fatal = Arc::new(|sentence: &str| panic!("{sentence}"));
        open(&address, &Settings { cache_mb: 1, ..Settings::default() }, on_fatal)
            .map_err(|why| why.to_string())
    }

    /// What a power cut of this moment would leave of a store that nobody writes to just now.
    pub(crate) fn copy(&self) -> FilePlace {
        let copy = FilePlace::new();
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

impl Place for FilePlace {
    const LASTS: bool = true;

    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async { FilePlace::open(self) })
    }

    fn after_a_power_cut(&self) -> Option<FilePlace> {
        Some(self.copy())
    }
}

impl Drop for FilePlace {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
