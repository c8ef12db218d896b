//! What a stranger asks a catalogue at an address for is nobody else's matter: odd answers, slow ones, and tens of thousands.

use std::net::SocketAddr;

use axum::http::HeaderMap;
use serde_json::{Value, json};
use trolley::http::server::app::App;
use trolley_core::time::Span;

use crate::support::reply::Reply;
use crate::support::upstream::Upstream;
use crate::support::{Actor, Browser};

/// Somebody at another address.
struct Elsewhere(Browser);

impl Actor for Elsewhere {
    fn app(&self) -> &App {
        self.0.app()
    }

    fn credentials(&self, headers: &mut HeaderMap) {
        self.0.credentials(headers);
    }

    fn keep(&self, reply: &Reply) {
        self.0.keep(reply);
    }

    fn peer(&self) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 7], 40_000))
    }
}

fn euro(amount: u64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

fn notices(cart: &Reply) -> Vec<&str> {
    cart.json["notices"].as_array().unwrap().iter().map(|notice| notice["code"].as_str().unwrap()).collect()
}

/// Skus whose address answers with something that is no product.
fn odd(upstream: &Upstream) -> Vec<String> {
    let long = json!({"title": "x".repeat(257), "price": {"amount": 1, "currency": "EUR"}}).to_string();
    let answers = [
        ("nul\u{1}", 400, ""),
        ("boom", 500, ""),
        ("later", 503, "<html>"),
        ("door", 403, ""),
        ("moved", 301, ""),
        ("gateway", 502, ""),
        ("half", 200, r#"{"title": "Half", "price": {"amount": 12.5, "currency": "EUR"}}"#),
        ("bare", 200, r#"{"title": "Bare", "price": 1250}"#),
        ("nonsense", 200, "?"),
        ("many", 200, r#"{"title": "M", "price": {"amount": 1, "currency": "EUR"}, "stock": 1e300}"#),
        ("long", 200, &long),
    ];
    answers.iter().for_each(|(sku, status, body)| upstream.answers(sku, *status, body));
    answers.iter().map(|(sku, _, _)| (*sku).to_owned()).collect()
}

#[tokio::test]
async fn odd_answers_about_a_strangers_skus_leave_every_other_price_stock_and_refusal_as_it_is() {
    let upstream = Upstream::start().await;
    let odd = odd(&upstream);
    let shop = upstream.shop();
    let (browser, stranger) = (shop.browser(), shop.browser());
    browser.add("mug", 1).await.expect(200);
    upstream.sells("mug", 5_000);
    for _ in 0..5 {
        for sku in &odd {
            stranger.add(sku, 1).await.expect(200);
        }
        shop.turn(Span::from_ms(4_000)).await;
    }
    let cart = browser.cart().await;
    assert_eq!((notices(&cart), &cart.json["subtotal"]), (vec!["price_changed"], &euro(5_000)));
    assert_eq!(cart.json["lines"][0]["available"], 9);
    browser.add("no-such-thing", 1).await.problem(422, "unknown_sku");
    let body = json!({"seen": {"revision": cart.revision(), "subtotal": euro(1_250)}});
    browser.json("POST", "/v1/cart/checkout", body).await.problem(409, "price_changed");

    let strangers = stranger.cart().await;
    assert_eq!(
        notices(&strangers),
        vec!["price_unknown"; odd.len()],
        "each is named, and the catalogue is not"
    );
    assert_eq!(strangers.json.get("subtotal"), None);
    let refused = stranger.json("POST", "/v1/cart/checkout", json!({})).await.problem(409, "price_unknown");
    assert_eq!(refused.json["cart"], strangers.json);
}

#[tokio::test]
async fn a_sku_whose_price_is_not_told_is_neither_sold_for_nothing_nor_beside_others() {
    let upstream = Upstream::start().await;
    upstream.answers("boom", 500, "");
    let shop = upstream.shop();
    let browser = shop.browser();
    browser.add("boom", 50).await.expect(200);
    browser.json("POST", "/v1/cart/checkout", json!({})).await.problem(409, "price_unknown");
    let both = browser.add("mug", 1).await.expect(200);
    for body in [json!({}), json!({"accept_available": true}), json!({"seen": {"revision": both.revision()}})]
    {
        browser.json("POST", "/v1/cart/checkout", body).await.problem(409, "price_unknown");
    }
    browser.delete(&format!("/v1/cart/lines/{}", both.line("boom"))).await.expect(200);
    let made = browser.json("POST", "/v1/cart/checkout", json!({})).await.expect(201);
    assert_eq!(made.json["order"]["subtotal"], euro(1_250));
}

#[tokio::test]
async fn an_odd_sku_is_asked_for_less_and_less() {
    let upstream = Upstream::start().await;
    upstream.answers("boom", 500, "");
    let shop = upstream.shop();
    let browser = shop.browser();
    browser.add("boom", 1).await.expect(200);
    for _ in 0..60 {
        shop.turn(Span::from_ms(1_000)).await;
        browser.cart().await;
    }
    let asked = upstream.asked().len();
    assert!((4..=7).contains(&asked), "{asked} questions in a minute");
    upstream.sells("boom", 700);
    shop.turn(Span::from_ms(32_000)).await;
    assert_eq!(browser.cart().await.json["subtotal"], euro(700));
}

#[tokio::test]
async fn whether_it_is_there_again_is_seen_by_a_product_and_by_no_strangers_sku() {
    let upstream = Upstream::start().await;
    let shop = upstream.shop();
    let (browser, stranger) = (shop.browser(), shop.browser());
    browser.add("mug", 1).await.expect(200);
    upstream.down().await;
    shop.turn(Span::from_ms(10_000)).await;
    for n in 0..6 {
        stranger.add(&format!("down-{n}"), 1).await.expect(200);
    }
    // From here on the stranger's skus get no answer at all.
    upstream.up();
    upstream.shut_gate("down");
    upstream.asked();
    shop.turn(Span::from_ms(5_000)).await;
    let leaving = tokio::spawn(async move { stranger.add("down-6", 1).await });
    upstream.until_asked(1).await;
    assert_eq!(upstream.asked()[0], "mug");
    upstream.until_asked(1).await;
    assert_eq!(notices(&browser.cart().await), Vec::<&str>::new());
    upstream.open_gate();
    leaving.await.unwrap().problem(422, "unknown_sku");
}

#[tokio::test]
async fn where_no_product_was_ever_told_any_answer_shows_that_it_is_there() {
    let upstream = Upstream::start().await;
    upstream.answers("boom", 500, "");
    upstream.down().await;
    let shop = upstream.shop();
    let browser = shop.browser();
    browser.add("boom", 1).await.expect(200);
    for _ in 0..6 {
        browser.cart().await;
    }
    assert_eq!(notices(&browser.cart().await), ["price_unknown", "catalogue_down"]);
    upstream.up();
    shop.turn(Span::from_ms(6_000)).await;
    assert_eq!(notices(&browser.cart().await), ["price_unknown"], "it is there, and does not know this one");
    assert_eq!(browser.add("mug", 1).await.expect(200).json["lines"][1]["unit_price"], euro(1_250));
}

#[tokio::test]
async fn sixty_syncs_of_five_hundred_unknown_skus_keep_nobody_else_from_good_prices() {
    let upstream = Upstream::start().await;
    upstream.shut_gate("x-");
    let shop = upstream.shop();
    let flood: Vec<_> = (0..60_u64)
        .map(|device| {
            let ops: Vec<_> = (1..=500_u64)
                .map(|seq| {
                    json!({"seq": seq, "op_id": format!("{seq:016x}"), "base": 0, "age_ms": 0, "op": "add",
                        "sku": format!("x-{device}-{seq}"), "quantity": 1})
                })
                .collect();
            let body = json!({"client": format!("00000000-0000-4000-8000-{device:012}"), "ops": ops});
            let stranger = shop.browser();
            tokio::spawn(async move { stranger.json("POST", "/v1/cart/sync", body).await })
        })
        .collect();
    upstream.until_asked(3).await;
    for _ in 0..20 {
        let browser = Elsewhere(shop.browser());
        browser.add("mug", 2).await.expect(200);
        let cart = browser.add("lamp", 1).await.expect(200);
        assert_eq!((notices(&cart), &cart.json["subtotal"]), (vec![], &euro(7_400)));
        shop.turn(Span::from_ms(10_000)).await;
        assert_eq!(browser.cart().await.json["subtotal"], euro(7_400));
    }
    let strange = upstream.asked().iter().filter(|sku| sku.starts_with("x-")).count();
    assert_eq!(strange, 3, "one address has so many such questions under way and no more");
    // Who gives up asks no more.
    for sync in flood {
        sync.abort();
        let _ = sync.await;
    }
    upstream.open_gate();
    let browser = Elsewhere(shop.browser());
    browser.add("mug", 1).await.expect(200);
    shop.turn(Span::from_ms(10_000)).await;
    assert_eq!(browser.cart().await.json["subtotal"], euro(1_250));
    assert!(upstream.asked().iter().all(|sku| !sku.starts_with("x-")), "a question of one who left");
}
