//! The accept loop: bounded connections, bounded heads, and an end that leaves nothing half done.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Response};
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use hyper_util::server::graceful::GracefulShutdown;
use socket2::SockRef;
use tokio::net::TcpListener;

use crate::http::problem::response::Problem;
use crate::http::routes::operations::health;
use crate::http::server::app::App;
use crate::http::server::connection::BoundedStream;
use crate::http::server::crowd::{Connection, Crowd};
use crate::http::server::heard;
use crate::http::server::heard::Heard;
use crate::service::limits::addresses::Source;

/// The bounds of connections.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// Connections that may be open at once.
    pub max_connections: usize,
    /// How long a request's head may take, and how long a connection may rest between requests.
    pub head_timeout: Duration,
    /// How long requests under way may take once the end was asked for.
    pub drain: Duration,
}

impl Default for ServerLimits {
    fn default() -> ServerLimits {
        ServerLimits {
            max_connections: 10_000,
            head_timeout: Duration::from_secs(15),
            drain: Duration::from_secs(5),
        }
    }
}

/// The part of the connections that one address may have open: a thousand by default, as many as the tabs of some hundred
/// shoppers behind one gateway.
const SHARE: usize = 10;
/// A pause where no connection can be accepted, for want of file descriptors mostly: they come back when others close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// The most a head may occupy before hyper itself gives up; what is above our own bounds and below this is told exactly.
const HEAD_BUFFER: usize = 128 * 1024;
/// What the kernel keeps of answers that a connection's client has not read: it doubles this for its own books. Left to itself
/// it grows with what is written, to megabytes a connection that no share of ours counts (SESSION.md, S37). A cart has 100 KiB
/// at most, and mostly a few.
const SEND_BUFFER: usize = 64 * 1024;

/// Serves until `stop` is done, then finishes what was begun, for as long as the bounds allow.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    bounds: ServerLimits,
    stop: impl Future<Output = ()>,
) {
    let shared = app.front().service.settings().rate_limits;
    let each = if shared { (bounds.max_connections / SHARE).max(1) } else { usize::MAX };
    let (crowd, heard) = (Crowd::new(bounds.max_connections, each), heard::shares());
    // Whom this listener lets in has the same.
    if let Err(error) = SockRef::from(&listener).set_send_buffer_size(SEND_BUFFER) {
        tracing::warn!(%error, "what clients leave unread is bounded by the system alone");
    }
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(bounds.head_timeout).max_buf_size(HEAD_BUFFER);
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        // Answers are one small write each: to wait for more only delays them.
        let _ = stream.set_nodelay(true);
        let (source, by_proxy) = (Source::of(peer.ip()), app.front().rules.trusted_proxies.trust(peer.ip()));
        let Some(ticket) = crowd.enter(source, by_proxy) else { continue };
        let connection = Arc::clone(&ticket.0);
        let stream = Heard::new(
            stream,
            &heard,
            Some(source).filter(|_| shared && !by_proxy),
            Arc::clone(&connection.turn),
        );
        let spoken = converse(&http, BoundedStream::new(stream, ticket), Arc::clone(&app), peer, &connection);
        let spoken = graceful.watch(spoken);
        tokio::spawn(async move {
            tokio::select! {
                _ = spoken => {}
                () = connection.gone() => {}
            }
        });
    }
    drop(listener);
    // They never finish by themselves.
    app.front().service.events().end_all();
    if tokio::time::timeout(bounds.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some clients were too slow and are cut off");
    }
}

fn converse(
    http: &http1::Builder,
    speaking: BoundedStream,
    app: Arc<App>,
    peer: SocketAddr,
    connection: &Arc<Connection>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send + use<> {
    let connection = Arc::clone(connection);
    let service = service_fn(move |request: Request<Incoming>| {
        let (app, connection) = (Arc::clone(&app), Arc::clone(&connection));
        // hyper keeps the room for an answer's future as long as the connection is open: thousands of streams would hold
        // 4 KiB each for an answer that was given long ago.
        Box::pin(async move { Ok::<_, Infallible>(answer(&app, request, peer, &connection).await) })
    });
    http.serve_connection(speaking, service)
}

async fn answer(
    app: &App,
    request: Request<Incoming>,
    peer: SocketAddr,
    connection: &Arc<Connection>,
) -> Response<Body> {
    connection.turn.next().await;
    connection.work();
    let response = match connection.refuses() {
        Some(code) if !health::is_probe(request.uri().path()) => {
            app.meter().refused(code);
            let mut response = Problem::new(code).into_response();
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            response
        }
        _ => {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Arc::clone(connection));
            app.answer(request, peer).await
        }
    };
    connection.turn.answered();
    // What is left of it is for its client to read. A stream goes on being written.
    if response.body().size_hint().exact().is_some() {
        connection.wait();
    }
    response
}
