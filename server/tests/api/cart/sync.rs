//! `POST /v1/cart/sync`: a device's queue over HTTP.

use std::sync::Arc;

use serde_json::{Value, json};
use trolley::catalogue::form;
use trolley::catalogue::shop::Shop as Shelves;
use trolley::service::settings::Settings;
use trolley_core::time::Span;

use crate::support::{Actor, Shop, days};

const PHONE: &str = "00000000-0000-4000-8000-000000000001";
const LAPTOP: &str = "00000000-0000-4000-8000-000000000002";

#[expect(clippy::needless_pass_by_value, reason = "it is written down where it is needed, once")]
fn op(seq: u64, base: u64, more: Value) -> Value {
    let mut op = json!({"seq": seq, "op_id": format!("{:016x}", seq * 7_919), "base": base, "age_ms": 0});
    op.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    op
}

fn add(seq: u64, base: u64, sku: &str, quantity: u32) -> Value {
    op(seq, base, json!({"op": "add", "sku": sku, "quantity": quantity}))
}

fn outcomes(json: &Value) -> String {
    let results = json["results"].as_array().unwrap().iter();
    let told = results.map(|result| match result["code"].as_str() {
        Some(code) => format!("{} {code}", result["outcome"].as_str().unwrap()),
        None => result["outcome"].as_str().unwrap().to_owned(),
    });
    told.collect::<Vec<_>>().join(", ")
}

fn shown(cart: &Value) -> String {
    let lines = cart["lines"].as_array().unwrap().iter();
    let shown = lines.map(|line| format!("{}={}", line["sku"].as_str().unwrap(), line["quantity"]));
    shown.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_queue_is_taken_in_once_however_often_it_comes() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let body = json!({"client": PHONE, "ops": [add(1, 0, "mug", 2), add(2, 0, "lamp", 1)]});
    let first = app.json("POST", "/v1/cart/sync", body.clone()).await.expect(200);
    assert_eq!(first.json["client"], PHONE);
    assert_eq!((&first.json["acked"], outcomes(&first.json)), (&json!(2), "applied, applied".to_owned()));
    assert_eq!(first.json["cart"], app.cart().await.json);
    assert_eq!(first.etag(), app.cart().await.etag());
    let again = app.json("POST", "/v1/cart/sync", body).await.expect(200);
    assert_eq!((&again.json["acked"], outcomes(&again.json)), (&json!(2), "duplicate, duplicate".to_owned()));
    assert_eq!(again.json["cart"], first.json["cart"]);
    let none = app.json("POST", "/v1/cart/sync", json!({"client": PHONE, "ops": []})).await.expect(200);
    assert_eq!((&none.json["acked"], &none.json["results"]), (&json!(2), &json!([])));
}

#[tokio::test]
async fn five_hundred_ops_are_one_commit_and_one_more_is_refused_with_the_limit_named() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    app.cart().await;
    let commits = shop.store.commits();
    let queue = |ops| (1..=ops).map(|seq| add(seq, 0, &format!("sku-{}", seq % 50), 1)).collect::<Vec<_>>();
    let too_many = app.json("POST", "/v1/cart/sync", json!({"client": PHONE, "ops": queue(501)})).await;
    assert!(too_many.problem(422, "too_many_ops").json["detail"].as_str().unwrap().contains("500"));
    let done =
        app.json("POST", "/v1/cart/sync", json!({"client": PHONE, "ops": queue(500)})).await.expect(200);
    assert_eq!((&done.json["acked"], &done.json["cart"]["revision"]), (&json!(500), &json!(500)));
    assert_eq!(shop.store.commits(), commits + 1);
}

#[tokio::test]
async fn a_body_may_hold_256_kib_here_and_no_more() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let padded = |bytes: usize| {
        let queue = json!({"client": PHONE, "ops": [add(1, 0, "mug", 1)]}).to_string();
        format!("{queue}{}", " ".repeat(bytes - queue.len()))
    };
    let send = async |body: String| {
        let request =
            crate::support::request("POST", "/v1/cart/sync").header("content-type", "application/json");
        app.send(request.body(body.into()).unwrap()).await
    };
    let refused = send(padded(256 * 1024 + 1)).await.problem(413, "body_too_large");
    assert!(refused.json["detail"].as_str().unwrap().contains("262,144"));
    assert_eq!(app.cart().await.revision(), 0);
    send(padded(256 * 1024)).await.expect(200);
}

