//! A request's place among those in flight. Who waits for bytes of a client holds none: the place counts again once the body
//! is there (SESSION.md, S37).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;

use crate::http::server::crowd::Connection;
use crate::service::limits::addresses::Source;
use crate::service::limits::shares::{Full, Share, Shares};

/// The part of the places in flight that one address may have.
const SHARE: usize = 8;
/// Bodies that are waited for through trusted proxies, of one address. Who comes without a proxy is bounded by its connections.
const AWAITED_EACH: usize = 256;
/// Bytes of such bodies, of one address: sixteen whole syncs.
const BYTES_EACH: usize = 4 * 1024 * 1024;

/// The places of one listener.
pub struct Places {
    in_flight: Arc<Shares>,
    awaited: Arc<Shares>,
    bytes: Arc<Shares>,
}

impl Places {
    /// So many in flight.
    pub fn new(most: usize) -> Places {
        Places {
            in_flight: Shares::new(most, (most / SHARE).max(1)),
            awaited: Shares::new(usize::MAX, AWAITED_EACH),
            bytes: Shares::new(usize::MAX, BYTES_EACH),
        }
    }
}

/// Whose a request is, as far as shares go.
#[derive(Clone, Copy, Debug)]
pub struct Sharer {
    /// Its address; none where it keeps to no share.
    pub source: Option<Source>,
    /// It came through a proxy, so that its connection says nothing of it.
    pub forwarded: bool,
}

/// A request's place.
pub struct Place {
    places: Arc<Places>,
    sharer: Sharer,
    connection: Option<Arc<Connection>>,
    stands: Mutex<Stands>,
}

#[derive(Debug)]
enum Stands {
    InFlight { _place: Share },
    Awaited { _body: Share, bytes: Share },
    Over,
}

impl Place {
    /// One in flight.
    pub fn take(
        places: &Arc<Places>,
        sharer: Sharer,
        connection: Option<Arc<Connection>>,
    ) -> Result<Place, Full> {
        let _place = places.in_flight.take(sharer.source, 1)?;
        let stands = Mutex::new(Stands::InFlight { _place });
        Ok(Place { places: Arc::clone(places), sharer, connection, stands })
    }

    /// The client is waited for; so many bytes of its body are there.
    fn lend(&self, read: usize) -> Result<(), Full> {
        let mut stands = self.stands.lock();
        if let Stands::InFlight { .. } = *stands {
            let of = self.sharer.source.filter(|_| self.sharer.forwarded);
            let body = self.places.awaited.take(of, 1)?;
            let bytes = self.places.bytes.take(of, read)?;
            *stands = Stands::Awaited { _body: body, bytes };
            if let Some(connection) = &self.connection {
                connection.wait();
                connection.turn.hears();
            }
        }
        Ok(())
    }

    fn grow(&self, by: usize) -> Result<(), Full> {
        match &mut *self.stands.lock() {
            Stands::Awaited { bytes, .. } => bytes.grow(by),
            Stands::InFlight { .. } | Stands::Over => Ok(()),
        }
    }

    /// The body is there.
    fn take_back(&self) -> Result<(), Full> {
        let mut stands = self.stands.lock();
        if let Stands::Awaited { .. } = *stands {
            let _place = self.places.in_flight.take(self.sharer.source, 1)?;
            *stands = Stands::InFlight { _place };
            if let Some(connection) = &self.connection {
                connection.work();
                connection.turn.owes();
            }
        }
        Ok(())
    }

    /// The request is over, whoever holds its body.
    pub fn leave(&self) {
        *self.stands.lock() = Stands::Over;
    }
}

/// A body on its way.
pub struct Awaited {
    inner: Body,
    place: Arc<Place>,
    read: usize,
}

impl Awaited {
    /// The body of the request that has this place.
    pub fn new(inner: Body, place: Arc<Place>) -> Awaited {
        Awaited { inner, place, read: 0 }
    }
}

impl HttpBody for Awaited {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let (stands, next) = match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Pending => (this.place.lend(this.read), Poll::Pending),
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                this.read += bytes;
                let there = this.inner.is_end_stream();
                let stands = if there { this.place.take_back() } else { this.place.grow(bytes) };
                (stands, Poll::Ready(Some(Ok(frame))))
            }
            Poll::Ready(Some(Err(error))) => (Ok(()), Poll::Ready(Some(Err(error.into())))),
            Poll::Ready(None) => (this.place.take_back(), Poll::Ready(None)),
        };
        match stands {
            Ok(()) => next,
            Err(full) => Poll::Ready(Some(Err(full.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
