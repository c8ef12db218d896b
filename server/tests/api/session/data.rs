//! Session data: what a shop keeps with a visit, by merge patch and compare-and-set.

use serde_json::{Value, json};
use trolley_store::port::{Listing, Store as _};
use trolley_store::records::Kind;

use crate::support::reply::Reply;
use crate::support::{Actor, Shop, days, request};

const PATH: &str = "/v1/session/data";

async fn patch(actor: &impl Actor, body: Value) -> Reply {
    actor.json("PATCH", PATH, body).await
}

#[tokio::test]
async fn what_is_patched_in_is_there_and_null_takes_it_out() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    assert_eq!(app.get(PATH).await.expect(200).json, json!({}));
    let seen = json!({"seen": ["mug", "tee"], "theme": {"dark": true, "size": 2.5}});
    let patched = patch(&app, seen.clone()).await.expect(200);
    assert_eq!((&patched.json, patched.header("content-type")), (&seen, Some("application/json")));
    let more = json!({"seen": ["lamp"], "theme": {"dark": null}, "name": "Zoë"});
    let expected = json!({"seen": ["lamp"], "theme": {"size": 2.5}, "name": "Zoë"});
    let patched = patch(&app, more).await.expect(200);
    let read = app.get(PATH).await.expect(200);
    assert_eq!((&patched.json, &read.json, read.etag()), (&expected, &expected, patched.etag()));
    assert_eq!(read.header("cache-control"), Some("no-store"));
    let merge = request("PATCH", PATH).header("content-type", "application/merge-patch+json");
    let merged = app.send(merge.body(r#"{"name":null}"#.into()).unwrap()).await.expect(200);
    assert_eq!(merged.json.get("name"), None);
}

#[tokio::test]
async fn a_patch_without_a_session_begins_one_and_a_read_or_an_empty_patch_does_not() {
    let shop = Shop::new();
    let browser = shop.browser();
    assert_eq!(browser.get(PATH).await.expect(200).json, json!({}));
    for nothing in [json!({}), json!({"a": null})] {
        assert_eq!(patch(&browser, nothing).await.expect(200).json, json!({}));
    }
    assert_eq!((browser.cookie(), shop.store.commits()), (None, 0));
    patch(&browser, json!({"a": 1})).await.expect(200);
    assert!(browser.cookie().is_some());
    assert_eq!(browser.get(PATH).await.expect(200).json, json!({"a": 1}));
    assert_eq!(browser.add("mug", 1).await.expect(200).shown(), "mug=1", "the visit has a cart of its own");
}

#[tokio::test]
async fn a_tag_that_is_not_the_datas_any_more_is_412_and_changes_nothing() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let with = async |tag: &str, body| app.with("PATCH", PATH, &[("if-match", tag)], body).await;
    let empty = app.get(PATH).await.expect(200);
    let one = with(empty.etag(), json!({"n": 1})).await.expect(200);
    assert_ne!(one.etag(), empty.etag());
    with(empty.etag(), json!({"n": 2})).await.problem(412, "precondition_failed");
    with("\"another\"", json!({"n": 2})).await.problem(412, "precondition_failed");
    assert_eq!(app.get(PATH).await.json, json!({"n": 1}));
    let list = format!("\"another\", {}", one.etag());
    let two = with(&list, json!({"n": 2})).await.expect(200);
    with(&format!("W/{}", two.etag()), json!({"n": 3})).await.expect(200);
    with("*", json!({"n": 4})).await.expect(200);
    for broken in ["x", "", "\"\"", "\"a", "a\"", "\"a b\"", "\"a\" \"b\""] {
        let refused = with(broken, json!({"n": 5})).await.problem(400, "invalid_etag");
        assert_eq!(refused.pointers(), ["#/header/If-Match"], "{broken}");
    }
    let nobody = shop.browser();
    let stale = [("if-match", one.etag())];
    nobody.with("PATCH", PATH, &stale, json!({"n": 1})).await.problem(412, "precondition_failed");
    assert_eq!((nobody.cookie(), app.get(PATH).await.json), (None, json!({"n": 4})));
}