#[tokio::test]
async fn a_sync_without_a_session_begins_one_and_an_empty_one_begins_none() {
    let shop = Shop::new();
    let browser = shop.browser();
    let none = json!({"client": PHONE, "ops": []});
    let none = browser.json("POST", "/v1/cart/sync", none).await.expect(200);
    assert_eq!((&none.json["acked"], &none.json["results"]), (&json!(0), &json!([])));
    assert_eq!((&none.json["cart"]["id"], none.set_cookie(), shop.store.commits()), (&json!(null), None, 0));
    let ops = json!({"client": PHONE, "ops": [add(1, 0, "mug", 1)]});
    let done = browser.json("POST", "/v1/cart/sync", ops).await.expect(200);
    assert!(done.set_cookie().is_some());
    assert_eq!(browser.cart().await.quantity(), 1);
    assert_eq!(browser.cart().await.json["id"], done.json["cart"]["id"]);
    let stranger = shop.browser();
    let gap = json!({"client": PHONE, "ops": [add(2, 0, "mug", 1)]});
    stranger.json("POST", "/v1/cart/sync", gap).await.problem(410, "client_expired");
    assert_eq!(stranger.cookie(), None);
}

#[tokio::test]
async fn gap_fork_and_a_decreasing_base_refuse_the_call_and_change_nothing() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let sync =
        async |ops: Value| app.json("POST", "/v1/cart/sync", json!({"client": PHONE, "ops": ops})).await;
    sync(json!([add(1, 0, "mug", 1), add(2, 0, "mug", 1)])).await.expect(200);
    sync(json!([add(3, 1, "mug", 1)])).await.expect(200);
    let before = app.cart().await;
    let gap = sync(json!([add(5, 1, "mug", 1)])).await.problem(409, "sequence_gap");
    assert_eq!(gap.json["expected_seq"], 4);
    sync(json!([add(4, 1, "mug", 1), add(6, 1, "mug", 1)])).await.problem(409, "sequence_gap");
    let mut other = add(2, 0, "mug", 5);
    other["op_id"] = json!("ffffffffffffffff");
    let forked = sync(json!([add(1, 0, "mug", 1), other, add(4, 1, "mug", 1)])).await;
    assert_eq!(forked.problem(409, "client_forked").json["seq"], 2, "what came before it was taken in");
    sync(json!([add(4, 0, "mug", 1)])).await.problem(422, "base_decreased");
    let foreign = json!({"op": "add", "sku": "mug", "cart": LAPTOP});
    sync(json!([op(4, 1, foreign)])).await.problem(409, "foreign_cart");
    assert_eq!(app.cart().await.json, before.json);
    // A base in the future is the newest there is.
    assert_eq!(outcomes(&sync(json!([add(4, 1_000, "mug", 1)])).await.expect(200).json), "applied");
}

