//! Checkout: the cart becomes an order draft, once, and what comes meanwhile waits for the next cart.

use std::sync::Arc;

use crate::support::faulty::Mode;
use crate::support::reply::Reply;
use crate::support::{Actor, Shop};
use serde_json::{Value, json};
use trolley::catalogue::form;
use trolley::catalogue::shop::Shop as Shelves;

/// A shop that sells three things, and the catalogue to change them by.
fn selling() -> (Shop, Shelves) {
    let products = json!({"currency": "EUR", "products": {
        "mug": {"title": "Enamel mug", "price": 1250, "stock": 5},
        "lamp": {"title": "Desk lamp", "price": 4900},
        "ship": {"title": "Container ship", "price": 1_000_000_000_000_u64},
    }});
    let shelves = Shelves::new(form::shelf(products.to_string().as_bytes()).unwrap());
    (Shop::selling(Arc::new(shelves.clone())), shelves)
}

async fn check_out(actor: &impl Actor, body: Value) -> Reply {
    actor.json("POST", "/v1/cart/checkout", body).await
}

/// `sku=quantity` of an order, in order.
fn ordered(reply: &Reply) -> String {
    let lines = reply.json["order"]["lines"].as_array().unwrap();
    let shown = lines.iter().map(|line| format!("{}={}", line["sku"].as_str().unwrap(), line["quantity"]));
    shown.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_checkout_freezes_the_cart_into_an_order_and_leaves_it_empty() {
    let shop = Shop::new();
    let browser = shop.browser();
    let body = json!({"sku": "tee", "quantity": 2, "options": {"size": "L"}});
    let line = browser.json("POST", "/v1/cart/lines", body).await.expect(200).line("tee").to_owned();
    browser.add("mug", 1).await.expect(200);
    let made = check_out(&browser, json!(null)).await.expect(201);
    let order = made.json["order"].clone();
    let names: Vec<&str> = order.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["created_at", "id", "lines", "quantity"], "without a catalogue no price");
    assert_eq!(order["quantity"], 3);
    let tee = json!({"id": line, "sku": "tee", "options": {"size": "L"}, "quantity": 2});
    assert_eq!((&order["lines"][0], ordered(&made)), (&tee, "tee=2 mug=1".to_owned()));
    let cart = browser.cart().await;
    assert_eq!((&made.json["cart"], made.etag()), (&cart.json, cart.etag()));
    assert_eq!((cart.shown(), cart.quantity()), (String::new(), 0));
    assert_eq!((&cart.json["generation"], cart.revision()), (&json!(1), 3));
    let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
    assert_eq!(made.header("location"), Some(path.as_str()));
    assert_eq!(browser.get(&path).await.expect(200).json, order);
    assert_eq!(browser.add("mug", 1).await.expect(200).revision(), 4, "the revision goes on counting");
}

#[tokio::test]
async fn an_empty_cart_is_not_ordered() {
    let shop = Shop::new();
    let browser = shop.browser();
    let refused = check_out(&browser, json!({})).await.problem(409, "cart_empty");
    assert_eq!((&refused.json["cart"]["id"], browser.cookie()), (&json!(null), None));
    browser.add("a", 1).await.expect(200);
    browser.delete("/v1/cart").await.expect(200);
    let refused = check_out(&browser, json!({})).await.problem(409, "cart_empty");
    assert_eq!(refused.json["cart"], browser.cart().await.json);
    assert_eq!(browser.get("/v1/orders").await.expect(200).json, json!({"orders": []}));
}

#[tokio::test]
async fn who_says_what_was_seen_orders_that_and_nothing_else() {
    let shop = Shop::new();
    let browser = shop.browser();
    let seen = browser.add("a", 1).await.expect(200).revision();
    let now = browser.add("b", 1).await.expect(200);
    for wrong in [seen, now.revision() + 1, 0] {
        let body = json!({"seen": {"revision": wrong}});
        let refused = check_out(&browser, body).await.problem(409, "cart_changed");
        assert_eq!(refused.json["cart"], now.json);
    }
    let body = json!({"seen": {"revision": now.revision()}});
    let made = check_out(&browser, body.clone()).await.expect(201);
    assert_eq!(ordered(&made), "a=1 b=1");
    check_out(&browser, body).await.problem(409, "cart_changed");
}

