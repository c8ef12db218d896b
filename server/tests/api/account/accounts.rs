//! Accounts over HTTP: sign up, in and out, another password, reset, goodbye.

use serde_json::{Value, json};
use trolley::service::account::hashing::Cost;
use trolley::service::settings::Settings;
use trolley_core::time::Span;
use trolley_store::port::{Listing, Store as _};
use trolley_store::records::{Kind, Record};

use crate::support::{Actor, Browser, Shop};

pub const EMAIL: &str = "ann@example.com";
pub const PASSWORD: &str = "correct horse battery staple";
const ANOTHER: &str = "a tin of seventeen sardines";

pub fn login(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

/// Settings of which a hash costs next to nothing: for what is not about hashing.
pub fn cheap() -> Settings {
    Settings { hashing: Cost { memory_kib: 8, passes: 1 }, ..Settings::default() }
}

pub fn shop() -> Shop {
    Shop::with(Default::default(), cheap())
}

/// A browser that has signed up.
pub async fn signed_up(shop: &Shop, email: &str) -> Browser {
    let browser = shop.browser();
    let made = browser.json("POST", "/v1/accounts", login(email, PASSWORD)).await.expect(201);
    assert_eq!(made.etag(), browser.cart().await.etag(), "an answer with a cart has its tag");
    browser
}

/// A browser that has signed in.
pub async fn signed_in(shop: &Shop, email: &str) -> Browser {
    let browser = shop.browser();
    let entered = browser.json("POST", "/v1/session/sign-in", login(email, PASSWORD)).await.expect(200);
    assert_eq!(entered.etag(), browser.cart().await.etag(), "an answer with a cart has its tag");
    browser
}

pub async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/v1/session").await.expect(200).json["signed_in"] == true
}

/// A token that is dead reads nothing, and a write under it is refused and sets no cookie.
async fn is_dead(shop: &Shop, token: &str) {
    let late = shop.browser_with(token);
    assert!(!is_signed_in(&late).await);
    assert_eq!(late.cart().await.json["id"], json!(null));
    let refused = late.add("x", 1).await.problem(401, "session_ended");
    assert_eq!(refused.set_cookie(), None);
    assert_eq!(late.cookie().as_deref(), Some(token));
}

#[tokio::test]
async fn s06_each_change_of_privilege_issues_a_new_token_and_the_old_one_is_dead_at_once() {
    let shop = shop();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    let mut tokens = vec![browser.cookie().unwrap()];
    let up = browser.json("POST", "/v1/accounts", login(EMAIL, PASSWORD)).await.expect(201);
    assert!(!up.text.contains(&up.token().unwrap()), "a token goes by the cookie alone");
    tokens.push(browser.cookie().unwrap());
    browser.json("POST", "/v1/session/sign-in", login(EMAIL, PASSWORD)).await.expect(200);
    tokens.push(browser.cookie().unwrap());
    let change = json!({"current": PASSWORD, "new": ANOTHER});
    browser.json("POST", "/v1/account/password", change).await.expect(204);
    tokens.push(browser.cookie().unwrap());
    let (present, before) = tokens.split_last().unwrap();
    for (n, old) in before.iter().enumerate() {
        assert_ne!(old, present);
        is_dead(&shop, old).await;
        assert!(is_signed_in(&browser).await, "what token {n} did ended the session");
    }
    let out = browser.json("POST", "/v1/session/sign-out", Value::Null).await.expect(204);
    assert_eq!(out.token().as_deref(), Some(""), "sign-out issues none");
    is_dead(&shop, present).await;
}

#[tokio::test]
async fn s06_an_app_gets_its_new_token_by_header_and_no_cookie() {
    let shop = shop();
    let app = shop.bearer().await;
    app.add("a", 1).await.expect(200);
    let up = app.json("POST", "/v1/accounts", login(EMAIL, PASSWORD)).await.expect(201);
    let token = up.header("trolley-token").unwrap().to_owned();
    assert_eq!(up.set_cookie(), None);
    assert!(!up.text.contains(&token));
    app.get("/v1/session").await.problem(401, "session_ended");
    let bearer = format!("Bearer {token}");
    let anyone = shop.anyone();
    let as_app = [("authorization", bearer.as_str())];
    let cart = anyone.with("GET", "/v1/cart", &as_app, Value::Null).await.expect(200);
    assert_eq!(cart.shown(), "a=1");
    let out = anyone.with("POST", "/v1/session/sign-out", &as_app, Value::Null).await.expect(204);
    assert_eq!((out.set_cookie(), out.header("clear-site-data")), (None, None));
    anyone.with("GET", "/v1/cart", &as_app, Value::Null).await.problem(401, "session_ended");
}

