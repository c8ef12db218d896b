//! Callers who hang up while their change is being committed: what follows from it happens all the same.

use serde_json::{Value, json};
use trolley_core::account::audit::EventKind;

use crate::account::accounts;
use crate::account::accounts::{EMAIL, signed_up};
use crate::live::events::Stream;
use crate::support::reply::Reply;
use crate::support::{Actor, Shop};

/// Has it begin, hangs up while its commit stands before the gate, and lets that be done.
async fn hang_up_on(shop: &Shop, act: impl Future<Output = Reply>) {
    shop.store.shut_gate();
    tokio::select! {
        reply = act => panic!("it was answered: {}", reply.text),
        () = shop.store.until_waiting(1) => {}
    }
    shop.store.open_gate();
}

async fn happened(shop: &Shop, what: EventKind) -> u64 {
    let report = shop.service.report().await.unwrap();
    report.happened.iter().find(|(of, _)| *of == what).unwrap().1
}

#[tokio::test]
async fn a_sign_out_ends_the_streams_and_is_counted_though_its_caller_hung_up() {
    let shop = accounts::shop();
    let browser = signed_up(&shop, EMAIL).await;
    let mut stream = Stream::open(&browser, None).await;
    stream.cart().await;
    hang_up_on(&shop, browser.json("POST", "/v1/session/sign-out", Value::Null)).await;
    stream.ends().await;
    shop.service.idle().await;
    assert_eq!(happened(&shop, EventKind::SignedOut).await, 1);
}

#[tokio::test]
async fn a_guest_who_hung_up_has_begun() {
    for (method, path, body) in
        [("POST", "/v1/cart/lines", json!({"sku": "a"})), ("PATCH", "/v1/session/data", json!({"a": 1}))]
    {
        let shop = Shop::new();
        hang_up_on(&shop, shop.browser().json(method, path, body)).await;
        shop.service.idle().await;
        assert_eq!(shop.service.report().await.unwrap().begun, 1, "{path}");
    }
}
