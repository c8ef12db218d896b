//! `POST /test/clock`: by exactly as much as was asked, or not at all; kept with the store, and every timer with it.

use serde_json::{Value, json};
use trolley::http::server::state::HttpConfig;
use trolley::service::limits::addresses::GUESTS;
use trolley::service::settings::Settings;
use trolley_core::time::Span;

use crate::support::reply::Reply;
use crate::support::{Actor, Shop, days};

const DAY_MS: u64 = 86_400_000;
const TEN_YEARS_MS: u64 = 3_650 * DAY_MS;

fn rules() -> HttpConfig {
    HttpConfig { test_clock: true, ..HttpConfig::default() }
}

async fn turn(shop: &Shop, by: impl Into<Value>) -> Reply {
    shop.anyone().json("POST", "/test/clock", json!({"advance_ms": by.into()})).await
}

#[tokio::test]
async fn the_test_clock_moves_by_exactly_what_was_asked_or_not_at_all() {
    let shop = Shop::still(rules(), Settings::default());
    let began = shop.service.now();
    let mut moved = 0;
    for by in [0, 1, 15_552_000_000, 1 << 32, u64::from(u32::MAX), TEN_YEARS_MS] {
        turn(&shop, by).await.expect(200);
        moved += by;
        assert_eq!(shop.service.now().since(began).as_ms(), moved, "{by}");
    }
    for by in [TEN_YEARS_MS + 1, u64::MAX] {
        let refused = turn(&shop, by).await.problem(422, "invalid_body");
        assert_eq!(refused.pointers(), ["#/advance_ms"]);
    }
    let body = r#"{"advance_ms": 100000000000000000000000000000}"#;
    let request = crate::support::request("POST", "/test/clock").header("content-type", "application/json");
    shop.anyone().send(request.body(body.into()).unwrap()).await.problem(422, "invalid_body");
    assert_eq!(shop.service.now().since(began).as_ms(), moved, "what is refused moves nothing");
}

#[tokio::test]
async fn the_test_clock_looks_at_the_form_of_a_key_and_turns_anew_under_it() {
    let shop = Shop::still(rules(), Settings::default());
    let began = shop.service.now();
    let turn = async |key: &str| {
        let body = json!({"advance_ms": 5});
        shop.anyone().with("POST", "/test/clock", &[("idempotency-key", key)], body).await
    };
    turn("a b").await.problem(400, "invalid_idempotency_key");
    assert_eq!(shop.service.now(), began);
    for _ in 0..2 {
        turn("one").await.expect(200);
    }
    assert_eq!(shop.service.now().since(began).as_ms(), 10);
}

#[tokio::test]
async fn the_test_clock_stops_at_the_last_year_that_can_be_written() {
    let shop = Shop::still(rules(), Settings::default());
    let mut last = String::new();
    let refused = loop {
        let turned = turn(&shop, TEN_YEARS_MS).await;
        if turned.status != 200 {
            break turned;
        }
        let now = turned.json["now"].as_str().unwrap().to_owned();
        assert!(now > last);
        last = now;
    };
    assert_eq!(refused.problem(422, "invalid_body").pointers(), ["#/advance_ms"]);
    assert!(last.starts_with("999"), "{last}");
}

#[tokio::test]
async fn the_test_clock_and_every_timer_with_it_outlive_a_restart() {
    let shop = Shop::with(rules(), Settings::default());
    let (guest, other) = (shop.bearer().await, shop.browser());
    let key = [("idempotency-key", "one")];
    let body = || json!({"sku": "a"});
    guest.with("POST", "/v1/cart/lines", &key, body()).await.expect(200);
    other.add("a", 1).await.expect(200);
    other.cart().await;
    let before = shop.service.now();
    turn(&shop, 23 * DAY_MS / 24).await.expect(200);
    shop.service.flush_touches().await.unwrap();
    let again = Shop::over(shop.store.clone(), rules(), Settings::default());
    assert!(again.service.now().since(before) >= Span::from_hours(23));
    let guest = again.bearer_with(&guest.token);
    let replayed = guest.with("POST", "/v1/cart/lines", &key, body()).await.expect(200);
    assert_eq!(replayed.header("idempotency-replayed"), Some("true"));
    turn(&again, DAY_MS / 12).await.expect(200);
    let anew = guest.with("POST", "/v1/cart/lines", &key, body()).await.expect(200);
    assert_eq!((anew.header("idempotency-replayed"), anew.quantity()), (None, 2), "a key is kept for a day");
    turn(&again, 31 * DAY_MS).await.expect(200);
    let third = Shop::over(shop.store.clone(), rules(), Settings::default());
    let other = third.browser_with(&other.cookie().unwrap());
    assert_eq!(other.cart().await.quantity(), 0, "unseen for 30 days and a twentieth, over two restarts");
    assert!(third.service.now().since(before) >= days(30));
}

#[tokio::test]
async fn the_test_clock_turns_the_limits_too() {
    let shop = Shop::still(rules(), Settings { rate_limits: true, ..Settings::default() });
    for _ in 0..GUESTS.most {
        shop.anyone().add("a", 1).await.expect(200);
    }
    shop.anyone().add("a", 1).await.problem(429, "rate_limited");
    turn(&shop, 60_000_u64).await.expect(200);
    shop.anyone().add("a", 1).await.expect(200);
}
