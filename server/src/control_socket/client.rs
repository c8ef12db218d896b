//! The asking side: what a command of the `trolley` program does.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::control_socket::place::SocketPath;
use crate::control_socket::wire::{LINE_MAX, Request, Response};

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no server runs on {0}: start `trolley serve` with this --store first, or name the one it has")]
    NoServer(String),
    /// The socket is somebody else's.
    #[error("the server on {0} belongs to another user: run this as the one who started it, or as root")]
    NotOurs(String),
    /// The conversation broke.
    #[error("the server on {folder} did not answer: {why}")]
    Broken {
        /// Where it is.
        folder: String,
        /// How it shows.
        why: String,
    },
}

/// Asks the server whose store is in `folder`, and waits for its answer.
pub fn ask(folder: &Path, ask: &Request) -> Result<Response, ClientError> {
    let shown = || folder.display().to_string();
    let broken = |why: String| ClientError::Broken { folder: shown(), why };
    let stream = SocketPath::of(folder).and_then(|place| UnixStream::connect(place.path()));
    let stream = stream.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ClientError::NoServer(shown()),
        io::ErrorKind::PermissionDenied => ClientError::NotOurs(shown()),
        _ => broken(error.to_string()),
    })?;
    let line = converse(stream, ask).map_err(|error| broken(error.to_string()))?;
    serde_json::from_str(&line).map_err(|_| broken("what it said is not an answer to this".to_owned()))
}

fn converse(mut stream: UnixStream, ask: &Request) -> io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(ask)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    BufReader::new(stream.take(LINE_MAX)).read_line(&mut answer)?;
    Ok(answer)
}
