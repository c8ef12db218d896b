//! Tags and keys: what a writer had seen, and what a retry may not do twice.

use serde_json::json;
use trolley_core::time::Span;

use crate::support::{Actor, Shop};

#[tokio::test]
async fn a_cart_that_has_not_changed_is_304() {
    let shop = Shop::new();
    let browser = shop.browser();
    let tag = browser.add("a", 1).await.expect(200).etag().to_owned();
    for seen in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let reply =
            browser.with("GET", "/v1/cart", &[("if-none-match", &seen)], json!(null)).await.expect(304);
        assert_eq!((reply.text.as_str(), reply.etag()), ("", tag.as_str()), "{seen}");
    }
    browser.add("a", 1).await.expect(200);
    browser.with("GET", "/v1/cart", &[("if-none-match", &tag)], json!(null)).await.expect(200);
    let empty = [("if-none-match", "\"empty.0\"")];
    shop.anyone().with("GET", "/v1/cart", &empty, json!(null)).await.expect(304);
}

#[tokio::test]
async fn the_tag_names_cart_and_revision() {
    let shop = Shop::new();
    let added = shop.browser().add("a", 1).await.expect(200);
    assert_eq!(added.etag(), format!("\"{}.1\"", added.json["id"].as_str().unwrap()));
}

#[tokio::test]
async fn a_write_observes_only_what_its_tag_says_it_had_seen() {
    let shop = Shop::new();
    let browser = shop.browser();
    let seen = browser.add("a", 2).await.expect(200);
    browser.add("a", 3).await.expect(200);
    let line = format!("/v1/cart/lines/{}", seen.line("a"));
    let set =
        browser.with("PUT", &line, &[("if-match", seen.etag())], json!({"quantity": 1})).await.expect(200);
    assert_eq!(set.shown(), "a=4", "the three that it had not seen stay");
    let removed = browser.with("DELETE", &line, &[("if-match", set.etag())], json!(null)).await.expect(200);
    assert_eq!(removed.shown(), "");
}

#[tokio::test]
async fn a_clear_takes_out_what_the_caller_had_seen_and_star_means_all() {
    let shop = Shop::new();
    let browser = shop.browser();
    let seen = browser.add("a", 1).await.expect(200).etag().to_owned();
    browser.add("b", 1).await.expect(200);
    let cleared =
        browser.with("DELETE", "/v1/cart", &[("if-match", &format!("W/{seen}"))], json!(null)).await;
    assert_eq!(cleared.expect(200).shown(), "b=1");
    let cleared = browser.with("DELETE", "/v1/cart", &[("if-match", "*")], json!(null)).await;
    assert_eq!(cleared.expect(200).shown(), "");
}

#[tokio::test]
async fn another_carts_tag_counts_as_having_seen_nothing() {
    let shop = Shop::new();
    let (browser, other) = (shop.browser(), shop.browser());
    browser.add("a", 1).await.expect(200);
    other.add("x", 1).await.expect(200);
    let foreign = other.add("x", 1).await.expect(200).etag().to_owned();
    for tag in [foreign.as_str(), "\"empty.0\""] {
        let kept = browser.with("DELETE", "/v1/cart", &[("if-match", tag)], json!(null)).await.expect(200);
        assert_eq!(kept.shown(), "a=1", "{tag}");
    }
}

#[tokio::test]
async fn a_malformed_tag_is_refused_with_its_header_named() {
    let shop = Shop::new();
    let browser = shop.browser();
    let tag = browser.add("a", 1).await.expect(200).etag().to_owned();
    for broken in ["x", "\"\"", tag.trim_matches('"'), &format!("{tag} {tag}"), ""] {
        let refused = browser.with("DELETE", "/v1/cart", &[("if-match", broken)], json!(null)).await;
        assert_eq!(refused.problem(400, "invalid_etag").pointers(), ["#/header/If-Match"], "{broken}");
    }
    let one_broken = [("if-match", tag.as_str()), ("if-match", "x")];
    browser.with("DELETE", "/v1/cart", &one_broken, json!(null)).await.problem(400, "invalid_etag");
    assert_eq!(browser.cart().await.etag(), tag);
    // A tag of something else is well formed: who sends it has seen nothing of this cart, also by what it asks to be refused.
    for foreign in ["\"x\"", "W/\"a.1\"", "\"empty.7\"", "\"x\", \"y\""] {
        let kept =
            browser.with("DELETE", "/v1/cart", &[("if-match", foreign)], json!(null)).await.expect(200);
        assert_eq!(kept.shown(), "a=1", "{foreign}");
        let strictly = [("if-match", foreign), ("trolley-strict", "true")];
        browser.with("DELETE", "/v1/cart", &strictly, json!(null)).await.expect(412);
    }
    let tag = browser.cart().await.etag().to_owned();
    let beside = [("if-match", "\"x\""), ("if-match", tag.as_str()), ("trolley-strict", "true")];
    let tag = browser
        .with("POST", "/v1/cart/lines", &beside, json!({"sku": "b"}))
        .await
        .expect(200)
        .etag()
        .to_owned();
    let versioned = format!("{}.catalogue-7\"", tag.trim_end_matches('"'));
    browser.with("DELETE", "/v1/cart", &[("if-match", &versioned)], json!(null)).await.expect(200);
}