#[tokio::test]
async fn a_malformed_client_seq_op_id_base_or_age_is_refused_for_the_call_with_its_place() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let with = |name: &str, value: Value| {
        let mut op = add(1, 0, "mug", 1);
        op[name] = value;
        json!({"client": PHONE, "ops": [add(1, 0, "lamp", 1), op]})
    };
    for (body, pointer) in [
        (json!({"client": "phone", "ops": []}), "#/client"),
        (json!({"client": PHONE}), "#/ops"),
        (json!({"client": PHONE, "ops": {}}), "#/ops"),
        (json!({"client": PHONE, "ops": [1]}), "#/ops/0"),
        (json!({"client": PHONE, "ops": [], "more": 1}), "#/more"),
        (with("seq", json!(0)), "#/ops/1/seq"),
        (with("seq", json!("1")), "#/ops/1/seq"),
        (with("seq", json!(1.5)), "#/ops/1/seq"),
        (with("op_id", json!("00")), "#/ops/1/op_id"),
        (with("op_id", json!("000000000000000g")), "#/ops/1/op_id"),
        (with("op_id", json!(7)), "#/ops/1/op_id"),
        (with("base", json!(-1)), "#/ops/1/base"),
        (with("base", json!(1_u64 << 53)), "#/ops/1/base"),
        (with("seq", json!(null)), "#/ops/1/seq"),
        (with("age_ms", json!("5")), "#/ops/1/age_ms"),
        (with("age_ms", json!(0.5)), "#/ops/1/age_ms"),
    ] {
        let refused = app.json("POST", "/v1/cart/sync", body).await.problem(422, "invalid_body");
        assert_eq!(refused.pointers(), [pointer]);
    }
    assert_eq!(app.cart().await.revision(), 0);
    let ages = [json!(-5), json!(-1_000_000_000_000_000_000_i64), json!(u64::MAX)].into_iter().zip(1..);
    let ops: Vec<_> =
        ages.map(|(age, seq)| op(seq, 0, json!({"op": "add", "sku": "mug", "age_ms": age}))).collect();
    let done = app.json("POST", "/v1/cart/sync", json!({"client": PHONE, "ops": ops})).await.expect(200);
    assert_eq!(outcomes(&done.json), "applied, applied, applied");
}

#[tokio::test]
async fn anything_else_wrong_in_an_op_rejects_that_op_alone() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let wrong = [
        (json!({"op": "buy", "sku": "mug"}), "invalid_op"),
        (json!({"op": "add"}), "invalid_op"),
        (json!({"op": "add", "sku": 5}), "invalid_op"),
        (json!({"op": "add", "sku": ""}), "invalid_op"),
        (json!({"op": "add", "sku": "mug", "quantity": 0}), "invalid_op"),
        (json!({"op": "add", "sku": "mug", "quantity": -1}), "invalid_op"),
        (json!({"op": "add", "sku": "mug", "quantity": 10_000}), "quantity_over_limit"),
        (json!({"op": "add", "sku": "mug", "more": 1}), "invalid_op"),
        (json!({"op": "add", "sku": "mug", "options": {"size": 5}}), "invalid_op"),
        (json!({"op": "add", "sku": "mug", "cart": "mine"}), "invalid_op"),
        (json!({"op": "add", "sku": "mug", "generation": "1"}), "invalid_op"),
        (json!({"op": "add", "line": "aaaaaaaaaaaaaaaaaaaaaa"}), "line_not_found"),
        (json!({"op": "set", "line": "aaaaaaaaaaaaaaaaaaaaaa", "quantity": 1}), "line_not_found"),
        (json!({"op": "set", "sku": "mug"}), "invalid_op"),
        (json!({"op": "remove", "line": "short"}), "invalid_op"),
        (json!({"op": "clear", "lines": ["short"]}), "invalid_op"),
        (json!({"op": "clear", "lines": "all"}), "invalid_op"),
        (json!({"op": "undo"}), "invalid_op"),
        (json!({"op": "undo", "undo_seq": 900}), "not_undoable"),
    ];
    let mut ops: Vec<_> = wrong.iter().zip(1..).map(|((more, _), seq)| op(seq, 0, more.clone())).collect();
    let codes: Vec<_> = wrong.iter().map(|(_, code)| format!("rejected {code}")).collect();
    ops.push(add(wrong.len() as u64 + 1, 0, "mug", 3));
    let body = json!({"client": PHONE, "ops": ops});
    let done = app.json("POST", "/v1/cart/sync", body.clone()).await.expect(200);
    assert_eq!(outcomes(&done.json), format!("{}, applied", codes.join(", ")));
    assert_eq!((shown(&done.json["cart"]), &done.json["cart"]["revision"]), ("mug=3".to_owned(), &json!(1)));
    // A refused op has used its seq up, and its reason is still known.
    let again = app.json("POST", "/v1/cart/sync", body).await.expect(200);
    assert!(outcomes(&again.json).starts_with("duplicate invalid_op, "), "{}", again.text);
    assert!(outcomes(&again.json).ends_with(", duplicate"));
}

