//! A shop in process and the actors that call on it.

pub mod demo;
pub mod described;
pub mod faulty;
pub mod held;
pub mod member;
pub mod reply;
pub mod scrape;
pub mod scripted;
pub mod seeded;
pub mod somebody;
pub mod upstream;
pub mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use parking_lot::Mutex;
use serde_json::{Value, json};
use trolley::http::extract::cookie::NAME;
use trolley::http::server::app::App;
use trolley::http::server::state::{AppState, HttpConfig};
use trolley::pages::shop;
use trolley::service::Service;
use trolley::service::catalogue::Catalogue;
use trolley::service::clock::{Clock, Hands};
use trolley::service::secret::ServerSecret;
use trolley::service::settings::Settings;
use trolley_core::time::Span;
use trolley_store::memory::Memory;

use crate::support::faulty::Faulty;
use crate::support::reply::Reply;
use crate::support::seeded::Seeded;

/// A whole shop, without a socket.
pub struct Shop {
    pub app: Arc<App>,
    pub service: Arc<Service>,
    pub store: Arc<Faulty>,
}

impl Shop {
    pub fn new() -> Shop {
        Shop::with(HttpConfig::default(), Settings::default())
    }

    pub fn with(rules: HttpConfig, settings: Settings) -> Shop {
        Shop::over(Arc::new(Faulty::over(Arc::new(Memory::new()))), rules, settings)
    }

    /// With a catalogue.
    pub fn selling(catalogue: Arc<dyn Catalogue>) -> Shop {
        let store = Arc::new(Faulty::over(Arc::new(Memory::new())));
        Shop::made(store, HttpConfig::default(), Settings::default(), Some(catalogue))
    }

    /// Another process over the same store: what memory knew is gone.
    pub fn over(store: Arc<Faulty>, rules: HttpConfig, settings: Settings) -> Shop {
        Shop::made(store, rules, settings, None)
    }

    /// Whose clock stands still until it is turned.
    pub fn still(rules: HttpConfig, settings: Settings) -> Shop {
        let store = Arc::new(Faulty::over(Arc::new(Memory::new())));
        Shop::by(Clock::Still(AtomicU64::new(0)), secret(), store, rules, settings, None)
    }

    /// Whose wall clock is set by hand, apart from the clock that only goes on; with these a restart is another such shop.
    pub fn by_hands(
        hands: &Arc<Hands>,
        store: Arc<Faulty>,
        settings: Settings,
        catalogue: Option<Arc<dyn Catalogue>>,
    ) -> Shop {
        Shop::by(Clock::Set(hands.clone()), secret(), store, HttpConfig::default(), settings, catalogue)
    }

    pub fn made(
        store: Arc<Faulty>,
        rules: HttpConfig,
        settings: Settings,
        catalogue: Option<Arc<dyn Catalogue>>,
    ) -> Shop {
        Shop::by(test_clock(&store), secret(), store, rules, settings, catalogue)
    }

    /// This one started anew, with another secret.
    pub fn restarted(&self, secret: &str) -> Shop {
        let (store, secret) = (self.store.clone(), ServerSecret::parse(secret).unwrap());
        Shop::by(test_clock(&store), secret, store, HttpConfig::default(), Settings::default(), None)
    }

    fn by(
        clock: Clock,
        secret: ServerSecret,
        store: Arc<Faulty>,
        rules: HttpConfig,
        settings: Settings,
        catalogue: Option<Arc<dyn Catalogue>>,
    ) -> Shop {
        let random = Box::new(Seeded::new());
        let service = Service::new(store.clone(), clock, random, secret, settings, catalogue);
        let front = AppState::new(service.clone(), rules);
        let app = if front.rules.demo { App::with_pages(front, shop::pages()) } else { App::new(front) };
        let app = Arc::new(app);
        Shop { app, service, store }
    }

    pub fn browser(&self) -> Browser {
        Browser { app: self.app.clone(), jar: Mutex::new(None) }
    }

    /// A browser that sends this cookie value, whatever it is.
    pub fn browser_with(&self, cookie: &str) -> Browser {
        Browser { app: self.app.clone(), jar: Mutex::new(Some(cookie.to_owned())) }
    }

