//! What answers look like: domain types are never sent as they are.

pub mod account;
pub mod body_cache;
pub mod cart;
pub mod history;
pub mod notice;
pub mod order;
pub mod rate_limit;
pub mod sync;
pub mod time;
