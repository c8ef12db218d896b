//! Tags that come back through proxies: weak, in lists, on several lines, with the suffixes of who compressed the answer. They
//! name the same state on every route that reads one.

use std::sync::Arc;

use crate::support::reply::Reply;
use crate::support::{Actor, Bearer, Shop, request};
use serde_json::{Value, json};
use trolley::catalogue::form;
use trolley::catalogue::shop::Shop as Shelves;

/// A tag in every form in which it may come back.
fn forms(tag: &str) -> Vec<String> {
    let inside = |suffix: &str| format!("{}{suffix}\"", tag.strip_suffix('"').unwrap());
    let suffixes = ["-gzip", "--gzip", "-br", "--br", "-zstd", "--zstd", ";gzip", ";br", "-gzip-br"];
    let mut forms: Vec<_> =
        suffixes.into_iter().flat_map(|suffix| [inside(suffix), format!("W/{}", inside(suffix))]).collect();
    forms.extend([
        tag.to_owned(),
        format!("W/{tag}"),
        format!("{tag},{tag}"),
        format!(" , {tag} ,, W/{tag}"),
    ]);
    forms
}

async fn sent(app: &Bearer, method: &str, path: &str, lines: &[(&str, &str)], body: Value) -> Reply {
    let mut request = request(method, path).header("content-type", "application/json");
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    app.send(request.body(body.into()).unwrap()).await
}

/// A shop whose tags have a third part, and one whose tags have not.
fn shops() -> [Shop; 2] {
    let products = json!({"currency": "EUR", "products": {"a": {"title": "A", "price": 1}, "b": {"title": "B", "price": 1}}});
    let shelves = Shelves::new(form::shelf(products.to_string().as_bytes()).unwrap());
    [Shop::new(), Shop::selling(Arc::new(shelves))]
}

#[tokio::test]
async fn what_has_not_changed_is_304_in_whatever_form_its_tag_comes_back() {
    for shop in shops() {
        let app = shop.bearer().await;
        let cart = app.add("a", 1).await.expect(200).etag().to_owned();
        let data = app.json("PATCH", "/v1/session/data", json!({"n": 1})).await.expect(200).etag().to_owned();
        for (path, tag) in [("/v1/cart", &cart), ("/v1/session/data", &data)] {
            for form in forms(tag) {
                let same =
                    sent(&app, "GET", path, &[("if-none-match", &form)], Value::Null).await.expect(304);
                assert_eq!((same.etag(), same.text.as_str()), (tag.as_str(), ""), "{form}");
                let lines = [("if-none-match", "\"another\""), ("if-none-match", form.as_str())];
                sent(&app, "GET", path, &lines, Value::Null).await.expect(304);
            }
            for other in
                ["\"another\"", "W/\"another-gzip\"", &format!("{}0\"", tag.strip_suffix('"').unwrap())]
            {
                sent(&app, "GET", path, &[("if-none-match", other)], Value::Null).await.expect(200);
            }
            for broken in ["x", "\"", "\"\"", "\"a\" \"b\"", "\"a b\"", "w/\"a\"", "", ","] {
                let refused = sent(&app, "GET", path, &[("if-none-match", broken)], Value::Null).await;
                let refused = refused.problem(400, "invalid_etag");
                assert_eq!(refused.pointers(), ["#/header/If-None-Match"], "{path} {broken}");
            }
        }
    }
}

#[tokio::test]
async fn a_write_has_seen_what_its_tag_names_in_whatever_form_it_comes_back() {
    for shop in shops() {
        let app = shop.bearer().await;
        for n in 0..forms("\"x\"").len() {
            let seen = app.add("a", 2).await.expect(200);
            let line = format!("/v1/cart/lines/{}", seen.line("a"));
            let form = forms(seen.etag()).swap_remove(n);
            app.add("a", 3).await.expect(200);
            let kept = sent(&app, "DELETE", &line, &[("if-match", &form)], Value::Null).await.expect(200);
            assert_eq!(kept.shown(), "a=3", "{form}");
            let strict = [("if-match", form.as_str()), ("trolley-strict", "true")];
            let refused = sent(&app, "DELETE", &line, &strict, Value::Null).await;
            assert_eq!(refused.problem(412, "precondition_failed").json["cart"]["quantity"], 3, "{form}");
            let now = forms(kept.etag()).swap_remove(n);
            let strict = [("if-match", now.as_str()), ("trolley-strict", "true")];
            assert_eq!(
                sent(&app, "DELETE", &line, &strict, Value::Null).await.expect(200).shown(),
                "",
                "{now}"
            );
        }
    }
}

