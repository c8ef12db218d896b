//! What belongs to an account beside its cart.

pub mod sessions;
