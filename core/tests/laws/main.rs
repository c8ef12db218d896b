//! The laws of the cart's algebra, by random histories, against CART.md's one sentence.
//!
//! `LAW_CASES` is how many interleavings the main law runs (10,000 unless set; the others run a stated part of it),
//! `LAW_SEED` moves all of them to other histories. A failure prints a history cut down to what it takes.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod bounds;
mod conservation;
mod late;
mod merging;
mod oracle;
mod order;
mod owed;
mod owed_late;
mod owed_world;
mod quantities;
mod runner;
#[path = "../shelf/mod.rs"]
mod shelf;
mod world;