#[tokio::test]
async fn of_several_tags_of_the_cart_the_lowest_revision_counts_and_other_carts_say_nothing() {
    let shop = Shop::new();
    let (app, other) = (shop.bearer().await, shop.bearer().await);
    let foreign = other.add("a", 1).await.expect(200).etag().to_owned();
    let old = app.add("a", 1).await.expect(200);
    let line = format!("/v1/cart/lines/{}", old.line("a"));
    let new = app.add("a", 2).await.expect(200).etag().to_owned();
    let strictly = async |lines: &[&str]| {
        let mut headers: Vec<_> = lines.iter().map(|line| ("if-match", *line)).collect();
        headers.push(("trolley-strict", "true"));
        sent(&app, "PUT", &line, &headers, json!({"quantity": 3})).await
    };
    for lines in [
        vec![format!("{new}, {}", old.etag())],
        vec![old.etag().to_owned(), new.clone()],
        vec![format!("*, {}", old.etag())],
        vec![foreign.clone()],
        vec!["\"empty.0\"".to_owned()],
    ] {
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        strictly(&lines).await.problem(412, "precondition_failed");
    }
    let kept =
        sent(&app, "DELETE", &line, &[("if-match", &format!("{new}, {}", old.etag()))], Value::Null).await;
    assert_eq!(kept.expect(200).shown(), "a=2", "it has seen the first alone");
    let tag = app.add("a", 1).await.expect(200).etag().to_owned();
    let tag = strictly(&[&format!("{foreign}, {tag}-gzip").replace("\"-gzip", "-gzip\"")])
        .await
        .expect(200)
        .etag()
        .to_owned();
    let tag = strictly(&[&foreign, &tag, "\"empty.0\""]).await.expect(200).etag().to_owned();
    let tag = strictly(&["*", &tag]).await.expect(200).etag().to_owned();
    strictly(&["*", &foreign]).await.expect(200);
    strictly(&[&tag, "x"]).await.problem(400, "invalid_etag");
    let carts: Vec<_> = (0..5).map(|n| format!("\"018bcfe5-687b-7fff-bfff-{n:012}.1\"")).collect();
    strictly(&[&carts.join(",")]).await.problem(400, "invalid_etag");
}

#[tokio::test]
async fn a_strict_change_of_any_kind_is_412_with_the_present_cart_where_it_had_seen_less() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let old = app.add("a", 1).await.expect(200);
    let present = app.add("a", 1).await.expect(200);
    let (line, cart) = (old.line("a"), present.json["id"].as_str().unwrap());
    let op = json!({"seq": 1, "op_id": "0123456789abcdef", "base": 1, "age_ms": 0, "op": "add", "sku": "a", "quantity": 1});
    let sync = json!({"client": "018bcfe5-687b-7fff-bfff-ffffffffffff", "ops": [op]});
    let stale = [
        format!("W/\"{cart}.1-gzip\""),
        format!("\"{cart}.1;br\", {}", present.etag()),
        "\"empty.0\"".to_owned(),
    ];
    for (method, path, body) in [
        ("POST", "/v1/cart/lines".to_owned(), json!({"sku": "b"})),
        ("PUT", format!("/v1/cart/lines/{line}"), json!({"quantity": 9})),
        ("DELETE", format!("/v1/cart/lines/{line}"), Value::Null),
        ("DELETE", "/v1/cart".to_owned(), Value::Null),
        ("POST", format!("/v1/cart/lines/{line}/save"), Value::Null),
        ("POST", format!("/v1/cart/saved/{line}/unsave"), Value::Null),
        ("DELETE", format!("/v1/cart/saved/{line}"), Value::Null),
        ("DELETE", "/v1/cart/saved/x".to_owned(), Value::Null),
        ("POST", "/v1/cart/undo".to_owned(), json!({"revision": 1})),
        ("POST", "/v1/cart/sync".to_owned(), sync),
        ("POST", "/v1/cart/checkout".to_owned(), Value::Null),
    ] {
        for tag in &stale {
            let lines = [("if-match", tag.as_str()), ("trolley-strict", "true")];
            let refused = sent(&app, method, &path, &lines, body.clone()).await;
            let refused = refused.problem(412, "precondition_failed");
            assert_eq!(refused.json["cart"], present.json, "{method} {path} {tag}");
        }
    }
    assert_eq!(app.cart().await.json, present.json);
    let nobody = shop.anyone();
    let strict = [("if-match", stale[0].as_str()), ("trolley-strict", "true")];
    let refused = nobody.with("POST", "/v1/cart/lines", &strict, json!({"sku": "a"})).await;
    assert_eq!(refused.problem(412, "precondition_failed").json["cart"]["revision"], 0);
    let strict = [("if-match", "\"empty.0-gzip\""), ("trolley-strict", "true")];
    nobody.with("POST", "/v1/cart/lines", &strict, json!({"sku": "a"})).await.expect(200);
}

