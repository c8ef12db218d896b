//! A layer around each route that counts its answers. It finds its counters once, by the pattern that the router matched.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::body::{Body, HttpBody as _};
use axum::extract::MatchedPath;
use axum::http::{Method, Request, Response};
use tower::{Layer, Service};

use crate::http::metrics::registry::{Metrics, RouteMetrics};

/// Where no route has the path.
const NO_ROUTE: &str = "none";

/// Makes each route count.
#[derive(Clone)]
pub struct CountRequests(pub Arc<Metrics>);

/// A route that counts.
#[derive(Clone)]
pub struct CountRequestsService<S> {
    inner: S,
    meter: Arc<Metrics>,
    /// Shared by all copies of this route.
    route: Arc<OnceLock<Arc<RouteMetrics>>>,
}

impl<S> Layer<S> for CountRequests {
    type Service = CountRequestsService<S>;

    fn layer(&self, inner: S) -> CountRequestsService<S> {
        CountRequestsService { inner, meter: Arc::clone(&self.0), route: Arc::default() }
    }
}

impl<S: Service<Request<Body>, Response = Response<Body>>> Service<Request<Body>>
    for CountRequestsService<S>
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = CountedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> CountedFuture<S::Future> {
        let route = self.route.get_or_init(|| {
            let matched = request.extensions().get::<MatchedPath>();
            self.meter.route(matched.map_or(NO_ROUTE, MatchedPath::as_str))
        });
        let (route, method) = (Arc::clone(route), request.method().clone());
        let (request_bytes, began) = (request.body().size_hint().exact(), Instant::now());
        CountedFuture { inner: self.inner.call(request), route, method, request_bytes, began }
    }
}

pin_project_lite::pin_project! {
    /// An answer that will be counted.
    pub struct CountedFuture<F> {
        #[pin]
        inner: F,
        route: Arc<RouteMetrics>,
        method: Method,
        request_bytes: Option<u64>,
        began: Instant,
    }
}

impl<F: Future<Output = Result<Response<Body>, E>>, E> Future for CountedFuture<F> {
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answered = ready!(this.inner.poll(cx));
        if let Ok(response) = &answered {
            let us = u64::try_from(this.began.elapsed().as_micros()).unwrap_or(u64::MAX);
            let sizes = (*this.request_bytes, response.body().size_hint().exact());
            this.route.count(this.method, response.status(), us, sizes);
        }
        Poll::Ready(answered)
    }
}
