//! A request whose body comes but for its last byte: it runs, and does not get on.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::oneshot;

/// Lets the last byte go.
pub struct Rest(oneshot::Sender<()>);

impl Rest {
    pub fn come(self) {
        let _ = self.0.send(());
    }
}

/// Tells when whoever reads the body waits for its last byte.
pub struct Begun(oneshot::Receiver<()>);

impl Begun {
    pub async fn reading(self) {
        self.0.await.expect("the body is read");
    }
}

struct Held {
    begun: Option<oneshot::Sender<()>>,
    rest: oneshot::Receiver<()>,
    parts: Vec<Bytes>,
}

/// A body of this text, of which the last byte is held back.
pub fn held(text: &str) -> (Body, Begun, Rest) {
    let (begin, begun) = oneshot::channel();
    let (release, rest) = oneshot::channel();
    let (first, last) = text.split_at(text.len() - 1);
    let parts = [last, first].map(|part| Bytes::from(part.to_owned())).to_vec();
    (Body::new(Held { begun: Some(begin), rest, parts }), Begun(begun), Rest(release))
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.parts.len() == 1 {
            if let Some(begun) = self.begun.take() {
                let _ = begun.send(());
            }
            let _ = ready!(Pin::new(&mut self.rest).poll(cx));
        }
        Poll::Ready(self.parts.pop().map(|part| Ok(Frame::data(part))))
    }
}
