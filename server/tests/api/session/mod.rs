//! `/v1/session`, `/v1/verify`: who is calling, how long a session lives, and what ends it.

pub(crate) mod callers;
pub(crate) mod data;
pub(crate) mod gone_together;
pub(crate) mod leaving;
pub(crate) mod races;
pub(crate) mod remember_arrival;
pub(crate) mod remember_told;
pub(crate) mod remembered;
pub(crate) mod rotation;
pub(crate) mod sessions;
pub(crate) mod signed_in;
pub(crate) mod signing_out;
pub(crate) mod signing_out_chains;
pub(crate) mod sweeping;
pub(crate) mod under_way;
pub(crate) mod unproven;
pub(crate) mod verify;
