//! The whole of HTTP as one value: a request and its peer in, a response out. The socket and the tests both use it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::response::{IntoResponse, Response as AxumResponse};
use tower::Service as _;

use super::edge::Edge;
use super::error::Problem;
use super::front::Front;
use super::problems::Code;
use super::test_clock::Peer;
use super::{cart, demo, health, history, problems, saved, session, test_clock};

/// The application.
pub struct App {
    front: Arc<Front>,
    router: Router,
    edge: Edge,
}

impl App {
    /// With the routes that its rules ask for.
    pub fn new(front: Front) -> App {
        let front = Arc::new(front);
        let mut first = [0; 8];
        front.service.random().fill(&mut first);
        App { router: router(Arc::clone(&front)), front, edge: Edge::new(u64::from_le_bytes(first)) }
    }

    /// Answers one request.
    pub async fn answer(&self, mut request: Request<Body>, peer: SocketAddr) -> Response<Body> {
        if request.uri().path() == test_clock::PATH {
            request.extensions_mut().insert(Peer(peer));
        }
        let mut router = self.router.clone();
        self.edge
            .pass(request, &self.front.rules, async move |request| match router.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            })
            .await
    }

    /// What its handlers are given.
    pub fn front(&self) -> &Arc<Front> {
        &self.front
    }
}

fn router(front: Arc<Front>) -> Router {
    let mut router = Router::new()
        .merge(cart::routes())
        .merge(saved::routes())
        .merge(history::routes())
        .merge(session::routes())
        .merge(health::routes())
        .merge(problems::routes());
    if front.rules.test_clock {
        router = router.merge(test_clock::routes());
    }
    if front.rules.demo {
        router = router.merge(demo::routes());
    }
    router.fallback(nothing_here).method_not_allowed_fallback(wrong_method).with_state(front)
}

async fn nothing_here() -> Problem {
    Problem::new(Code::NotFound)
}

/// The router adds the Allow header to this.
async fn wrong_method() -> AxumResponse {
    Problem::new(Code::MethodNotAllowed).into_response()
}
