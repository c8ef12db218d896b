//! A catalogue at an address: asked once for many, kept for a moment, and done without where it does not answer.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use trolley::catalogue::web::{Patience, Web};
use trolley::http::server::state::HttpConfig;
use trolley::service::settings::Settings;
use trolley_core::time::Span;

use crate::support::reply::Reply;
use crate::support::upstream::Upstream;
use crate::support::{Actor, Shop};

fn notices(cart: &Reply) -> Vec<&str> {
    cart.json["notices"].as_array().unwrap().iter().map(|notice| notice["code"].as_str().unwrap()).collect()
}

fn euro(amount: u64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

#[tokio::test]
async fn what_it_said_holds_for_ten_seconds_and_is_then_asked_for_again() {
    let upstream = Upstream::start().await;
    let shop = upstream.shop();
    let browser = shop.browser();
    let cart = browser.add("mug", 2).await.expect(200);
    assert_eq!((&cart.json["lines"][0]["title"], &cart.json["subtotal"]), (&json!("The mug"), &euro(2_500)));
    browser.add("nothing", 1).await.problem(422, "unknown_sku");
    browser.add("nothing", 1).await.problem(422, "unknown_sku");
    upstream.sells("mug", 1_400);
    assert_eq!(browser.cart().await.json, cart.json);
    assert_eq!(upstream.asked(), ["mug", "nothing"]);
    shop.turn(Span::from_ms(10_000)).await;
    let cart = browser.cart().await;
    assert_eq!((notices(&cart), &cart.json["subtotal"]), (vec!["price_changed"], &euro(2_800)));
    assert_eq!(upstream.asked(), ["mug"]);
}

#[tokio::test]
async fn many_who_want_one_sku_at_once_ask_once() {
    let upstream = Upstream::start().await;
    upstream.shut_gate("");
    let shop = upstream.shop();
    let guests: Vec<_> = (0..20).map(|_| shop.browser()).collect();
    let adding: Vec<_> = guests
        .into_iter()
        .map(|guest| tokio::spawn(async move { guest.add("mug", 1).await.expect(200) }))
        .collect();
    upstream.until_asked(1).await;
    upstream.open_gate();
    for added in adding {
        assert_eq!(added.await.unwrap().json["subtotal"], euro(1_250));
    }
    assert_eq!(upstream.asked(), ["mug"]);
}

#[tokio::test]
async fn while_it_is_down_the_cart_works_on_with_the_last_known_prices() {
    let upstream = Upstream::start().await;
    let shop = upstream.shop();
    let browser = shop.browser();
    let before = browser.add("mug", 1).await.expect(200);
    upstream.down().await;
    shop.turn(Span::from_ms(10_000)).await;
    let down = browser.cart().await;
    assert_eq!((notices(&down), &down.json["subtotal"]), (vec!["catalogue_down"], &euro(1_250)));
    assert_eq!(
        (&down.json["lines"][0]["title"], down.json["lines"][0].get("available")),
        (&json!("The mug"), None)
    );
    assert_ne!(down.etag(), before.etag());
    // Whether the shop sells what was never asked for cannot be told: the wish is kept, and not sold.
    let taken = browser.add("lamp", 2).await.expect(200);
    assert_eq!(
        (taken.shown().as_str(), notices(&taken)),
        ("mug=1 lamp=2", vec!["price_unknown", "catalogue_down"])
    );
    assert_eq!((taken.json["lines"][1].get("unit_price"), taken.json.get("subtotal")), (None, None));
    for _ in 0..10 {
        shop.turn(Span::from_ms(1_000)).await;
        browser.cart().await;
    }
    upstream.up();
    shop.turn(Span::from_ms(6_000)).await;
    let well = browser.cart().await;
    assert_eq!((notices(&well), &well.json["subtotal"]), (vec![], &euro(11_050)));
}

#[tokio::test]
async fn the_last_known_price_sells_for_a_quarter_of_an_hour_and_not_longer() {
    let upstream = Upstream::start().await;
    let shop = upstream.shop();
    let app = shop.bearer().await;
    app.add("mug", 2).await.expect(200);
    upstream.down().await;
    shop.turn(Span::from_ms(14 * 60_000)).await;
    let made = app.json("POST", "/v1/cart/checkout", json!({})).await.expect(201);
    assert_eq!(made.json["order"]["subtotal"], euro(2_500));
    let old = app.add("mug", 1).await.expect(200);
    assert_eq!(old.json["subtotal"], euro(1_250));
    shop.turn(Span::from_ms(60_000)).await;
    let stale = app.cart().await;
    assert_eq!(
        (notices(&stale), stale.json.get("subtotal")),
        (vec!["price_unknown", "catalogue_down"], None)
    );
    assert_eq!(stale.json["lines"][0]["unit_price"], euro(1_250), "what it cost is shown, and named so");
    let key = [("idempotency-key", "one")];
    let refused = app.with("POST", "/v1/cart/checkout", &key, json!({})).await;
    assert_eq!(refused.problem(409, "price_unknown").json["cart"], stale.json);
    // It passes: under the same key the order is made once the price is known again.
    upstream.up();
    upstream.sells("mug", 1_400);
    shop.turn(Span::from_ms(10_000)).await;
    let made = app.with("POST", "/v1/cart/checkout", &key, json!({})).await.expect(201);
    assert_eq!((&made.json["order"]["subtotal"], made.header("idempotency-replayed")), (&euro(1_400), None));
}

#[tokio::test]
async fn a_sku_that_gets_no_answer_in_time_is_not_waited_for_and_is_no_other_ones_matter() {
    let upstream = Upstream::start().await;
    upstream.shut_gate("slow");
    let shop = upstream.shop_with(Duration::from_secs(1));
    let browser = shop.browser();
    browser.add("mug", 1).await.expect(200);
    let ops: Vec<_> = (1..=40_u64)
        .map(|seq| {
            json!({"seq": seq, "op_id": format!("{seq:016x}"), "base": 0, "age_ms": 0, "op": "add",
                "sku": format!("slow-{seq}"), "quantity": 1})
        })
        .collect();
    let slow = json!({"client": "00000000-0000-4000-8000-000000000001", "ops": ops});
    let taken = shop.browser().json("POST", "/v1/cart/sync", slow).await.expect(200);
    assert_eq!(taken.json["cart"]["notices"][0]["code"], "price_unknown");
    assert_eq!(taken.json["cart"]["notices"].as_array().unwrap().len(), 40, "{}", taken.text);
    upstream.sells("mug", 5_000);
    shop.turn(Span::from_ms(10_000)).await;
    let cart = browser.cart().await;
    assert_eq!((notices(&cart), &cart.json["subtotal"]), (vec!["price_changed"], &euro(5_000)));
    upstream.open_gate();
}

#[tokio::test]
async fn after_a_restart_without_it_the_cart_itself_knows_what_its_lines_cost_and_nothing_is_sold_by_that() {
    let upstream = Upstream::start().await;
    let shop = upstream.shop();
    let browser = shop.browser();
    browser.add("mug", 3).await.expect(200);
    let cookie = browser.cookie().unwrap();
    let nowhere = Arc::new(Web::new("http://127.0.0.1:1", Patience::default()).unwrap());
    let shop = Shop::made(shop.store, HttpConfig::default(), Settings::default(), Some(nowhere));
    let browser = shop.browser_with(&cookie);
    let cart = browser.cart().await;
    assert_eq!((notices(&cart), cart.json.get("subtotal")), (vec!["price_unknown", "catalogue_down"], None));
    assert_eq!(
        (cart.json["lines"][0].get("title"), &cart.json["lines"][0]["unit_price"]),
        (None, &euro(1_250))
    );
    browser.json("POST", "/v1/cart/checkout", json!({})).await.problem(409, "price_unknown");
}

#[tokio::test]
async fn the_first_product_does_not_say_what_all_others_cost() {
    let upstream = Upstream::start().await;
    upstream.answers("dollar", 200, r#"{"title": "Imported", "price": {"amount": 1, "currency": "USD"}}"#);
    let shop = upstream.shop();
    shop.browser().add("dollar", 1).await.expect(200);
    let browser = shop.browser();
    browser.add("mug", 1).await.expect(200);
    let cart = browser.add("lamp", 1).await.expect(200);
    assert_eq!((notices(&cart), &cart.json["subtotal"]), (vec![], &euro(6_150)));
    let mixed = browser.add("dollar", 1).await.expect(200);
    assert_eq!((notices(&mixed), mixed.json.get("subtotal")), (vec!["price_unknown"], None));
    assert_eq!(mixed.json["lines"][2].get("unit_price"), None);
}
