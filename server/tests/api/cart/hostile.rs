//! A client that means harm: whatever it sends, its cart's record stays small and nobody else's cart is touched.

use serde_json::{Value, json};
use trolley_store::port::Store as _;
use trolley_store::record::encode;
use trolley_store::records::{Key, Record};

use crate::support::{Actor, Bearer, Shop};

/// What the record of one cart may take.
const RECORD_MAX: usize = 100 * 1024;

fn client(n: u64) -> String {
    format!("00000000-0000-4000-8000-{n:012x}")
}

fn add(seq: u64, sku: &str) -> Value {
    json!({"seq": seq, "op_id": format!("{seq:016x}"), "base": 0, "age_ms": 0, "op": "add", "sku": sku})
}

async fn record_bytes(shop: &Shop, app: &Bearer) -> usize {
    let id = app.cart().await.json["id"].as_str().unwrap().parse().unwrap();
    let record = shop.store.load(Key::Cart(id)).await.unwrap().unwrap();
    assert!(matches!(record, Record::Cart(_)));
    encode(&record).len()
}

#[tokio::test]
#[ignore = "system: ./check runs it"]
async fn ten_thousand_clients_and_a_hundred_thousand_adds_leave_a_small_record_and_other_carts_alone() {
    let shop = Shop::new();
    let (app, victim) = (shop.bearer().await, shop.bearer().await);
    victim.add("mug", 2).await.expect(200);
    let before = victim.cart().await.json;
    let sync = async |client: String, ops: Value| {
        app.json("POST", "/v1/cart/sync", json!({"client": client, "ops": ops})).await
    };
    let (mut taken, mut refused, mut most) = (0, 0, 0);
    for n in 0..10_000 {
        let reply = sync(client(n), json!([add(1, &format!("sku-{}", n % 200))])).await;
        match reply.status {
            200 => taken += 1,
            _ => {
                reply.problem(429, "too_many_clients");
                refused += 1;
            }
        }
        if n % 500 == 0 {
            most = most.max(record_bytes(&shop, &app).await);
        }
    }
    // 32 live ones, and 256 that were dropped and are remembered: then no more.
    assert_eq!((taken, refused), (288, 10_000 - 288));
    let live = client(287);
    for batch in 0..200 {
        let ops: Vec<_> = (0..500).map(|n| add(2 + batch * 500 + n, "sku-0")).collect();
        sync(live.clone(), json!(ops)).await.expect(200);
        most = most.max(record_bytes(&shop, &app).await);
    }
    assert!(most < RECORD_MAX, "{most} bytes");
    let cart = app.cart().await.json;
    let line = cart["lines"].as_array().unwrap().iter().find(|line| line["sku"] == "sku-0").unwrap().clone();
    assert_eq!(line["quantity"], 9_999, "what is over the limit is rejected, one by one");
    assert_eq!(victim.cart().await.json, before);
}

#[tokio::test]
async fn another_devices_client_id_a_stale_generation_and_a_foreign_line_do_no_harm() {
    let shop = Shop::new();
    let (app, victim) = (shop.bearer().await, shop.bearer().await);
    let sync = async |app: &Bearer, ops: Value| {
        app.json("POST", "/v1/cart/sync", json!({"client": client(1), "ops": ops})).await
    };
    let own = sync(&victim, json!([add(1, "mug"), add(2, "mug")])).await.expect(200);
    // The id of another cart's client is here one like any other.
    let same = sync(&app, json!([add(1, "lamp")])).await.expect(200);
    assert_eq!((&own.json["acked"], &same.json["acked"]), (&json!(2), &json!(1)));
    let line = own.json["cart"]["lines"][0]["id"].clone();
    let op = |seq: u64, more: Value| {
        let mut op = json!({"seq": seq, "op_id": format!("{seq:016x}"), "base": 0, "age_ms": 0});
        op.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        op
    };
    let foreign = op(2, json!({"op": "add", "line": line}));
    let ahead = op(3, json!({"op": "set", "sku": "lamp", "quantity": 4, "generation": 900}));
    let done = sync(&app, json!([foreign, ahead])).await.expect(200);
    assert_eq!(done.json["results"][0], json!({"seq": 2, "outcome": "rejected", "code": "line_not_found"}));
    app.json("POST", "/v1/cart/checkout", json!({})).await.expect(201);
    let stale = op(4, json!({"op": "set", "sku": "lamp", "quantity": 4, "generation": 0}));
    let late = op(5, json!({"op": "add", "sku": "pen", "generation": 0}));
    let done = sync(&app, json!([stale, late])).await.expect(200);
    let outcomes: Vec<_> =
        done.json["results"].as_array().unwrap().iter().map(|one| &one["outcome"]).collect();
    assert_eq!(outcomes, ["superseded", "carried"]);
    assert_eq!(done.json["cart"]["quantity"], 1);
    assert_eq!(victim.cart().await.json, own.json["cart"]);
}
