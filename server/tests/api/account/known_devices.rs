//! S29: a new password leaves its owner the devices by which no stranger locks anybody out, and makes one of where it is set.

use serde_json::{Value, json};
use trolley::http::extract::cookie::{DEVICE, NAME};
use trolley::http::server::state::HttpConfig;
use trolley::service::limits::attempts::BY_ACCOUNT;
use trolley::service::settings::Settings;
use trolley_core::account::email::Email;

use crate::account::accounts::{EMAIL, PASSWORD, login};
use crate::support::member::Device;
use crate::support::reply::Reply;
use crate::support::somebody::at;
use crate::support::{Actor, Shop};

const ANOTHER: &str = "a tin of seventeen sardines";
const IN: &str = "/v1/session/sign-in";

fn shop() -> Shop {
    Shop::still(HttpConfig::default(), Settings { rate_limits: true, ..crate::account::accounts::cheap() })
}

/// Strangers guess until nobody may any more, from wherever.
async fn hammered(shop: &Shop) {
    for n in 0..BY_ACCOUNT.most {
        let stranger = at(shop, &format!("192.0.2.{n}"));
        stranger.json("POST", IN, login(EMAIL, "not it")).await.problem(401, "invalid_credentials");
    }
    shop.device().json("POST", IN, login(EMAIL, ANOTHER)).await.problem(429, "rate_limited");
}

/// The device as it is after a sign-out: only the cookie by which it is known is left.
async fn comes_in(device: &Device) -> Reply {
    let known = device.tab();
    known.drop_cookie(NAME);
    known.json("POST", IN, login(EMAIL, ANOTHER)).await
}

async fn reset(shop: &Shop, on: &Device) -> Reply {
    let account = shop.service.owner_of(&Email::parse(EMAIL).unwrap()).await.unwrap().unwrap();
    let (token, _) = shop.service.issue_reset(account).await.unwrap();
    on.json("POST", "/v1/account/reset", json!({"token": token.expose(), "new": ANOTHER})).await.expect(204)
}

#[tokio::test]
async fn s29_a_new_password_leaves_the_owner_every_known_device() {
    for by_reset in [false, true] {
        let shop = shop();
        let (own, other) = (shop.device(), shop.device());
        own.json("POST", "/v1/accounts", login(EMAIL, PASSWORD)).await.expect(201);
        other.json("POST", IN, login(EMAIL, PASSWORD)).await.expect(200);
        let known = own.cookie(DEVICE);
        if by_reset {
            reset(&shop, &own).await;
        } else {
            let change = json!({"current": PASSWORD, "new": ANOTHER});
            own.json("POST", "/v1/account/password", change).await.expect(204);
        }
        assert!(known.is_some() && own.cookie(DEVICE) == known, "the cookie serves on");
        hammered(&shop).await;
        for device in [&own, &other] {
            assert_eq!(comes_in(device).await.status, 200, "by reset: {by_reset}");
        }
    }
}

#[tokio::test]
async fn s29_where_a_password_is_set_the_device_is_known_from_then_on() {
    let shop = shop();
    let owner = shop.device();
    owner.json("POST", "/v1/accounts", login(EMAIL, PASSWORD)).await.expect(201);
    owner.json("POST", "/v1/session/sign-out", Value::Null).await.expect(204);
    let fresh = shop.device();
    let set = reset(&shop, &fresh).await;
    assert_eq!((set.cookies().len(), set.header("cache-control")), (1, Some("no-store")));
    hammered(&shop).await;
    assert_eq!(comes_in(&fresh).await.status, 200);
    // The same where the owner had thrown the cookie away.
    let change = json!({"current": ANOTHER, "new": "the tin of eighteen sardines"});
    let tab = fresh.tab();
    tab.json("POST", "/v1/session/sign-out", Value::Null).await;
    let signed = comes_in(&fresh).await;
    tab.put(NAME, &signed.token().unwrap());
    tab.drop_cookie(DEVICE);
    tab.json("POST", "/v1/account/password", change).await.expect(204);
    assert!(tab.cookie(DEVICE).is_some() && tab.cookie(DEVICE) != fresh.cookie(DEVICE));
}

/// An app has no such cookie, and takes no device's place.
#[tokio::test]
async fn s29_an_app_that_sets_a_password_is_handed_no_cookie() {
    let shop = shop();
    let app = shop.bearer().await;
    let up = app.json("POST", "/v1/accounts", login(EMAIL, PASSWORD)).await.expect(201);
    let app = shop.bearer_with(up.header("trolley-token").unwrap());
    let change = json!({"current": PASSWORD, "new": ANOTHER});
    let changed = app.json("POST", "/v1/account/password", change).await.expect(204);
    assert_eq!(changed.set_cookie(), None);
    assert!(changed.header("trolley-token").is_some());
}
