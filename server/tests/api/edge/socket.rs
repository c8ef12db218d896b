//! What only a socket can show: bounds of connections and time, endless bodies, broken heads, and the end.

use std::sync::Arc;
use std::time::Duration;

use crate::support::wire::Served;
use crate::support::{Actor, Shop};
use serde_json::json;
use trolley::http::server::serve::ServerLimits;
use trolley::http::server::state::HttpConfig;
use trolley::service::settings::Settings;

const GET: &str = "GET /v1/cart HTTP/1.1\r\nhost: x\r\n\r\n";

fn post(body: &str) -> String {
    let head = "POST /v1/cart/lines HTTP/1.1\r\nhost: x\r\ncontent-type: application/json";
    format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let shop = Shop::new();
    let served = Served::start(&shop, ServerLimits::default()).await;
    let mut wire = served.connect().await;
    for _ in 0..3 {
        wire.write(GET).await;
        assert!(wire.answer().await.starts_with("HTTP/1.1 200 "));
    }
    wire.write(post(r#"{"sku":"a"}"#)).await;
    assert!(wire.answer().await.contains("\r\nset-cookie: __Host-trolley="));
}

#[tokio::test]
async fn a_body_without_end_is_cut_early_and_the_client_hears_why() {
    let shop = Shop::new();
    let served = Served::start(&shop, ServerLimits::default()).await;
    let mut wire = served.connect().await;
    let head = "POST /v1/cart/lines HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    wire.write(head).await;
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    let mut sent = 0;
    while sent < 20 && wire.write(&chunk).await {
        sent += 1;
    }
    let answer = wire.answer().await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body_too_large"), "{answer}");
    assert!(wire.is_closed().await);
}

#[tokio::test]
async fn heads_that_hyper_itself_refuses_are_problems_too() {
    let shop = Shop::new();
    let served = Served::start(&shop, ServerLimits::default()).await;
    let many: String = (0..5_000).map(|n| format!("x-{n}: 1\r\n")).collect();
    for (head, status, code) in [
        (format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n"), 431, "headers_too_large"),
        (
            format!("GET / HTTP/1.1\r\nhost: x\r\ncookie: {}\r\n\r\n", "c".repeat(65_536)),
            431,
            "headers_too_large",
        ),
        (
            format!("GET / HTTP/1.1\r\nhost: x\r\ncookie: {}\r\n\r\n", "c".repeat(1 << 20)),
            431,
            "headers_too_large",
        ),
        (format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(70_000)), 414, "uri_too_long"),
        ("GET / HTTP/1.1\r\nbad header\r\n\r\n".to_owned(), 400, "invalid_request"),
        ("GET / HTTP/1.1\r\ncookie: a\0b\r\n\r\n".to_owned(), 400, "invalid_request"),
        ("\0\0\0\0 nonsense\r\n\r\n".to_owned(), 400, "invalid_request"),
    ] {
        let mut wire = served.connect().await;
        wire.write(head).await;
        let answer = wire.answer().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{code}: {answer}");
        assert!(answer.contains("application/problem+json") && answer.contains(code), "{code}: {answer}");
    }
}

#[tokio::test]
async fn a_connection_too_many_takes_the_place_of_one_that_waits_and_where_none_does_is_told_so() {
    let shop = Shop::new();
    let served = Served::start(&shop, ServerLimits { max_connections: 2, ..ServerLimits::default() }).await;
    let (mut one, mut two) = (served.connect().await, served.connect().await);
    for wire in [&mut one, &mut two] {
        wire.write(GET).await;
        assert!(wire.answer().await.starts_with("HTTP/1.1 200 "));
    }
    // Who only waits gives way.
    let mut three = served.connect().await;
    three.write(GET).await;
    assert!(three.answer().await.starts_with("HTTP/1.1 200 "));
    assert!(one.is_closed().await);
    shop.store.shut_gate();
    for wire in [&mut two, &mut three] {
        wire.write(post(r#"{"sku":"a"}"#)).await;
    }
    shop.store.until_waiting(2).await;
    let mut four = served.connect().await;
    four.write(GET).await;
    let answer = four.answer().await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
    assert!(answer.contains("overloaded"));
    assert!(four.is_closed().await);
    shop.store.open_gate();
    for wire in [&mut two, &mut three] {
        assert!(wire.answer().await.starts_with("HTTP/1.1 200 "));
    }
}

#[tokio::test]
async fn a_request_too_many_is_told_so_at_once() {
    let shop = Shop::with(HttpConfig { max_in_flight: 3, ..HttpConfig::default() }, Settings::default());
    let app = Arc::new(shop.bearer().await);
    app.cart().await;
    shop.store.shut_gate();
    let slow: Vec<_> = (0..3)
        .map(|_| {
            tokio::spawn({
                let app = app.clone();
                async move { app.add("a", 1).await }
            })
        })
        .collect();
    shop.store.until_waiting(1).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let refused = app.get("/v1/cart").await.problem(503, "overloaded");
    assert_eq!(refused.header("retry-after"), Some("1"));
    shop.store.open_gate();
    for add in slow {
        add.await.unwrap().expect(200);
    }
    assert_eq!(app.cart().await.quantity(), 3);
}

#[tokio::test]
async fn a_body_that_dawdles_is_408_and_a_head_that_does_is_closed() {
    let rules = HttpConfig { body_timeout: Duration::from_millis(50), ..HttpConfig::default() };
    let shop = Shop::with(rules, Settings::default());
    let bounds = ServerLimits { head_timeout: Duration::from_millis(50), ..ServerLimits::default() };
    let served = Served::start(&shop, bounds).await;
    let mut wire = served.connect().await;
    wire.write("POST /v1/cart/lines HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{\"sku\"").await;
    let answer = wire.answer().await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("body_timeout"), "{answer}");
    let mut wire = served.connect().await;
    wire.write("GET /v1/cart HTT").await;
    assert!(wire.is_closed().await);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_503_and_what_it_began_is_done() {
    let rules = HttpConfig { total_timeout: Duration::from_millis(50), ..HttpConfig::default() };
    let shop = Shop::with(rules, Settings::default());
    let app = shop.bearer().await;
    app.cart().await;
    shop.store.shut_gate();
    app.add("a", 1).await.problem(503, "timeout");
    shop.store.open_gate();
    shop.service.idle().await;
    assert_eq!(app.cart().await.shown(), "a=1");
}

#[tokio::test]
async fn the_end_finishes_what_was_begun_and_takes_nothing_new() {
    let shop = Shop::new();
    let mut served = Served::start(&shop, ServerLimits::default()).await;
    let (mut idle, mut busy) = (served.connect().await, served.connect().await);
    idle.write(GET).await;
    idle.answer().await;
    shop.store.shut_gate();
    busy.write(post(r#"{"sku":"a"}"#)).await;
    shop.store.until_waiting(1).await;
    served.ask_to_stop();
    assert!(idle.is_closed().await);
    shop.store.open_gate();
    let answer = busy.answer().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("a"), "{answer}");
    assert!(busy.is_closed().await);
    let address = served.address;
    served.stopped().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    shop.service.close().await;
}

#[tokio::test]
async fn slow_clients_do_not_hold_up_the_end() {
    let shop = Shop::new();
    let bounds = ServerLimits { drain: Duration::from_millis(100), ..ServerLimits::default() };
    let mut served = Served::start(&shop, bounds).await;
    let (mut head, mut body) = (served.connect().await, served.connect().await);
    head.write("GET /v1/cart HTT").await;
    body.write("POST /v1/cart/lines HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{").await;
    tokio::task::yield_now().await;
    served.ask_to_stop();
    served.stopped().await;
}

#[tokio::test]
async fn a_client_that_does_not_keep_to_http_changes_nothing() {
    let shop = Shop::new();
    let served = Served::start(&shop, ServerLimits::default()).await;
    let mut wire = served.connect().await;
    let smuggled = format!(
        "POST /v1/cart/lines HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{}",
        post(r#"{"sku":"a"}"#)
    );
    wire.write(smuggled).await;
    wire.answer().await;
    drop(wire);
    assert_eq!(shop.anyone().cart().await.json["id"], json!(null));
}
