//! S36: a sign-out ends whoever is signed in by the time it is done, however many sessions its browser had meanwhile.

use serde_json::{Value, json};
use trolley::http::extract::cookie::{DEVICE, NAME, REMEMBER};
use trolley::service::settings::Settings;
use trolley_core::session::SessionPolicy;
use trolley_store::port::{Listing, Store as _};
use trolley_store::records::{Kind, Record};

use crate::account::accounts::{PASSWORD, cheap, login, signed_up};
use crate::support::held::held;
use crate::support::member::Device;
use crate::support::{Actor, Shop, request};

const OUT: &str = "/v1/session/sign-out";
const IN: &str = "/v1/session/sign-in";
const ANN: &str = "ann@example.com";
const BEN: &str = "ben@example.com";

/// What the browser does while its sign-out is held.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// Signs in, and is remembered.
    In(&'static str),
    /// Signs in from another tab, which still has the first cookies.
    Late(&'static str),
    /// Two tabs sign in at once, by the same cookies.
    Twice(&'static str),
    /// Signs up.
    Up,
    Out,
    Everywhere,
    Password,
    /// The account signs in on as many other devices as it may.
    Evicted,
    Cart,
}
use Step::{Cart, Everywhere, Evicted, In, Late, Out, Password, Twice, Up};

fn remembered(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD, "remember": true})
}

async fn shop() -> Shop {
    let policy = SessionPolicy { cap: 4, ..SessionPolicy::default() };
    let shop = Shop::with(Default::default(), Settings { policy, rate_limits: false, ..cheap() });
    for email in [ANN, BEN] {
        let owner = signed_up(&shop, email).await;
        owner.json("POST", OUT, Value::Null).await.expect(204);
    }
    shop
}

async fn sign_in(browser: &Device, email: &str) {
    browser.json("POST", IN, remembered(email)).await.expect(200);
}

/// As a browser that drops what is taken back.
fn drop_empty(browser: &Device) {
    for name in [NAME, REMEMBER] {
        if browser.cookie(name).is_some_and(|value| value.is_empty()) {
            browser.drop_cookie(name);
        }
    }
}

async fn take(shop: &Shop, browser: &Device, first: &Device, step: Step) {
    match step {
        In(email) => sign_in(browser, email).await,
        Late(email) => {
            let tab = first.tab();
            sign_in(&tab, email).await;
            for name in [NAME, REMEMBER, DEVICE] {
                browser.put(name, &tab.cookie(name).unwrap());
            }
        }
        Twice(email) => {
            let (one, two) = (browser.tab(), browser.tab());
            let (text, begun, rest) = held(&remembered(email).to_string());
            let second = request("POST", IN).header("content-type", "application/json").body(text).unwrap();
            let first = async {
                begun.reading().await;
                sign_in(&one, email).await;
                rest.come();
            };
            let (signed, ()) = tokio::join!(two.send(second), first);
            signed.expect(200);
            for name in [NAME, REMEMBER, DEVICE] {
                browser.put(name, &two.cookie(name).unwrap());
            }
        }
        Up => drop(browser.json("POST", "/v1/accounts", remembered("new@example.com")).await.expect(201)),
        Out => drop(browser.json("POST", OUT, Value::Null).await.expect(204)),
        Everywhere => drop(browser.delete("/v1/sessions?all=true").await.expect(204)),
        Password => {
            // The password stays what it is.
            let change = json!({"current": PASSWORD, "new": PASSWORD});
            drop(browser.json("POST", "/v1/account/password", change).await.expect(204));
        }
        Evicted => {
            for _ in 0..4 {
                let other = shop.device();
                other.json("POST", IN, login(ANN, PASSWORD)).await.expect(200);
            }
        }
        Cart => drop(browser.cart().await),
    }
    drop_empty(browser);
}

/// Nothing of any account can be had by what the browser has, or had, and no device of its is left.
async fn is_out(shop: &Shop, browser: &Device, others: usize, what: &str) {
    for name in [NAME, REMEMBER] {
        let alone = browser.tab();
        alone.drop_cookie(name);
        let shown = alone.get("/v1/session").await.expect(200).json;
        assert_eq!(shown, json!({"signed_in": false}), "{what}: without {name}");
    }
    let mut live = 0;
    for listed in shop.store.list(Listing::all(Kind::AccountSessions), 10).await.unwrap() {
        let Record::AccountSessions(sessions) = listed.record else { continue };
        live += sessions.entries.len();
        assert_eq!(sessions.series.len(), 0, "{what}");
    }
    assert_eq!(live, others, "{what}");
}

