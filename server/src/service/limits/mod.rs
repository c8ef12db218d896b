//! Limits: how often something may happen to whom.

pub mod addresses;
pub mod allowance;
pub mod attempts;
pub mod limiter;
pub mod quotas;
pub mod shares;
