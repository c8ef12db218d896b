//! A cart in a session in Redis, as users of axum and of Express write it.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::host::child::{Server, free_port};
use crate::mix::tongue::Tongue;

use super::Peer;
use super::redis;
use super::setup::{cargo_version, done, node, npm_version, source, version_of};

/// Redis as it comes: snapshots now and then.
const AS_IT_COMES: &[&str] = &[];
const LOSES_MINUTES: &str = "the last minutes (Redis as it comes)";

/// axum with tower-sessions.
pub(crate) fn tower(parent: &Path, folder: &Path) -> io::Result<Peer> {
    let manifest = source("tower-sessions").join("Cargo.toml");
    let target = parent.join("tower-sessions");
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--locked", "--quiet", "--manifest-path"]).arg(&manifest);
    done(build.arg("--target-dir").arg(&target))?;
    let redis = redis::start(&folder.join("tower-redis"), AS_IT_COMES)?;
    let mut command = Command::new(target.join("release/peer-tower-sessions"));
    let server = Server::announced(command.arg(format!("redis://{}", redis.address)))?;
    let version = |package| cargo_version("tower-sessions", package);
    let redis_version = version_of("redis-server", "--version")?;
    let name = format!(
        "axum {}, tower-sessions {}, Redis {redis_version}",
        version("axum"),
        version("tower-sessions")
    );
    whole(name, vec![server, redis])
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
    let name = format!(
        "Express {}, express-session {}, Redis {redis_version}",
        version("express"),
        version("express-session")
    );
    whole(name, vec![server, redis])
}

fn whole(name: String, servers: Vec<Server>) -> io::Result<Peer> {
    let peer = Peer::new(name, Tongue::Trolley, LOSES_MINUTES, servers);
    peer.ok_or_else(|| io::Error::other("there is no server"))
}
