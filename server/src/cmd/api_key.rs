//! `trolley api-key`: keys for the shop's own systems, made, listed and taken back at the running server.

use std::io::Write as _;

use clap::{Args, Subcommand};
use trolley_core::access::Scope;

use crate::local::wire::{Ask, KeyLine, Told};

use super::{Failed, Reach};

/// What to do with keys.
#[derive(Subcommand, Debug)]
pub enum ApiKey {
    /// Make a key, and print it this once: it is kept nowhere
    New(New),
    /// Print id, time, scopes and name of each key
    List(Reach),
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
    reach: Reach,
}

/// A key to be taken back.
#[derive(Args, Debug)]
pub struct Revoke {
    /// Its id, as `trolley api-key list` prints it
    id: String,
    #[command(flatten)]
    reach: Reach,
}

/// Does it.
pub fn run(asked: ApiKey) -> Result<(), Failed> {
    let (reach, ask) = match asked {
        ApiKey::New(New { scopes, name, reach }) => {
            let scopes = scopes.iter().map(Scope::to_string).collect();
            (reach, Ask::ApiKeyNew { name, scopes })
        }
        ApiKey::List(reach) => (reach, Ask::ApiKeyList),
        ApiKey::Revoke(Revoke { id, reach }) => (reach, Ask::ApiKeyRevoke { id }),
    };
    match reach.ask(&ask)? {
        // The key stands alone on standard output, so that a script can take it from there.
        Told::ApiKeyMade { secret, key } => {
            print(&secret)?;
            note(&format!("{}: keep the key now, it is not shown again", line(&key)))
        }
        Told::ApiKeys { keys } => keys.iter().try_for_each(|key| print(&line(key))),
        Told::ApiKeyRevoked { key } => print(&format!("revoked {}", line(&key))),
        Told::Refused { because } => Err(Failed::Asked(because)),
    }
}

fn line(key: &KeyLine) -> String {
    format!("{}  {}  {}  {}", key.id, key.created_at, key.scopes.join(","), key.name)
}

fn print(line: &str) -> Result<(), Failed> {
    writeln!(std::io::stdout(), "{line}").map_err(|error| Failed::World(error.to_string()))
}

fn note(line: &str) -> Result<(), Failed> {
    writeln!(std::io::stderr(), "{line}").map_err(|error| Failed::World(error.to_string()))
}
