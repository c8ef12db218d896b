//! The socket in the store's folder: how commands of the `trolley` program reach the server that serves it. Who may open
//! the folder's files may use it, and nobody else.

pub mod client;
pub mod listener;
pub mod place;
pub mod wire;
