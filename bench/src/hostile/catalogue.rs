//! The shop's catalogue, as a real one behind a proxy is: quick about what it sells, and helpless before odd names.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse as _, Response};

use super::goods::{self, CURRENCY, Ware};

/// How long a sku is thought about to which no answer is found. Nobody waits for so long.
const NEVER: Duration = Duration::from_secs(60);

/// A catalogue that answers until the process ends.
#[derive(Clone, Debug)]
pub(crate) struct Catalogue {
    /// Where it listens.
    address: SocketAddr,
    seen: Arc<Seen>,
}

/// What it was asked.
#[derive(Debug)]
struct Seen {
    opened: Instant,
    questions: AtomicU64,
    under_way: AtomicU64,
    most: AtomicU64,
}

impl Catalogue {
    /// Opens it there; port 0 takes a free one.
    pub(crate) fn open(listen: SocketAddr) -> io::Result<Catalogue> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(tokio::net::TcpListener::bind(listen));
        let listener =
            listener.map_err(|error| io::Error::other(format!("the catalogue at {listen}: {error}")))?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Seen {
            opened: Instant::now(),
            questions: AtomicU64::new(0),
            under_way: AtomicU64::new(0),
            most: AtomicU64::new(0),
        });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&seen));
        std::thread::spawn(move || runtime.block_on(async { axum::serve(listener, app).await }));
        Ok(Catalogue { address, seen })
    }

    /// What `--catalogue` of a server has to name.
    pub(crate) fn place(&self) -> String {
        format!("http://{}/products", self.address)
    }

    /// How many questions came until now.
    pub(crate) fn questions(&self) -> u64 {
        self.seen.questions.load(Ordering::Relaxed)
    }

    /// How many were under way at once, at most.
    pub(crate) fn most(&self) -> u64 {
        self.seen.most.load(Ordering::Relaxed)
    }

    /// Since when prices move.
    pub(super) fn opened(&self) -> Instant {
        self.seen.opened
    }
}

/// A question that is under way, also where the asker hangs up in the middle.
struct UnderWay(Arc<Seen>);

impl UnderWay {
    fn begin(seen: Arc<Seen>) -> UnderWay {
        seen.questions.fetch_add(1, Ordering::Relaxed);
        let under_way = seen.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        seen.most.fetch_max(under_way, Ordering::Relaxed);
        UnderWay(seen)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn answer(State(seen): State<Arc<Seen>>, uri: Uri) -> Response {
    let under_way = UnderWay::begin(seen);
    let segment = uri.path().rsplit('/').next().unwrap_or_default();
    let sku = decoded(segment);
    match goods::ware(&sku) {
        Ware::Odd => odd(&sku).await,
        Ware::Gone => {
            // To look for what is not there takes longest.
            tokio::time::sleep(Duration::from_millis(50)).await;
            StatusCode::NOT_FOUND.into_response()
        }
        Ware::Steady(price) => {
            tokio::time::sleep(goods::takes(&sku)).await;
            product(&sku, &format!("{price}"), CURRENCY)
        }
        Ware::Moving => {
            tokio::time::sleep(goods::takes(&sku)).await;
            product(&sku, &format!("{}", goods::moving(under_way.0.opened.elapsed())), CURRENCY)
        }
    }
}

/// What proxies and shops make of a sku that nobody thought of.
async fn odd(sku: &str) -> Response {
    if sku.contains('\0') {
        return (StatusCode::BAD_REQUEST, Html("<h1>400 Bad Request</h1>")).into_response();
    }
    match sku.split('-').nth(1).unwrap_or_default() {
        "400" => (StatusCode::BAD_REQUEST, Html("<h1>400 Bad Request</h1>")).into_response(),
        "500" => (StatusCode::INTERNAL_SERVER_ERROR, "a stack trace").into_response(),
        "502" => (StatusCode::BAD_GATEWAY, Html("<h1>502 Bad Gateway</h1>")).into_response(),
        "page" => Html("<!doctype html><title>Our shop</title>").into_response(),
        "moved" => (StatusCode::FOUND, [(header::LOCATION, "/")]).into_response(),
        "fraction" => product(sku, "9.99", CURRENCY),
        "dollars" => product(sku, "999", "USD"),
        "long" => product(&"a long title ".repeat(100), "999", CURRENCY),
        _ => {
            tokio::time::sleep(NEVER).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
    }
}

fn product(title: &str, amount: &str, currency: &str) -> Response {
    let title = serde_json::Value::from(title);
    let body = format!(r#"{{"title":{title},"price":{{"amount":{amount},"currency":"{currency}"}}}}"#);
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// A segment of a path without its percent signs.
fn decoded(segment: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(segment.len()), segment.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let pair =
            after.get(..2).and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        match (first, pair) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::client::Client;

    #[test]
    fn a_segment_is_read_as_it_was_meant() {
        assert_eq!(decoded("odd-%00-1%"), "odd-\0-1%");
        assert_eq!(decoded("item%2D1"), "item-1");
    }

    #[test]
    fn it_answers_well_what_it_sells_and_odd_things_oddly() {
        let catalogue = Catalogue::open("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut client = Client::new(catalogue.address);
        let mut ask = |sku: &str| client.send("GET", &format!("/products/{sku}"), &[], "").unwrap();
        let good = ask("item-1");
        assert_eq!((good.status, good.json()["price"]["currency"].as_str()), (200, Some(CURRENCY)));
        assert_eq!(Ware::Steady(good.json()["price"]["amount"].as_u64().unwrap()), goods::ware("item-1"));
        let statuses =
            ["gone-1", "odd-%00-1", "odd-500-1", "odd-page-1", "odd-moved"].map(|sku| ask(sku).status);
        assert_eq!(statuses, [404, 400, 500, 200, 302]);
        assert_eq!((catalogue.questions(), catalogue.most()), (6, 1));
    }
}