#[tokio::test]
async fn who_wants_a_refusal_gets_it_with_the_cart_as_it_is() {
    let shop = Shop::new();
    let browser = shop.browser();
    let seen = browser.add("a", 1).await.expect(200).etag().to_owned();
    let now = browser.add("b", 1).await.expect(200);
    let strict = [("trolley-strict", "true"), ("if-match", seen.as_str())];
    let refused =
        browser.with("DELETE", "/v1/cart", &strict, json!(null)).await.problem(412, "precondition_failed");
    assert_eq!(refused.json["cart"], now.json);
    let strict = [("trolley-strict", "true"), ("if-match", now.etag())];
    browser.with("DELETE", "/v1/cart", &strict, json!(null)).await.expect(200);
    let any = [("trolley-strict", "true"), ("if-match", "*")];
    browser.with("DELETE", "/v1/cart", &any, json!(null)).await.expect(200);
    let odd = [("trolley-strict", "perhaps")];
    browser.with("DELETE", "/v1/cart", &odd, json!(null)).await.problem(400, "invalid_request");
    let stranger = shop.browser();
    let strict = [("trolley-strict", "true"), ("if-match", seen.as_str())];
    let refused = stranger.with("POST", "/v1/cart/lines", &strict, json!({"sku": "a"})).await;
    assert_eq!(refused.problem(412, "precondition_failed").json["cart"]["id"], json!(null));
    assert_eq!(stranger.cookie(), None);
    let strict = [("trolley-strict", "true"), ("if-match", "\"empty.0\"")];
    stranger.with("POST", "/v1/cart/lines", &strict, json!({"sku": "a"})).await.expect(200);
}

#[tokio::test]
async fn a_retry_under_its_key_has_no_second_effect_and_shows_the_cart_as_it_is_now() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let key = [("idempotency-key", "one")];
    let first =
        app.with("POST", "/v1/cart/lines", &key, json!({"sku": "a", "quantity": 2})).await.expect(200);
    assert_eq!((first.shown(), first.header("idempotency-replayed")), ("a=2".to_owned(), None));
    app.add("b", 1).await.expect(200);
    // Another order of fields and other spaces are the same request.
    let again =
        app.with("POST", "/v1/cart/lines", &key, json!({"options": {}, "quantity": 2, "sku": "a"})).await;
    let again = again.expect(200);
    assert_eq!((again.shown(), again.header("idempotency-replayed")), ("a=2 b=1".to_owned(), Some("true")));
    assert_eq!(again.json, app.cart().await.json);
}

#[tokio::test]
async fn a_key_is_for_one_request_alone() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let key = [("idempotency-key", "one")];
    let added = app.with("POST", "/v1/cart/lines", &key, json!({"sku": "a"})).await.expect(200);
    let line = format!("/v1/cart/lines/{}", added.line("a"));
    for (method, path, body) in [
        ("POST", "/v1/cart/lines", json!({"sku": "a", "quantity": 2})),
        ("POST", "/v1/cart/lines", json!({"sku": "b"})),
        ("POST", "/v1/cart/lines", json!({"sku": "a", "options": {"x": ""}})),
        ("PUT", line.as_str(), json!({"quantity": 1})),
        ("DELETE", line.as_str(), json!(null)),
        ("DELETE", "/v1/cart", json!(null)),
    ] {
        let refused = app.with(method, path, &key, body).await.problem(422, "idempotency_key_reused");
        assert_eq!(refused.pointers(), ["#/header/Idempotency-Key"]);
    }
    for more in [("if-match", added.etag()), ("trolley-strict", "true")] {
        let refused = app.with("POST", "/v1/cart/lines", &[key[0], more], json!({"sku": "a"})).await;
        refused.problem(422, "idempotency_key_reused");
    }
    assert_eq!(app.cart().await.json, added.json);
}

