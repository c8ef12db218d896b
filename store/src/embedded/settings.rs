//! How the embedded store behaves: every choice a shop can make, with its default.

use std::sync::Arc;

/// The choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What a power cut may take.
    pub durability: Durability,
    /// Megabytes of decoded records that are kept for reading. What the journal holds is in memory besides.
    pub cache_mb: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { durability: Durability::Strict, cache_mb: 256 }
    }
}

/// What a power cut may take. The end of the process alone, however sudden, takes nothing under either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// Nothing: an answer leaves when its change is on the disk.
    #[default]
    Strict,
    /// The last changes, never a part of a commit: an answer leaves when its change is with the operating system.
    Relaxed,
}

/// Called once, with one sentence, when the disk failed under the writer and nobody can know any more what is on it.
///
/// It should log and end the process: the next start finds out by reading. Where it returns, the store is down for good.
pub type OnFatal = Arc<dyn Fn(&str) + Send + Sync>;
