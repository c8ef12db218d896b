//! A sign-out ends whoever is signed in by the time it is done, and a sign-in that is late takes nothing from what is gone.

use serde_json::{Value, json};
use trolley::http::extract::cookie::{NAME, REMEMBER};
use trolley::service::settings::{Bounds, Settings};
use trolley_core::time::Span;
use trolley_store::port::{Listing, Store as _};
use trolley_store::records::{Kind, Record};

use axum::body::Body;

use crate::account::accounts::{EMAIL, PASSWORD, cheap, login, signed_in, signed_up};
use crate::session::under_way::{Ending, Scene};
use crate::support::held::held;
use crate::support::member::Device;
use crate::support::reply::Reply;
use crate::support::{Actor, Shop, request};

const OUT: &str = "/v1/session/sign-out";
const IN: &str = "/v1/session/sign-in";

async fn post(tab: &Device, path: &str, body: Body) -> Reply {
    tab.send(request("POST", path).header("content-type", "application/json").body(body).unwrap()).await
}

fn remembered(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD, "remember": true})
}

/// Nothing of any account can be had in that browser any more: by its session, or by its remembered device.
async fn is_out(shop: &Shop, fresh: &Device) {
    for name in [NAME, REMEMBER] {
        let alone = fresh.tab();
        alone.drop_cookie(name);
        assert_eq!(alone.get("/v1/session").await.expect(200).json, json!({"signed_in": false}), "{name}");
    }
    for listed in shop.store.list(Listing::all(Kind::AccountSessions), 10).await.unwrap() {
        let Record::AccountSessions(sessions) = listed.record else { continue };
        assert!(sessions.entries.len() <= 1, "only the other device is left");
        assert_eq!(sessions.series.len(), 0);
    }
}

async fn signed_out_rows(shop: &Shop) -> usize {
    let listed = shop.store.list(Listing::all(Kind::Trail), 10).await.unwrap();
    let rows = listed.iter().flat_map(|listed| match &listed.record {
        Record::Trail(trail) => trail.rows.iter().map(|row| row.what.as_str()).collect(),
        _ => Vec::new(),
    });
    rows.filter(|what| *what == "signed_out").count()
}

#[tokio::test]
async fn s36_a_sign_out_that_began_as_a_guests_signs_out_whoever_is_signed_in_by_then() {
    let scene = Scene::new(false).await;
    let (body, begun, rest) = held("{}");
    let (tab, fresh) = (scene.device.tab(), scene.device.tab());
    let meanwhile = async {
        begun.reading().await;
        fresh.json("POST", IN, remembered(EMAIL)).await.expect(200);
        rest.come();
    };
    let (out, ()) = tokio::join!(post(&tab, OUT, body), meanwhile);
    let out = out.expect(204);
    assert_eq!((out.cookie(NAME).as_deref(), out.cookie(REMEMBER).as_deref()), (Some(""), Some("")));
    is_out(&scene.shop, &fresh).await;
    assert_eq!(signed_out_rows(&scene.shop).await, 1);
}

#[tokio::test]
async fn s36_so_does_one_whose_commit_was_under_way_when_the_sign_in_came() {
    let scene = Scene::new(false).await;
    let elsewhere = Shop::over(scene.shop.store.clone(), Default::default(), cheap());
    let (tab, fresh) = (scene.device.tab(), scene.device.at(&elsewhere));
    tab.cart().await;
    scene.shop.store.shut_gate();
    let meanwhile = async {
        scene.shop.store.until_waiting(1).await;
        scene.shop.store.let_others_by();
        fresh.json("POST", IN, remembered(EMAIL)).await.expect(200);
        scene.shop.store.open_gate();
    };
    let (out, ()) = tokio::join!(tab.json("POST", OUT, Value::Null), meanwhile);
    out.expect(204);
    is_out(&scene.shop, &fresh).await;
    assert_eq!(signed_out_rows(&scene.shop).await, 1);
}

