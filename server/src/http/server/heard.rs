//! A socket that counts what it heard and did not answer: heads and bodies in pieces are memory, and one address has a share
//! of it (SESSION.md, S37).

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::http::server::turn::Turn;
use crate::service::limits::addresses::Source;
use crate::service::limits::shares::{Share, Shares};

/// What each connection may hold without being counted: a request of the usual size.
const UNCOUNTED: usize = 8 * 1024;
/// What all connections may hold besides, and those of one address: sixty-four whole syncs.
const MOST: usize = 128 * 1024 * 1024;
const EACH: usize = 16 * 1024 * 1024;

/// A socket.
pub struct Heard {
    stream: TcpStream,
    unanswered: usize,
    counted: Share,
    turn: Arc<Turn>,
}

/// The count of one listener's sockets.
pub fn shares() -> Arc<Shares> {
    Shares::new(MOST, EACH)
}

impl Heard {
    /// Over an accepted connection, which counts to that address's share where it has one.
    pub fn new(stream: TcpStream, shares: &Arc<Shares>, source: Option<Source>, turn: Arc<Turn>) -> Heard {
        let counted = shares.take(source, 0).expect("nothing is always to be had");
        Heard { stream, unanswered: 0, counted, turn }
    }

    /// The socket itself.
    pub fn into_inner(self) -> TcpStream {
        self.stream
    }

    fn heard(&mut self, bytes: usize) -> io::Result<()> {
        self.unanswered += bytes;
        let counts = self.unanswered.saturating_sub(UNCOUNTED);
        let more = counts.saturating_sub(self.counted.held());
        self.counted.grow(more).map_err(io::Error::other)
    }

    fn wrote(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.turn.is_read(written.is_ready());
        let written = ready!(written)?;
        self.unanswered = 0;
        self.counted.let_go();
        Poll::Ready(Ok(written))
    }
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, buf) else {
            self.turn.rests();
            return Poll::Pending;
        };
        read?;
        let bytes = buf.filled().len() - before;
        if bytes == 0 && !self.turn.tells_end(cx) {
            return Poll::Pending;
        }
        Poll::Ready(self.heard(bytes))
    }
}

impl AsyncWrite for Heard {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.turn.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// A socket that hears what the other one sends.
    async fn pair(shares: &Arc<Shares>) -> (Heard, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        (Heard::new(stream, shares, Some(Source::of(peer.ip())), Arc::default()), client)
    }

    #[tokio::test]
    async fn what_is_heard_and_not_answered_has_a_bound_for_each_address() {
        let shares = Shares::new(usize::MAX, UNCOUNTED);
        let (mut one, mut client) = pair(&shares).await;
        let (mut other, mut beside) = pair(&shares).await;
        let mut room = [0; UNCOUNTED];
        for (heard, client) in [(&mut one, &mut client), (&mut other, &mut beside)] {
            client.write_all(&room).await.unwrap();
            heard.read_exact(&mut room).await.unwrap();
            assert_eq!(heard.counted.held(), 0, "a request of the usual size");
        }
        client.write_all(&room).await.unwrap();
        one.read_exact(&mut room).await.unwrap();
        assert_eq!(one.counted.held(), UNCOUNTED);
        beside.write_all(b"x").await.unwrap();
        assert!(other.read(&mut room).await.is_err(), "the address holds its share");
        one.write_all(b"an answer").await.unwrap();
        assert_eq!(one.counted.held(), 0);
        beside.write_all(b"x").await.unwrap();
        assert!(other.read(&mut room).await.is_ok());
    }
}
