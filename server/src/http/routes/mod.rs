//! The routes, in rooms as the paths have them.

pub mod account;
pub mod admin;
pub mod cart;
pub mod operations;
pub mod session;
