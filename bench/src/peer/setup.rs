//! Fetching a peer's packages with the client of its own language, and which versions those are.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::host::child;

/// Where a peer's own files are in the source tree.
pub(crate) fn source(peer: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(peer)
}

/// Packages come over the network and are compiled: minutes on a slow machine, and never for ever.
const PACKAGES_WITHIN: Duration = Duration::from_secs(1_800);
/// Everything else.
const DONE_WITHIN: Duration = Duration::from_secs(300);

/// Runs a command to its end.
pub(crate) fn done(command: &mut Command) -> io::Result<String> {
    child::done(command, DONE_WITHIN, || {})
}

/// Runs a command that fetches or builds packages.
pub(crate) fn fetched(command: &mut Command) -> io::Result<String> {
    child::done(command, PACKAGES_WITHIN, || {})
}

/// A folder with a Node peer's files and its packages, as its lock file names them. It is kept from one run to the next.
pub(crate) fn node(peer: &str, parent: &Path) -> io::Result<PathBuf> {
    let (from, to) = (source(peer), parent.join(peer));
    std::fs::create_dir_all(&to)?;
    let lock = std::fs::read(from.join("package-lock.json"))?;
    let fresh = std::fs::read(to.join("package-lock.json")).is_ok_and(|own| own == lock);
    for file in [".npmrc", "package.json", "server.mjs"] {
        std::fs::copy(from.join(file), to.join(file))?;
    }
    if !fresh {
        std::fs::write(to.join("package-lock.json"), &lock)?;
        let installed = fetched(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&to));
        // Half of them is no set of packages: the next run begins anew.
        installed.inspect_err(|_| drop(std::fs::remove_file(to.join("package-lock.json"))))?;
    }
    Ok(to)
}

/// The version that a `package.json` asks for.
pub(crate) fn npm_version(peer: &str, package: &str) -> String {
    let text = std::fs::read_to_string(source(peer).join("package.json")).unwrap_or_default();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    json["dependencies"][package].as_str().unwrap_or_default().to_owned()
}

/// The version that a `Cargo.lock` has.
pub(crate) fn cargo_version(peer: &str, package: &str) -> String {
    let text = std::fs::read_to_string(source(peer).join("Cargo.lock")).unwrap_or_default();
    let after = text.split(&format!("name = \"{package}\"\nversion = \"")).nth(1);
    after.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
}

/// The number in what a program says of its version: `Redis server v=7.0.15 sha=…` is `7.0.15`.
pub(crate) fn version_of(program: &str, argument: &str) -> io::Result<String> {
    let said = done(Command::new(program).arg(argument))?;
    let numbers = said.split(|c: char| !c.is_ascii_digit() && c != '.');
    Ok(numbers.map(|word| word.trim_matches('.')).find(|word| word.contains('.')).unwrap_or("?").to_owned())
}
