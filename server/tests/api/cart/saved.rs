//! Saved for later: off the cart, back into it, and off the list for good.

use serde_json::json;

use crate::support::reply::Reply;
use crate::support::{Actor, Shop};

/// `sku=quantity` of the saved list, in order.
fn saved(reply: &Reply) -> String {
    let lines = reply.json["saved"].as_array().unwrap();
    let shown = lines.iter().map(|line| format!("{}={}", line["sku"].as_str().unwrap(), line["quantity"]));
    shown.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_line_is_saved_for_later_and_comes_back_whole() {
    let shop = Shop::new();
    let browser = shop.browser();
    let line = browser.add("a", 2).await.expect(200).line("a").to_owned();
    browser.add("b", 1).await.expect(200);
    let kept = browser.json("POST", &format!("/v1/cart/lines/{line}/save"), json!(null)).await.expect(200);
    assert_eq!((kept.shown(), saved(&kept), kept.quantity()), ("b=1".to_owned(), "a=2".to_owned(), 1));
    assert_eq!(kept.json, browser.cart().await.json);
    let names: Vec<&str> = kept.json["saved"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["added_at", "id", "options", "quantity", "sku", "updated_at"]);
    let back = browser.json("POST", &format!("/v1/cart/saved/{line}/unsave"), json!({})).await.expect(200);
    assert_eq!((back.shown(), saved(&back)), ("b=1 a=2".to_owned(), String::new()));
}

#[tokio::test]
async fn a_saved_line_is_dropped_for_good_and_an_absent_one_is_fine() {
    let shop = Shop::new();
    let browser = shop.browser();
    let line = browser.add("a", 2).await.expect(200).line("a").to_owned();
    browser.json("POST", &format!("/v1/cart/lines/{line}/save"), json!(null)).await.expect(200);
    for _ in 0..2 {
        let dropped = browser.delete(&format!("/v1/cart/saved/{line}")).await.expect(200);
        assert_eq!((dropped.shown(), saved(&dropped)), (String::new(), String::new()));
    }
    let revision = browser.cart().await.revision();
    assert_eq!(browser.delete("/v1/cart/saved/no-line-has-this-id").await.expect(200).revision(), revision);
}

#[tokio::test]
async fn who_moves_a_line_that_is_not_there_is_told() {
    let shop = Shop::new();
    let browser = shop.browser();
    let line = browser.add("a", 1).await.expect(200).line("a").to_owned();
    let before = browser.cart().await.json;
    for path in [
        format!("/v1/cart/saved/{line}/unsave"),
        "/v1/cart/lines/aaaaaaaaaaaaaaaaaaaaaa/save".to_owned(),
        "/v1/cart/lines/short/save".to_owned(),
        "/v1/cart/saved/%ff/unsave".to_owned(),
    ] {
        browser.json("POST", &path, json!(null)).await.problem(404, "line_not_found");
    }
    assert_eq!(browser.cart().await.json, before);
    let nobody = shop.browser();
    for path in [format!("/v1/cart/lines/{line}/save"), format!("/v1/cart/saved/{line}/unsave")] {
        nobody.json("POST", &path, json!(null)).await.problem(404, "line_not_found");
    }
    nobody.delete(&format!("/v1/cart/saved/{line}")).await.expect(200);
    assert_eq!(nobody.cookie(), None);
}

#[tokio::test]
async fn units_that_came_after_the_page_stay_in_the_cart() {
    let shop = Shop::new();
    let browser = shop.browser();
    let seen = browser.add("a", 2).await.expect(200);
    browser.add("a", 3).await.expect(200);
    let path = format!("/v1/cart/lines/{}/save", seen.line("a"));
    let kept = browser.with("POST", &path, &[("if-match", seen.etag())], json!(null)).await.expect(200);
    assert_eq!((kept.shown(), saved(&kept)), ("a=3".to_owned(), "a=2".to_owned()));
}

#[tokio::test]
async fn two_saves_at_once_move_a_line_once_and_a_retry_moves_nothing() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let seen = app.add("a", 2).await.expect(200);
    let path = format!("/v1/cart/lines/{}/save", seen.line("a"));
    let key = [("idempotency-key", "one")];
    let first = app.with("POST", &path, &key, json!(null)).await.expect(200);
    let again = app.with("POST", &path, &key, json!(null)).await.expect(200);
    assert_eq!((again.json, again.headers["idempotency-replayed"].to_str().unwrap()), (first.json, "true"));
    app.json("POST", &path, json!(null)).await.problem(404, "line_not_found");
    let undo = format!("/v1/cart/saved/{}/unsave", seen.line("a"));
    app.with("POST", &undo, &key, json!(null)).await.problem(422, "idempotency_key_reused");
    assert_eq!(saved(&app.cart().await), "a=2");
}

#[tokio::test]
async fn the_201st_saved_line_is_refused_with_the_limit_named() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    for n in 0..200 {
        let line = app.add(&format!("sku-{n}"), 1).await.expect(200).line(&format!("sku-{n}")).to_owned();
        app.json("POST", &format!("/v1/cart/lines/{line}/save"), json!(null)).await.expect(200);
    }
    let last = app.add("one-more", 1).await.expect(200);
    let path = format!("/v1/cart/lines/{}/save", last.line("one-more"));
    let refused = app.json("POST", &path, json!(null)).await.problem(422, "too_many_saved_lines");
    assert!(refused.json["detail"].as_str().unwrap().contains("200"), "{}", refused.text);
    assert_eq!(app.cart().await.json, last.json);
}

#[tokio::test]
async fn a_body_where_none_is_needed_may_be_empty_and_nothing_else() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let line = app.add("a", 1).await.expect(200).line("a").to_owned();
    let path = format!("/v1/cart/lines/{line}/save");
    let refused = app.json("POST", &path, json!({"quantity": 1})).await.problem(422, "invalid_body");
    assert_eq!(refused.pointers(), ["#/quantity"]);
    app.json("POST", &path, json!([])).await.problem(422, "invalid_body");
    let text = crate::support::request("POST", &path).header("content-type", "text/plain");
    app.send(text.body("x".into()).unwrap()).await.problem(415, "unsupported_media_type");
    assert_eq!(app.cart().await.shown(), "a=1");
}
