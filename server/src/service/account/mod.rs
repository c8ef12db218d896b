//! Accounts: sign-up and sign-in, passwords, devices, the trail of what happened, and how sessions come to an account and leave it.

pub mod attach;
pub mod audit;
pub mod credentials;
pub mod delete;
pub mod devices;
pub mod end_devices;
pub mod hashing;
pub mod revoke;
pub(crate) mod rotate;
pub mod sign_in;
pub(crate) mod successor;
