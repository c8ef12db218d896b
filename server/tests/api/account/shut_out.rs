//! S29, S30, S39: no quota lets one caller shut another out. What a remembered device, a neighbour or a stranger uses up is its own.

use serde_json::{Value, json};
use trolley::http::extract::cookie::{NAME, REMEMBER};
use trolley::http::server::state::HttpConfig;
use trolley::service::settings::{Rates, Settings};
use trolley_core::time::Span;

use crate::account::accounts::{EMAIL, PASSWORD, cheap, login};
use crate::support::member::Device;
use crate::support::reply::Reply;
use crate::support::somebody::at;
use crate::support::{Actor, Shop, days};

const BEN: &str = "ben@example.com";
const NOBODY: &str = "nobody@example.com";
const ANOTHER: &str = "a tin of seventeen sardines";

fn shop(rates: Rates) -> Shop {
    Shop::still(HttpConfig::default(), Settings { rate_limits: true, rates, ..cheap() })
}

/// A device that signed up here, and is remembered.
async fn joined(shop: &Shop, email: &str) -> Device {
    let device = shop.device();
    let body = json!({"email": email, "password": PASSWORD, "remember": true});
    device.json("POST", "/v1/accounts", body).await.expect(201);
    device
}

/// Another one of the same owner's.
async fn another(shop: &Shop, email: &str) -> Device {
    let device = shop.device();
    let body = json!({"email": email, "password": PASSWORD, "remember": true});
    device.json("POST", "/v1/session/sign-in", body).await.expect(200);
    device
}

/// Comes back with nothing but its remember-me cookie.
async fn back(device: &Device) -> Reply {
    device.drop_cookie(NAME);
    device.get("/v1/cart").await.expect(200)
}

#[tokio::test]
async fn s29_a_remembered_device_in_a_loop_uses_up_its_own_quota_and_goes_on_as_a_guest() {
    let shop = shop(Rates::default());
    let stolen = joined(&shop, EMAIL).await;
    let phone = another(&shop, EMAIL).await;
    let mut uses = 0;
    while back(&stolen).await.set_cookie().is_some() {
        uses += 1;
        assert!(uses < 200, "a chain of uses has an end");
    }
    assert_eq!(uses, 12);
    // It goes on as a guest, and keeps what it is remembered by.
    let kept = stolen.cookie(REMEMBER).unwrap();
    for _ in 0..150 {
        let guest = back(&stolen).await;
        assert_eq!((&guest.json["id"], guest.set_cookie()), (&json!(null), None));
    }
    stolen.add("mug", 1).await.expect(200);
    assert_eq!(stolen.get("/v1/session").await.expect(200).json["signed_in"], false);
    assert_eq!(stolen.cookie(REMEMBER), Some(kept));
    // The owner's other device is remembered still, and whoever knows the password comes in.
    back(&phone).await;
    assert!(phone.is_signed_in().await);
    phone.json("POST", "/v1/session/sign-in", login(EMAIL, PASSWORD)).await.expect(200);
    another(&shop, EMAIL).await;
    // So does this one, after a while by itself.
    shop.turn(Span::from_s(600)).await;
    back(&stolen).await;
    assert!(stolen.is_signed_in().await);
}

#[tokio::test]
async fn s29_what_a_remembered_device_asks_for_is_never_refused_for_how_often_it_came_back() {
    let shop = shop(Rates::default());
    let device = joined(&shop, EMAIL).await;
    for _ in 0..50 {
        back(&device).await;
    }
    device.drop_cookie(NAME);
    let stream = device.get("/v1/session").await.expect(200);
    assert_eq!(stream.json["signed_in"], false);
    let tab = device.tab();
    tab.json("POST", "/v1/accounts", login(BEN, PASSWORD)).await.expect(201);
    device.tab().json("POST", "/v1/session/sign-in", login(EMAIL, PASSWORD)).await.expect(200);
    device.tab().json("POST", "/v1/session/sign-out", Value::Null).await.expect(204);
    let wrong = json!({"token": "A".repeat(43), "new": ANOTHER});
    device.tab().json("POST", "/v1/account/reset", wrong).await.problem(422, "invalid_reset_token");
}

/// As much as fits into a session's data.
fn large(n: usize) -> Value {
    json!({"n": format!("{n}{}", "x".repeat(16_000))})
}

