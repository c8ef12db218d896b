//! `/v1/accounts`, `/v1/account`, `/v1/sessions`: passwords, sign-in with its merge, devices.

pub(crate) mod accounts;
pub(crate) mod attempts;
pub(crate) mod devices;
pub(crate) mod keyed_ends;
pub(crate) mod known_devices;
pub(crate) mod secrets;
pub(crate) mod shut_out;
pub(crate) mod sign_in;
pub(crate) mod sign_in_races;
