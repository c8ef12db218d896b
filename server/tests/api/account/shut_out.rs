//! S29, S30, S39: no quota lets one caller shut another out.

use serde_json::json;
use trolley::http::server::state::HttpConfig;
use trolley::service::settings::{Rates, Settings};

use crate::account::accounts::{EMAIL, PASSWORD, cheap, login};
use crate::support::member::Device;
use crate::support::somebody::at;
use crate::support::{Actor, Shop};

const NOBODY: &str = "nobody@example.com";

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
