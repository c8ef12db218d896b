//! One request at a time over one kept connection: what happens before and after a run, where speed does not matter.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::answer::whole;
use super::request;

/// Longer than anything that is well takes to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection.
pub(crate) struct Client {
    address: SocketAddr,
    host: String,
    stream: Option<TcpStream>,
}

/// An answer that is its own.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// Its status.
    pub(crate) status: u16,
    /// The cookies that it sets, `name=value` each.
    pub(crate) cookies: Vec<String>,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Its body as JSON; null where it is none.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Client {
    /// To this address, when the first request needs it.
    pub(crate) fn new(address: SocketAddr) -> Client {
        Client { address, host: address.to_string(), stream: None }
    }

    /// Sends a request and waits for its answer. `headers` are whole lines.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> io::Result<Reply> {
        let mut bytes = Vec::with_capacity(512);
        request::put(&mut bytes, method, path, &self.host, headers, body.as_bytes());
        self.send_bytes(&bytes)
    }

    /// Sends a request that is bytes already.
    pub(crate) fn send_bytes(&mut self, request: &[u8]) -> io::Result<Reply> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream
            }
        };
        stream.write_all(request)?;
        let (mut input, mut part) = (Vec::new(), [0; 16 * 1024]);
        loop {
            let read = stream.read(&mut part)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            input.extend_from_slice(&part[..read]);
            let parsed = whole(&input).map_err(|malformed| io::Error::other(malformed.0))?;
            if let Some((answer, _)) = parsed {
                let reply = Reply {
                    status: answer.status,
                    cookies: answer.cookies().map(str::to_owned).collect(),
                    body: answer.body.to_vec(),
                };
                if !answer.closes {
                    self.stream = Some(stream);
                }
                return Ok(reply);
            }
        }
    }
}
