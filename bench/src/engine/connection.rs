//! A connection of the load generator: a socket that never blocks, and the one request that is under way on it.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use crate::wire::answer::{Answer, whole};

/// What a look at the socket gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ReadProgress {
    /// The answer is not whole yet.
    Waiting,
    /// The request is not sent yet: the socket takes no more for now.
    Unsent,
    /// The answer is there, and was handed over.
    Answered,
    /// The other side is gone, or talks nonsense.
    Broken,
}

/// A connection.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    /// The request, and how much of it is sent.
    pub(super) out: Vec<u8>,
    sent: usize,
    /// The part of an answer that came so far, where it did not come at once.
    part: Vec<u8>,
    /// When what is under way should have begun; none where nothing is.
    pub(super) under_way: Option<Instant>,
}

impl Connection {
    pub(super) fn open(address: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Connection { stream, out: Vec::with_capacity(1024), sent: 0, part: Vec::new(), under_way: None })
    }

    /// Sends what stands in `out`, or as much of it as the socket takes.
    pub(super) fn send(&mut self) -> ReadProgress {
        while self.sent < self.out.len() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(0) => return ReadProgress::Broken,
                Ok(more) => self.sent += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return ReadProgress::Unsent,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return ReadProgress::Broken,
            }
        }
        ReadProgress::Waiting
    }

    /// Reads once. An answer that is whole goes to `take`, which may say that it was the connection's last.
    pub(super) fn receive(&mut self, scratch: &mut [u8], take: impl FnOnce(&Answer<'_>)) -> ReadProgress {
        let read = match self.stream.read(scratch) {
            Ok(0) => return ReadProgress::Broken,
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return ReadProgress::Waiting;
            }
            Err(_) => return ReadProgress::Broken,
        };
        // Most answers come whole: they are read where they stand.
        let in_parts = !self.part.is_empty();
        if in_parts {
            self.part.extend_from_slice(&scratch[..read]);
        }
        let bytes = if in_parts { &self.part[..] } else { &scratch[..read] };
        match whole(bytes) {
            // More than was asked for, or an answer to nothing.
            Ok(Some((_, taken))) if taken != bytes.len() || self.under_way.is_none() => ReadProgress::Broken,
            Ok(Some((answer, _))) => {
                take(&answer);
                let closes = answer.closes;
                self.part.clear();
                self.sent = 0;
                self.out.clear();
                if closes { ReadProgress::Broken } else { ReadProgress::Answered }
            }
            Ok(None) => {
                if !in_parts {
                    self.part.extend_from_slice(&scratch[..read]);
                }
                ReadProgress::Waiting
            }
            Err(_) => ReadProgress::Broken,
        }
    }
}
