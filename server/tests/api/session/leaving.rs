//! A sign-out from a remembered device forgets it, and begins no session for that.

use serde_json::{Value, json};
use trolley::http::extract::cookie::{NAME, REMEMBER};
use trolley::service::limits::addresses::GUESSES;
use trolley::service::settings::{Rates, Settings};
use trolley_core::session::SessionPolicy;
use trolley_core::time::Span;

use crate::support::member::Device;
use crate::support::{Actor, Shop};

const OUT: &str = "/v1/session/sign-out";

/// A shop where an account has two sessions at most.
fn narrow(rates: Rates) -> Shop {
    let policy = SessionPolicy { cap: 2, ..SessionPolicy::default() };
    let shop =
        Shop::still(Default::default(), Settings { policy, rates, rate_limits: true, ..Settings::default() });
    shop.store.never_sweep();
    shop
}

fn cleared(device: &Device) {
    assert_eq!([NAME, REMEMBER].map(|name| device.cookie(name)), [const { Some(String::new()) }; 2]);
}

#[tokio::test]
async fn a_sign_out_by_remember_me_alone_forgets_the_device_and_throws_no_other_out() {
    for keeps_dead_cookie in [false, true] {
        let shop = narrow(Rates::default());
        let member = shop.member(1).await;
        let idle = shop.signed_in(&member, true).await;
        let before = idle.tab();
        let (one, two) = (shop.signed_in(&member, false).await, shop.signed_in(&member, false).await);
        if !keeps_dead_cookie {
            idle.drop_cookie(NAME);
        }
        idle.json("POST", OUT, Value::Null).await.expect(204);
        cleared(&idle);
        assert!(one.is_signed_in().await && two.is_signed_in().await, "the cap threw one out");
        assert_eq!(shop.sessions_of(&member).await.series.len(), 0);
        assert_eq!(before.get("/v1/session").await.expect(200).json, json!({"signed_in": false}));
        let rows = ["remembered", "signed_out"];
        let told = [shop.trail_of(&member, rows[0]).await, shop.trail_of(&member, rows[1]).await];
        assert_eq!(told, [0, 1]);
    }
}

#[tokio::test]
async fn a_sign_out_by_remember_me_needs_no_place_among_the_accounts_sign_ins() {
    let shop = narrow(Rates { sign_ins_per_hour: 1, ..Rates::default() });
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, true).await;
    for _ in 0..3 {
        device.drop_cookie(NAME);
        device.get("/v1/cart").await;
    }
    device.drop_cookie(NAME);
    device.get("/v1/cart").await.expect(200);
    device.json("POST", OUT, Value::Null).await.expect(204);
    cleared(&device);
    assert_eq!(shop.sessions_of(&member).await.series.len(), 0);
}

/// The device was remembered for one account, and another one is signed in there by now: neither is left in the browser.
#[tokio::test]
async fn a_sign_out_forgets_the_device_too_where_it_was_remembered_for_another_account() {
    let shop = narrow(Rates::default());
    let (ann, ben) = (shop.member(1).await, shop.member(2).await);
    let device = shop.signed_in(&ann, true).await;
    shop.turn(Span::from_hours(3)).await;
    device.sign_in(&ben, false).await;
    let before = device.tab();
    device.json("POST", OUT, Value::Null).await.expect(204);
    before.drop_cookie(NAME);
    assert_eq!(before.get("/v1/session").await.expect(200).json, json!({"signed_in": false}));
    let left = [shop.sessions_of(&ann).await, shop.sessions_of(&ben).await];
    assert_eq!(left.map(|left| (left.entries.len(), left.series.len())).map(|(_, series)| series), [0, 0]);
}

#[tokio::test]
async fn a_sign_out_is_no_way_to_guess_remember_me_tokens() {
    let shop = Shop::still(Default::default(), Settings { rate_limits: true, ..Settings::default() });
    for n in 0..GUESSES.most {
        let guess = shop.device();
        guess.put(REMEMBER, &format!("{n:A>43}"));
        guess.json("POST", OUT, Value::Null).await.expect(204);
    }
    let guess = shop.device();
    guess.put(REMEMBER, &"B".repeat(43));
    guess.json("POST", OUT, Value::Null).await.problem(429, "rate_limited");
}
