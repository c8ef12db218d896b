//! Keys of the shop's own systems.

pub mod api_keys;
