//! S37: what one address does to take what all need, over real sockets, while others read, add, and the probes are asked.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::support::reply::Reply;
use crate::support::somebody::at;
use crate::support::wire::{Served, Wire};
use crate::support::{Actor, Shop, request};
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use trolley::http::extract::address::Proxies;
use trolley::http::server::serve::ServerLimits;
use trolley::http::server::state::HttpConfig;
use trolley::service::settings::Settings;

/// Twenty connections for each address, and one place in flight.
const CONNECTIONS: usize = 200;
const SHARE: usize = CONNECTIONS / 10;
const PLACES: usize = 8;

/// Who does its worst, and who is there besides.
const WORST: &str = "127.0.0.1";
const OTHER: &str = "127.0.0.2";

fn limited() -> Settings {
    Settings { rate_limits: true, ..Settings::default() }
}

fn shop() -> Shop {
    Shop::with(HttpConfig { max_in_flight: PLACES, ..HttpConfig::default() }, limited())
}

async fn serve(shop: &Shop) -> Served {
    // What is closed here gave way: no head is late.
    let head_timeout = Duration::from_secs(3_600);
    Served::start(
        shop,
        ServerLimits { max_connections: CONNECTIONS, head_timeout, ..ServerLimits::default() },
    )
    .await
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")
}

fn post(body: &str, length: usize) -> String {
    let head = "POST /v1/cart/lines HTTP/1.1\r\nhost: x\r\ncontent-type: application/json";
    format!("{head}\r\ncontent-length: {length}\r\n\r\n{body}")
}

async fn ask(served: &Served, address: &str, asked: &str) -> String {
    let mut wire = served.connect_from(address).await;
    wire.write(asked).await;
    wire.answer().await
}

