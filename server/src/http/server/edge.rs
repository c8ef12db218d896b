//! The edge: the one function between the socket and the router. It bounds, judges host and origin, catches what panics,
//! numbers each request, and logs it. One function and not many layers: each layer costs every request.

use std::future::Future;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::body::{Body, HttpBody as _};
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use axum::response::IntoResponse;
use parking_lot::Mutex;

use crate::http::extract::host;
use crate::http::metrics::registry::Metrics;
use crate::http::problem::code::Code;
use crate::http::problem::response::{Cause, Problem};
use crate::http::routes::operations::health;
use crate::http::server::awaited::{Awaited, Place, Places, Sharer};
use crate::http::server::crowd::Connection;
use crate::http::server::failure_log::{FailureLog, Logged};
use crate::http::server::state::HttpConfig;
use crate::http::server::{cors, cross_site};
use crate::service::limits::shares::Full;

/// Names a request in answers and logs.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// Headers of one request.
pub const HEADERS_MAX: usize = 100;
/// Bytes of all header names and values of one request.
pub const HEADER_BYTES_MAX: usize = 32 * 1024;

/// What the edge counts.
pub struct Edge {
    places: Arc<Places>,
    requests: AtomicU64,
    meter: Arc<Metrics>,
    /// Where the numbering begins: ids of two runs differ.
    first: u64,
    told: Mutex<FailureLog>,
    since: Instant,
}

/// Who asks, as far as the edge cares.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    /// For shares of what there is.
    pub sharer: Sharer,
    /// The connection's other end.
    pub peer: SocketAddr,
}

/// Counts a request for as long as it is under way, also where its connection breaks. A probe is not counted.
struct Admitted(Option<Arc<Place>>);

impl Drop for Admitted {
    fn drop(&mut self) {
        if let Some(place) = &self.0 {
            place.leave();
        }
    }
}

impl Edge {
    /// An edge whose request ids begin at `first`, with so many places in flight.
    pub fn new(first: u64, meter: Arc<Metrics>, places: usize) -> Edge {
        Edge {
            places: Arc::new(Places::new(places)),
            requests: AtomicU64::new(0),
            meter,
            first,
            told: Mutex::default(),
            since: Instant::now(),
        }
    }

    /// Takes a request through `inner` and gives back what the client is told.
    pub async fn pass<F>(
        &self,
        mut request: Request<Body>,
        rules: &HttpConfig,
        asking: Asking,
        inner: impl FnOnce(Request<Body>) -> F,
    ) -> Response<Body>
    where
        F: Future<Output = Response<Body>>,
    {
        let id = self.first.wrapping_add(self.requests.fetch_add(1, Ordering::Relaxed));
        let logged = tracing::enabled!(target: "trolley::access", tracing::Level::DEBUG)
            .then(|| (request.method().clone(), request.uri().path().to_owned(), Instant::now()));
        let trusted = cors::trusted_origin(request.headers(), rules);
        let mut response = match self.admit(&mut request, rules, asking) {
            Ok(_admitted) => match cors::preflight(&request, rules) {
                Some(answer) => answer,
                None => within(rules, inner(request)).await,
            },
            Err(problem) => problem.into_response(),
        };
        if let Some(code) = response.extensions().get::<Code>() {
            self.meter.refused(*code);
        }
        if let Some(Cause(cause)) = response.extensions_mut().remove::<Cause>() {
            self.log(id, response.status(), &cause);
        }
        if let Some((method, path, began)) = logged {
            let (status, us) = (response.status().as_u16(), began.elapsed().as_micros() as u64);
            tracing::debug!(target: "trolley::access", request = %format_args!("{id:016x}"), %method, path, status, us);
        }
        let status = response.status();
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, hex(id));
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if status == StatusCode::UNAUTHORIZED {
            // Never Basic: a browser would ask its user for a password that nobody has.
            headers.entry(WWW_AUTHENTICATE).or_insert(HeaderValue::from_static("Bearer"));
        }
        cors::allow(headers, trusted, rules);
        response
    }

    /// Says why a request failed. What its own client is to blame for is no error of ours, and who can bring about the same
    /// failure as often as it likes shall not fill the disk with it.
    fn log(&self, id: u64, status: StatusCode, cause: &Arc<str>) {
        let (request, status) = (format_args!("{id:016x}"), status.as_u16());
        if status < 500 {
            tracing::debug!(%request, status, %cause, "a request was refused");
            return;
        }
        match self.told.lock().tell(self.since.elapsed(), cause) {
            Logged::Again => {}
            Logged::Anew { untold: 0 } => tracing::error!(%request, status, %cause, "a request failed"),
            Logged::Anew { untold } => {
                tracing::error!(%request, status, %cause, untold, "a request failed, and so many before it that are not told");
            }
        }
    }

    /// Whether the request is let in, cheapest question first.
    fn admit(
        &self,
        request: &mut Request<Body>,
        rules: &HttpConfig,
        asking: Asking,
    ) -> Result<Admitted, Problem> {
        let admitted = self.place(request, asking.sharer)?;
        bound(request.headers())?;
        host::judge(request)?;
        cross_site::judge(request.method(), request.uri(), request.headers(), rules, asking.peer)?;
        Ok(admitted)
    }

    /// A place for the request, which its body lends out while its client is waited for.
    fn place(&self, request: &mut Request<Body>, sharer: Sharer) -> Result<Admitted, Full> {
        if health::is_probe(request.uri().path()) {
            return Ok(Admitted(None));
        }
        let connection = request.extensions_mut().remove::<Arc<Connection>>();
        let place = Arc::new(Place::take(&self.places, sharer, connection)?);
        if !request.body().is_end_stream() {
            let body = std::mem::take(request.body_mut());
            *request.body_mut() = Body::new(Awaited::new(body, Arc::clone(&place)));
        }
        Ok(Admitted(Some(place)))
    }
}

fn bound(headers: &HeaderMap) -> Result<(), Problem> {
    let bytes = || headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>();
    if headers.len() > HEADERS_MAX || bytes() > HEADER_BYTES_MAX {
        return Err(Problem::new(Code::HeadersTooLarge));
    }
    Ok(())
}

/// The answer, or a problem where it takes too long or panics. What a handler had begun in a lane is finished all the same.
async fn within(rules: &HttpConfig, answer: impl Future<Output = Response<Body>>) -> Response<Body> {
    match tokio::time::timeout(rules.total_timeout, catching(answer)).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => Problem::new(Code::Internal).because(panic).into_response(),
        Err(_) => Problem::new(Code::Timeout).into_response(),
    }
}

/// A panic becomes an error with its words, for the log alone.
async fn catching<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => {
            let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
            let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
            std::task::Poll::Ready(Err(format!("panic: {}", words.unwrap_or_default())))
        }
    })
    .await
}

fn hex(id: u64) -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 16];
    for (i, digit) in text.iter_mut().enumerate() {
        *digit = DIGITS[(id >> (60 - 4 * i)) as usize & 15];
    }
    HeaderValue::from_bytes(&text).expect("hex digits are visible ASCII")
}
