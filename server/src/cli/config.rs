//! `trolley config`: prints the settings as a file, and checks them without serving.

use std::io::Write as _;

use clap::{Args, Subcommand};

use crate::cli::startup::prepare::prepare;
use crate::cli::{CliError, environment};
use crate::config::checked::Config;
use crate::config::printed;
use crate::config::raw::Raw;

/// What to do with the settings.
#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// Check flags, environment, file and what they name (store, secret, catalogue, addresses) as `serve` would, and say what is wrong
    Check(Box<Raw>),
    /// Print a commented trolley.toml of what holds here
    Print(Box<Print>),
}

/// Which settings to print.
#[derive(Args, Debug)]
pub struct Print {
    /// Print the defaults, whatever is said elsewhere
    #[arg(long)]
    default: bool,
    #[command(flatten)]
    raw: Raw,
}

/// Does it.
pub fn run(asked: ConfigCommand) -> Result<(), CliError> {
    let text = match asked {
        ConfigCommand::Check(raw) => {
            let checked = Config::new(&raw.completed(environment())?)?;
            let runtime =
                tokio::runtime::Runtime::new().map_err(|error| CliError::Runtime(error.to_string()))?;
            let busy = runtime.block_on(prepare(&checked))?.busy;
            let notes = busy.iter().map(|held| format!("at present, though: {held}\n"));
            std::iter::once("the settings are sensible\n".to_owned()).chain(notes).collect()
        }
        ConfigCommand::Print(asked) if asked.default => printed::file(&Raw::default()),
        ConfigCommand::Print(asked) => {
            let raw = asked.raw.completed(environment())?;
            Config::new(&raw)?;
            printed::file(&raw)
        }
    };
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| CliError::Runtime(error.to_string()))
}
