//! The accept loop: bounded connections, bounded heads, and an end that leaves nothing half done.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::app::App;
use super::linger::{Speaking, turn_away};
use super::problems::Code;

/// The bounds of connections.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Connections that may be open at once.
    pub max_connections: usize,
    /// How long a request's head may take, and how long a connection may rest between requests.
    pub head_timeout: Duration,
    /// How long requests under way may take once the end was asked for.
    pub drain: Duration,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            max_connections: 10_000,
            head_timeout: Duration::from_secs(15),
            drain: Duration::from_secs(5),
        }
    }
}

/// Connections that are being turned away at once; beyond it they are simply closed.
const TURNED_AWAY_MAX: usize = 256;
/// A pause where no connection can be accepted, for want of file descriptors mostly: they come back when others close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// The most a head may occupy before hyper itself gives up; what is above our own bounds and below this is told exactly.
const HEAD_BUFFER: usize = 128 * 1024;

/// Serves until `stop` is done, then finishes what was begun, for as long as the bounds allow.
pub async fn serve(listener: TcpListener, app: Arc<App>, bounds: Bounds, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(bounds.max_connections));
    let turned_away = Arc::new(Semaphore::new(TURNED_AWAY_MAX));
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
        match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => {
                let connection = converse(&http, Speaking::new(stream, place), Arc::clone(&app), peer);
                tokio::spawn(graceful.watch(connection));
            }
            Err(_) => {
                app.meter().refused(Code::Overloaded);
                refuse(stream, &turned_away);
            }
        }
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
    speaking: Speaking,
    app: Arc<App>,
    peer: SocketAddr,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + Send + use<> {
    let service = service_fn(move |request: Request<Incoming>| {
        let app = Arc::clone(&app);
        // hyper keeps the room for an answer's future as long as the connection is open: thousands of streams would hold
        // 4 KiB each for an answer that was given long ago.
        Box::pin(async move { Ok::<_, Infallible>(app.answer(request.map(Body::new), peer).await) })
    });
    http.serve_connection(speaking, service)
}

fn refuse(stream: TcpStream, turned_away: &Arc<Semaphore>) {
    if let Ok(turn) = Arc::clone(turned_away).try_acquire_owned() {
        tokio::spawn(async move {
            turn_away(stream, Code::Overloaded).await;
            drop(turn);
        });
    }
}
