//! The commands of the `trolley` program: one file each, all of one shape: arguments in, a sentence out where it fails.

pub mod api_key;
pub mod backup;
pub mod config;
pub mod export;
pub mod healthcheck;
pub mod import;
pub mod openapi;
pub mod serve;
pub mod startup;
pub mod version;

use std::io::Write as _;
use std::path::PathBuf;

use trolley_store::open::{OpenError, folder_of};

use crate::config::ConfigError;
use crate::config::raw::Raw;
use crate::control_socket::client::{ClientError, ask};
use crate::control_socket::wire::{Request, Response};

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// It was asked for something senseless: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The world did not allow it: exit code 1.
    #[error("{0}")]
    Runtime(String),
}

impl CliError {
    /// What the process ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            CliError::Usage(_) => 2,
            CliError::Runtime(_) => 1,
        }
    }
}

impl From<ConfigError> for CliError {
    fn from(senseless: ConfigError) -> CliError {
        CliError::Usage(senseless.to_string())
    }
}

impl From<OpenError> for CliError {
    fn from(error: OpenError) -> CliError {
        match error {
            OpenError::UnknownScheme(_)
            | OpenError::NoFolder
            | OpenError::Astray { .. }
            | OpenError::NotInAFolder(_) => CliError::Usage(error.to_string()),
            OpenError::Backup(_) | OpenError::Embedded(_) => CliError::Runtime(error.to_string()),
        }
    }
}

/// Says on standard output what was done.
fn say(sentence: &str) -> Result<(), CliError> {
    writeln!(std::io::stdout(), "{sentence}").map_err(|error| CliError::Runtime(error.to_string()))
}

/// The process's variables; a value that is not text is no value of a setting, and is refused as what it looks like.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
}

/// How a command finds the running server that it is about: by the store which that server was started with.
#[derive(clap::Args, Debug)]
pub struct ServerAddress {
    /// The store of the running server: file:DIR [default: file:./data] [env: TROLLEY_STORE]
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// The server's file of settings [default: trolley.toml, where there is one] [env: TROLLEY_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ServerAddress {
    /// Asks it.
    fn ask(self, what: &Request) -> Result<Response, CliError> {
        let raw = Raw::of_store(self.store, self.config).completed(environment())?;
        let folder = folder_of(raw.text("store")).map_err(|error| CliError::Usage(error.to_string()))?;
        ask(folder, what).map_err(|unanswered| match unanswered {
            ClientError::NoServer(_) | ClientError::NotOurs(_) => CliError::Usage(unanswered.to_string()),
            ClientError::Broken { .. } => CliError::Runtime(unanswered.to_string()),
        })
    }
}