#[tokio::test]
async fn a_tag_says_what_was_seen_and_what_came_later_stays_for_the_next_cart() {
    let shop = Shop::new();
    let browser = shop.browser();
    let seen = browser.add("a", 1).await.expect(200);
    browser.add("a", 2).await.expect(200);
    browser.add("b", 1).await.expect(200);
    let tag = [("if-match", seen.etag())];
    let made = browser.with("POST", "/v1/cart/checkout", &tag, json!(null)).await.expect(201);
    assert_eq!(ordered(&made), "a=1");
    assert_eq!(browser.cart().await.shown(), "a=2 b=1");
    // Of the cart that it names nothing is left: the shopper has to look again.
    let late = browser.with("POST", "/v1/cart/checkout", &tag, json!(null)).await;
    assert_eq!(late.problem(409, "cart_changed").json["cart"], browser.cart().await.json);
    let strict = [("if-match", seen.etag()), ("trolley-strict", "true")];
    let refused = browser.with("POST", "/v1/cart/checkout", &strict, json!(null)).await;
    refused.problem(412, "precondition_failed");
}

#[tokio::test]
async fn under_its_key_a_checkout_is_done_once_and_answers_201_with_the_same_order() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    app.add("a", 2).await.expect(200);
    let key = [("idempotency-key", "one")];
    let first = app.with("POST", "/v1/cart/checkout", &key, json!({})).await.expect(201);
    app.add("b", 1).await.expect(200);
    let again = app.with("POST", "/v1/cart/checkout", &key, json!(null)).await.expect(201);
    assert_eq!(again.json["order"], first.json["order"]);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.json["cart"], app.cart().await.json, "the cart as it is now");
    let other = json!({"accept_available": true});
    let other = app.with("POST", "/v1/cart/checkout", &key, other).await;
    other.problem(422, "idempotency_key_reused");
    let other = app.with("POST", "/v1/cart/checkout", &key, json!({"seen": {"revision": 1}})).await;
    other.problem(422, "idempotency_key_reused");
    assert_eq!(app.get("/v1/orders").await.json["orders"].as_array().unwrap().len(), 1);
    // Another process over the same store knows the key and the order too.
    let restarted = Shop::over(shop.store.clone(), Default::default(), Default::default());
    let bearer = format!("Bearer {}", app.token);
    let headers = [key[0], ("authorization", bearer.as_str())];
    let retry = restarted.anyone().with("POST", "/v1/cart/checkout", &headers, json!({})).await.expect(201);
    assert_eq!(retry.json["order"], first.json["order"]);
}

#[tokio::test]
async fn a_refused_checkout_is_repeated_under_its_key_with_the_cart_as_it_is_now() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let key = [("idempotency-key", "one")];
    app.with("POST", "/v1/cart/checkout", &key, json!({})).await.problem(409, "cart_empty");
    let now = app.add("a", 1).await.expect(200);
    let again = app.with("POST", "/v1/cart/checkout", &key, json!({})).await.problem(409, "cart_empty");
    assert_eq!((again.header("idempotency-replayed"), &again.json["cart"]), (Some("true"), &now.json));
}

#[tokio::test]
async fn an_order_has_the_prices_of_its_moment() {
    let (shop, shelves) = selling();
    let browser = shop.browser();
    browser.add("mug", 3).await.expect(200);
    let seen = browser.add("lamp", 1).await.expect(200);
    let euro = |amount: u64| json!({"amount": amount, "currency": "EUR"});
    assert!(shelves.change("mug", |mug| mug.price.amount = 1_300));
    let body = json!({"seen": {"revision": seen.revision(), "subtotal": seen.json["subtotal"]}});
    let refused = check_out(&browser, body).await.problem(409, "price_changed");
    assert_eq!(refused.json["cart"]["subtotal"], euro(8_800));
    for wrong in [json!({"amount": 8_800, "currency": "USD"}), euro(8_799), euro(0)] {
        let body = json!({"seen": {"revision": seen.revision(), "subtotal": wrong}});
        check_out(&browser, body).await.problem(409, "price_changed");
    }
    let body = json!({"seen": {"revision": seen.revision(), "subtotal": euro(8_800)}});
    let made = check_out(&browser, body).await.expect(201);
    let (order, mug) = (&made.json["order"], &made.json["order"]["lines"][0]);
    assert_eq!((&order["subtotal"], &mug["title"]), (&euro(8_800), &json!("Enamel mug")));
    assert_eq!((&mug["unit_price"], &mug["line_total"]), (&euro(1_300), &euro(3_900)));
    assert!(shelves.change("mug", |mug| mug.price.amount = 1));
    let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
    assert_eq!(&browser.get(&path).await.expect(200).json, order, "an order does not change with its shop");
}

