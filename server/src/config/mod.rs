//! Settings in two steps: what was typed (flags, environment, file), and what it means, checked.

pub mod checked;
pub mod duration;
pub mod lifetimes;
pub mod origin;
pub mod printed;
pub mod quotas;
pub mod raw;
pub mod secret;
pub mod table;
pub mod value;

/// A setting that makes no sense, in one sentence that names it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);
