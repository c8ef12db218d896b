//! A remember-me token has arrived with the first request that brings it along, whatever came before: from then on a copy of the one
//! before it is noticed.

use axum::body::Body;
use trolley::http::extract::cookie::{NAME, REMEMBER};
use trolley_core::time::Span;

use crate::support::member::{Device, Member};
use crate::support::{Actor, Shop, request};

/// What comes first with the session that a remembered device was handed.
#[derive(Clone, Copy, Debug)]
enum First {
    Cart,
    Verify,
    /// A stream that comes back.
    Stream,
    /// A tab that has the session's cookie, and remember-me's of before.
    Torn,
    /// The session is verified for an hour, and its token renewed by a request without remember-me's.
    Renewal,
}

async fn come(device: &Device, first: First, before: &str, shop: &Shop) {
    match first {
        First::Cart => drop(device.cart().await),
        First::Verify => drop(device.get("/v1/verify").await.expect(200)),
        First::Stream => {
            let again = request("GET", "/v1/cart/events").header("last-event-id", "1");
            let mut headers = again.body(Body::empty()).unwrap();
            device.credentials(headers.headers_mut());
            let peer = device.peer();
            drop(device.app().answer(headers, peer).await);
        }
        First::Torn => {
            let torn = device.tab();
            torn.put(REMEMBER, before);
            torn.cart().await;
        }
        First::Renewal => {
            for _ in 0..3 {
                shop.turn(Span::from_s(21 * 60)).await;
                device.get("/v1/verify").await.expect(200);
            }
            let tab = device.tab();
            tab.drop_cookie(REMEMBER);
            tab.cart().await;
            tab.cart().await;
            device.put(NAME, &tab.token());
        }
    }
}

/// A device that came back by remember-me, what it was remembered by before, and whose it is.
async fn back(shop: &Shop) -> (Device, String, Member) {
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, true).await;
    let before = device.cookie(REMEMBER).unwrap();
    shop.turn(Span::from_hours(3)).await;
    device.cart().await;
    assert_ne!(device.cookie(REMEMBER).unwrap(), before);
    (device, before, member)
}

#[tokio::test]
async fn a_copy_of_a_replaced_remember_token_is_noticed_whatever_the_device_asked_first() {
    for first in [First::Cart, First::Verify, First::Stream, First::Torn, First::Renewal] {
        let shop = Shop::new();
        shop.store.never_sweep();
        let (device, before, member) = back(&shop).await;
        come(&device, first, &before, &shop).await;
        device.cart().await;
        shop.turn(Span::from_s(130)).await;
        assert!(device.is_signed_in().await, "{first:?}");
        let thief = shop.device();
        thief.put(REMEMBER, &before);
        assert_eq!(thief.cart().await.set_cookie(), None, "{first:?}");
        assert_eq!(shop.trail_of(&member, "token_replayed").await, 1, "{first:?}");
        assert_eq!(shop.sessions_of(&member).await.series.len(), 0, "{first:?}");
        assert!(!device.is_signed_in().await, "{first:?}: nobody can tell which of the two is who");
    }
}

/// What does not bring it along starts no grace: an answer that was lost costs nothing, however often a proxy asked meanwhile.
#[tokio::test]
async fn a_verification_alone_does_not_replace_the_remember_token() {
    let shop = Shop::new();
    shop.store.never_sweep();
    let (device, before, member) = back(&shop).await;
    come(&device, First::Verify, &before, &shop).await;
    shop.turn(Span::from_hours(1)).await;
    let again = shop.device();
    again.put(REMEMBER, &before);
    again.cart().await;
    assert_eq!(again.cookie(REMEMBER), device.cookie(REMEMBER));
    assert_eq!((again.cookie(NAME), again.is_signed_in().await), (device.cookie(NAME), true));
    assert_eq!(shop.trail_of(&member, "token_replayed").await, 0);
}
