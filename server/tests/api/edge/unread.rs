//! Answers that their client does not read: how much of them is kept (SESSION.md, S37).

use trolley::http::server::serve::ServerLimits;

use crate::support::scrape::Scrape;
use crate::support::wire::{Served, Wire};
use crate::support::{Actor as _, Shop};
use trolley::http::server::state::HttpConfig;
use trolley::service::settings::Settings;

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")
}

/// How many requests of this route were answered.
async fn answered(shop: &Shop, route: &str) -> f64 {
    let page = shop.anyone().get("/metrics").await.expect(200);
    let of_route = format!("trolley_http_requests_total{{route=\"{route}\",method=\"GET\",status=\"2xx\"}}");
    Scrape::read(&page.text).value(&of_route)
}

async fn probe(wire: &mut Wire) {
    wire.write(get("/healthz")).await;
    assert!(wire.answer().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn s37_of_what_a_client_does_not_read_no_more_is_answered_than_a_bounded_number_of_bytes() {
    let shop = Shop::new();
    let page = shop.anyone().get("/docs").await.expect(200).text.len();
    let served = Served::start(&shop, ServerLimits::default()).await;
    let mut other = served.connect().await;
    let mut unread = served.connect_from("127.0.0.66").await;
    let before = answered(&shop, "/docs").await;
    unread.write(get("/docs").repeat(200)).await;
    let (mut count, mut still) = (0.0, 0);
    // Others are answered meanwhile; once many of them were and no page more, no more of them will be.
    while still < 50 {
        probe(&mut other).await;
        let now = answered(&shop, "/docs").await - before;
        still = if now == count { still + 1 } else { 0 };
        count = now;
    }
    let bytes = count as usize * page;
    assert!(count > 0.0 && bytes < 512 * 1024, "{count} pages of {page} bytes");
}

#[tokio::test]
async fn s37_pipelined_requests_leave_others_their_turn_in_between() {
    let shop = Shop::new();
    let served = Served::start(&shop, ServerLimits::default()).await;
    let (mut many, mut other) = (served.connect().await, served.connect().await);
    probe(&mut many).await;
    probe(&mut other).await;
    let page = "/problems/not_found";
    // Both are there before the server has its turn.
    many.write(get(page).repeat(16)).await;
    other.write(get("/healthz")).await;
    assert!(other.answer().await.starts_with("HTTP/1.1 200 "));
    let before = answered(&shop, "/problems/{code}").await;
    assert!(before < 8.0, "{before} of 16 were answered first");
    for _ in 0..16 {
        probe(&mut other).await;
    }
    assert_eq!(answered(&shop, "/problems/{code}").await, 16.0);
}

#[tokio::test]
async fn who_asks_and_then_sends_no_more_is_answered_and_the_connection_ends() {
    let shop = Shop::new();
    let served = Served::start(&shop, ServerLimits::default()).await;
    let body = r#"{"sku":"a"}"#;
    let head = "POST /v1/cart/lines HTTP/1.1\r\nhost: x\r\ncontent-type: application/json";
    let add = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    for asked in [get("/healthz"), get("/readyz"), get("/v1/cart"), add.clone(), get("/docs")] {
        let mut wire = served.connect().await;
        wire.write(&asked).await;
        wire.shut().await;
        assert!(wire.answer().await.starts_with("HTTP/1.1 200 "), "{asked}");
        assert!(wire.is_closed().await, "{asked}");
    }
    // Long after its request, while that is under way.
    shop.store.shut_gate();
    let mut wire = served.connect().await;
    wire.write(&add).await;
    shop.store.until_waiting(1).await;
    wire.shut().await;
    probe(&mut served.connect().await).await;
    shop.store.open_gate();
    assert!(wire.answer().await.starts_with("HTTP/1.1 200 "));
    assert!(wire.is_closed().await);
    // Half a request, and none.
    for asked in [&add[..add.len() - 3], "GET / HT", ""] {
        let mut wire = served.connect().await;
        wire.write(asked).await;
        wire.shut().await;
        assert!(wire.is_closed_after_all().await, "{asked}");
    }
}

#[tokio::test]
async fn s37_bytes_of_a_body_beyond_an_addresss_share_are_told_so_and_are_no_bad_request() {
    let limited = Settings { rate_limits: true, ..Settings::default() };
    let shop = Shop::with(HttpConfig::default(), limited);
    let served = Served::start(&shop, ServerLimits::default()).await;
    let head = "POST /v1/cart/sync HTTP/1.1\r\nhost: x\r\ncontent-type: application/json";
    let asked = format!("{head}\r\ncontent-length: 250000\r\n\r\n{}", " ".repeat(240_000));
    let mut held = Vec::new();
    // Seventy of 240 kB are more than the 16 MiB that one address may have unanswered.
    for _ in 0..80 {
        let mut wire = served.connect().await;
        wire.write(&asked).await;
        held.push(wire);
    }
    let mut last = served.connect().await;
    last.write(&asked).await;
    let answer = last.answer().await;
    assert!(answer.starts_with("HTTP/1.1 429 ") && answer.contains("too_many_at_once"), "{answer}");
    assert!(answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
    let mut other = served.connect_from("127.0.0.2").await;
    other.write(get("/v1/cart")).await;
    assert!(other.answer().await.starts_with("HTTP/1.1 200 "));
}