#[tokio::test]
async fn every_intent_does_over_the_wire_what_it_says() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let sync = async |client: &str, ops: Value| {
        app.json("POST", "/v1/cart/sync", json!({"client": client, "ops": ops})).await.expect(200).json
    };
    let first = sync(PHONE, json!([add(1, 0, "mug", 2), add(2, 0, "lamp", 1), add(3, 0, "pen", 1)])).await;
    let line = |sku: &str| {
        let lines = first["cart"]["lines"].as_array().unwrap();
        lines.iter().find(|line| line["sku"] == sku).unwrap()["id"].clone()
    };
    let set = op(4, 3, json!({"op": "set", "line": line("mug"), "quantity": 5}));
    let save = op(5, 3, json!({"op": "save", "sku": "lamp"}));
    let remove = op(6, 3, json!({"op": "remove", "line": line("pen"), "sku": "pen"}));
    let done = sync(PHONE, json!([set, save, remove])).await;
    assert_eq!(
        (outcomes(&done), shown(&done["cart"])),
        ("applied, applied, applied".to_owned(), "mug=5".to_owned())
    );
    assert_eq!(done["cart"]["saved"][0]["sku"], "lamp");
    let unsave = op(7, 6, json!({"op": "unsave", "line": line("lamp")}));
    let undo = op(8, 6, json!({"op": "undo", "undo_seq": 4}));
    let done = sync(PHONE, json!([unsave, undo])).await;
    assert_eq!(shown(&done["cart"]), "mug=2 lamp=1");
    // Concurrent with what the laptop never saw: its CLEAR takes what it was shown, and the phone's later mug stays.
    sync(PHONE, json!([add(9, 8, "mug", 1)])).await;
    let clear = op(1, 8, json!({"op": "clear", "lines": [line("mug"), line("lamp")]}));
    assert_eq!(shown(&sync(LAPTOP, json!([clear])).await["cart"]), "mug=1");
    assert_eq!(shown(&sync(LAPTOP, json!([op(2, 10, json!({"op": "clear"}))])).await["cart"]), "");
}

#[tokio::test]
async fn a_keyed_delivery_is_repeated_without_a_second_effect_and_refusals_with_their_numbers() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let sync = async |key: &str, ops: Value| {
        let body = json!({"client": PHONE, "ops": ops});
        app.with("POST", "/v1/cart/sync", &[("idempotency-key", key)], body).await
    };
    let bad = op(2, 0, json!({"op": "buy"}));
    sync("one", json!([add(1, 0, "mug", 1), bad])).await.expect(200);
    app.add("lamp", 1).await.expect(200);
    // A retry is older than what it repeats.
    let aged = |mut op: Value| {
        op["age_ms"] = json!(5_000);
        op
    };
    let again = sync("one", json!([aged(add(1, 0, "mug", 1)), aged(op(2, 0, json!({"op": "buy"})))])).await;
    let again = again.expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(
        (&again.json["acked"], outcomes(&again.json)),
        (&json!(2), "duplicate, duplicate invalid_op".into())
    );
    assert_eq!(shown(&again.json["cart"]), "mug=1 lamp=1");
    sync("one", json!([add(1, 0, "mug", 2)])).await.problem(422, "idempotency_key_reused");
    // A gap passes, and is not kept: once what was missing is there, the same call under the same key counts.
    for _ in 0..2 {
        let gap = sync("two", json!([add(4, 0, "mug", 1)])).await.problem(409, "sequence_gap");
        assert_eq!((gap.json["expected_seq"].as_u64(), gap.header("idempotency-replayed")), (Some(3), None));
    }
    sync("three", json!([add(3, 0, "mug", 1)])).await.expect(200);
    let came = sync("two", json!([add(4, 0, "mug", 1)])).await.expect(200);
    assert_eq!(
        (shown(&came.json["cart"]), came.header("idempotency-replayed")),
        ("mug=3 lamp=1".into(), None)
    );
}

