//! Carts: each change waits in its cart's queue, is decided by core with others in one batch, and kept by one commit.

pub mod batch;
pub mod checkout;
pub mod command;
pub mod context;
pub mod events;
pub mod kind;
pub mod merge;
pub mod orders;
pub mod preconditions;
pub mod queue;
pub(crate) mod sealing;
pub mod sync;
