//! `trolley healthcheck`: asks the server that has these settings whether it is ready, and tells by its exit code. A container
//! needs no other tool for it.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::cli::{CliError, environment};
use crate::config::checked::Config;
use crate::config::raw::Raw;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of an answer that are looked at: its first line is enough.
const LOOKED_AT: usize = 64;

/// Exit code 0 where `/readyz` answers 200, 1 where it does not.
pub fn run(raw: Raw) -> Result<(), CliError> {
    let listen = Config::new(&raw.completed(environment())?)?.listen;
    if listen.port() == 0 {
        return Err(CliError::Usage("--listen has port 0: name the one that the server took".to_owned()));
    }
    let address = reachable(listen);
    let status = ask(address)
        .map_err(|error| CliError::Runtime(format!("no server answers on {address}: {error}")))?;
    match status.as_str() {
        "200" => writeln!(io::stdout(), "ready").map_err(|error| CliError::Runtime(error.to_string())),
        other => Err(CliError::Runtime(format!("the server on {address} is not ready: it answers {other}"))),
    }
}

/// Who listens on every address is asked on this machine's own.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::with_capacity(LOOKED_AT);
    stream.take(LOOKED_AT as u64).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    status.map(str::to_owned).ok_or_else(|| io::Error::other("what it says is not HTTP"))
}
