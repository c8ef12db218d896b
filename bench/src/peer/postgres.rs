//! PostgreSQL as it comes, on a port of its own.

use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::host::child::{Server, free_port};

use super::setup::done;

/// Makes a cluster in `folder` and serves it.
pub(crate) fn start(folder: &Path) -> io::Result<Server> {
    let place = folder.join("postgres");
    std::fs::create_dir_all(&place)?;
    // It refuses to be root's: then it is that user's whom Debian makes for it.
    let owner = if rustix::process::getuid().is_root() { Some(owner()?) } else { None };
    if let Some(owner) = owner {
        chown(&place, Some(owner), Some(owner))?;
    }
    let command = |name: &str| {
        let mut command = Command::new(program(name));
        command.current_dir(&place);
        if let Some(owner) = owner {
            command.uid(owner).gid(owner);
        }
        command
    };
    done(command("initdb").args(["-A", "trust", "-U", "postgres", "-D"]).arg(&place))?;
    let address = free_port()?;
    let mut server = command("postgres");
    server.arg("-D").arg(&place).args(["-p", &address.port().to_string(), "-k"]).arg(&place);
    server.args(["-c", "listen_addresses=127.0.0.1"]).stderr(Stdio::null());
    Server::silent(&mut server, address, Duration::from_secs(30))
}

fn owner() -> io::Result<u32> {
    let id = done(Command::new("id").args(["-u", "postgres"]))?;
    id.parse().map_err(|_| io::Error::other("there is no user postgres: apt-get install postgresql"))
}

/// On the path, or where Debian puts it.
fn program(name: &str) -> PathBuf {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&on_path).map(|folder| folder.join(name)).find(|file| file.exists());
    let debian = || {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        versions.flatten().map(|version| version.path().join("bin").join(name)).find(|file| file.exists())
    };
    on_path.or_else(debian).unwrap_or_else(|| PathBuf::from(name))
}
