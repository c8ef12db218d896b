//! One request at a time over a connection that begins at an address of our choice: any of 127.0.0.0/8 is this machine.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::wire::answer::{head, whole};
use crate::wire::request;

/// Who waits longer than that has given up.
const PATIENCE: Duration = Duration::from_secs(5);
/// What the first event of a cart's stream begins with.
const EVENT: &[u8] = b"event: cart";
/// A socket that is made to read slowly takes so many bytes.
const NARROW: u32 = 4 * 1024;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// The server did not take the connection.
    NoConnection,
    /// It ended before the answer.
    Dropped,
    /// It did not come in time.
    Late,
    /// What came is not HTTP.
    Nonsense,
}

impl Silence {
    /// In a word or two.
    pub(super) fn word(self) -> &'static str {
        match self {
            Silence::NoConnection => "no connection",
            Silence::Dropped => "dropped",
            Silence::Late => "no answer in 5 s",
            Silence::Nonsense => "not HTTP",
        }
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// Its status.
    pub(super) status: u16,
    /// The cookies that it sets.
    pub(super) cookies: Vec<String>,
    /// Its body; null where it is no JSON.
    pub(super) body: Value,
}

impl Said {
    /// Its status and, for a problem, its code.
    pub(super) fn word(&self) -> String {
        match self.body["code"].as_str() {
            Some(code) => format!("{} {code}", self.status),
            None => self.status.to_string(),
        }
    }
}

/// A connection, opened when it is needed.
#[derive(Debug)]
pub(super) struct Conversation {
    from: Ipv4Addr,
    to: SocketAddr,
    host: String,
    stream: Option<TcpStream>,
}

/// Opens a connection that begins at this address.
pub(super) async fn connect(from: Ipv4Addr, to: SocketAddr, narrow: bool) -> Result<TcpStream, Silence> {
    let opened = async {
        let socket = TcpSocket::new_v4()?;
        if narrow {
            socket.set_recv_buffer_size(NARROW)?;
        }
        socket.bind(SocketAddr::V4(SocketAddrV4::new(from, 0)))?;
        let stream = socket.connect(to).await?;
        stream.set_nodelay(true)?;
        std::io::Result::Ok(stream)
    };
    match tokio::time::timeout(PATIENCE, opened).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(_)) | Err(_) => Err(Silence::NoConnection),
    }
}

impl Conversation {
    /// From there to the server.
    pub(super) fn new(from: Ipv4Addr, to: SocketAddr) -> Conversation {
        Conversation { from, to, host: to.to_string(), stream: None }
    }

    /// The next request opens a connection of its own.
    pub(super) fn hang_up(&mut self) {
        self.stream = None;
    }

    /// Opens an event stream, over a connection of its own, and waits for its first event.
    pub(super) async fn watch(
        &self,
        path: &str,
        cookies: &str,
    ) -> Result<Result<TcpStream, String>, Silence> {
        let mut bytes = Vec::with_capacity(512);
        request::put(&mut bytes, "GET", path, &self.host, &[cookies, "accept: text/event-stream\r\n"], b"");
        let watched = async {
            let stream = connect(self.from, self.to, false).await?;
            first_event(stream, &bytes).await
        };
        tokio::time::timeout(PATIENCE, watched).await.unwrap_or(Err(Silence::Late))
    }

    /// Asks. `headers` are whole lines.
    pub(super) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> Result<Said, Silence> {
        let mut bytes = Vec::with_capacity(512 + body.len());
        request::put(&mut bytes, method, path, &self.host, headers, body.as_bytes());
        let asked = async {
            // A kept connection that the server has closed meanwhile: every client opens another and asks again.
            if let Some(stream) = self.stream.take() {
                match over(stream, &bytes).await {
                    Err(Silence::Dropped) => {}
                    answered => return answered,
                }
            }
            let stream = connect(self.from, self.to, false).await?;
            over(stream, &bytes).await
        };
        let (said, stream) = tokio::time::timeout(PATIENCE, asked).await.unwrap_or(Err(Silence::Late))?;
        self.stream = stream;
        Ok(said)
    }
}

/// Reads a stream's beginning up to its first event; else says the status that came in its place.
async fn first_event(mut stream: TcpStream, request: &[u8]) -> Result<Result<TcpStream, String>, Silence> {
    stream.write_all(request).await.map_err(|_| Silence::Dropped)?;
    let (mut input, mut part) = (Vec::new(), vec![0; 4 * 1024]);
    loop {
        let read = stream.read(&mut part).await.map_err(|_| Silence::Dropped)?;
        if read == 0 {
            return Err(Silence::Dropped);
        }
        input.extend_from_slice(&part[..read]);
        let status = head(&input).map_err(|_| Silence::Nonsense)?.map(|head| head.status);
        match status {
            Some(200) if input.windows(EVENT.len()).any(|window| window == EVENT) => return Ok(Ok(stream)),
            Some(200) | None => {}
            Some(other) => return Ok(Err(other.to_string())),
        }
    }
}

/// Whether the other side has ended a stream of which only a little was read.
pub(super) fn is_over(stream: &TcpStream) -> bool {
    let mut part = [0; 4 * 1024];
    loop {
        match stream.try_read(&mut part) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

/// The answer, and the connection where it goes on.
async fn over(mut stream: TcpStream, request: &[u8]) -> Result<(Said, Option<TcpStream>), Silence> {
    // A server that refuses may have closed its ear already, and yet have said why.
    let sent = stream.write_all(request).await;
    let (mut input, mut part) = (Vec::new(), vec![0; 16 * 1024]);
    loop {
        let read = stream.read(&mut part).await.map_err(|_| Silence::Dropped)?;
        if read == 0 {
            return Err(Silence::Dropped);
        }
        input.extend_from_slice(&part[..read]);
        let Some((answer, _)) = whole(&input).map_err(|_| Silence::Nonsense)? else { continue };
        let said = Said {
            status: answer.status,
            cookies: answer.cookies().map(str::to_owned).collect(),
            body: serde_json::from_slice(&answer.body).unwrap_or_default(),
        };
        let closes = answer.closes || sent.is_err();
        return Ok((said, (!closes).then_some(stream)));
    }
}
