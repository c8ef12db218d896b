//! The commands of the `trolley` program: one file each, all of one shape: arguments in, a sentence out where it fails.

pub mod api_key;
pub mod backup;
pub mod config;
pub mod dump;
pub mod export;
pub mod healthcheck;
pub mod import;
pub mod manager;
pub mod openapi;
mod prepare;
mod progress;
mod secret;
pub mod serve;
pub mod version;

use std::io::Write as _;
use std::path::PathBuf;

use trolley_store::open::{OpenError, folder_of};

use crate::config::Senseless;
use crate::config::raw::Raw;
use crate::local::ask::{Unanswered, ask};
use crate::local::wire::{Ask, Told};

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

impl From<OpenError> for Failed {
    fn from(error: OpenError) -> Failed {
        match error {
            OpenError::UnknownScheme(_)
            | OpenError::NoFolder
            | OpenError::Astray { .. }
            | OpenError::NotInAFolder(_) => Failed::Asked(error.to_string()),
            OpenError::Backup(_) | OpenError::Embedded(_) => Failed::World(error.to_string()),
        }
    }
}

/// Says on standard output what was done.
fn say(sentence: &str) -> Result<(), Failed> {
    writeln!(std::io::stdout(), "{sentence}").map_err(|error| Failed::World(error.to_string()))
}

/// The process's variables; a value that is not text is no value of a setting, and is refused as what it looks like.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
}

/// How a command finds the running server that it is about: by the store which that server was started with.
#[derive(clap::Args, Debug)]
pub struct Reach {
    /// The store of the running server: file:DIR [default: file:./data] [env: TROLLEY_STORE]
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// The server's file of settings [default: trolley.toml, where there is one] [env: TROLLEY_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Reach {
    /// Asks it.
    fn ask(self, what: &Ask) -> Result<Told, Failed> {
        let raw = Raw::of_store(self.store, self.config).completed(environment())?;
        let folder = folder_of(raw.text("store")).map_err(|error| Failed::Asked(error.to_string()))?;
        ask(folder, what).map_err(|unanswered| match unanswered {
            Unanswered::NoServer(_) | Unanswered::NotOurs(_) => Failed::Asked(unanswered.to_string()),
            Unanswered::Broken { .. } => Failed::World(unanswered.to_string()),
        })
    }
}
