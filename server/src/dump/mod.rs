//! A dump of a store: its form, and how far a long command is.

pub mod format;
pub(crate) mod progress;
