//! The whole of HTTP as one value: a request and its peer in, a response out. The socket and the tests both use it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response};
use axum::response::{IntoResponse, Response as AxumResponse};
use serde_json::Value;
use tower::Service as _;

use crate::http::extract::address::{Address, Peer, is_forwarded};
use crate::http::extract::pending_tokens::PendingTokens;
use crate::http::metrics::registry::Metrics;
use crate::http::metrics::route_metrics::CountRequests;
use crate::http::openapi::routes::Routes;
use crate::http::openapi::{document, pages as description_pages};
use crate::http::problem::code::Code;
use crate::http::problem::pages as problem_pages;
use crate::http::problem::response::Problem;
use crate::http::routes::operations::{health, metrics, test_clock};
use crate::http::routes::session::verify;
use crate::http::routes::{account, admin, cart, session};
use crate::http::server::awaited::Sharer;
use crate::http::server::edge::{Asking, Edge};
use crate::http::server::state::AppState;
use crate::service::catalogue::asker::asking_from;
use crate::service::limits::addresses::Source;

/// The application, as it is behind one listener.
pub struct App {
    front: Arc<AppState>,
    router: Router,
    edge: Edge,
    meter: Arc<Metrics>,
    /// It was said that an unknown proxy is not believed.
    warned: AtomicBool,
}

/// What is laid around all routes of an application.
pub type Around = fn(Router<Arc<AppState>>, &Arc<AppState>) -> Router<Arc<AppState>>;

/// Pages for people, to be served beside the API.
pub struct Pages {
    /// Their routes.
    pub routes: Router<Arc<AppState>>,
    /// What is laid around all routes, the API's too.
    pub around: Around,
}

impl App {
    /// What `--listen` serves: the routes that its rules ask for.
    pub fn new(front: AppState) -> App {
        App::built(front, None)
    }

    /// The same with pages for people, which are not this floor's.
    pub fn with_pages(front: AppState, pages: Pages) -> App {
        App::built(front, Some(pages))
    }

    fn built(front: AppState, pages: Option<Pages>) -> App {
        let (front, meter) = (Arc::new(front), Arc::new(Metrics::new()));
        let routes = routes(&front, &meter);
        let routes = match pages {
            Some(pages) => (pages.around)(closed(routes.merge(pages.routes)), &front),
            None => closed(routes),
        };
        App::over(front, meter, routes)
    }

    /// What `--admin-listen` serves beside that, over the same service and counters: the routes for the shop's own systems, and
    /// the probes. It has a bound of its own for requests in flight, so that it answers also while the shop is overrun.
    pub fn admin(&self) -> App {
        let routes = closed(admin_routes(&self.meter).merge(common_routes()).into_router());
        App::over(Arc::clone(&self.front), Arc::clone(&self.meter), routes)
    }

    fn over(front: Arc<AppState>, meter: Arc<Metrics>, routes: Router<Arc<AppState>>) -> App {
        let mut first = [0; 8];
        front.service.random().fill(&mut first);
        let routes = routes.layer(CountRequests(Arc::clone(&meter)));
        App {
            router: routes.with_state(Arc::clone(&front)),
            edge: Edge::new(u64::from_le_bytes(first), Arc::clone(&meter), front.rules.max_in_flight),
            front,
            meter,
            warned: AtomicBool::new(false),
        }
    }

    /// Answers one request.
    pub async fn answer(&self, mut request: Request<Body>, peer: SocketAddr) -> Response<Body> {
        let rules = &self.front.rules;
        let address = Address::of(peer, request.headers(), &rules.trusted_proxies);
        request.extensions_mut().insert(address);
        let asking = self.asking(peer, address, request.headers());
        if [test_clock::PATH, verify::PATH].contains(&request.uri().path()) {
            request.extensions_mut().insert(Peer(peer));
        }
        self.warn_of_a_strange_proxy(&request, peer);
        let tray = PendingTokens::before(&mut request);
        let mut router = self.router.clone();
        self.edge
            .pass(request, rules, asking, async move |request| {
                let mut response = match asking_from(address.0, router.call(request)).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                };
                if let Some(tray) = tray {
                    tray.serve(&self.front, &mut response).await;
                }
                response
            })
            .await
    }

    /// Whose share the request counts to. A trusted proxy that names nobody speaks for nobody in particular; where it handed on
    /// a header of its client's that contradicts its own, all such requests together have one share: who writes one into its
    /// request would have none to keep to.
    fn asking(&self, peer: SocketAddr, Address(address): Address, headers: &HeaderMap) -> Asking {
        let proxies = &self.front.rules.trusted_proxies;
        let contradicted = proxies.is_contradicted(peer, headers);
        let shared = self.front.service.settings().rate_limits && (contradicted || !proxies.trust(address));
        let sharer = Sharer {
            source: shared.then(|| Source::of(address)),
            forwarded: contradicted || address != peer.ip().to_canonical(),
        };
        Asking { sharer, peer }
    }

    /// Behind a proxy that is not trusted all shoppers look like one address, and share its limits: whoever runs this wants
    /// to know. Said once, and of this machine's proxies alone: any client can write such a header.
    fn warn_of_a_strange_proxy(&self, request: &Request<Body>, peer: SocketAddr) {
        if self.warned.load(Ordering::Relaxed) || !peer.ip().is_loopback() || !is_forwarded(request.headers())
        {
            return;
        }
        if !self.front.rules.trusted_proxies.trust(peer.ip()) && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "requests come through a proxy at {} that --trusted-proxy does not name: all count as its address",
                peer.ip()
            );
        }
    }

    /// Where a connection that gets no further is counted.
    pub fn meter(&self) -> &Metrics {
        &self.meter
    }

    /// What its handlers are given.
    pub fn front(&self) -> &Arc<AppState> {
        &self.front
    }
}

fn routes(front: &AppState, meter: &Arc<Metrics>) -> Router<Arc<AppState>> {
    let mut routes = shop_routes().merge(common_routes());
    if front.rules.admin {
        routes = routes.merge(admin_routes(meter));
    }
    if front.rules.test_clock {
        routes = routes.merge(test_clock::routes());
    }
    routes.into_router()
}

/// The description of everything that a server may serve but the demo's pages; whether the admin calls are on the same address is
/// the shop's choice.
pub fn description() -> &'static Value {
    static WHOLE: LazyLock<Value> = LazyLock::new(|| document::describe(every_route()));
    &WHOLE
}

fn every_route() -> Routes {
    let meter = Arc::new(Metrics::new());
    shop_routes().merge(common_routes()).merge(admin_routes(&meter)).merge(test_clock::routes())
}

/// What a shop's pages, apps and back end call.
fn shop_routes() -> Routes {
    cart::routes().merge(session::routes()).merge(account::routes())
}

/// What the shop's own systems call, and the metrics.
fn admin_routes(meter: &Arc<Metrics>) -> Routes {
    metrics::routes(Arc::clone(meter)).merge(admin::routes())
}

/// What every listener serves.
fn common_routes() -> Routes {
    health::routes().merge(problem_pages::routes()).merge(description_pages::routes(description))
}

/// With an answer to whatever is none of them.
fn closed(routes: Router<Arc<AppState>>) -> Router<Arc<AppState>> {
    routes.fallback(nothing_here).method_not_allowed_fallback(wrong_method)
}

async fn nothing_here() -> Problem {
    Problem::new(Code::NotFound)
}

/// The router adds the Allow header to this.
async fn wrong_method() -> AxumResponse {
    Problem::new(Code::MethodNotAllowed).into_response()
}