#[tokio::test]
async fn session_data_is_patched_under_its_tag_in_whatever_form_it_comes_back() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    const PATH: &str = "/v1/session/data";
    let mut tag = app.json("PATCH", PATH, json!({"n": 0})).await.expect(200).etag().to_owned();
    for n in 0..forms(&tag).len() {
        let form = forms(&tag).swap_remove(n);
        let stale = tag.clone();
        tag = sent(&app, "PATCH", PATH, &[("if-match", &form)], json!({"n": n + 1}))
            .await
            .expect(200)
            .etag()
            .to_owned();
        let late = sent(&app, "PATCH", PATH, &[("if-match", &form)], json!({"n": 0})).await;
        late.problem(412, "precondition_failed");
        let lines = [("if-match", stale.as_str()), ("if-match", tag.as_str())];
        sent(&app, "PATCH", PATH, &lines, json!({"n": n + 1})).await.expect(200);
    }
}

#[tokio::test]
async fn a_retry_whose_tag_a_proxy_rewrote_is_the_same_request() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let tag = app.add("a", 1).await.expect(200).etag().to_owned();
    for form in forms(&tag) {
        let lines = [("idempotency-key", "one"), ("if-match", form.as_str())];
        let added = sent(&app, "POST", "/v1/cart/lines", &lines, json!({"sku": "a"})).await.expect(200);
        assert_eq!(added.shown(), "a=2", "{form}");
    }
    let data = app.json("PATCH", "/v1/session/data", json!({"n": 0})).await.expect(200).etag().to_owned();
    for form in forms(&data) {
        let lines = [("idempotency-key", "two"), ("if-match", form.as_str())];
        sent(&app, "PATCH", "/v1/session/data", &lines, json!({"n": 1})).await.expect(200);
    }
    let other = [("idempotency-key", "two"), ("if-match", "\"another\"")];
    sent(&app, "PATCH", "/v1/session/data", &other, json!({"n": 1}))
        .await
        .problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_retry_is_known_by_what_was_understood_and_not_by_its_bytes() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let again = async |path: &str, key: &str, body: &str| {
        let method = if path.ends_with("data") { "PATCH" } else { "POST" };
        let request = request(method, path).header("content-type", "application/json; charset=utf-8");
        app.send(request.header("idempotency-key", key).body(body.to_owned().into()).unwrap())
            .await
            .expect(200)
    };
    for body in [
        r#"{"sku":"a","quantity":1,"options":{"size":"L","ink":"red"}}"#,
        r#"{ "options": {"ink": "red", "size": "L"}, "sku": "a" }"#,
        "{\"sku\":\"\\u0061\",\n\"options\":{\"ink\":\"red\",\"size\":\"L\"}}",
    ] {
        assert_eq!(again("/v1/cart/lines", "one", body).await.shown(), "a=1", "{body}");
    }
    let line = app.cart().await.line("a").to_owned();
    for body in ["", "{}", " { } "] {
        assert_eq!(again(&format!("/v1/cart/lines/{line}/save"), "two", body).await.shown(), "", "{body}");
    }
    again("/v1/session/data", "three", r#"{"a":1,"b":{"c":2,"d":3}}"#).await;
    let same = again("/v1/session/data", "three", " {\"b\": {\"d\":3,\"c\":2}, \"\\u0061\":1}").await;
    assert_eq!(same.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn trolley_strict_is_true_or_false_and_said_once() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let stale = app.add("a", 1).await.expect(200).etag().to_owned();
    app.add("a", 1).await.expect(200);
    for (lines, status) in [
        (&["true"][..], 412),
        (&["false"], 200),
        (&["1"], 400),
        (&["True"], 400),
        (&[""], 400),
        (&["true", "true"], 400),
        (&["false", "true"], 400),
    ] {
        let mut headers: Vec<_> = lines.iter().map(|line| ("trolley-strict", *line)).collect();
        headers.push(("if-match", &stale));
        let reply =
            sent(&app, "DELETE", "/v1/cart/lines/aaaaaaaaaaaaaaaaaaaaaa", &headers, Value::Null).await;
        assert_eq!(reply.status, status, "{lines:?} {}", reply.text);
        // A name that no line ever has asks for as little, and is refused all the same.
        let reply = sent(&app, "DELETE", "/v1/cart/lines/x", &headers, Value::Null).await;
        assert_eq!(reply.status, status, "{lines:?} {}", reply.text);
        if status == 400 {
            assert_eq!(reply.problem(400, "invalid_request").pointers(), ["#/header/Trolley-Strict"]);
        }
    }
}
