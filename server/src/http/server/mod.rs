//! The server: the socket, a connection, the edge around the router, and the router itself.

pub mod app;
pub mod awaited;
pub mod connection;
pub mod cors;
pub mod cross_site;
pub mod crowd;
pub mod edge;
pub mod failure_log;
pub mod heard;
pub mod serve;
pub mod state;
pub mod turn;