#[tokio::test]
async fn a_lease_of_90_days_runs_out_and_the_old_queue_cannot_count_twice() {
    use trolley_core::session::SessionPolicy;
    let policy = SessionPolicy { guest_idle: days(170), ..SessionPolicy::default() };
    let shop = Shop::with(Default::default(), Settings { policy, ..Settings::default() });
    let app = shop.bearer().await;
    let sync = async |client: &str, ops: Value| {
        app.json("POST", "/v1/cart/sync", json!({"client": client, "ops": ops})).await
    };
    sync(PHONE, json!([add(1, 0, "mug", 1)])).await.expect(200);
    shop.turn(days(90) + Span::from_ms(1)).await;
    sync(PHONE, json!([add(1, 0, "mug", 1)])).await.problem(410, "client_expired");
    sync(LAPTOP, json!([])).await.expect(200);
    sync(PHONE, json!([add(1, 0, "mug", 1), add(2, 0, "mug", 1)])).await.problem(410, "client_expired");
    assert_eq!(app.cart().await.shown(), "mug=1");
}

#[tokio::test]
async fn what_the_shop_does_not_sell_or_nobody_could_pay_is_rejected_by_itself() {
    let products = json!({"currency": "EUR", "products": {
        "mug": {"title": "Enamel mug", "price": 1250},
        "ship": {"title": "Container ship", "price": 1_000_000_000_000_u64},
    }});
    let shelves = Shelves::new(form::shelf(products.to_string().as_bytes()).unwrap());
    let shop = Shop::selling(Arc::new(shelves));
    let app = shop.bearer().await;
    let ops = json!([add(1, 0, "plane", 1), add(2, 0, "ship", 9_999), add(3, 0, "mug", 1)]);
    let done = app.json("POST", "/v1/cart/sync", json!({"client": PHONE, "ops": ops})).await.expect(200);
    assert_eq!(outcomes(&done.json), "rejected unknown_sku, rejected total_too_large, applied");
    assert_eq!(done.json["cart"]["subtotal"], json!({"amount": 1_250, "currency": "EUR"}));
}

#[tokio::test]
async fn late_ops_of_a_guests_device_are_forwarded_into_the_account_that_it_signed_in_to() {
    let shop = crate::account::accounts::shop();
    let owner = crate::account::accounts::signed_up(&shop, crate::account::accounts::EMAIL).await;
    owner.add("mug", 1).await.expect(200);
    let guest = shop.browser();
    let sent = json!({"client": PHONE, "ops": [add(1, 0, "mug", 2)]});
    let cart = guest.json("POST", "/v1/cart/sync", sent).await.expect(200).json["cart"].clone();
    // What the device queued before it heard of the sign-in names the guest's cart.
    let late = |seq: u64, more: Value| {
        let mut op = op(seq, cart["revision"].as_u64().unwrap(), more);
        op["cart"] = cart["id"].clone();
        op
    };
    let login =
        crate::account::accounts::login(crate::account::accounts::EMAIL, crate::account::accounts::PASSWORD);
    guest.json("POST", "/v1/session/sign-in", login).await.expect(200);
    assert_eq!(guest.cart().await.shown(), "mug=3");
    let ops = json!([
        late(2, json!({"op": "add", "sku": "mug", "quantity": 3})),
        late(3, json!({"op": "set", "sku": "mug", "quantity": 1})),
    ]);
    let sent = json!({"client": PHONE, "ops": ops});
    let taken = guest.json("POST", "/v1/cart/sync", sent.clone()).await.expect(200);
    assert_eq!(outcomes(&taken.json), "applied, applied");
    assert_eq!(
        shown(&taken.json["cart"]),
        "mug=2",
        "the guest's SET takes the guest's adds, and not the account's"
    );
    let again = guest.json("POST", "/v1/cart/sync", sent.clone()).await.expect(200);
    assert_eq!(outcomes(&again.json), "duplicate, duplicate");
    let stranger = shop.browser();
    stranger.add("lamp", 1).await.expect(200);
    let foreign =
        json!({"client": LAPTOP, "ops": [late(1, json!({"op": "add", "sku": "mug", "quantity": 1}))]});
    stranger.json("POST", "/v1/cart/sync", foreign).await.problem(409, "foreign_cart");
    assert_eq!(owner.cart().await.shown(), "mug=2");
}
