//! `GET /v1/cart/events`: the cart as it changes, for whoever watches.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use trolley::http::server::serve::ServerLimits as Connections;
use trolley::service::settings::{Bounds, Settings};
use trolley_core::time::Span;

use crate::support::wire::Served;
use crate::support::{Actor, Bearer, Shop, days, request};

/// An open stream, read event by event.
pub struct Stream {
    body: Body,
    text: String,
}

/// One event: its name, its id, its data.
#[derive(Debug, PartialEq)]
pub struct Event {
    pub name: String,
    pub id: Option<String>,
    pub data: Value,
}

impl Event {
    pub fn quantity(&self) -> u64 {
        self.data["quantity"].as_u64().unwrap()
    }
}

impl Stream {
    pub async fn open(actor: &impl Actor, last: Option<&str>) -> Stream {
        let mut request = request("GET", "/v1/cart/events");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let mut request = request.body(Body::empty()).unwrap();
        actor.credentials(request.headers_mut());
        let response = actor.app().answer(request, ([127, 0, 0, 1], 40_000).into()).await;
        assert_eq!(response.status().as_u16(), 200);
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("content-type"), Some("text/event-stream"));
        assert_eq!((header("cache-control"), header("x-accel-buffering")), (Some("no-store"), Some("no")));
        Stream { body: response.into_body(), text: String::new() }
    }

    /// The next event; none at the end. A stream that has none to tell fails the test and does not hang it.
    pub async fn next(&mut self) -> Option<Event> {
        let next = tokio::time::timeout(Duration::from_secs(30), self.read());
        next.await.expect("an event, or the end")
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let of = |line: &str| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned);
                    block.lines().find_map(of)
                };
                let event = field("event").map(|name| Event {
                    name,
                    id: field("id"),
                    data: serde_json::from_str(&field("data").unwrap()).unwrap(),
                });
                self.text = rest.to_owned();
                if event.is_some() {
                    return event;
                }
                continue;
            }
            let frame = self.body.frame().await?;
            self.text.push_str(std::str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap());
        }
    }

    pub async fn cart(&mut self) -> Event {
        let event = self.next().await.unwrap();
        assert_eq!(event.name, "cart", "{event:?}");
        assert_eq!(event.id.as_deref(), Some(id_of(&event.data).as_str()));
        event
    }

    /// Whether nothing waits to be read.
    pub async fn is_silent(&mut self) -> bool {
        let next = tokio::select! {
            biased;
            next = self.next() => Some(next),
            () = tokio::task::yield_now() => None,
        };
        next.is_none()
    }

    pub async fn ends(mut self) {
        let end = self.next().await.unwrap();
        assert_eq!((end.name.as_str(), end.id), ("end", None));
        assert_eq!(self.next().await, None);
    }
}

fn id_of(cart: &Value) -> String {
    format!("{}.{}", cart["id"].as_str().unwrap(), cart["revision"])
}

async fn shopper(shop: &Shop) -> Bearer {
    let app = shop.bearer().await;
    app.add("mug", 1).await.expect(200);
    app
}

#[tokio::test]
async fn the_present_cart_comes_at_once_and_then_every_change() {
    let shop = Shop::new();
    let app = shopper(&shop).await;
    let (mut one, mut two) = (Stream::open(&app, None).await, Stream::open(&app, None).await);
    for stream in [&mut one, &mut two] {
        assert_eq!(stream.cart().await.data, app.cart().await.json);
    }
    for revision in 2..5 {
        let changed = app.add("lamp", 1).await.expect(200);
        for stream in [&mut one, &mut two] {
            let event = stream.cart().await;
            assert_eq!((event.data["revision"].as_u64(), &event.data), (Some(revision), &changed.json));
        }
    }
    let op =
        json!({"seq": 1, "op_id": "00000000000000aa", "base": 4, "age_ms": 0, "op": "add", "sku": "pen"});
    let body = json!({"client": "00000000-0000-4000-8000-000000000001", "ops": [op]});
    let synced = app.json("POST", "/v1/cart/sync", body.clone()).await.expect(200);
    assert_eq!(one.cart().await.data, synced.json["cart"]);
    app.json("POST", "/v1/cart/sync", body).await.expect(200);
    assert!(one.is_silent().await, "a repeated delivery is no change");
    let refused = app.json("POST", "/v1/cart/lines", json!({"sku": "pen", "quantity": 10_000})).await;
    refused.expect(422);
    assert!(one.is_silent().await, "a refusal is no change");
}

#[tokio::test]
async fn who_begins_to_watch_while_a_change_is_being_committed_hears_of_it() {
    let shop = Shop::new();
    let app = shopper(&shop).await;
    shop.store.shut_gate();
    let watcher = async {
        shop.store.until_waiting(1).await;
        let mut stream = Stream::open(&app, None).await;
        assert_eq!(stream.cart().await.data["revision"], 1, "it is not committed yet");
        shop.store.open_gate();
        stream.cart().await.data
    };
    let (changed, heard) = tokio::join!(app.add("lamp", 1), watcher);
    assert_eq!(heard, changed.expect(200).json);
}

#[tokio::test]
async fn a_bearer_without_a_stored_cart_watches_the_empty_one() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let mut stream = Stream::open(&app, None).await;
    assert_eq!(stream.cart().await.data["revision"], 0);
    app.add("mug", 1).await.expect(200);
    assert_eq!(stream.cart().await.data["quantity"], 1);
}

