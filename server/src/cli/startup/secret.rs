//! The server's secret, read from where it is; beside a store of our own it is made once, for its owner alone.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use crate::cli::CliError;
use crate::config::secret::SecretSource;
use crate::service::random::OsRandom;
use crate::service::secret::ServerSecret;

/// Bytes of the largest secret there is, with room for white space.
const BYTES_MAX: u64 = 4_096;

/// The secret.
pub(crate) fn open(is: &SecretSource) -> Result<ServerSecret, CliError> {
    match is {
        SecretSource::Said(secret) => Ok(secret.clone()),
        SecretSource::In(file) => read(file),
        SecretSource::Beside(file) => match make(file) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => read(file),
            Err(error) => Err(CliError::Runtime(format!("{} cannot be made: {error}", file.display()))),
            Ok(secret) => Ok(secret),
        },
        SecretSource::Fresh => Ok(ServerSecret::mint(&OsRandom)),
    }
}

/// Whether it is there and can be read, where it has to be; one that would be made is not made yet.
pub(crate) fn look(is: &SecretSource) -> Result<(), CliError> {
    match is {
        SecretSource::Said(_) | SecretSource::Fresh => Ok(()),
        SecretSource::Beside(file) if file.symlink_metadata().is_err() => Ok(()),
        SecretSource::In(file) | SecretSource::Beside(file) => read(file).map(drop),
    }
}

fn read(file: &Path) -> Result<ServerSecret, CliError> {
    let wrong =
        |why: &dyn std::fmt::Display| CliError::Usage(format!("--secret-file {}: {why}", file.display()));
    let opened = File::open(file).map_err(|error| wrong(&error))?;
    let mode = opened.metadata().map_err(|error| wrong(&error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(wrong(&"others than its owner may read it: chmod 600"));
    }
    let mut text = String::new();
    opened.take(BYTES_MAX).read_to_string(&mut text).map_err(|error| wrong(&error))?;
    ServerSecret::parse(&text).map_err(|error| wrong(&error))
}

/// A new one, whole on the disk under its name or not at all: a secret that is lost signs everybody out.
fn make(file: &Path) -> std::io::Result<ServerSecret> {
    if file.try_exists()? {
        return Err(ErrorKind::AlreadyExists.into());
    }
    let secret = ServerSecret::mint(&OsRandom);
    let written = file.with_extension("new");
    let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&written)?;
    out.write_all(secret.expose().as_bytes())?;
    out.sync_all()?;
    std::fs::rename(&written, file)?;
    if let Some(folder) = file.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_for_its_owner_alone_and_read_from_then_on() {
        let folder = std::env::temp_dir().join(format!("trolley-secret-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (file, is) = (folder.join("secret"), SecretSource::Beside(folder.join("secret")));
        let made = open(&is).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(open(&is).unwrap().newest(), made.newest());
        assert_eq!(open(&SecretSource::In(file.clone())).unwrap().newest(), made.newest());
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(open(&is).unwrap_err().to_string().contains("chmod 600"));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&file, "short").unwrap();
        assert!(!open(&is).unwrap_err().to_string().contains("short"));
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(open(&SecretSource::In(file)).is_err(), "one that is named must be there");
    }
}
