//! Answers that their client does not read: how much of them is kept (SESSION.md, S37).

use trolley::http::server::serve::ServerLimits;

use crate::support::scrape::Scrape;
use crate::support::wire::{Served, Wire};
use crate::support::{Actor as _, Shop};

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