async fn held_while(begins: Option<&'static str>, steps: &[Step]) {
    let what = format!("{begins:?} {steps:?}");
    let shop = shop().await;
    let browser = shop.device();
    match begins {
        Some(email) => sign_in(&browser, email).await,
        None => drop(browser.add("mug", 1).await.expect(200)),
    }
    let (text, begun, rest) = held("{}");
    let (tab, first) = (browser.tab(), browser.tab());
    let out = request("POST", OUT).header("content-type", "application/json").body(text).unwrap();
    let meanwhile = async {
        begun.reading().await;
        for step in steps {
            take(&shop, &browser, &first, *step).await;
        }
        rest.come();
    };
    let (reply, ()) = tokio::join!(tab.send(out), meanwhile);
    assert_eq!(reply.expect(204).cookie(NAME).as_deref(), Some(""));
    let others = if steps.contains(&Evicted) { 4 } else { 0 };
    // Of two whose place one takes that the device itself has begun anew, three are left.
    let others = if steps.ends_with(&[Evicted, Cart]) { others - 1 } else { others };
    is_out(&shop, &browser, others, &what).await;
}

#[tokio::test]
async fn s36_a_sign_out_follows_its_browser_through_any_chain_of_sign_ins() {
    let of_guests: [&[Step]; 11] = [
        &[In(ANN)],
        &[In(ANN), In(BEN)],
        &[In(ANN), In(BEN), In(ANN)],
        &[In(ANN), In(BEN), In(ANN), In(BEN), In(ANN), In(BEN)],
        &[Twice(ANN)],
        &[Twice(ANN), In(BEN), Twice(ANN)],
        &[In(ANN), Late(BEN)],
        &[In(ANN), Late(ANN), In(BEN), Late(BEN)],
        &[Up, In(ANN)],
        &[In(ANN), Password, In(BEN)],
        &[In(ANN), In(ANN), In(BEN)],
    ];
    for steps in of_guests {
        held_while(None, steps).await;
    }
    let of_members: [&[Step]; 4] =
        [&[In(BEN), In(ANN)], &[Password, In(BEN)], &[Twice(BEN), In(ANN)], &[Late(BEN), Late(ANN)]];
    for steps in of_members {
        held_while(Some(ANN), steps).await;
    }
}

/// A sign-out that was faster takes the cookies which would tell the browser: its device's is left.
#[tokio::test]
async fn s36_a_sign_out_follows_its_browser_through_other_sign_outs() {
    let of_guests: [&[Step]; 4] = [
        &[In(ANN), Out, In(ANN)],
        &[In(ANN), Out, In(BEN)],
        &[In(ANN), Everywhere, In(ANN)],
        &[In(ANN), Out, In(BEN), Out, In(ANN), In(BEN)],
    ];
    for steps in of_guests {
        held_while(None, steps).await;
    }
    held_while(Some(ANN), &[Out, In(ANN)]).await;
}

#[tokio::test]
async fn s36_a_sign_out_forgets_the_device_of_a_session_that_the_cap_took_meanwhile() {
    held_while(Some(ANN), &[Evicted]).await;
    held_while(Some(ANN), &[Evicted, Cart]).await;
}

/// What opens nothing by itself ends nothing either: two who have one device's cookie do not sign each other out.
#[tokio::test]
async fn a_copied_device_cookie_leads_no_sign_out_to_a_session_that_lives_beside() {
    let shop = shop().await;
    let (owner, thief) = (shop.device(), shop.device());
    sign_in(&owner, ANN).await;
    owner.json("POST", OUT, Value::Null).await.expect(204);
    thief.put(DEVICE, &owner.cookie(DEVICE).unwrap());
    sign_in(&thief, BEN).await;
    drop_empty(&owner);
    sign_in(&owner, ANN).await;
    thief.json("POST", OUT, Value::Null).await.expect(204);
    assert!(owner.is_signed_in().await && !thief.is_signed_in().await);
}

/// What leads from one session to the next opens nothing, and goes when tokens that went out of use are forgotten.
#[tokio::test]
async fn what_a_sign_out_follows_is_forgotten_after_ten_minutes() {
    let shop = shop().await;
    let browser = shop.device();
    browser.add("mug", 1).await.expect(200);
    for email in [ANN, BEN, ANN] {
        sign_in(&browser, email).await;
    }
    shop.turn(trolley_core::time::Span::from_s(601)).await;
    let kept = shop.store.list(Listing::all(Kind::Token), 100).await.unwrap();
    assert_eq!(kept.len(), 1, "the one that is in use");
    assert!(browser.is_signed_in().await);
}
