//! A connection as hyper reads and writes it, with three things hyper leaves out: what it answers by itself to a broken
//! request becomes a problem, a client that does not read is cut off, and a closing connection first hears its client out.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::server::crowd::Ticket;
use crate::http::server::heard::Heard;

/// How long a client may leave an answer unread.
const UNREAD_FOR: Duration = Duration::from_secs(20);
/// How long and how far a closing connection is heard out. Closed at once with bytes unread, the kernel would reset it,
/// and the client might never see its answer; and what the client has to read yet may take it as long as any answer.
const LINGER_FOR: Duration = UNREAD_FOR;
const LINGER_BYTES: usize = 512 * 1024;

/// A connection and its place among those that may be open.
pub struct BoundedStream {
    /// None only while it is dropped.
    stream: Option<TokioIo<Heard>>,
    place: Option<Ticket>,
    /// Our words, while they are written in place of hyper's.
    own: Option<Bytes>,
    unread: Option<Pin<Box<Sleep>>>,
    /// Its client left an answer unread for too long.
    cut_off: bool,
}

impl BoundedStream {
    /// Over an accepted connection.
    pub fn new(stream: Heard, place: Ticket) -> BoundedStream {
        let stream = Some(TokioIo::new(stream));
        BoundedStream { stream, place: Some(place), own: None, unread: None, cut_off: false }
    }

    fn stream(&mut self) -> Pin<&mut TokioIo<Heard>> {
        Pin::new(self.stream.as_mut().expect("the stream is there until this is dropped"))
    }

    /// A write that waits too long for its reader fails.
    fn bounded<T>(&mut self, cx: &mut Context<'_>, write: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if write.is_ready() {
            self.unread = None;
            return write;
        }
        let unread = self.unread.get_or_insert_with(|| Box::pin(tokio::time::sleep(UNREAD_FOR)));
        ready!(unread.as_mut().poll(cx));
        self.cut_off = true;
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Writes our words instead of `hypers`, and tells hyper that its own went out.
    fn poll_own(&mut self, cx: &mut Context<'_>, hypers: usize) -> Poll<io::Result<usize>> {
        while let Some(mut own) = self.own.take().filter(|own| !own.is_empty()) {
            let write = self.stream().poll_write(cx, &own);
            if let Poll::Ready(Ok(written)) = write {
                drop(own.split_to(written));
            }
            self.own = Some(own);
            ready!(self.bounded(cx, write))?;
        }
        Poll::Ready(Ok(hypers))
    }
}

/// The problem that stands for an answer which hyper gives without a body, to a request that never reached us. Ours never
/// have an empty body and such a status.
fn in_place_of(head: &[u8]) -> Option<Bytes> {
    let status = head.strip_prefix(b"HTTP/1.1 4")?.first_chunk::<2>()?;
    let code = match status {
        b"00" => Code::InvalidRequest,
        b"14" => Code::UriTooLong,
        b"31" => Code::HeadersTooLarge,
        _ => return None,
    };
    head.windows(19).any(|w| w.eq_ignore_ascii_case(b"content-length: 0\r\n")).then(|| canned(code))
}

/// A whole response for a connection that is then closed.
fn canned(code: Code) -> Bytes {
    let body = serde_json::to_string(&Problem::new(code)).unwrap_or_default();
    let retry = if code.status() == 503 { "retry-after: 1\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {} {}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n{retry}cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n",
        code.status(),
        code.status_code().canonical_reason().unwrap_or_default(),
        body.len(),
    );
    Bytes::from(head + &body)
}

/// What its client has not read is dropped with it: closed the usual way, the kernel would keep that for minutes, when the
/// connection's place has long been another's.
fn reset(stream: &TcpStream) {
    // Where the client is gone already there is nothing to keep either.
    let _ = stream.set_zero_linger();
}

async fn hear_out(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut scratch = [0; 4_096];
    let mut heard = 0;
    while heard < LINGER_BYTES {
        match stream.read(&mut scratch).await? {
            0 => break,
            read => heard += read,
        }
    }
    Ok(())
}

impl Drop for BoundedStream {
    fn drop(&mut self) {
        let (Some(stream), Some(Ticket(connection))) = (self.stream.take(), self.place.as_ref()) else {
            return;
        };
        let stream = stream.into_inner().into_inner();
        if connection.gives_way() || self.cut_off {
            return reset(&stream);
        }
        connection.wait();
        let (connection, place) = (connection.clone(), self.place.take());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let mut stream = stream;
                let heard_out = tokio::select! {
                    heard_out = tokio::time::timeout(LINGER_FOR, hear_out(&mut stream)) => heard_out.is_ok(),
                    () = connection.gone() => false,
                };
                if !heard_out {
                    reset(&stream);
                }
                drop(place);
            });
        }
    }
}

impl Read for BoundedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buf)
    }
}

impl Write for BoundedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.own.is_none() {
            self.own = in_place_of(buf);
        }
        if self.own.is_some() {
            return self.poll_own(cx, buf.len());
        }
        let write = self.stream().poll_write(cx, buf);
        self.bounded(cx, write)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.own.is_none() {
            self.own = bufs.first().and_then(|head| in_place_of(head));
        }
        if self.own.is_some() {
            return self.poll_own(cx, bufs.iter().map(|buf| buf.len()).sum());
        }
        let write = self.stream().poll_write_vectored(cx, bufs);
        self.bounded(cx, write)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}