#[tokio::test]
async fn s08_a_new_password_and_goodbye_end_every_other_session() {
    let shop = shop();
    let here = signed_up(&shop, EMAIL).await;
    let there = signed_in(&shop, EMAIL).await;
    let change = json!({"current": PASSWORD, "new": ANOTHER});
    here.json("POST", "/v1/account/password", change).await.expect(204);
    assert!(is_signed_in(&here).await && !is_signed_in(&there).await);
    there
        .json("POST", "/v1/session/sign-in", login(EMAIL, PASSWORD))
        .await
        .problem(401, "invalid_credentials");
    there.json("POST", "/v1/session/sign-in", login(EMAIL, ANOTHER)).await.expect(200);
    here.json("DELETE", "/v1/account", json!({"password": ANOTHER})).await.expect(204);
    assert!(!is_signed_in(&here).await && !is_signed_in(&there).await);
}

#[tokio::test]
async fn s08_a_wrong_present_password_changes_and_deletes_nothing() {
    let shop = shop();
    let browser = signed_up(&shop, EMAIL).await;
    let other = signed_in(&shop, EMAIL).await;
    let change = json!({"current": ANOTHER, "new": "yet another one of them"});
    browser.json("POST", "/v1/account/password", change).await.problem(401, "invalid_credentials");
    browser
        .json("DELETE", "/v1/account", json!({"password": ANOTHER}))
        .await
        .problem(401, "invalid_credentials");
    assert!(is_signed_in(&browser).await && is_signed_in(&other).await);
    signed_in(&shop, EMAIL).await;
}

#[tokio::test]
async fn weak_passwords_are_refused_with_the_reason_and_nothing_is_made() {
    let shop = shop();
    for (weak, says) in [
        ("short", "at least 12"),
        ("elevenchars", "at least 12"),
        ("PassWord1234", "common"),
        ("qwertyuiop123", "common"),
        ("xyxyxyxyxyxyxy", "common"),
        (EMAIL, "address"),
        (&"x1".repeat(200), "at most 256"),
    ] {
        let refused = shop.browser().json("POST", "/v1/accounts", login(EMAIL, weak)).await;
        let refused = refused.problem(422, "weak_password");
        assert_eq!(refused.pointers(), ["#/password"], "{weak}");
        assert!(refused.json["detail"].as_str().unwrap().contains(says), "{}", refused.text);
        assert_eq!(refused.set_cookie(), None);
    }
    let browser = signed_up(&shop, EMAIL).await;
    let change = json!({"current": PASSWORD, "new": "123456789012"});
    let refused = browser.json("POST", "/v1/account/password", change).await.problem(422, "weak_password");
    assert_eq!(refused.pointers(), ["#/new"]);
    for wrong in ["ann", "ann@", "@example.com", "a b@example.com", "Ann <ann@example.com>"] {
        let refused = browser.json("POST", "/v1/accounts", login(wrong, PASSWORD)).await;
        assert_eq!(refused.problem(422, "invalid_body").pointers(), ["#/email"], "{wrong}");
    }
}

#[tokio::test]
async fn an_address_is_one_however_it_is_written() {
    let shop = shop();
    signed_up(&shop, "Ann@Example.com").await;
    for same in ["ann@example.com", "ANN@EXAMPLE.COM", "ａｎｎ@example.com"] {
        shop.browser().json("POST", "/v1/accounts", login(same, ANOTHER)).await.problem(409, "email_taken");
        let signed_in = shop.browser().json("POST", "/v1/session/sign-in", login(same, PASSWORD)).await;
        let account = &signed_in.expect(200).json["session"]["account"];
        assert_eq!(account["email"], "Ann@Example.com", "as it was typed");
    }
}