    pub async fn bearer(&self) -> Bearer {
        let begun =
            self.anyone().json("POST", "/v1/session", json!({"transport": "bearer"})).await.expect(201);
        Bearer { app: self.app.clone(), token: begun.json["token"].as_str().unwrap().to_owned() }
    }

    /// An app that has this token already.
    pub fn bearer_with(&self, token: &str) -> Bearer {
        Bearer { app: self.app.clone(), token: token.to_owned() }
    }

    /// A caller without any credentials.
    pub fn anyone(&self) -> Anyone {
        Anyone { app: self.app.clone() }
    }

    /// Turns the clock, and what expired leaves.
    pub async fn turn(&self, by: Span) {
        self.service.turn_clock(by).await.unwrap();
    }
}

/// The secret of every shop in this binary: two processes over one store share theirs.
fn secret() -> ServerSecret {
    ServerSecret::parse(&"A".repeat(43)).unwrap()
}

/// A clock that was turned as far as the store says.
fn test_clock(store: &Faulty) -> Clock {
    Clock::Test(AtomicU64::new(store.ahead_ms()))
}

/// What every actor can do; they differ in what they send along and keep.
pub trait Actor {
    fn app(&self) -> &App;
    fn credentials(&self, headers: &mut HeaderMap);
    fn keep(&self, _reply: &Reply) {}

    /// Where it connects from.
    fn peer(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 40_000))
    }

    async fn send(&self, mut request: Request<Body>) -> Reply {
        self.credentials(request.headers_mut());
        let peer = self.peer();
        let (method, path) = (request.method().clone(), request.uri().to_string());
        let reply = Reply::read(self.app().answer(request, peer).await).await;
        described::hold(method.as_str(), &path, &reply);
        self.keep(&reply);
        reply
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(request("GET", path).body(Body::empty()).unwrap()).await
    }

    async fn delete(&self, path: &str) -> Reply {
        self.send(request("DELETE", path).body(Body::empty()).unwrap()).await
    }

    async fn json(&self, method: &str, path: &str, body: Value) -> Reply {
        self.with(method, path, &[], body).await
    }

    /// With these headers too.
    async fn with(&self, method: &str, path: &str, headers: &[(&'static str, &str)], body: Value) -> Reply {
        let mut request = request(method, path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(HeaderName::from_static(name), *value);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.send(request.body(body).unwrap()).await
    }

    async fn add(&self, sku: &str, quantity: u32) -> Reply {
        self.json("POST", "/v1/cart/lines", json!({"sku": sku, "quantity": quantity})).await
    }

    async fn cart(&self) -> Reply {
        self.get("/v1/cart").await.expect(200)
    }
}

pub fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(path)
        .header("host", "shop.test")
}

/// A browser with a cookie jar.
pub struct Browser {
    app: Arc<App>,
    jar: Mutex<Option<String>>,
}

impl Browser {
    pub fn cookie(&self) -> Option<String> {
        self.jar.lock().clone()
    }
}

impl Actor for Browser {
    fn app(&self) -> &App {
        &self.app
    }

    fn credentials(&self, headers: &mut HeaderMap) {
        if let Some(cookie) = self.cookie() {
            let pair = HeaderValue::from_bytes(format!("{NAME}={cookie}").as_bytes()).unwrap();
            headers.append("cookie", pair);
        }
    }

    fn keep(&self, reply: &Reply) {
        if let Some(token) = reply.token() {
            *self.jar.lock() = Some(token);
        }
    }
}

/// An app without cookies.
pub struct Bearer {
    app: Arc<App>,
    pub token: String,
}

impl Actor for Bearer {
    fn app(&self) -> &App {
        &self.app
    }

    fn credentials(&self, headers: &mut HeaderMap) {
        headers.append("authorization", format!("Bearer {}", self.token).parse().unwrap());
    }
}

/// Nobody in particular.
pub struct Anyone {
    app: Arc<App>,
}

impl Actor for Anyone {
    fn app(&self) -> &App {
        &self.app
    }

    fn credentials(&self, _headers: &mut HeaderMap) {}
}

/// Milliseconds of so many days.
pub fn days(days: u64) -> Span {
    Span::from_days(days)
}
