//! Sessions: whom a request comes from, how long a session lives, and what belongs to it.

pub(crate) mod ages;
pub(crate) mod cache;
pub mod claim;
pub mod data;
pub mod guest;
pub(crate) mod keys;
pub mod last_seen;
pub mod last_seen_writer;
pub mod recognise;
pub(crate) mod remember;
pub(crate) mod renewal;
pub(crate) mod retention;
pub mod sweep;
pub mod token;