#[tokio::test]
async fn no_other_spelling_of_an_address_makes_a_second_account() {
    let shop = shop();
    signed_up(&shop, "Zoë@Bücher.example").await;
    for same in [
        "zoë@xn--bcher-kva.example",
        "ZOË@BÜCHER.EXAMPLE.",
        "zoe\u{308}@bu\u{308}cher。example",
        "zoë@bü\u{ad}cher.example",
        "\u{200b}zoë@bücher.example\u{feff}",
        "zoë＠ｂücher.example",
    ] {
        shop.browser().json("POST", "/v1/accounts", login(same, ANOTHER)).await.problem(409, "email_taken");
        let signed_in = shop.browser().json("POST", "/v1/session/sign-in", login(same, PASSWORD)).await;
        assert_eq!(signed_in.expect(200).json["session"]["account"]["email"], "Zoë@Bücher.example", "{same}");
    }
    let hidden =
        shop.browser().json("POST", "/v1/accounts", login("zo\u{200b}ë@bücher.example", PASSWORD)).await;
    let hidden = hidden.problem(422, "invalid_body");
    assert_eq!(hidden.pointers(), ["#/email"]);
    assert!(hidden.json["detail"].as_str().unwrap().contains("cannot be seen"), "{}", hidden.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_sign_up_with_one_address_at_once_one_gets_it() {
    let shop = shop();
    let up = |email: &'static str| {
        let browser = shop.browser();
        tokio::spawn(async move { browser.json("POST", "/v1/accounts", login(email, PASSWORD)).await })
    };
    let all: Vec<_> = (0..16).map(|n| up(["ann@example.com", "ANN@example.com"][n % 2])).collect();
    let mut made = 0;
    for reply in all {
        let reply = reply.await.unwrap();
        if reply.status == 201 {
            made += 1;
        } else {
            reply.problem(409, "email_taken");
        }
    }
    assert_eq!(made, 1);
}

#[tokio::test]
async fn a_call_for_owners_is_refused_to_everybody_else() {
    let shop = shop();
    let guest = shop.browser();
    guest.add("a", 1).await.expect(200);
    for browser in [shop.browser(), guest] {
        for (method, path, body) in [
            ("GET", "/v1/sessions", Value::Null),
            ("DELETE", "/v1/sessions", Value::Null),
            ("GET", "/v1/account/audit", Value::Null),
            ("POST", "/v1/account/password", json!({"current": PASSWORD, "new": ANOTHER})),
            ("DELETE", "/v1/account", json!({"password": PASSWORD})),
        ] {
            browser.json(method, path, body).await.problem(401, "not_signed_in");
        }
    }
}

#[tokio::test]
async fn a_hash_of_an_older_cost_is_renewed_at_the_next_sign_in() {
    let before = shop();
    signed_up(&before, EMAIL).await;
    let costlier = Settings { hashing: Cost { memory_kib: 16, passes: 2 }, ..Settings::default() };
    let after = crate::support::Shop::over(before.store.clone(), Default::default(), costlier);
    assert!(hash_of(&after).await.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
    let wrong = after.browser().json("POST", "/v1/session/sign-in", login(EMAIL, ANOTHER)).await;
    wrong.problem(401, "invalid_credentials");
    assert!(hash_of(&after).await.contains("m=8,"), "a wrong password renews nothing");
    signed_in(&after, EMAIL).await;
    assert!(hash_of(&after).await.starts_with("$argon2id$v=19$m=16,t=2,p=1$"));
    signed_in(&after, EMAIL).await;
}

async fn hash_of(shop: &Shop) -> String {
    let listed = shop.store.list(Listing::all(Kind::Account), 1).await.unwrap();
    let Record::Account(account) = &listed[0].record else { panic!() };
    account.password.as_ref().unwrap().as_str().to_owned()
}

#[tokio::test]
async fn after_goodbye_nothing_of_the_person_is_kept_and_the_address_is_free() {
    let shop = shop();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    browser.json("POST", "/v1/accounts", login(EMAIL, PASSWORD)).await.expect(201);
    browser.add("b", 1).await.expect(200);
    browser.json("POST", "/v1/cart/checkout", json!({})).await.expect(201);
    browser.add("c", 1).await.expect(200);
    signed_in(&shop, EMAIL).await;
    browser.json("DELETE", "/v1/account", json!({"password": PASSWORD})).await.expect(204);
    // The guest's cart that came in is sealed, and lapses with the retired tokens; the audit names an id that is nobody's.
    for turned in [false, true] {
        for kind in Kind::ALL {
            let mut left = shop.store.list(Listing::all(*kind), 100).await.unwrap();
            left.retain(|listed| match &listed.record {
                Record::Cart(cart) => turned || cart.sealed.is_none(),
                Record::Token(_) => turned,
                Record::Audit(event) => event.row.address.is_some() && turned,
                // An order draft is the shop's; nothing leads from it to the person any more.
                Record::Clock(_) | Record::Order(_) => false,
                _ => true,
            });
            assert!(left.is_empty(), "{kind:?}: {left:?}");
        }
        shop.turn(Span::from_days(31)).await;
    }
    let refused = browser.json("POST", "/v1/session/sign-in", login(EMAIL, PASSWORD)).await;
    refused.problem(401, "invalid_credentials");
    let again = signed_up(&shop, EMAIL).await;
    assert_eq!(again.cart().await.quantity(), 0);
}

#[tokio::test]
async fn s35_after_sign_out_nothing_of_the_account_can_be_read_in_that_browser() {
    let shop = shop();
    let browser = signed_up(&shop, EMAIL).await;
    browser.add("a", 1).await.expect(200);
    let token = browser.cookie().unwrap();
    for path in ["/v1/cart", "/v1/session", "/v1/sessions", "/v1/account/audit"] {
        let reply = browser.get(path).await.expect(200);
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
    }
    let out = browser.json("POST", "/v1/session/sign-out", Value::Null).await.expect(204);
    assert_eq!(out.header("clear-site-data"), Some("\"storage\""));
    for browser in [browser, shop.browser_with(&token)] {
        assert_eq!(browser.cart().await.json["id"], json!(null));
        assert_eq!(browser.get("/v1/session").await.json, json!({"signed_in": false}));
        for path in ["/v1/sessions", "/v1/account/audit"] {
            browser.get(path).await.problem(401, "not_signed_in");
        }
    }
    let next = shop.browser();
    next.add("b", 1).await.expect(200);
    assert_eq!(next.cart().await.shown(), "b=1", "signing out copies nothing");
    shop.turn(Span::from_hours(30)).await;
    assert_eq!(signed_in(&shop, EMAIL).await.cart().await.shown(), "a=1");
}
