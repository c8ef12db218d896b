//! With a catalogue: titles, prices and stock are the shop's own, and the cart tells what changed without the shopper.

use std::sync::Arc;

use serde_json::{Value, json};
use trolley::catalogue::form;
use trolley::catalogue::shop::Shop as Shelves;
use trolley::http::server::state::HttpConfig;
use trolley_store::memory::Memory;

use crate::account::accounts::{EMAIL, PASSWORD, cheap, login, signed_up};
use crate::support::faulty::Faulty;
use crate::support::reply::Reply;
use crate::support::{Actor, Shop};

/// A shop that sells three things, and the catalogue to change them by.
fn shop() -> (Shop, Shelves) {
    let products = json!({"currency": "EUR", "products": {
        "mug": {"title": "Enamel mug", "price": 1250, "stock": 5, "image": "/img/mug.webp"},
        "lamp": {"title": "Desk lamp", "price": 4900},
        "ship": {"title": "Container ship", "price": 1_000_000_000_000_u64},
    }});
    let shelves = Shelves::new(form::shelf(products.to_string().as_bytes()).unwrap());
    (Shop::selling(Arc::new(shelves.clone())), shelves)
}

fn euro(amount: u64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

/// `code@line`, in order; a notice about the whole cart has no line.
fn notices(cart: &Reply) -> Vec<String> {
    let lines = cart.json["lines"].as_array().unwrap();
    let sku =
        |id: &Value| lines.iter().find(|line| &line["id"] == id).map(|line| line["sku"].as_str().unwrap());
    let notices = cart.json["notices"].as_array().unwrap();
    let told = notices.iter().map(|notice| {
        assert!(notice["detail"].as_str().unwrap().ends_with('.'), "{notice}");
        format!("{}@{}", notice["code"].as_str().unwrap(), sku(&notice["line"]).unwrap_or_default())
    });
    told.collect()
}

#[tokio::test]
async fn lines_carry_what_the_catalogue_says_and_the_cart_its_subtotal() {
    let (shop, _) = shop();
    let browser = shop.browser();
    browser.add("mug", 3).await.expect(200);
    let added = browser.add("lamp", 1).await.expect(200);
    let cart = browser.cart().await;
    assert_eq!((&cart.json, cart.etag()), (&added.json, added.etag()));
    let (mug, lamp) = (&cart.json["lines"][0], &cart.json["lines"][1]);
    assert_eq!((&mug["title"], &mug["unit_price"]), (&json!("Enamel mug"), &euro(1_250)));
    assert_eq!((&mug["line_total"], &mug["available"]), (&euro(3_750), &json!(5)));
    assert_eq!(mug["image"], "/img/mug.webp");
    assert_eq!((lamp.get("available"), lamp.get("image")), (None, None), "what is not counted is not told");
    assert_eq!((&cart.json["subtotal"], notices(&cart)), (&euro(8_650), vec![]));
}

#[tokio::test]
async fn without_a_catalogue_no_price_is_shown_and_with_one_nobodys_cart_costs_nothing() {
    let plain = Shop::new().browser().add("anything", 1).await.expect(200);
    assert_eq!((plain.json.get("subtotal"), plain.json["lines"][0].get("unit_price")), (None, None));
    assert_eq!(plain.etag().matches('.').count(), 1);
    let (shop, _) = shop();
    let nobodys = shop.browser().cart().await;
    assert_eq!((&nobodys.json["subtotal"], &nobodys.json["id"]), (&euro(0), &json!(null)));
    let seen = [("if-match", nobodys.etag())];
    let (browser, body) = (shop.browser(), json!({"sku": "mug"}));
    browser.with("POST", "/v1/cart/lines", &seen, body).await.expect(200);
}

#[tokio::test]
async fn a_changed_price_is_told_until_the_carts_next_change() {
    let (shop, shelves) = shop();
    let browser = shop.browser();
    browser.add("mug", 2).await.expect(200);
    let before = browser.add("lamp", 1).await.expect(200);
    assert!(shelves.change("mug", |mug| mug.price.amount = 1_400));
    let unchanged = [("if-none-match", before.etag())];
    let told = browser.with("GET", "/v1/cart", &unchanged, json!(null)).await.expect(200);
    assert_eq!(notices(&told), ["price_changed@mug"]);
    assert_eq!(told.json["notices"][0]["detail"], "The price was EUR 12.50 and is EUR 14.00 now.");
    assert_eq!((&told.json["subtotal"], told.revision()), (&euro(7_700), before.revision()));
    assert_eq!(browser.cart().await.json, told.json, "it stands however often the cart is read");
    let changed = browser.add("lamp", 1).await.expect(200);
    assert_eq!((notices(&changed), notices(&browser.cart().await)), (vec![], vec![]));
}

#[tokio::test]
async fn a_sign_in_that_brings_a_cart_along_is_a_change_too() {
    let shelves = shop().1;
    let store = Arc::new(Faulty::over(Arc::new(Memory::new())));
    let shop = Shop::made(store, HttpConfig::default(), cheap(), Some(Arc::new(shelves.clone())));
    let phone = signed_up(&shop, EMAIL).await;
    phone.add("mug", 1).await.expect(200);
    shelves.change("mug", |mug| mug.price.amount = 1_400);
    assert_eq!(notices(&phone.cart().await), ["price_changed@mug"]);
    let laptop = shop.browser();
    laptop.add("lamp", 1).await.expect(200);
    laptop.json("POST", "/v1/session/sign-in", login(EMAIL, PASSWORD)).await.expect(200);
    let merged = laptop.cart().await;
    assert_eq!(
        (merged.shown().as_str(), notices(&merged)),
        ("mug=1 lamp=1", vec!["carts_merged@".to_owned()])
    );
    shelves.change("lamp", |lamp| lamp.price.amount = 5_000);
    assert_eq!(notices(&laptop.cart().await), ["carts_merged@", "price_changed@lamp"]);
}

#[tokio::test]
async fn a_price_that_changes_back_is_no_news() {
    let (shop, shelves) = shop();
    let browser = shop.browser();
    let before = browser.add("mug", 1).await.expect(200);
    shelves.change("mug", |mug| mug.price.amount = 1);
    shelves.change("mug", |mug| mug.price.amount = 1_250);
    let after = browser.cart().await;
    assert_eq!((after.etag(), notices(&after)), (before.etag(), vec![]));
}

#[tokio::test]
async fn a_product_that_is_not_in_the_cart_changes_no_tag() {
    let (shop, shelves) = shop();
    let browser = shop.browser();
    let before = browser.add("mug", 1).await.expect(200);
    shelves.change("lamp", |lamp| lamp.price.amount = 1);
    let unchanged = [("if-none-match", before.etag())];
    browser.with("GET", "/v1/cart", &unchanged, json!(null)).await.expect(304);
}

#[tokio::test]
async fn short_stock_is_told_and_never_changes_what_the_shopper_wished() {
    let (shop, shelves) = shop();
    let browser = shop.browser();
    let wished = browser.add("mug", 7).await.expect(200);
    assert_eq!((wished.shown(), notices(&wished)), ("mug=7".to_owned(), vec!["short_stock@mug".to_owned()]));
    assert_eq!(wished.json["notices"][0]["detail"], "Only 5 are left.");
    shelves.change("mug", |mug| mug.stock = Some(0));
    let none = browser.cart().await;
    assert_eq!((none.shown(), &none.json["lines"][0]["available"]), ("mug=7".to_owned(), &json!(0)));
    shelves.change("mug", |mug| mug.stock = Some(7));
    assert_eq!(notices(&browser.cart().await), Vec::<String>::new());
}

#[tokio::test]
async fn lines_of_one_sku_share_its_stock() {
    let (shop, _) = shop();
    let browser = shop.browser();
    let add = |colour: &str| json!({"sku": "mug", "quantity": 3, "options": {"colour": colour}});
    browser.json("POST", "/v1/cart/lines", add("red")).await.expect(200);
    let both = browser.json("POST", "/v1/cart/lines", add("blue")).await.expect(200);
    let told = &both.json["notices"];
    assert_eq!(
        (told.as_array().unwrap().len(), &told[0]["line"], &told[0]["detail"]),
        (1, &both.json["lines"][1]["id"], &json!("Only 2 are left."))
    );
    browser.json("POST", "/v1/cart/checkout", json!({})).await.problem(409, "short_stock");
    let made = browser.json("POST", "/v1/cart/checkout", json!({"accept_available": true})).await.expect(201);
    assert_eq!(made.json["order"]["quantity"], 5);
    assert_eq!(made.json["cart"]["saved"][0]["quantity"], 1);
    assert_eq!(
        made.json["cart"]["notices"][0]["detail"],
        "What did not fit, or is not in stock, is saved for later."
    );
}

#[tokio::test]
async fn a_stock_of_billions_is_told_as_it_is() {
    let (shop, shelves) = shop();
    let browser = shop.browser();
    browser.add("mug", 1).await.expect(200);
    shelves.change("mug", |mug| mug.stock = Some(5_000_000_000));
    assert_eq!(browser.cart().await.json["lines"][0]["available"], 5_000_000_000_u64);
}

#[tokio::test]
async fn a_product_that_vanished_stays_in_the_cart_and_is_told() {
    let (shop, shelves) = shop();
    let browser = shop.browser();
    browser.add("mug", 1).await.expect(200);
    let both = browser.add("lamp", 2).await.expect(200);
    assert!(shelves.withdraw("mug"));
    let cart = browser.cart().await;
    assert_eq!((cart.shown(), notices(&cart)), (both.shown(), vec!["unavailable@mug".to_owned()]));
    let mug = &cart.json["lines"][0];
    assert_eq!((mug.get("unit_price"), &mug["available"]), (None, &json!(0)));
    assert_eq!(cart.json.get("subtotal"), None, "a part of a total looks like one");
    let line = format!("/v1/cart/lines/{}", cart.line("mug"));
    let fewer = browser.json("PUT", &line, json!({"quantity": 3})).await.expect(200);
    assert_eq!(
        (fewer.shown(), notices(&fewer)),
        ("mug=3 lamp=2".to_owned(), vec!["unavailable@mug".to_owned()])
    );
    browser.add("mug", 1).await.problem(422, "unknown_sku");
    assert_eq!(browser.delete(&line).await.expect(200).json["subtotal"], euro(9_800));
}

#[tokio::test]
async fn an_unknown_sku_is_refused_and_begins_nothing() {
    let (shop, shelves) = shop();
    let browser = shop.browser();
    let refused = browser.add("mugg", 1).await.problem(422, "unknown_sku");
    assert_eq!((refused.pointers(), browser.cookie(), shop.store.commits()), (vec!["#/sku"], None, 0));
    let before = browser.add("mug", 1).await.expect(200);
    let key = [("idempotency-key", "k1")];
    let body = json!({"sku": "sold-out"});
    browser.with("POST", "/v1/cart/lines", &key, body.clone()).await.problem(422, "unknown_sku");
    assert_eq!(browser.cart().await.json, before.json);
    // A retry is answered as before, and an add that was taken in stays one, whatever the catalogue says by now.
    let replayed = browser.with("POST", "/v1/cart/lines", &key, body).await.problem(422, "unknown_sku");
    assert_eq!(replayed.header("idempotency-replayed"), Some("true"));
    let (key, body) = ([("idempotency-key", "k2")], json!({"sku": "lamp"}));
    browser.with("POST", "/v1/cart/lines", &key, body.clone()).await.expect(200);
    shelves.withdraw("lamp");
    let replayed = browser.with("POST", "/v1/cart/lines", &key, body).await.expect(200);
    assert_eq!(
        (replayed.shown().as_str(), replayed.header("idempotency-replayed")),
        ("mug=1 lamp=1", Some("true"))
    );
}

#[tokio::test]
async fn a_price_is_never_taken_from_the_client() {
    let (shop, _) = shop();
    let bargain = json!({"sku": "lamp", "unit_price": euro(1)});
    let refused = shop.browser().json("POST", "/v1/cart/lines", bargain).await.problem(422, "invalid_body");
    assert_eq!(refused.pointers(), ["#/unit_price"]);
}

#[tokio::test]
async fn a_total_beyond_all_amounts_is_refused_and_never_wraps() {
    let (shop, shelves) = shop();
    let browser = shop.browser();
    let most = browser.add("ship", 9_007).await.expect(200);
    assert_eq!(most.json["subtotal"], euro(9_007_000_000_000_000));
    let refused = browser.add("ship", 1).await.problem(422, "total_too_large");
    assert_eq!(refused.pointers(), ["#/quantity"]);
    let line = format!("/v1/cart/lines/{}", most.line("ship"));
    browser.json("PUT", &line, json!({"quantity": 9_999})).await.problem(422, "total_too_large");
    assert_eq!(browser.cart().await.json, most.json);
    // Prices may rise beyond it: then there is no total, and the shopper can still take things out.
    shelves.change("ship", |ship| ship.price.amount *= 2);
    let cart = browser.cart().await;
    assert_eq!((cart.json.get("subtotal"), cart.json["lines"][0].get("line_total")), (None, None));
    let fewer = browser.json("PUT", &line, json!({"quantity": 4_000})).await.expect(200);
    assert_eq!(fewer.json["subtotal"], euro(8_000_000_000_000_000));
}

#[tokio::test]
async fn a_refusal_with_the_cart_shows_its_prices_too() {
    let (shop, _) = shop();
    let browser = shop.browser();
    let old = browser.add("mug", 1).await.expect(200);
    let cart = browser.add("mug", 1).await.expect(200);
    let strict = [("if-match", old.etag()), ("trolley-strict", "true")];
    let stale = browser.with("POST", "/v1/cart/lines", &strict, json!({"sku": "lamp"})).await;
    assert_eq!(stale.problem(412, "precondition_failed").json["cart"], cart.json);
}
