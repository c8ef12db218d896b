//! HTTP: the router, one file a resource, and what stands between the socket and the handlers.

pub mod app;
pub mod body;
pub mod cart;
pub mod cart_wire;
pub mod change;
pub mod condition;
pub mod cookie;
pub mod cors;
pub mod demo;
pub mod edge;
pub mod error;
pub mod form;
pub mod front;
pub mod health;
pub mod idempotency;
pub mod json;
pub mod linger;
pub mod origin;
pub mod problems;
pub mod serve;
pub mod session;
pub mod test_clock;
pub mod time;
pub mod visitor;
