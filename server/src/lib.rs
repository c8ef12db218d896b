//! The server: a service that does, HTTP in front of it, and the commands of the `trolley` program that put them together.

pub mod catalogue;
pub mod cli;
pub mod config;
pub mod control_socket;
pub mod dump;
pub mod http;
pub mod pages;
pub mod service;
pub mod service_manager;
