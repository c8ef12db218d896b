//! The answering side: the socket of a running server.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use trolley_core::access::Scope;
use trolley_store::records::own::ApiKey;

use crate::control_socket::place::SocketPath;
use crate::control_socket::wire::{KeyLine, LINE_MAX, Request, Response};
use crate::http::wire::time::Rfc3339;
use crate::service::Service;
use crate::service::keys::api_keys::ApiKeyError;

/// Commands that are answered at once.
const CALLERS_MAX: usize = 16;
/// How long a caller may take to say what it wants, and to hear the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The socket, removed when this is dropped.
pub struct Listening {
    listener: UnixListener,
    place: SocketPath,
    /// Whom it is open to, besides root.
    owner: u32,
}

impl Listening {
    /// Opens the socket of a folder that this process holds: what is there under its name was left by a server that is no more.
    pub fn open(folder: &Path) -> io::Result<Listening> {
        let place = SocketPath::of(folder)?;
        match std::fs::remove_file(place.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(place.path())?;
        std::fs::set_permissions(place.path(), Permissions::from_mode(0o600))?;
        let owner = std::fs::metadata(place.path())?.uid();
        Ok(Listening { listener, place, owner })
    }

    /// Answers for as long as it is driven.
    pub async fn serve(self, service: Arc<Service>) {
        let callers = Arc::new(Semaphore::new(CALLERS_MAX));
        loop {
            let Ok(caller) = Arc::clone(&callers).acquire_owned().await else { return };
            match self.listener.accept().await {
                // Between its making and its mode the socket may have been open to others, where the folder is.
                Ok((stream, _)) if self.is_ours(&stream) => {
                    let service = Arc::clone(&service);
                    tokio::spawn(async move {
                        if let Err(error) = converse(stream, &service).await {
                            tracing::debug!(%error, "a command went away before its answer");
                        }
                        drop(caller);
                    });
                }
                Ok(_) => tracing::warn!("somebody else's command was not answered"),
                Err(error) => {
                    tracing::warn!(%error, "a command could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn is_ours(&self, stream: &UnixStream) -> bool {
        stream.peer_cred().is_ok_and(|peer| peer.uid() == self.owner || peer.uid() == 0)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.place.path());
    }
}

async fn converse(mut stream: UnixStream, service: &Service) -> io::Result<()> {
    let mut line = String::new();
    let (read, mut write) = stream.split();
    tokio::time::timeout(PATIENCE, BufReader::new(read.take(LINE_MAX)).read_line(&mut line)).await??;
    let told = match serde_json::from_str(&line) {
        Ok(ask) => answer(ask, service).await,
        Err(_) => refused("this server does not know the command: its release differs from the program's"),
    };
    let mut line = serde_json::to_vec(&told)?;
    line.push(b'\n');
    tokio::time::timeout(PATIENCE, write.write_all(&line)).await?
}

/// Does what is asked.
async fn answer(ask: Request, service: &Service) -> Response {
    let answered = match ask {
        Request::ApiKeyNew { name, scopes } => {
            match scopes.iter().map(|scope| scope.parse::<Scope>()).collect() {
                Ok(scopes) => service.make_key(&name, scopes).await.map(|(secret, key)| {
                    Response::ApiKeyMade { secret: secret.expose().to_owned(), key: line(&key) }
                }),
                Err(not_a_scope) => return refused(&not_a_scope.to_string()),
            }
        }
        Request::ApiKeyList => {
            let keys = service.keys().await.map_err(ApiKeyError::from);
            keys.map(|keys| Response::ApiKeys { keys: keys.iter().map(|key| line(key)).collect() })
        }
        Request::ApiKeyRevoke { id } => match id.parse() {
            Ok(id) => service.revoke_key(id).await.map(|key| Response::ApiKeyRevoked { key: line(&key) }),
            Err(_) => return refused("a key's id is a UUID: `trolley api-key list` shows it"),
        },
    };
    answered.unwrap_or_else(|error| {
        if let ApiKeyError::Failed(failure) = &error {
            tracing::error!(?failure, "a command could not be done");
        }
        refused(&error.to_string())
    })
}

fn refused(because: &str) -> Response {
    Response::Refused { because: because.to_owned() }
}

fn line(key: &ApiKey) -> KeyLine {
    KeyLine {
        id: key.id.to_string(),
        name: key.name.to_string(),
        scopes: key.scopes.iter().map(Scope::to_string).collect(),
        created_at: Rfc3339::new(key.created_at).as_str().to_owned(),
    }
}
