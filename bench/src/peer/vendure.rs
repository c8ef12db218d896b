//! Vendure on PostgreSQL, with one product.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::host::child::{Server, free_port};
use crate::mix::tongue::Tongue;

use super::postgres;
use super::setup::{done, node, npm_version, version_of};
use super::{Peer, Told};

/// Sets it up and serves it.
pub(crate) fn start(parent: &Path, folder: &Path) -> io::Result<Peer> {
    let place = node("vendure", parent)?;
    let database = postgres::start(folder)?;
    let port = database.address.port().to_string();
    let script = |address: &str, what: &str| {
        let mut command = Command::new("node");
        command.args(["server.mjs", &port, address, what]).current_dir(&place);
        command.env("NODE_ENV", "production").stderr(Stdio::null());
        command
    };
    done(script("0", "populate").stderr(Stdio::piped()))?;
    let address = free_port()?;
    let mut command = script(&address.port().to_string(), "serve");
    let server = Server::silent(&mut command, address, Duration::from_secs(120))?;
    let (vendure, postgres) = (npm_version("vendure", "@vendure/core"), version_of("psql", "--version")?);
    let (name, with) = (format!("Vendure {vendure}"), format!("PostgreSQL {postgres}"));
    Peer::new(
        Told { short: "vendure", name, with, loses: "nothing" },
        Tongue::Vendure,
        vec![server, database],
    )
}
