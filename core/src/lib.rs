//! The pure part of Trolley. It decides and does nothing: no async, no clock, no randomness, no I/O, no log. Time and
//! random bytes come in as arguments, and what is decided goes out as values.

pub mod access;
pub mod account;
pub mod cart;
pub mod chain;
pub mod ids;
pub mod item;
pub mod ledger;
pub mod money;
pub mod order;
pub mod session;
pub mod time;
