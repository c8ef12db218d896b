//! History and undo: what was done to a cart, and taking one of it back.

use serde_json::{Value, json};
use trolley_core::time::Span;

use crate::support::reply::Reply;
use crate::support::{Actor, Shop};

async fn history(actor: &impl Actor) -> Vec<Value> {
    let history = actor.get("/v1/cart/history").await.expect(200);
    history.json["changes"].as_array().unwrap().clone()
}

async fn undo(actor: &impl Actor, revision: u64) -> Reply {
    actor.json("POST", "/v1/cart/undo", json!({"revision": revision})).await
}

#[tokio::test]
async fn the_history_tells_what_was_done_newest_first() {
    let shop = Shop::new();
    let browser = shop.browser();
    let line = browser.add("a", 2).await.expect(200).line("a").to_owned();
    browser.json("PUT", &format!("/v1/cart/lines/{line}"), json!({"quantity": 5})).await.expect(200);
    browser.add("b", 1).await.expect(200);
    browser.delete("/v1/cart").await.expect(200);
    let changes = history(&browser).await;
    let device = browser.get("/v1/session").await.expect(200).json["device"]["id"].clone();
    for change in &changes {
        let at = change["at"].as_str().unwrap();
        assert!(at.len() == 24 && at.ends_with('Z') && change["device"] == device, "{change}");
    }
    let told = |change: &Value| {
        let mut told = change.clone();
        told.as_object_mut().unwrap().retain(|name, _| name != "at" && name != "device");
        told
    };
    let (clear, add_b, set, add_a) = (&changes[0], &changes[1], &changes[2], &changes[3]);
    assert_eq!(told(clear), json!({"revision": 4, "op": "clear", "before": 6, "after": 0, "undoable": true}));
    let b = add_b["line"].as_str().unwrap();
    let expected = json!({"revision": 3, "op": "add", "line": b, "sku": "b", "before": 0, "after": 1, "undoable": false});
    assert_eq!(told(add_b), expected);
    let expected = json!({"revision": 2, "op": "set", "line": line, "sku": "a", "before": 2, "after": 5, "undoable": false});
    assert_eq!(told(set), expected);
    let expected = json!({"revision": 1, "op": "add", "line": line, "sku": "a", "before": 0, "after": 2, "undoable": false});
    assert_eq!((told(add_a), changes.len()), (expected, 4));
}

#[tokio::test]
async fn taking_away_what_was_never_there_makes_no_row() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    app.add("a", 1).await.expect(200);
    let never = "AAAAAAAAAAAAAAAAAAAAAA";
    let gone = app.delete(&format!("/v1/cart/lines/{never}")).await.expect(200);
    assert_eq!(gone.revision(), 2, "an op that is taken in advances the revision");
    app.delete(&format!("/v1/cart/saved/{never}")).await.expect(200);
    let ops: Vec<_> = history(&app).await.iter().map(|row| row["op"].clone()).collect();
    assert_eq!(ops, ["add"]);
    app.delete("/v1/cart").await.expect(200);
    app.delete("/v1/cart").await.expect(200);
    let ops: Vec<_> = history(&app).await.iter().map(|row| row["op"].clone()).collect();
    assert_eq!(ops, ["clear", "add"], "an empty cart is cleared of nothing");
}

#[tokio::test]
async fn a_limit_bounds_the_history_and_nobody_has_none() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    for _ in 0..60 {
        app.add("a", 1).await.expect(200);
    }
    let count = async |query: &str| {
        let history = app.get(&format!("/v1/cart/history{query}")).await.expect(200);
        history.json["changes"].as_array().unwrap().len()
    };
    assert_eq!((count("").await, count("?limit=1").await, count("?limit=256").await), (50, 1, 60));
    assert_eq!(count("?utm_source=letter&limit=7").await, 7);
    for (query, pointer) in [
        ("limit=0", "#/query/limit"),
        ("limit=257", "#/query/limit"),
        ("limit=-1", "#/query/limit"),
        ("limit=1.5", "#/query/limit"),
        ("limit=", "#/query/limit"),
        ("limit=99999999999999999999999", "#/query/limit"),
        ("limit=1&limit=2", "#/query/limit"),
        ("limit=%zz", "#/query"),
    ] {
        let refused = app.get(&format!("/v1/cart/history?{query}")).await.problem(422, "invalid_query");
        assert_eq!(refused.pointers(), [pointer], "{query}");
    }
    let nobody = shop.browser();
    assert_eq!((history(&nobody).await, nobody.cookie()), (Vec::new(), None));
}

