//! The `trolley` program, and the limit server that takes turns with it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::child::Server;

/// Where the program is: as told, or beside our own.
pub(crate) fn path(told: Option<&Path>) -> io::Result<PathBuf> {
    if let Some(path) = told {
        // Whole: a server is started from its own folder.
        return path.canonicalize().map_err(|error| io::Error::other(format!("{}: {error}", path.display())));
    }
    let beside = std::env::current_exe()?.with_file_name("trolley");
    if beside.exists() {
        return Ok(beside);
    }
    let what = format!(
        "there is no {}: build it (cargo build --release -p trolley), or name one by --trolley",
        beside.display()
    );
    Err(io::Error::other(what))
}

/// Starts `trolley serve` on a free port with its store in `folder`.
///
/// Without rate limits, which would be all that is measured; with room for as many units a line as a run may add.
pub(crate) fn serve(program: &Path, folder: &Path) -> io::Result<Server> {
    serve_many(program, folder, 10_000)
}

/// The same, with room for so many connections.
pub(crate) fn serve_many(program: &Path, folder: &Path, connections: u32) -> io::Result<Server> {
    std::fs::create_dir_all(folder)?;
    let mut command = bare(program);
    command.args(["serve", "--listen", "127.0.0.1:0", "--rate-limits", "off", "--log", "warn"]);
    command.args(["--max-quantity", "1000000", "--max-in-flight", "4096"]);
    command.args(["--max-connections", &connections.to_string()]);
    command.arg("--store").arg(format!("file:{}", folder.display()));
    Server::announced(command.current_dir(folder))
}

/// Starts `trolley serve` as a shop would: with its limits on, a catalogue at this address, and a log.
pub(crate) fn serve_guarded(
    program: &Path,
    folder: &Path,
    log: &Path,
    catalogue: &str,
) -> io::Result<Server> {
    std::fs::create_dir_all(folder)?;
    let mut command = bare(program);
    command.args(["serve", "--listen", "127.0.0.1:0", "--rate-limits", "on"]).stderr(File::create(log)?);
    command.args(["--catalogue", catalogue]).arg("--store").arg(format!("file:{}", folder.display()));
    Server::announced(command.current_dir(folder))
}

/// The program without the settings of whoever calls us.
pub(crate) fn bare(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TROLLEY_") {
            command.env_remove(name);
        }
    }
    command
}

/// Starts the limit server, which answers reads with `body`.
pub(crate) fn limit(body: &Path) -> io::Result<Server> {
    let mut command = Command::new(std::env::current_exe()?);
    Server::announced(command.args(["limit", "--listen", "127.0.0.1:0", "--body"]).arg(body))
}
