//! `GET /v1/cart/events`: the cart as Server-Sent Events. A stream is no request in flight and has no total timeout: it is
//! bounded by the places for streams, by what may wait for it, and by how long it may leave what was sent unread.

use std::convert::Infallible;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use hyper::body::Frame;
use tokio::time::Sleep;
use trolley_core::ids::{CartId, Revision};

use crate::http::extract::address::Address;
use crate::http::extract::visitor::{LAST_EVENT_ID, Watcher};
use crate::http::openapi::op::op;
use crate::http::openapi::routes::Routes;
use crate::http::openapi::shape::{said, words};
use crate::http::problem::code::Code;
use crate::http::routes::cart::change::cart_of;
use crate::http::routes::cart::lines::HandlerResult;
use crate::http::server::state::AppState;
use crate::http::wire::cart::CartView;
use crate::service::cart::events::{CartEvent, Next, Subscription};

const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// How often a silent stream says that it is still there: less than proxies wait by default.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long whoever lost its stream waits before it comes back.
const RETRY_MS: RangeInclusive<u64> = 1_000..=10_000;
const END: &str = "event: end\ndata: {}\n\n";
/// All that a token is told which was taken out of use lately. An EventSource stops for good at any other status, and it will have
/// the fresh cookie by then.
const COME_BACK: &str = "retry: 3000\n\nevent: end\ndata: {}\n\n";

/// The route.
pub fn routes() -> Routes {
    let id = said(words(), "The id of the last event: the stream goes on after it.");
    let streamed =
        op("watch_cart", "The cart as Server-Sent Events: the present one at once, then every change")
            .refuses(&[Code::TooManyStreams])
            .header("Last-Event-ID", id)
            .text(200, "text/event-stream")
            .empty(204);
    Routes::about("Cart").get("/v1/cart/events", events, streamed)
}

async fn events(
    State(front): State<Arc<AppState>>,
    watcher: Watcher,
    Address(address): Address,
    headers: HeaderMap,
) -> HandlerResult {
    let visit = match watcher {
        Watcher::Unknown => return Ok(nothing_to_watch()),
        Watcher::Retired => return Ok(streamed(Body::from(COME_BACK))),
        Watcher::Known(visit) => visit,
    };
    let seen = headers.get(LAST_EVENT_ID).and_then(|id| parse_id(id.to_str().ok()?));
    let watch = front.service.watch(visit.claim(), cart_of(&visit)?, address, seen).await?;
    Ok(streamed(Body::new(Stream::of(watch, retry_ms(&front)))))
}

/// Streams that end at once, as at a restart, do not all come back at once.
fn retry_ms(front: &AppState) -> u64 {
    let mut random = [0; 8];
    front.service.random().fill(&mut random);
    RETRY_MS.start() + u64::from_be_bytes(random) % (RETRY_MS.end() - RETRY_MS.start() + 1)
}

fn streamed(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

/// At 204 an EventSource stops asking.
fn nothing_to_watch() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An event's id as [`text`] writes it; any other means that nothing was seen.
fn parse_id(id: &str) -> Option<(CartId, Revision)> {
    let (cart, revision) = id.split_once('.')?;
    Some((cart.parse().ok()?, revision.parse().ok()?))
}

/// The body of a stream. It holds no buffer: what is sent is shared with the cart's other streams.
struct Stream {
    watch: Subscription,
    retry_ms: u64,
    heartbeat: Pin<Box<Sleep>>,
    said: Said,
}

/// How far it is.
#[derive(PartialEq, Eq)]
enum Said {
    Nothing,
    Hello,
    Goodbye,
}

impl Stream {
    fn of(watch: Subscription, retry_ms: u64) -> Stream {
        let heartbeat = Box::pin(tokio::time::sleep(HEARTBEAT));
        Stream { watch, retry_ms, heartbeat, said: Said::Nothing }
    }

    fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        match self.said {
            Said::Goodbye => return Poll::Ready(None),
            Said::Nothing => {
                self.said = Said::Hello;
                return Poll::Ready(Some(format!("retry: {}\n\n", self.retry_ms).into()));
            }
            Said::Hello => {}
        }
        match self.watch.poll_next(cx) {
            Poll::Ready(Next::Cart(event)) => return Poll::Ready(Some(text(&event))),
            Poll::Ready(Next::End) => {
                self.said = Said::Goodbye;
                return Poll::Ready(Some(Bytes::from_static(END.as_bytes())));
            }
            Poll::Pending => {}
        }
        ready!(self.heartbeat.as_mut().poll(cx));
        self.heartbeat.as_mut().set(tokio::time::sleep(HEARTBEAT));
        Poll::Ready(Some(Bytes::from_static(b":\n\n")))
    }
}

/// As it is sent: written once, whoever of the cart's streams comes first.
fn text(event: &CartEvent) -> Bytes {
    let written = event.text.get_or_init(|| {
        let mut text = Vec::from(b"event: cart\nid: ");
        if let Some(cart) = event.cart.cart() {
            text.extend_from_slice(format!("{}.{}", cart.id, cart.revision).as_bytes());
        }
        text.extend_from_slice(b"\ndata: ");
        text.extend_from_slice(&CartView(&event.cart).to_json());
        text.extend_from_slice(b"\n\n");
        text.into()
    });
    written.clone()
}

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.poll_text(cx).map(|text| text.map(|text| Ok(Frame::data(text))))
    }
}
