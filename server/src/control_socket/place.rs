//! Where the socket is, also where its path is longer than a socket's address can be.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

/// Its name in the store's folder.
const NAME: &str = "trolley.sock";
/// Bytes of a path that every system takes as a socket's address.
const ADDRESS_MAX: usize = 100;

/// The socket of a folder.
pub struct SocketPath {
    path: PathBuf,
    /// The folder, held open while the path goes through it.
    _folder: Option<File>,
}

impl SocketPath {
    /// In this folder. Where the path is too long, it is reached through the folder's descriptor.
    pub fn of(folder: &Path) -> io::Result<SocketPath> {
        let path = folder.join(NAME);
        if path.as_os_str().len() <= ADDRESS_MAX {
            return Ok(SocketPath { path, _folder: None });
        }
        let held = File::open(folder)?;
        let path = Path::new("/proc/self/fd").join(held.as_raw_fd().to_string()).join(NAME);
        Ok(SocketPath { path, _folder: Some(held) })
    }

    /// A path that leads there, for as long as this lives.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
