//! The server: a service that does, and HTTP in front of it. The `trolley` program puts them together.

pub mod http;
pub mod service;