#[tokio::test]
async fn data_that_has_not_changed_is_304_and_of_another_visit_it_is_not() {
    let shop = Shop::new();
    let (one, other) = (shop.bearer().await, shop.bearer().await);
    let tag = patch(&one, json!({"n": 1})).await.expect(200).etag().to_owned();
    patch(&other, json!({"n": 2})).await.expect(200);
    let unless = [("if-none-match", tag.as_str())];
    one.with("GET", PATH, &unless, json!(null)).await.expect(304);
    other.with("GET", PATH, &unless, json!(null)).await.expect(200);
    assert_eq!(patch(&one, json!({"n": 1})).await.expect(200).etag(), tag, "nothing has changed");
}

#[tokio::test]
async fn sixteen_kib_are_kept_and_a_byte_more_is_refused() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let full = json!({"a": "x".repeat(16 * 1024 - 8)});
    assert_eq!(full.to_string().len(), 16 * 1024);
    patch(&app, full.clone()).await.expect(200);
    let refused = patch(&app, json!({"b": 1})).await.problem(422, "data_too_large");
    assert!(refused.json["detail"].as_str().unwrap().contains("16,384"), "{}", refused.text);
    patch(&app, json!({"a": "x".repeat(16 * 1024 - 7)})).await.problem(422, "data_too_large");
    assert_eq!(app.get(PATH).await.json, full);
    patch(&app, json!({"a": null, "b": 1})).await.expect(200);
}

