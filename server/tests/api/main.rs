//! The API from outside, over HTTP: one file a resource or a promise; `support` holds the actors.
//!
//! Time is turned by hand, nothing sleeps to wait for a clock, and each test has a shop of its own.

#![allow(unreachable_pub, reason = "a test binary has no outside")]
#![allow(clippy::unwrap_used, reason = "in a test an unwrap is an assertion")]

pub mod account;
pub mod admin;
pub mod cart;
pub mod edge;
pub mod live;
pub mod pages;
pub mod session;
mod support;
