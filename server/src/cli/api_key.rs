//! `trolley api-key`: keys for the shop's own systems, made, listed and taken back at the running server.

use std::io::Write as _;

use clap::{Args, Subcommand};
use trolley_core::access::Scope;

use crate::cli::{CliError, ServerAddress};
use crate::control_socket::wire::{KeyLine, Request, Response};

/// What to do with keys.
#[derive(Subcommand, Debug)]
pub enum ApiKeyCommand {
    /// Make a key, and print it this once: it is kept nowhere
    New(New),
    /// Print id, time, scopes and name of each key
    List(ServerAddress),
    /// Take a key back: it opens nothing any more, at once
    Revoke(Revoke),
}

/// A key to be made.
#[derive(Args, Debug)]
pub struct New {
    /// What it may do: orders, orders:read, accounts, accounts:read, sign-ins, audit; several by commas
    #[arg(long = "scope", value_name = "SCOPES", required = true, value_delimiter = ',')]
    scopes: Vec<Scope>,
    /// What you call it: the system that will hold it
    #[arg(long, value_name = "NAME", default_value = "unnamed")]
    name: String,
    #[command(flatten)]
    reach: ServerAddress,
}

/// A key to be taken back.
#[derive(Args, Debug)]
pub struct Revoke {
    /// Its id, as `trolley api-key list` prints it
    id: String,
    #[command(flatten)]
    reach: ServerAddress,
}

/// Does it.
pub fn run(asked: ApiKeyCommand) -> Result<(), CliError> {
    let (reach, ask) = match asked {
        ApiKeyCommand::New(New { scopes, name, reach }) => {
            let scopes = scopes.iter().map(Scope::to_string).collect();
            (reach, Request::ApiKeyNew { name, scopes })
        }
        ApiKeyCommand::List(reach) => (reach, Request::ApiKeyList),
        ApiKeyCommand::Revoke(Revoke { id, reach }) => (reach, Request::ApiKeyRevoke { id }),
    };
    match reach.ask(&ask)? {
        // The key stands alone on standard output, so that a script can take it from there.
        Response::ApiKeyMade { secret, key } => {
            print(&secret)?;
            note(&format!("{}: keep the key now, it is not shown again", line(&key)))
        }
        Response::ApiKeys { keys } => keys.iter().try_for_each(|key| print(&line(key))),
        Response::ApiKeyRevoked { key } => print(&format!("revoked {}", line(&key))),
        Response::Refused { because } => Err(CliError::Usage(because)),
    }
}

fn line(key: &KeyLine) -> String {
    format!("{}  {}  {}  {}", key.id, key.created_at, key.scopes.join(","), key.name)
}

fn print(line: &str) -> Result<(), CliError> {
    writeln!(std::io::stdout(), "{line}").map_err(|error| CliError::Runtime(error.to_string()))
}

fn note(line: &str) -> Result<(), CliError> {
    writeln!(std::io::stderr(), "{line}").map_err(|error| CliError::Runtime(error.to_string()))
}
