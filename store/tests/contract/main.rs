//! The contract suite over the adapters of this crate, and what only the folder's store promises: it folds, and it notices damage.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod damage;
mod folding;
mod place;

use trolley_store_contract::{runtime, suite};

suite! { memory at crate::place::MemoryPlace::new }
suite! { file at crate::place::FilePlace::new }
