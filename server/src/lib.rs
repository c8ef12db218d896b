//! The server: a service that does, HTTP in front of it, and the commands of the `trolley` program that put them together.

pub mod catalogue;
pub mod cmd;
pub mod config;
pub mod http;
pub mod local;
pub mod service;