#[tokio::test]
async fn s36_so_does_one_whose_browser_went_over_to_another_account_meanwhile() {
    let scene = Scene::new(true).await;
    signed_up(&scene.shop, "ben@example.com").await;
    let (body, begun, rest) = held("{}");
    let (tab, fresh) = (scene.device.tab(), scene.device.tab());
    let meanwhile = async {
        begun.reading().await;
        fresh.json("POST", IN, remembered("ben@example.com")).await.expect(200);
        rest.come();
    };
    let (out, ()) = tokio::join!(post(&tab, OUT, body), meanwhile);
    out.expect(204);
    is_out(&scene.shop, &fresh).await;
    assert_eq!(signed_out_rows(&scene.shop).await, 2, "of the one account, then of the other");
}

#[tokio::test]
async fn s36_so_does_one_whose_token_was_renewed_or_replaced_by_a_new_password_meanwhile() {
    for renewed in [true, false] {
        let scene = Scene::new(true).await;
        if renewed {
            scene.shop.turn(Span::from_s(61 * 60)).await;
        }
        let (body, begun, rest) = held("{}");
        let (tab, fresh) = (scene.device.tab(), scene.device.tab());
        let meanwhile = async {
            begun.reading().await;
            if renewed {
                fresh.cart().await;
                fresh.cart().await;
                scene.shop.turn(Span::from_s(121)).await;
            } else {
                let change = json!({"current": PASSWORD, "new": "a tin of seventeen sardines"});
                fresh.json("POST", "/v1/account/password", change).await.expect(204);
            }
            assert_ne!(fresh.token(), tab.token());
            rest.come();
        };
        let (out, ()) = tokio::join!(post(&tab, OUT, body), meanwhile);
        out.expect(204);
        is_out(&scene.shop, &fresh).await;
        assert_eq!(signed_out_rows(&scene.shop).await, 1);
    }
}

/// What begins with a token that is out of use already is a write like any other.
#[tokio::test]
async fn s36_a_sign_out_that_comes_with_a_retired_token_ends_nobody_and_clears_no_cookie() {
    let scene = Scene::new(false).await;
    let fresh = scene.end(&scene.shop, Ending::SignIn).await.unwrap();
    let late = scene.device.json("POST", OUT, Value::Null).await.problem(401, "session_ended");
    assert_eq!(late.set_cookie(), None);
    assert!(fresh.is_signed_in().await);
}

#[tokio::test]
async fn a_guest_of_more_orders_than_there_are_tries_is_signed_out() {
    let bounds = Bounds { sweep_batch: 2, commit_tries: 2, ..Bounds::default() };
    let shop = Shop::with(Default::default(), Settings { bounds, rate_limits: false, ..cheap() });
    let guest = shop.browser();
    for _ in 0..9 {
        guest.add("a", 1).await.expect(200);
        guest.json("POST", "/v1/cart/checkout", json!({})).await.expect(201);
    }
    guest.json("POST", OUT, Value::Null).await.expect(204);
    assert_eq!(shop.store.count().await.unwrap().sessions(), 0);
    assert_eq!(shop.store.list(Listing::all(Kind::OrderLink), 10).await.unwrap().len(), 0);
}

/// A late sign-in brings its own proof: it stands, and takes nothing from a session that is gone or another one's.
#[tokio::test]
async fn s36_a_sign_in_whose_token_goes_meanwhile_begins_a_session_of_its_own_and_brings_no_cart() {
    for how in [Ending::SignOut, Ending::SignIn, Ending::Unswept] {
        let scene = Scene::new(false).await;
        let (body, begun, rest) = held(&login(EMAIL, PASSWORD).to_string());
        let tab = scene.device.tab();
        let meanwhile = async {
            begun.reading().await;
            let fresh = scene.end(&scene.shop, how).await;
            rest.come();
            fresh
        };
        let (signed, fresh) = tokio::join!(post(&tab, IN, body), meanwhile);
        let signed = signed.expect(200);
        assert!(signed.json["merge"].is_null(), "{how:?}: {}", signed.text);
        assert!(tab.is_signed_in().await);
        let other = signed_in(&scene.shop, EMAIL).await.cart().await;
        match fresh {
            Some(fresh) => {
                assert!(fresh.is_signed_in().await && fresh.session().await != tab.session().await);
                assert_eq!(other.shown(), "mug=1");
            }
            None => assert_eq!(other.shown(), "", "{how:?}"),
        }
        let sealed = scene.shop.store.count().await.unwrap().merged_carts;
        assert_eq!(sealed, u64::from(how == Ending::SignIn), "{how:?}");
    }
}