#[tokio::test]
async fn without_a_catalogue_nobody_can_have_seen_a_total() {
    let shop = Shop::new();
    let browser = shop.browser();
    let seen = browser.add("a", 1).await.expect(200).revision();
    let total = json!({"amount": 1, "currency": "EUR"});
    let body = json!({"seen": {"revision": seen, "subtotal": total}});
    check_out(&browser, body).await.problem(409, "price_changed");
}

#[tokio::test]
async fn short_stock_is_told_and_what_there_is_can_be_accepted() {
    let (shop, shelves) = selling();
    let browser = shop.browser();
    let short = browser.add("mug", 7).await.expect(200);
    let refused = check_out(&browser, json!({})).await.problem(409, "short_stock");
    assert_eq!(refused.json["cart"]["lines"][0]["available"], 5);
    browser.add("lamp", 1).await.expect(200);
    let made = check_out(&browser, json!({"accept_available": true})).await.expect(201);
    assert_eq!(
        (ordered(&made), &made.json["order"]["subtotal"]["amount"]),
        ("mug=5 lamp=1".to_owned(), &json!(11_150))
    );
    let cart = &made.json["cart"];
    assert_eq!((&cart["lines"], &cart["quantity"]), (&json!([]), &json!(0)));
    assert_eq!(
        (&cart["saved"][0]["id"], &cart["saved"][0]["quantity"]),
        (&short.json["lines"][0]["id"], &json!(2))
    );
    assert_eq!(cart["notices"][0]["code"], "lines_saved");
    // Of a product that is gone there is nothing to accept.
    assert!(shelves.withdraw("mug"));
    let path = format!("/v1/cart/saved/{}/unsave", short.line("mug"));
    browser.json("POST", &path, json!(null)).await.expect(200);
    for accept in [false, true] {
        check_out(&browser, json!({"accept_available": accept})).await.problem(409, "short_stock");
    }
    assert_eq!(browser.cart().await.shown(), "mug=2");
}

#[tokio::test]
async fn what_is_not_valid_is_refused_with_its_pointer_and_nothing_is_ordered() {
    let shop = Shop::new();
    let browser = shop.browser();
    let before = browser.add("a", 1).await.expect(200);
    for (body, pointer) in [
        (json!({"accept_available": 1}), "#/accept_available"),
        (json!({"seen": 1}), "#/seen"),
        (json!({"seen": {"revision": null}}), "#/seen/revision"),
        (json!({"seen": {}}), "#/seen/revision"),
        (json!({"seen": {"revision": -1}}), "#/seen/revision"),
        (json!({"seen": {"revision": 1, "x": 1}}), "#/seen/x"),
        (json!({"seen": {"revision": 1, "subtotal": 5}}), "#/seen/subtotal"),
        (json!({"seen": {"revision": 1, "subtotal": {"amount": 5}}}), "#/seen/subtotal/currency"),
        (json!({"seen": {"revision": 1, "subtotal": {"currency": "EUR"}}}), "#/seen/subtotal/amount"),
        (
            json!({"seen": {"revision": 1, "subtotal": {"amount": 0.5, "currency": "EUR"}}}),
            "#/seen/subtotal/amount",
        ),
        (
            json!({"seen": {"revision": 1, "subtotal": {"amount": 5, "currency": "euro"}}}),
            "#/seen/subtotal/currency",
        ),
        (json!({"total": 1}), "#/total"),
    ] {
        let refused = check_out(&browser, body.clone()).await.problem(422, "invalid_body");
        assert_eq!(refused.pointers(), [pointer], "{body}");
    }
    assert_eq!(browser.cart().await.json, before.json);
    assert_eq!(browser.get("/v1/orders").await.json, json!({"orders": []}));
}

#[tokio::test]
async fn a_checkout_whose_commit_is_not_known_is_done_once_when_it_is_sent_again() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    app.add("a", 2).await.expect(200);
    let key = [("idempotency-key", "one")];
    shop.store.set(Mode::Unknown);
    app.with("POST", "/v1/cart/checkout", &key, json!({})).await.problem(503, "store_down");
    shop.store.set(Mode::Well);
    let made = app.with("POST", "/v1/cart/checkout", &key, json!({})).await.expect(201);
    assert_eq!((ordered(&made), made.header("idempotency-replayed")), ("a=2".to_owned(), Some("true")));
    assert_eq!(app.get("/v1/orders").await.json["orders"].as_array().unwrap().len(), 1);
}