#[tokio::test]
async fn last_event_id_resumes_and_any_other_gets_the_whole_cart() {
    let shop = Shop::new();
    let app = shopper(&shop).await;
    let cart = app.cart().await.json;
    let seen = id_of(&cart);
    let mut stream = Stream::open(&app, Some(&seen)).await;
    assert!(stream.is_silent().await, "it has that already");
    app.add("lamp", 1).await.expect(200);
    assert_eq!(stream.cart().await.data["revision"], 2);
    let ahead = format!("{}.900", cart["id"].as_str().unwrap());
    for old in [seen.as_str(), "", "nonsense", "018bcfe5-687b-7fff-bfff-ffffffffffff.2", ahead.as_str()] {
        let mut stream = Stream::open(&app, Some(old)).await;
        assert_eq!(stream.cart().await.data["revision"], 2, "{old}");
        assert!(stream.is_silent().await);
    }
}

#[tokio::test]
async fn without_a_session_there_is_nothing_to_watch() {
    let shop = Shop::new();
    for browser in [shop.browser(), shop.browser_with(&"a".repeat(43))] {
        let reply = browser.get("/v1/cart/events").await.expect(204);
        assert_eq!((reply.text.as_str(), reply.set_cookie()), ("", None));
    }
}

#[tokio::test]
async fn a_stream_is_only_read_and_asks_who_calls_as_every_route_does() {
    let shop = Shop::new();
    let app = shopper(&shop).await;
    app.json("POST", "/v1/cart/events", json!({})).await.problem(405, "method_not_allowed");
    let dead = format!("Bearer {}", "x".repeat(43));
    let anyone = shop.anyone();
    anyone
        .with("GET", "/v1/cart/events", &[("authorization", &dead)], json!(null))
        .await
        .problem(401, "session_ended");
}

#[tokio::test]
async fn who_does_not_keep_up_is_given_the_newest_state_and_no_backlog() {
    let shop = Shop::new();
    let app = shopper(&shop).await;
    let mut slow = Stream::open(&app, None).await;
    for _ in 0..100 {
        app.add("mug", 1).await.expect(200);
    }
    let (mut events, mut last) = (0, Value::Null);
    while last["revision"] != 101 {
        last = slow.cart().await.data;
        events += 1;
    }
    assert!(events <= 8, "{events} states waited");
    assert_eq!(last, app.cart().await.json);
    assert!(slow.is_silent().await);
}

#[tokio::test]
async fn a_stranger_hears_nothing_and_a_closed_stream_leaves_nothing_behind() {
    let shop = Shop::new();
    let (app, stranger) = (shopper(&shop).await, shopper(&shop).await);
    let mut other = Stream::open(&stranger, None).await;
    other.cart().await;
    let stream = Stream::open(&app, None).await;
    assert_eq!(shop.service.events().open(), 2);
    app.add("mug", 1).await.expect(200);
    assert!(other.is_silent().await);
    drop(stream);
    assert_eq!(shop.service.events().open(), 1);
}

#[tokio::test]
async fn streams_of_a_session_and_of_an_address_are_bounded() {
    let bounds = Bounds { session_streams: 2, address_streams: 3, ..Bounds::default() };
    let shop = Shop::with(Default::default(), Settings { bounds, rate_limits: true, ..Settings::default() });
    let (app, other) = (shopper(&shop).await, shopper(&shop).await);
    let one = Stream::open(&app, None).await;
    let _two = Stream::open(&app, None).await;
    let refused = app.get("/v1/cart/events").await.problem(429, "too_many_streams");
    assert_eq!(refused.header("retry-after"), Some("60"));
    let _three = Stream::open(&other, None).await;
    other.get("/v1/cart/events").await.problem(429, "too_many_streams");
    drop(one);
    let _again = Stream::open(&other, None).await;
    app.get("/v1/cart/events").await.problem(429, "too_many_streams");
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_does_not_keep_it_alive() {
    let shop = Shop::new();
    let app = shopper(&shop).await;
    app.cart().await;
    let mut stream = Stream::open(&app, None).await;
    stream.cart().await;
    // Seen to the millisecond: long before the store would name it as expired.
    shop.turn(Span::from_ms(days(30).as_ms() - 60_000)).await;
    assert!(stream.is_silent().await);
    shop.turn(Span::from_ms(120_000)).await;
    stream.ends().await;
    app.get("/v1/cart/events").await.problem(401, "session_ended");
}

#[tokio::test]
async fn a_session_that_is_ended_elsewhere_ends_its_streams() {
    let shop = Shop::new();
    let app = shopper(&shop).await;
    let mut stream = Stream::open(&app, None).await;
    stream.cart().await;
    let id = app.get("/v1/session").await.expect(200).json["device"]["id"].as_str().unwrap().parse().unwrap();
    shop.store.end_session(id).await;
    shop.service.judge_streams().await;
    stream.ends().await;
}

#[tokio::test]
async fn open_streams_do_not_hold_up_the_end_and_take_no_place_of_a_request() {
    let rules = trolley::http::server::state::HttpConfig { max_in_flight: 1, ..Default::default() };
    let shop = Shop::with(rules, Settings::default());
    let app = shopper(&shop).await;
    let mut served = Served::start(&shop, Connections::default()).await;
    let mut wire = served.connect().await;
    let head =
        format!("GET /v1/cart/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", app.token);
    wire.write(&head).await;
    assert!(wire.until("event: cart\n").await.contains("\r\ntransfer-encoding: chunked\r\n"));
    app.add("mug", 1).await.expect(200);
    wire.until("\"revision\":2,").await;
    served.ask_to_stop();
    wire.until("event: end\n").await;
    assert!(wire.is_closed_after_all().await);
    served.stopped().await;
    Stream::open(&app, None).await.ends().await;
}
