//! Bad input: a problem with code and pointer, and nothing changed.

use axum::body::Body;
use serde_json::{Value, json};

use crate::support::{Actor, Bearer, Shop, request};

/// A cart with one line, to which nothing may happen.
async fn app(shop: &Shop) -> Bearer {
    let app = shop.bearer().await;
    app.add("a", 1).await.expect(200);
    app
}

async fn unchanged(app: &Bearer) {
    assert_eq!((app.cart().await.shown(), app.cart().await.revision()), ("a=1".to_owned(), 1));
}

async fn post(
    app: &Bearer,
    content_type: Option<&str>,
    body: impl Into<Body>,
) -> crate::support::reply::Reply {
    let mut request = request("POST", "/v1/cart/lines");
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    app.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn what_is_not_valid_is_422_with_its_pointer() {
    let shop = Shop::new();
    let app = app(&shop).await;
    let many: serde_json::Map<String, Value> = (0..21).map(|n| (format!("o{n}"), json!("v"))).collect();
    for (body, pointers) in [
        (json!({"sku": "a", "colour": "red"}), vec!["#/colour"]),
        (json!({"sku": "a", "a/b~c d": 1}), vec!["#/a~1b~0c%20d"]),
        (json!({}), vec!["#/sku"]),
        (json!({"sku": null}), vec!["#/sku"]),
        (json!({"sku": 7}), vec!["#/sku"]),
        (json!({"sku": ["a"]}), vec!["#/sku"]),
        (json!({"sku": ""}), vec!["#/sku"]),
        (json!({"sku": "s".repeat(129)}), vec!["#/sku"]),
        (json!({"sku": "a", "quantity": 0}), vec!["#/quantity"]),
        (json!({"sku": "a", "quantity": -1}), vec!["#/quantity"]),
        (json!({"sku": "a", "quantity": 1.5}), vec!["#/quantity"]),
        (json!({"sku": "a", "quantity": "1"}), vec!["#/quantity"]),
        (json!({"sku": "a", "quantity": true}), vec!["#/quantity"]),
        (json!({"sku": "a", "quantity": {}}), vec!["#/quantity"]),
        (json!({"sku": "a", "options": []}), vec!["#/options"]),
        (json!({"sku": "a", "options": {"size": null}}), vec!["#/options/size"]),
        (json!({"sku": "a", "colour": null}), vec!["#/colour"]),
        (json!({"sku": "a", "options": {"size": 1}}), vec!["#/options/size"]),
        (json!({"sku": "a", "options": {"size": {"x": "y"}}}), vec!["#/options/size"]),
        (json!({"sku": "a", "options": {"": "x"}}), vec!["#/options/"]),
        (json!({"sku": "a", "options": {"n".repeat(65): "x"}}), vec![]),
        (json!({"sku": "a", "options": {"size": "v".repeat(257)}}), vec!["#/options/size"]),
        (json!({"sku": "a", "options": many}), vec!["#/options"]),
        (json!({"sku": 1, "quantity": -1, "more": 1}), vec!["#/sku", "#/quantity", "#/more"]),
        (json!([]), vec!["#"]),
        (json!("text"), vec!["#"]),
        (json!(7), vec!["#"]),
    ] {
        let refused = app.json("POST", "/v1/cart/lines", body.clone()).await.problem(422, "invalid_body");
        if pointers.is_empty() {
            assert_eq!(refused.pointers().len(), 1, "{body}");
        } else {
            assert_eq!(refused.pointers(), pointers, "{body}");
        }
    }
    unchanged(&app).await;
}

#[tokio::test]
async fn numbers_are_whole_and_a_huge_one_meets_the_limit() {
    let shop = Shop::new();
    let app = app(&shop).await;
    for number in ["1.5", "1e-1", "-0", "0", "0e9", "0.1", "-9999999999999999999999", "-1e400", "1e-400"] {
        let body = format!("{{\"sku\":\"a\",\"quantity\":{number}}}");
        let refused = post(&app, Some("application/json"), body).await.problem(422, "invalid_body");
        assert_eq!(refused.pointers(), ["#/quantity"], "{number}");
    }
    let huge = "9".repeat(500);
    for number in [
        "10000",
        "1e4",
        "4294967295",
        "4294967297.0",
        "18446744073709551617",
        "1e400",
        "1e99999999999",
        &huge,
    ] {
        let body = format!("{{\"sku\":\"a\",\"quantity\":{number}}}");
        let refused = post(&app, Some("application/json"), body).await.problem(422, "quantity_over_limit");
        assert_eq!(refused.pointers(), ["#/quantity"], "{number}");
        assert!(refused.json["detail"].as_str().unwrap().contains("9999"));
    }
    unchanged(&app).await;
}

#[tokio::test]
async fn a_name_that_comes_twice_is_refused() {
    let shop = Shop::new();
    let app = app(&shop).await;
    for (body, pointer) in [
        (r#"{"sku":"a","sku":"b"}"#, "#/sku"),
        (r#"{"sku":"a","quantity":1,"quantity":1}"#, "#/quantity"),
        (r#"{"sku":"a","s\u006bu":"a"}"#, "#/sku"),
        (r#"{"sku":"a","options":{},"options":{}}"#, "#/options"),
        (r#"{"sku":"a","options":{"x":"1","x":"1"}}"#, "#/options/x"),
    ] {
        let refused = post(&app, Some("application/json"), body).await.problem(422, "invalid_body");
        assert_eq!(refused.pointers(), [pointer], "{body}");
    }
    unchanged(&app).await;
}

#[tokio::test]
async fn what_is_not_json_is_400() {
    let shop = Shop::new();
    let app = app(&shop).await;
    let deep = format!("{{\"sku\":{}{}}}", "[".repeat(30_000), "]".repeat(30_000));
    let deep_object = format!("{}1{}", "{\"a\":".repeat(40), "}".repeat(40));
    for body in [
        b"".as_slice(),
        b" \n",
        b"{",
        b"{\"sku\":\"a\"",
        b"nul",
        b"[1",
        b"12x",
        b"{\"sku\":\"a\",}",
        b"{\"sku\":\"a\"} x",
        b"{'sku':'a'}",
        b"{\"sku\":\"\xff\"}",
        b"{\"sku\":\"\xc3\"}",
        b"\xef\xbb\xbf",
        b"\xff\xfe{\x00}\x00",
        b"{\"sku\":\"\\ud800\"}",
        b"{\"sku\":\"a\x00\"}",
        b"{\"sku\":\"a\",\"quantity\":01}",
        b"{\"sku\":\"a\",\"quantity\":+1}",
        b"{\"sku\":\"a\",\"quantity\":NaN}",
        b"\x00\x01\x02",
        deep.as_bytes(),
        deep_object.as_bytes(),
    ] {
        let refused = post(&app, Some("application/json"), body.to_vec()).await;
        refused.problem(400, "invalid_json");
    }
    unchanged(&app).await;
}

#[tokio::test]
async fn another_content_type_is_415() {
    let shop = Shop::new();
    let app = app(&shop).await;
    let body = r#"{"sku":"a"}"#;
    for content_type in [
        None,
        Some(""),
        Some("text/json"),
        Some("application/jsonp"),
        Some("application/json; charset=latin1"),
        Some("é"),
    ] {
        post(&app, content_type, body).await.problem(415, "unsupported_media_type");
    }
    unchanged(&app).await;
    for content_type in
        ["application/json", "Application/JSON; charset=UTF-8", "application/json; charset=\"utf-8\""]
    {
        post(&app, Some(content_type), body).await.expect(200);
    }
}

#[tokio::test]
async fn a_body_over_64_kib_is_413_with_or_without_its_length() {
    let shop = Shop::new();
    let app = app(&shop).await;
    let huge = format!("{{\"sku\":\"{}\"}}", "s".repeat(64 * 1024));
    post(&app, Some("application/json"), huge.clone()).await.problem(413, "body_too_large");
    let lying = request("POST", "/v1/cart/lines").header("content-type", "application/json");
    let lying = lying.header("content-length", "99999999").body(Body::from("{}")).unwrap();
    app.send(lying).await.problem(413, "body_too_large");
    unchanged(&app).await;
    let most = format!("{{\"sku\":\"b\"{}}}", " ".repeat(64 * 1024 - 11));
    assert_eq!(most.len(), 64 * 1024);
    post(&app, Some("application/json"), most).await.expect(200);
}

#[tokio::test]
async fn absurd_headers_and_cookies_are_431() {
    let shop = Shop::new();
    let app = app(&shop).await;
    let cookie = format!("a={}", "x".repeat(64 * 1024));
    let huge = request("GET", "/v1/cart").header("cookie", cookie).body(Body::empty()).unwrap();
    shop.anyone().send(huge).await.problem(431, "headers_too_large");
    let mut many = request("GET", "/v1/cart");
    for n in 0..200 {
        many = many.header(format!("x-{n}"), "1");
    }
    shop.anyone().send(many.body(Body::empty()).unwrap()).await.problem(431, "headers_too_large");
    unchanged(&app).await;
}

#[tokio::test]
async fn a_session_is_begun_only_by_a_body_that_says_so() {
    let shop = Shop::new();
    for (body, pointer) in [
        (json!({}), "#/transport"),
        (json!({"transport": "cookie"}), "#/transport"),
        (json!({"transport": 1}), "#/transport"),
        (json!({"transport": "bearer", "x": 1}), "#/x"),
    ] {
        let refused = shop.anyone().json("POST", "/v1/session", body).await.problem(422, "invalid_body");
        assert_eq!(refused.pointers(), [pointer]);
    }
    assert_eq!(shop.store.commits(), 0);
}

#[tokio::test]
async fn a_stranger_is_told_back_little_of_what_was_sent() {
    let shop = Shop::new();
    let app = app(&shop).await;
    let name = "<script>".repeat(1_000);
    let refused =
        app.json("POST", "/v1/cart/lines", json!({"sku": "a", name: 1})).await.problem(422, "invalid_body");
    assert!(refused.text.len() < 1_000 && !refused.text.contains('<'), "{}", refused.text);
    let many: serde_json::Map<String, Value> = (0..5_000).map(|n| (format!("f{n}"), json!(1))).collect();
    let refused = app.json("POST", "/v1/cart/lines", Value::Object(many)).await.problem(422, "invalid_body");
    assert!(refused.pointers().len() <= 20);
}