#[tokio::test]
async fn a_refusal_is_repeated_too_and_the_key_does_not_become_free() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let key = [("idempotency-key", "one")];
    let over = json!({"sku": "a", "quantity": 10_000});
    app.with("POST", "/v1/cart/lines", &key, over.clone()).await.problem(422, "quantity_over_limit");
    let first = app.with("POST", "/v1/cart/lines", &[("idempotency-key", "three")], over.clone()).await;
    let again = app.with("POST", "/v1/cart/lines", &key, over).await.problem(422, "quantity_over_limit");
    assert_eq!(again.json, first.json, "with its limit and where it was passed");
    assert_eq!(again.json["errors"][0]["pointer"], "#/quantity");
    let undo = || app.with("POST", "/v1/cart/undo", &[("idempotency-key", "four")], json!({"revision": 999}));
    assert_eq!(undo().await.problem(409, "not_undoable").json, undo().await.json);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    app.with("POST", "/v1/cart/lines", &key, json!({"sku": "a"}))
        .await
        .problem(422, "idempotency_key_reused");
    let seen = app.add("a", 1).await.expect(200).etag().to_owned();
    app.add("a", 1).await.expect(200);
    let strict = [("idempotency-key", "two"), ("trolley-strict", "true"), ("if-match", seen.as_str())];
    app.with("DELETE", "/v1/cart", &strict, json!(null)).await.problem(412, "precondition_failed");
    let again =
        app.with("DELETE", "/v1/cart", &strict, json!(null)).await.problem(412, "precondition_failed");
    assert_eq!(again.etag(), app.cart().await.etag());
    assert_eq!(again.json["cart"], app.cart().await.json);
}

#[tokio::test]
async fn a_key_lives_a_day_and_survives_a_restart() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let key = [("idempotency-key", "one")];
    app.with("POST", "/v1/cart/lines", &key, json!({"sku": "a"})).await.expect(200);
    let again = Shop::over(shop.store.clone(), Default::default(), Default::default());
    again.turn(Span::from_hours(23)).await;
    let bearer = format!("Bearer {}", app.token);
    let headers = [key[0], ("authorization", bearer.as_str())];
    let retry =
        again.anyone().with("POST", "/v1/cart/lines", &headers, json!({"sku": "a"})).await.expect(200);
    assert_eq!(retry.shown(), "a=1");
    again.turn(Span::from_hours(2)).await;
    let late = again.anyone().with("POST", "/v1/cart/lines", &headers, json!({"sku": "a"})).await.expect(200);
    assert_eq!((late.shown(), late.header("idempotency-replayed")), ("a=2".to_owned(), None));
}

#[tokio::test]
async fn the_last_256_keys_of_a_session_are_kept() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    for n in 0..257 {
        let key = format!("key-{n}");
        app.with("POST", "/v1/cart/lines", &[("idempotency-key", &key)], json!({"sku": "a"}))
            .await
            .expect(200);
    }
    let retry = async |key| {
        app.with("POST", "/v1/cart/lines", &[("idempotency-key", key)], json!({"sku": "a"})).await
    };
    assert_eq!(retry("key-1").await.expect(200).header("idempotency-replayed"), Some("true"));
    assert_eq!(retry("key-0").await.expect(200).header("idempotency-replayed"), None);
}

#[tokio::test]
async fn before_a_session_exists_a_key_has_no_effect() {
    let shop = Shop::new();
    let key = [("idempotency-key", "one")];
    let (one, other) = (shop.browser(), shop.browser());
    for browser in [&one, &other] {
        let added = browser.with("POST", "/v1/cart/lines", &key, json!({"sku": "a"})).await.expect(200);
        assert_eq!(added.header("idempotency-replayed"), None);
    }
    assert_ne!(one.cart().await.json["id"], other.cart().await.json["id"]);
}

#[tokio::test]
async fn keys_of_different_sessions_are_different_keys() {
    let shop = Shop::new();
    let (one, other) = (shop.bearer().await, shop.bearer().await);
    let key = [("idempotency-key", "one")];
    for app in [&one, &other] {
        app.with("POST", "/v1/cart/lines", &key, json!({"sku": "a"})).await.expect(200);
        assert_eq!(app.cart().await.shown(), "a=1");
    }
}

#[tokio::test]
async fn a_malformed_key_is_refused_with_its_header_named() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    for key in ["", "a b", "é", &"k".repeat(129)] {
        let refused =
            app.with("POST", "/v1/cart/lines", &[("idempotency-key", key)], json!({"sku": "a"})).await;
        assert_eq!(refused.problem(400, "invalid_idempotency_key").pointers(), ["#/header/Idempotency-Key"]);
    }
    let longest = "k".repeat(128);
    app.with("POST", "/v1/cart/lines", &[("idempotency-key", &longest)], json!({"sku": "a"}))
        .await
        .expect(200);
}