#[tokio::test]
async fn s39_a_signed_in_neighbour_uses_up_nothing_of_whoever_shares_its_address() {
    let shop = shop(Rates { mb_per_day: 1, account_mb_per_day: 1, ..Rates::default() });
    let (owner, neighbour) = (joined(&shop, EMAIL).await, joined(&shop, BEN).await);
    for n in 0..200 {
        neighbour.json("PATCH", "/v1/session/data", large(n)).await;
    }
    owner.add("mug", 1).await.expect(200);
    owner.json("PATCH", "/v1/session/data", large(0)).await.expect(200);
    let change = json!({"current": PASSWORD, "new": ANOTHER});
    owner.json("POST", "/v1/account/password", change).await.expect(204);
    owner.json("POST", "/v1/session/sign-out", Value::Null).await.expect(204);
    owner.json("POST", "/v1/session/sign-in", login(EMAIL, ANOTHER)).await.expect(200);
    // Who left the neighbourhood and comes back remembered, too.
    let carol = joined(&shop, "carol@example.com").await;
    back(&carol).await;
    assert!(carol.is_signed_in().await);
    // Nor do its guests: they have an allowance of their own.
    shop.device().add("mug", 1).await.expect(200);
}

#[tokio::test]
async fn s39_an_account_brings_so_much_a_day_from_wherever_and_is_never_kept_from_signing_in_or_out() {
    let shop = shop(Rates { account_mb_per_day: 1, ..Rates::default() });
    let (owner, elsewhere) = (joined(&shop, EMAIL).await, another(&shop, EMAIL).await);
    let mut patches = 0;
    let refused = loop {
        let reply = owner.json("PATCH", "/v1/session/data", large(patches)).await;
        if reply.status != 200 {
            break reply.problem(429, "rate_limited");
        }
        patches += 1;
    };
    assert_eq!((patches, refused.header("retry-after")), (64, Some("86400")));
    assert!(refused.header("ratelimit-policy").unwrap().starts_with("\"account-bytes\";q=1048576;w=86400"));
    // One allowance, whichever of its devices is used.
    elsewhere.add("mug", 1).await.problem(429, "rate_limited");
    owner.cart().await;
    // Signing in and out, a new password, and to be remembered: none of them is refused for it.
    owner.json("POST", "/v1/session/sign-in", login(EMAIL, PASSWORD)).await.expect(200);
    back(&elsewhere).await;
    assert!(elsewhere.is_signed_in().await);
    let wrong = json!({"current": "not it", "new": ANOTHER});
    owner.json("POST", "/v1/account/password", wrong).await.problem(401, "invalid_credentials");
    let change = json!({"current": PASSWORD, "new": ANOTHER});
    owner.json("POST", "/v1/account/password", change).await.expect(204);
    owner.delete("/v1/sessions").await.expect(204);
    owner.json("POST", "/v1/session/sign-out", Value::Null).await.expect(204);
    owner.json("POST", "/v1/session/sign-in", login(EMAIL, ANOTHER)).await.expect(200);
    // Its neighbours, guests and accounts old and new, go on.
    shop.device().add("mug", 1).await.expect(200);
    joined(&shop, BEN).await.add("mug", 1).await.expect(200);
    shop.turn(days(1)).await;
    owner.json("POST", "/v1/session/sign-in", login(EMAIL, ANOTHER)).await.expect(200);
    owner.add("mug", 1).await.expect(200);
}

#[tokio::test]
async fn s30_a_wrong_password_is_told_the_same_when_the_account_signed_in_too_often() {
    let shop = shop(Rates::default());
    joined(&shop, EMAIL).await;
    let sign_in = async |email: &str, password: &str| {
        at(&shop, "192.0.2.1").json("POST", "/v1/session/sign-in", login(email, password)).await
    };
    for _ in 0..30 {
        sign_in(EMAIL, PASSWORD).await.expect(200);
    }
    let (known, unknown) = (sign_in(EMAIL, "not it").await, sign_in(NOBODY, "not it").await);
    assert_eq!((known.status, &known.text), (unknown.status, &unknown.text));
    for name in ["retry-after", "ratelimit", "ratelimit-policy", "set-cookie"] {
        assert_eq!(known.header(name), unknown.header(name), "{name}");
    }
    known.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn s29_wrong_passwords_that_are_being_tried_take_no_place_of_the_owners_sign_ins() {
    let shop = shop(Rates { sign_ins_per_hour: 1, ..Rates::default() });
    let owner = joined(&shop, EMAIL).await;
    shop.store.shut_gate();
    let stranger = shop.browser();
    let wrong = login(EMAIL, "not it");
    let wrong = tokio::spawn(async move { stranger.json("POST", "/v1/session/sign-in", wrong).await });
    shop.store.until_waiting(1).await;
    shop.store.let_others_by();
    let right = login(EMAIL, PASSWORD);
    let right = tokio::spawn(async move { owner.json("POST", "/v1/session/sign-in", right).await });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    shop.store.open_gate();
    wrong.await.unwrap().problem(401, "invalid_credentials");
    right.await.unwrap().expect(200);
}