#[tokio::test]
async fn what_is_no_object_is_refused_and_what_is_no_json_too() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    patch(&app, json!({"n": 1})).await.expect(200);
    let send = async |content_type: &str, body: &str| {
        let request = request("PATCH", PATH).header("content-type", content_type);
        app.send(request.body(body.to_owned().into()).unwrap()).await
    };
    for (body, pointer) in [
        ("[]", "#"),
        ("1", "#"),
        ("null", "#"),
        ("\"a\"", "#"),
        (r#"{"a":1,"a":2}"#, "#/a"),
        (r#"{"a":{"b":1,"\u0062":1}}"#, "#/a/b"),
        (r#"{"a":[{"b":1,"b":1}]}"#, "#/a/0/b"),
    ] {
        let refused = send("application/json", body).await.problem(422, "invalid_body");
        assert_eq!(refused.pointers(), [pointer], "{body}");
    }
    let deep = format!("{}1{}", "{\"a\":".repeat(33), "}".repeat(33));
    for body in ["", "{", "{\"a\":}", "{\"a\":1.}", "{\"a\":01}", "{\"a\":\"\\ud800\"}", deep.as_str()] {
        send("application/merge-patch+json", body).await.problem(400, "invalid_json");
    }
    send("application/json-patch+json", "[]").await.problem(415, "unsupported_media_type");
    assert_eq!(app.get(PATH).await.json, json!({"n": 1}));
}

#[tokio::test]
async fn numbers_are_kept_as_they_were_written_and_no_name_means_anything() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let send = async |body: &str| {
        let request = request("PATCH", PATH).header("content-type", "application/merge-patch+json");
        app.send(request.body(body.to_owned().into()).unwrap()).await.expect(200).text
    };
    let written = r#"{"$serde_json::private::Number":"1","$serde_json::private::RawValue":"x","a":1.0,"b":1e400,"c":123456789012345678901234567890,"d":{"$serde_json::private::RawValue":"{"},"e":[-0.0,0.10]}"#;
    assert_eq!(send(written).await, written);
    for _ in 0..2 {
        assert_eq!(app.get(PATH).await.expect(200).text, written, "it can be read again and again");
        assert_eq!(send(r#"{"nothing":null}"#).await, written);
    }
    assert!(send(r#"{"a":1}"#).await.contains(r#""a":1,"#), "another spelling is another text");
    let left = send(
        r#"{"$serde_json::private::Number":null,"$serde_json::private::RawValue":null,"d":null,"e":null}"#,
    )
    .await;
    assert_eq!(left, r#"{"a":1,"b":1e400,"c":123456789012345678901234567890}"#);
}

#[tokio::test]
async fn a_retry_that_spells_a_number_otherwise_is_the_same_request() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let send = async |body: &str| {
        let request =
            request("PATCH", PATH).header("content-type", "application/json").header("idempotency-key", "k");
        app.send(request.body(body.to_owned().into()).unwrap()).await
    };
    send(r#"{"n": 20, "m": [1.50]}"#).await.expect(200);
    let again = send(r#"{"m":[1.5],"n":2e1}"#).await.expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    send(r#"{"m":[1.5],"n":21}"#).await.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn under_its_key_a_patch_is_done_once() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let key = [("idempotency-key", "one")];
    app.with("PATCH", PATH, &key, json!({"n": 1})).await.expect(200);
    patch(&app, json!({"n": 2})).await.expect(200);
    let again = app.with("PATCH", PATH, &key, json!({"n": 1})).await.expect(200);
    assert_eq!((&again.json, again.header("idempotency-replayed")), (&json!({"n": 2}), Some("true")));
    app.with("PATCH", PATH, &key, json!({"n": 3})).await.problem(422, "idempotency_key_reused");
    app.with("POST", "/v1/cart/lines", &key, json!({"sku": "a"}))
        .await
        .problem(422, "idempotency_key_reused");
    let late = [("idempotency-key", "two"), ("if-match", "\"data.0.00000000\"")];
    app.with("PATCH", PATH, &late, json!({"n": 3})).await.problem(412, "precondition_failed");
    let again = app.with("PATCH", PATH, &late, json!({"n": 3})).await.problem(412, "precondition_failed");
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn of_many_writers_with_one_tag_one_wins_and_without_tags_none_is_lost() {
    let shop = Shop::new();
    let app = std::sync::Arc::new(shop.bearer().await);
    let tag = patch(&*app, json!({"n": 0})).await.expect(200).etag().to_owned();
    let at_once = async |tag: Option<String>| {
        let mut writers = tokio::task::JoinSet::new();
        for n in 1..=16 {
            let (app, tag) = (app.clone(), tag.clone());
            writers.spawn(async move {
                let tag: Vec<_> = tag.iter().map(|tag| ("if-match", tag.as_str())).collect();
                app.with("PATCH", PATH, &tag, json!({format!("w{n}"): n})).await.status
            });
        }
        writers.join_all().await
    };
    let statuses = at_once(Some(tag)).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 15, "{statuses:?}");
    assert_eq!(at_once(None).await, [200; 16]);
    let kept = app.get(PATH).await.json;
    assert_eq!(kept.as_object().unwrap().len(), 17, "{kept}");
}

#[tokio::test]
async fn data_ends_with_its_session() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    patch(&app, json!({"n": 1})).await.expect(200);
    let records = async || shop.store.list(Listing::all(Kind::Data), 10).await.unwrap().len();
    assert_eq!(records().await, 1);
    shop.turn(days(181)).await;
    assert_eq!(records().await, 0);
    app.get(PATH).await.problem(401, "session_ended");
    patch(&app, json!({"n": 1})).await.problem(401, "session_ended");
}

#[tokio::test]
async fn a_session_that_ends_while_it_is_patched_keeps_nothing() {
    let shop = std::sync::Arc::new(Shop::new());
    let app = std::sync::Arc::new(shop.bearer().await);
    patch(&*app, json!({"n": 1})).await.expect(200);
    let device = app.get("/v1/session").await.json["device"]["id"].as_str().unwrap().parse().unwrap();
    shop.store.shut_gate();
    let late = tokio::spawn({
        let app = app.clone();
        async move { patch(&*app, json!({"n": 2})).await }
    });
    shop.store.until_waiting(1).await;
    shop.store.end_session(device).await;
    shop.store.open_gate();
    late.await.unwrap().problem(401, "session_ended");
}
