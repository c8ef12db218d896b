//! HTTP: the router, one file a resource, and what stands between the socket and the handlers.

pub mod extract;
pub mod metrics;
pub mod openapi;
pub mod problem;
pub mod routes;
pub mod server;
pub mod wire;
