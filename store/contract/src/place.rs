//! Where the stores of the suite are: the one thing that an adapter has to say of itself.

use std::sync::Arc;

use trolley_store::port::{BoxFuture, Store};

/// A fresh place for a store, which goes away when this is dropped.
pub trait Place: Sized + Send + Sync + 'static {
    /// Whether records are there after the store was closed, dropped and opened again.
    const LASTS: bool;

    /// Opens the store that is here: the first time an empty one, later with what was committed.
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>>;

    /// What a power cut of this moment would leave of a store that nobody writes to just now; none where an adapter keeps nothing
    /// on a disk of ours.
    fn after_a_power_cut(&self) -> Option<Self> {
        None
    }
}