#[tokio::test]
async fn an_undo_takes_back_one_change_and_leaves_what_came_since() {
    let shop = Shop::new();
    let browser = shop.browser();
    let line = browser.add("a", 2).await.expect(200).line("a").to_owned();
    browser.delete(&format!("/v1/cart/lines/{line}")).await.expect(200);
    browser.add("b", 1).await.expect(200);
    let back = undo(&browser, 2).await.expect(200);
    assert_eq!((back.shown(), back.revision()), ("b=1 a=2".to_owned(), 4));
    assert_eq!(back.etag(), browser.cart().await.etag());
    browser.delete("/v1/cart").await.expect(200);
    assert_eq!(undo(&browser, 5).await.expect(200).shown(), "b=1 a=2");
    let saved = browser.json("POST", &format!("/v1/cart/lines/{line}/save"), json!(null)).await.expect(200);
    assert_eq!(undo(&browser, saved.revision()).await.expect(200).shown(), "b=1 a=2");
    let undone = &history(&browser).await[0];
    assert_eq!((&undone["op"], &undone["undoable"]), (&json!("undo"), &json!(false)));
}

#[tokio::test]
async fn what_cannot_be_undone_is_refused_with_the_reason() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.add("a", 2).await.expect(200);
    let line = undo(&browser, 1).await.expect(200);
    assert_eq!(line.shown(), "");
    let before = browser.cart().await.json;
    for (revision, reason) in [(1, "nothing"), (2, "undo"), (3, "history"), ((1 << 53) - 1, "history")] {
        let refused = undo(&browser, revision).await.problem(409, "not_undoable");
        let detail = refused.json["detail"].as_str().unwrap().to_lowercase();
        assert!(detail.contains(reason), "{revision}: {detail}");
    }
    assert_eq!(browser.cart().await.json, before);
    let nobody = shop.browser();
    undo(&nobody, 1).await.problem(409, "not_undoable");
    assert_eq!(nobody.cookie(), None);
    for body in [
        json!({}),
        json!({"revision": 0}),
        json!({"revision": "1"}),
        json!({"revision": 1.5}),
        json!({"revision": 1_u64 << 53}),
    ] {
        let refused = browser.json("POST", "/v1/cart/undo", body).await.problem(422, "invalid_body");
        assert_eq!(refused.pointers(), ["#/revision"]);
    }
}

#[tokio::test]
async fn an_undo_under_its_key_counts_once() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    app.add("a", 2).await.expect(200);
    app.add("a", 3).await.expect(200);
    let key = [("idempotency-key", "one")];
    let first = app.with("POST", "/v1/cart/undo", &key, json!({"revision": 2})).await.expect(200);
    let again = app.with("POST", "/v1/cart/undo", &key, json!({"revision": 2})).await.expect(200);
    assert_eq!((first.shown(), again.shown()), ("a=2".to_owned(), "a=2".to_owned()));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let other = app.with("POST", "/v1/cart/undo", &key, json!({"revision": 1})).await;
    other.problem(422, "idempotency_key_reused");
    let late = [("idempotency-key", "two")];
    app.with("POST", "/v1/cart/undo", &late, json!({"revision": 2})).await.problem(409, "not_undoable");
    let again = app.with("POST", "/v1/cart/undo", &late, json!({"revision": 2})).await;
    assert_eq!(again.problem(409, "not_undoable").header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn the_history_reaches_back_64_changes_or_a_day_and_256_at_most() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    for _ in 0..260 {
        app.add("a", 1).await.expect(200);
    }
    let count =
        async || app.get("/v1/cart/history?limit=256").await.json["changes"].as_array().unwrap().len();
    assert_eq!(count().await, 256);
    shop.turn(Span::from_hours(25)).await;
    app.add("a", 1).await.expect(200);
    assert_eq!(count().await, 64);
}
