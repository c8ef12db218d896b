//! `/v1/cart`: what a shopper does to a cart, and what the answers say.

use serde_json::json;

use crate::support::{Actor, Shop};

#[tokio::test]
async fn what_is_put_in_is_there_in_the_form_of_the_contract() {
    let shop = Shop::new();
    let browser = shop.browser();
    let body = json!({"sku": "tee", "quantity": 2, "options": {"size": "L", "colour": "blue"}});
    let added = browser.json("POST", "/v1/cart/lines", body).await.expect(200);
    assert_eq!(added.header("content-type"), Some("application/json"));
    let cart = browser.cart().await;
    assert_eq!(cart.json, added.json);
    let cart = cart.json.as_object().unwrap();
    let names: Vec<&str> = cart.keys().map(String::as_str).collect();
    assert_eq!(names, ["generation", "id", "lines", "notices", "quantity", "revision", "saved"]);
    assert_eq!(
        (&cart["generation"], &cart["revision"], &cart["quantity"]),
        (&json!(0), &json!(1), &json!(2))
    );
    assert_eq!((&cart["saved"], &cart["notices"]), (&json!([]), &json!([])));
    let line = cart["lines"][0].as_object().unwrap();
    let names: Vec<&str> = line.keys().map(String::as_str).collect();
    assert_eq!(names, ["added_at", "id", "options", "quantity", "sku", "updated_at"]);
    assert_eq!(line["options"], json!({"colour": "blue", "size": "L"}));
    let at = line["added_at"].as_str().unwrap();
    assert!(at.len() == 24 && at.ends_with('Z') && &at[10..11] == "T", "{at}");
}

#[tokio::test]
async fn the_id_of_a_line_follows_from_what_it_is_of() {
    let shop = Shop::new();
    let (one, other) = (shop.browser(), shop.browser());
    let a = one.json("POST", "/v1/cart/lines", json!({"sku": "tee", "options": {"a": "1", "b": "2"}})).await;
    let b =
        other.json("POST", "/v1/cart/lines", json!({"options": {"b": "2", "a": "1"}, "sku": "tee"})).await;
    assert_eq!(a.line("tee"), b.line("tee"));
    assert_eq!(a.line("tee").len(), 22);
}

#[tokio::test]
async fn a_visitor_without_a_session_sees_nobodys_empty_cart() {
    let shop = Shop::new();
    let cart = shop.browser().cart().await;
    let empty = json!({"id": null, "generation": 0, "revision": 0, "lines": [], "saved": [], "quantity": 0, "notices": []});
    assert_eq!((cart.json.clone(), cart.etag()), (empty, "\"empty.0\""));
}

#[tokio::test]
async fn adding_adds_setting_sets_and_removing_removes() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.add("a", 2).await.expect(200);
    browser.add("b", 1).await.expect(200);
    let cart = browser.add("a", 3).await.expect(200);
    assert_eq!((cart.shown(), cart.quantity(), cart.revision()), ("a=5 b=1".to_owned(), 6, 3));
    let a = format!("/v1/cart/lines/{}", cart.line("a"));
    assert_eq!(browser.json("PUT", &a, json!({"quantity": 4})).await.expect(200).shown(), "a=4 b=1");
    assert_eq!(browser.json("PUT", &a, json!({"quantity": 0})).await.expect(200).shown(), "b=1");
    browser.json("PUT", &a, json!({"quantity": 1})).await.problem(404, "line_not_found");
    let b = format!("/v1/cart/lines/{}", cart.line("b"));
    assert_eq!(browser.delete(&b).await.expect(200).shown(), "");
    browser.delete(&b).await.expect(200);
    assert_eq!(browser.add("c", 1).await.expect(200).shown(), "c=1");
    assert_eq!(browser.delete("/v1/cart").await.expect(200).shown(), "");
}

#[tokio::test]
async fn a_quantity_is_one_where_none_is_named() {
    let shop = Shop::new();
    let browser = shop.browser();
    assert_eq!(browser.json("POST", "/v1/cart/lines", json!({"sku": "a"})).await.expect(200).shown(), "a=1");
}

#[tokio::test]
async fn a_line_id_of_no_form_is_as_good_as_removed_and_changes_nothing() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    for id in ["x", "%ff", "%00", "a%2Fb", &"a".repeat(3_000)] {
        let kept = browser.delete(&format!("/v1/cart/lines/{id}")).await.expect(200);
        assert_eq!((kept.shown(), kept.revision()), ("a=1".to_owned(), 1), "{id}");
        browser
            .json("PUT", &format!("/v1/cart/lines/{id}"), json!({"quantity": 1}))
            .await
            .problem(404, "line_not_found");
    }
}

#[tokio::test]
async fn writes_without_a_session_that_keep_nothing_make_none() {
    let shop = Shop::new();
    let browser = shop.browser();
    let line = "/v1/cart/lines/aaaaaaaaaaaaaaaaaaaaaa";
    browser.delete("/v1/cart").await.expect(200);
    browser.delete(line).await.expect(200);
    browser.json("PUT", line, json!({"quantity": 1})).await.problem(404, "line_not_found");
    browser.add("a", 10_000).await.problem(422, "quantity_over_limit");
    browser.json("POST", "/v1/cart/lines", json!({"sku": ""})).await.problem(422, "invalid_body");
    assert_eq!((browser.cookie(), shop.store.commits()), (None, 0));
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let shop = Shop::new();
    let browser = shop.browser();
    let added = browser.add("a", 1).await.expect(200);
    let head = browser.with("HEAD", "/v1/cart", &[], json!(null)).await.expect(200);
    assert_eq!((head.text.as_str(), head.etag()), ("", added.etag()));
}

#[tokio::test]
async fn the_201st_line_and_the_10_000th_unit_are_refused_with_the_limit_named() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    for n in 0..200 {
        app.add(&format!("sku-{n}"), 1).await.expect(200);
    }
    let refused = app.add("one-more", 1).await.problem(422, "too_many_lines");
    assert!(refused.json["detail"].as_str().unwrap().contains("200"), "{}", refused.text);
    let full = app.add("sku-7", 9_998).await.expect(200);
    assert_eq!(full.quantity(), 199 + 9_999);
    let refused = app.add("sku-7", 1).await.problem(422, "quantity_over_limit");
    assert!(refused.json["detail"].as_str().unwrap().contains("9999"), "{}", refused.text);
    assert_eq!(refused.pointers(), ["#/quantity"]);
    let line = format!("/v1/cart/lines/{}", full.line("sku-7"));
    app.json("PUT", &line, json!({"quantity": 10_000})).await.problem(422, "quantity_over_limit");
    assert_eq!(app.cart().await.json, full.json);
}

#[tokio::test]
async fn a_large_cart_is_shown_as_it_is_however_often_it_was_rendered() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    for n in 0..40 {
        app.add(&format!("sku-{n}"), 1).await.expect(200);
    }
    for n in 0..5 {
        let changed = app.add("sku-7", 1).await.expect(200);
        for _ in 0..3 {
            let read = app.cart().await;
            assert_eq!((&read.json, read.etag()), (&changed.json, changed.etag()), "change {n}");
        }
    }
    let other = shop.bearer().await;
    for n in 0..40 {
        other.add(&format!("sku-{n}"), 1).await.expect(200);
    }
    assert_ne!(other.cart().await.json["id"], app.cart().await.json["id"]);
}
