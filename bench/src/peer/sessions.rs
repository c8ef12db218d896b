//! A cart in a session in Redis, as users of axum and of Express write it.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::host::child::{Server, free_port};
use crate::mix::tongue::Tongue;

use super::redis;
use super::setup::{cargo_version, fetched, node, npm_version, source, version_of};
use super::{Peer, Told};

/// Redis as it comes: snapshots now and then.
const AS_IT_COMES: &[&str] = &[];
const LOSES_MINUTES: &str = "the last minutes";

/// axum with tower-sessions.
pub(crate) fn tower(parent: &Path, folder: &Path) -> io::Result<Peer> {
    let manifest = source("tower-sessions").join("Cargo.toml");
    let target = parent.join("tower-sessions");
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--locked", "--quiet", "--manifest-path"]).arg(&manifest);
    fetched(build.arg("--target-dir").arg(&target))?;
    let redis = redis::start(&folder.join("tower-redis"), AS_IT_COMES)?;
    let mut command = Command::new(target.join("release/peer-tower-sessions"));
    let server = Server::announced(command.arg(format!("redis://{}", redis.address)))?;
    let version = |package| cargo_version("tower-sessions", package);
    let redis_version = version_of("redis-server", "--version")?;
    let name = format!("tower-sessions {}", version("tower-sessions"));
    whole("tower", name, format!("axum {}, Redis {redis_version}", version("axum")), vec![server, redis])
}

/// Express with express-session.
pub(crate) fn express(parent: &Path, folder: &Path) -> io::Result<Peer> {
    let place = node("express", parent)?;
    let redis = redis::start(&folder.join("express-redis"), AS_IT_COMES)?;
    let address = free_port()?;
    let mut command = Command::new("node");
    command.args(["server.mjs", &format!("redis://{}", redis.address), &address.port().to_string()]);
    command.env("NODE_ENV", "production").current_dir(place);
    let server = Server::silent(&mut command, address, Duration::from_secs(30))?;
    let version = |package| npm_version("express", package);
    let redis_version = version_of("redis-server", "--version")?;
    let name = format!("express-session {}", version("express-session"));
    whole(
        "express",
        name,
        format!("Express {}, Redis {redis_version}", version("express")),
        vec![server, redis],
    )
}

fn whole(short: &'static str, name: String, with: String, servers: Vec<Server>) -> io::Result<Peer> {
    Peer::new(Told { short, name, with, loses: LOSES_MINUTES }, Tongue::Trolley, servers)
}
