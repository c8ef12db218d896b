//! The server's secret is rotated by a restart: nobody is signed out, and who waits for a successor gets the one that was promised.

use trolley::http::extract::cookie::NAME;
use trolley_core::time::Span;

use crate::support::member::Device;
use crate::support::{Actor, Shop};

/// Two secrets of one key each; every shop here begins with the first.
const KEYS: [&str; 2] =
    ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE"];

/// A remembered device with something in its cart, and for whom a renewal is due.
async fn due(shop: &Shop) -> Device {
    shop.store.never_sweep();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, true).await;
    device.add("a", 1).await.expect(200);
    shop.turn(Span::from_s(61 * 60)).await;
    device
}

#[tokio::test]
async fn who_waits_for_a_successor_gets_the_same_one_under_another_secret() {
    let shop = Shop::new();
    let [old, new] = KEYS;
    let device = due(&shop).await;
    let lost = device.tab().cart().await;
    assert!(lost.cookie(NAME).is_some());
    let rotated = shop.restarted(&format!("{new} {old}"));
    let device = device.at(&rotated);
    assert_eq!(device.cart().await.cookies(), lost.cookies());
    assert_eq!(device.cart().await.shown(), "a=1");
    // What is handed out from now on does not need the old key any more.
    rotated.turn(Span::from_s(61 * 60)).await;
    let next = device.tab().cart().await;
    assert!(next.cookie(NAME).is_some());
    let device = device.at(&shop.restarted(new));
    assert_eq!(device.cart().await.cookies(), next.cookies());
    assert!(device.is_signed_in().await);
}

#[tokio::test]
async fn so_does_a_remembered_device() {
    let shop = Shop::new();
    let [old, new] = KEYS;
    let device = due(&shop).await;
    shop.turn(Span::from_hours(3)).await;
    let lost = device.tab().cart().await;
    assert_eq!(lost.cookies().len(), 2);
    let device = device.at(&shop.restarted(&format!("{new} {old}")));
    assert_eq!(device.cart().await.cookies(), lost.cookies());
    assert!(device.is_signed_in().await);
}

#[tokio::test]
async fn where_the_key_is_gone_the_token_that_waits_stays_good() {
    let shop = Shop::new();
    let device = due(&shop).await;
    assert!(device.tab().cart().await.cookie(NAME).is_some());
    let device = device.at(&shop.restarted(KEYS[1]));
    let served = device.cart().await;
    assert_eq!((served.shown().as_str(), served.cookies().len()), ("a=1", 0));
    assert!(device.is_signed_in().await);
}