/// That others, and the probes, are answered as if nobody did its worst. The worst's own neighbours behind one gateway too.
async fn nobody_else_notices(served: &Served) {
    let add = post(r#"{"sku":"a"}"#, 11);
    for address in [OTHER, "127.0.0.3", WORST] {
        for asked in [&get("/v1/cart"), &add, &get("/healthz"), &get("/readyz")] {
            let answer = ask(served, address, asked).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{address}: {asked}: {answer}");
        }
    }
}

/// Far more connections of one address than its share, each having said this.
async fn worst(served: &Served, says: &str) -> Vec<Wire> {
    let mut wires = Vec::new();
    for _ in 0..5 * SHARE {
        let mut wire = served.connect_from(WORST).await;
        wire.write(says).await;
        wires.push(wire);
    }
    wires
}

#[tokio::test]
async fn s37_sockets_with_one_byte_of_a_body_each_hold_nobody_up() {
    let shop = shop();
    let served = serve(&shop).await;
    let mut wires = worst(&served, &post("{", 11)).await;
    nobody_else_notices(&served).await;
    // The first gave way to the last, which is served once its body is there.
    assert!(wires[0].is_closed().await);
    let last = wires.last_mut().unwrap();
    last.write(r#""sku":"a"}"#).await;
    let answer = last.answer().await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn s37_slow_heads_silent_sockets_and_half_closed_ones_hold_nobody_up() {
    for says in ["GET /v1/cart HTTP/1.1\r\nhost: x\r\nx-slow: ", ""] {
        let shop = shop();
        let served = serve(&shop).await;
        let mut wires = worst(&served, says).await;
        nobody_else_notices(&served).await;
        assert!(wires[0].is_closed().await, "{says}");
        for wire in wires.iter_mut().rev().take(3) {
            wire.shut().await;
            assert!(wire.is_closed_after_all().await, "{says}: half-closed");
        }
    }
}

#[tokio::test]
async fn s37_who_does_not_read_its_answers_and_who_rests_holds_nobody_up() {
    for says in [get("/openapi.json").repeat(60), get("/v1/cart")] {
        let shop = shop();
        let served = serve(&shop).await;
        let mut wires = worst(&served, &says).await;
        nobody_else_notices(&served).await;
        assert!(wires[0].is_closed_after_all().await);
    }
}

#[tokio::test]
async fn s37_streams_of_one_address_fill_its_own_share_and_no_more() {
    let shop = shop();
    let served = serve(&shop).await;
    let mut wires = Vec::new();
    for n in 0..SHARE {
        if n % 16 == 0 {
            wires.push((shop.bearer().await, Vec::new()));
        }
        let (app, streams) = wires.last_mut().unwrap();
        let mut wire = served.connect_from(WORST).await;
        let bears = format!("authorization: Bearer {}\r\n\r\n", app.token);
        wire.write(format!("GET /v1/cart/events HTTP/1.1\r\nhost: x\r\n{bears}")).await;
        assert!(wire.until("event: cart\n").await.starts_with("HTTP/1.1 200 "));
        streams.push(wire);
    }
    let refused = ask(&served, WORST, &get("/v1/cart")).await;
    assert!(refused.starts_with("HTTP/1.1 429 ") && refused.contains("too_many_at_once"), "{refused}");
    assert!(refused.contains("\r\nretry-after: 1\r\n") && refused.contains("\r\nconnection: close\r\n"));
    for path in ["/healthz", "/readyz"] {
        for address in [WORST, OTHER] {
            let answer = ask(&served, address, &get(path)).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{address} {path}: {answer}");
        }
    }
    assert!(ask(&served, OTHER, &get("/v1/cart")).await.starts_with("HTTP/1.1 200 "));
    for (app, streams) in &mut wires {
        app.add("mug", 1).await.expect(200);
        for stream in streams {
            stream.until("\"revision\":1,").await;
        }
    }
}

#[tokio::test]
async fn s37_many_addresses_that_only_wait_give_way_to_who_asks() {
    let shop = shop();
    let served = serve(&shop).await;
    let mut wires = Vec::new();
    for n in 0..3 * CONNECTIONS {
        let mut wire = served.connect_from(&format!("127.0.1.{}", n % 50 + 1)).await;
        wire.write(post("{", 11)).await;
        wires.push(wire);
    }
    nobody_else_notices(&served).await;
    assert!(wires[0].is_closed().await);
}

#[tokio::test]
async fn s37_where_every_connection_is_at_work_the_probes_answer_still() {
    let shop = Shop::new();
    let served = Served::start(&shop, ServerLimits { max_connections: 2, ..ServerLimits::default() }).await;
    shop.store.shut_gate();
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut wire = served.connect_from(OTHER).await;
        wire.write(post(r#"{"sku":"a"}"#, 11)).await;
        busy.push(wire);
    }
    shop.store.until_waiting(2).await;
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut wire = served.connect_from(WORST).await;
        wire.write("GET /v1/cart HTT").await;
        slow.push(wire);
    }
    for address in [WORST, OTHER, "127.0.0.3"] {
        assert!(ask(&served, address, &get("/healthz")).await.starts_with("HTTP/1.1 200 "), "{address}");
        let refused = ask(&served, address, &get("/v1/cart")).await;
        assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("overloaded"), "{refused}");
    }
    shop.store.open_gate();
    for wire in &mut busy {
        assert!(wire.answer().await.starts_with("HTTP/1.1 200 "));
    }
}

#[tokio::test]
async fn s37_a_trusted_proxys_connections_are_not_one_shoppers() {
    let trusted_proxies = Proxies::new(vec!["127.0.0.1".parse().unwrap()]);
    let shop =
        Shop::with(HttpConfig { max_in_flight: PLACES, trusted_proxies, ..HttpConfig::default() }, limited());
    let served = serve(&shop).await;
    let mut wires = worst(&served, &get("/v1/cart")).await;
    for wire in &mut wires {
        assert!(wire.answer().await.starts_with("HTTP/1.1 200 "));
        wire.write(get("/v1/cart")).await;
    }
    for wire in &mut wires {
        assert!(wire.answer().await.starts_with("HTTP/1.1 200 "), "none had to give way");
    }
}

#[tokio::test]
async fn without_rate_limits_one_address_may_open_all_connections_and_no_more() {
    let shop = Shop::new();
    let served = serve(&shop).await;
    let mut wires = worst(&served, "").await;
    wires.extend(worst(&served, "").await);
    for wire in &mut wires {
        wire.write(get("/v1/cart")).await;
        assert!(wire.answer().await.starts_with("HTTP/1.1 200 "));
    }
    let _one_more = served.connect_from(OTHER).await;
    assert!(wires[0].is_closed().await);
}

/// A body that comes in pieces.
struct Pieces(mpsc::Receiver<Bytes>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// A request whose body comes when it is told to.
struct Slow {
    body: mpsc::Sender<Bytes>,
    answer: JoinHandle<Reply>,
}

impl Slow {
    /// In the name of an address, by the proxy at 127.0.0.1, with this much of its body at first.
    fn through_the_proxy(shop: &Shop, address: &str, first: impl Into<Bytes>) -> Slow {
        Slow::of(shop, WORST, Some(address), first.into())
    }

    fn from(shop: &Shop, address: &str, first: &'static str) -> Slow {
        Slow::of(shop, address, None, first.into())
    }

    fn of(shop: &Shop, peer: &str, names: Option<&str>, first: Bytes) -> Slow {
        let names = names.map(|address| ("x-forwarded-for", address));
        Slow::made(shop, peer, names.as_slice(), first)
    }

    fn made(shop: &Shop, peer: &str, headers: &[(&str, &str)], first: Bytes) -> Slow {
        let (body, pieces) = mpsc::channel(4);
        body.try_send(first).unwrap();
        let mut asked = request("POST", "/v1/cart/lines").header("content-type", "application/json");
        for (name, value) in headers {
            asked = asked.header(*name, *value);
        }
        let asked = asked.body(Body::new(Pieces(pieces))).unwrap();
        let (app, peer) = (shop.app.clone(), SocketAddr::new(peer.parse().unwrap(), 40_000));
        let answer = tokio::spawn(async move { Reply::read(app.answer(asked, peer).await).await });
        Slow { body, answer }
    }

    async fn ends(self, last: &'static str) -> Reply {
        let _ = self.body.send(last.into()).await;
        drop(self.body);
        self.answer.await.unwrap()
    }
}

async fn others_run() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn s37_a_request_takes_a_place_once_its_body_is_there() {
    let shop = Shop::with(HttpConfig { max_in_flight: 1, ..HttpConfig::default() }, Settings::default());
    let slow: Vec<_> = (0..50).map(|_| Slow::from(&shop, WORST, "{\"sku\"")).collect();
    others_run().await;
    at(&shop, OTHER).add("b", 1).await.expect(200);
    let mut slow = slow.into_iter();
    slow.next().unwrap().ends(":\"a\"}").await.expect(200);
    // One that is there takes the place, and the next to be there is told so.
    shop.store.shut_gate();
    let busy = Slow::from(&shop, OTHER, "{\"sku\":\"a\"}");
    drop(busy.body);
    shop.store.until_waiting(1).await;
    slow.next().unwrap().ends(":\"a\"}").await.problem(503, "overloaded");
    at(&shop, OTHER).get("/v1/cart").await.problem(503, "overloaded");
    for path in ["/healthz", "/readyz"] {
        at(&shop, OTHER).get(path).await.expect(200);
    }
    shop.store.open_gate();
    busy.answer.await.unwrap().expect(200);
    slow.next().unwrap().ends(":\"a\"}").await.expect(200);
    assert_eq!(slow.len(), 47);
    // Who hangs up leaves nothing behind.
    slow.for_each(|slow| slow.answer.abort());
    others_run().await;
    at(&shop, OTHER).add("b", 1).await.expect(200);
}

#[tokio::test]
async fn s37_one_address_has_a_share_of_the_places_in_flight() {
    let shop = Shop::with(HttpConfig { max_in_flight: 16, ..HttpConfig::default() }, limited());
    shop.store.shut_gate();
    let busy: Vec<_> = (0..2).map(|_| Slow::from(&shop, WORST, "{\"sku\":\"a\"}")).collect();
    let answers: Vec<_> = busy
        .into_iter()
        .map(|busy| {
            drop(busy.body);
            busy.answer
        })
        .collect();
    shop.store.until_waiting(2).await;
    let refused = at(&shop, WORST).get("/v1/cart").await.problem(429, "too_many_at_once");
    assert_eq!(refused.header("retry-after"), Some("1"));
    at(&shop, WORST).get("/healthz").await.expect(200);
    at(&shop, OTHER).get("/v1/cart").await.expect(200);
    // An IPv6 customer is one address.
    let six: Vec<_> = (1..=2)
        .map(|n| Slow::from(&shop, ["", "2001:db8:1:2::1", "2001:db8:1:2::2"][n], "{\"sku\":\"a\"}"))
        .collect();
    let six: Vec<_> = six
        .into_iter()
        .map(|busy| {
            drop(busy.body);
            busy.answer
        })
        .collect();
    shop.store.until_waiting(4).await;
    at(&shop, "2001:db8:1:2::3").get("/v1/cart").await.problem(429, "too_many_at_once");
    at(&shop, "2001:db8:1:3::3").get("/v1/cart").await.expect(200);
    shop.store.open_gate();
    for answer in answers.into_iter().chain(six) {
        answer.await.unwrap().expect(200);
    }
    at(&shop, WORST).get("/v1/cart").await.expect(200);
}

#[tokio::test]
async fn s37_behind_a_trusted_proxy_each_shopper_has_a_share_of_what_is_waited_for() {
    let trusted_proxies = Proxies::new(vec!["127.0.0.1".parse().unwrap()]);
    for (first, most) in [(Bytes::from_static(b"{"), 256), (Bytes::from(vec![b' '; 64 * 1_024]), 64)] {
        let rules = HttpConfig { trusted_proxies: trusted_proxies.clone(), ..HttpConfig::default() };
        let shop = Shop::with(rules, limited());
        let slow: Vec<_> =
            (0..most).map(|_| Slow::through_the_proxy(&shop, "192.0.2.1", first.clone())).collect();
        others_run().await;
        assert!(slow.iter().all(|slow| !slow.answer.is_finished()));
        let more = Slow::through_the_proxy(&shop, "192.0.2.1", first.clone());
        more.answer.await.unwrap().problem(429, "too_many_at_once");
        let other = Slow::through_the_proxy(&shop, "192.0.2.2", "{\"sku\"");
        others_run().await;
        other.ends(":\"a\"}").await.expect(200);
        let mut own = at(&shop, WORST);
        own.headers.insert("x-forwarded-for", "192.0.2.1".parse().unwrap());
        own.add("a", 1).await.expect(200);
        slow.into_iter().for_each(|slow| slow.answer.abort());
        others_run().await;
        // Who makes the proxy contradict itself keeps to a share too, with all who do.
        let contradicting = |n| {
            Slow::made(&shop, WORST, &[("x-forwarded-for", "192.0.2.1"), ("forwarded", n)], first.clone())
        };
        let slow: Vec<_> = (0..most).map(|_| contradicting("for=6.6.6.6")).collect();
        others_run().await;
        assert!(slow.iter().all(|slow| !slow.answer.is_finished()));
        contradicting("for=6.6.6.7").answer.await.unwrap().problem(429, "too_many_at_once");
        slow.into_iter().for_each(|slow| slow.answer.abort());
        others_run().await;
        Slow::through_the_proxy(&shop, "192.0.2.1", "{\"sku\"").ends(":\"a\"}").await.expect(200);
    }
}
