//! The commands of the `trolley` program: one file each, all of one shape: arguments in, a sentence out where it fails.

pub mod backup;
pub mod config;
pub mod serve;
pub mod version;

use crate::config::Senseless;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// It was asked for something senseless: exit code 2.
    #[error("{0}")]
    Asked(String),
    /// The world did not allow it: exit code 1.
    #[error("{0}")]
    World(String),
}

impl Failed {
    /// What the process ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failed::Asked(_) => 2,
            Failed::World(_) => 1,
        }
    }
}

impl From<Senseless> for Failed {
    fn from(senseless: Senseless) -> Failed {
        Failed::Asked(senseless.to_string())
    }
}

/// The process's variables; a value that is not text is no value of a setting, and is refused as what it looks like.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
}
