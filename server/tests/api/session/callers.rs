//! Who is calling: cookies, bearer tokens, both, and a session that ends meanwhile.

use std::sync::Arc;

use serde_json::json;
use trolley::http::extract::cookie::NAME;
use trolley::service::session::token::Token;
use trolley_store::port::Store as _;
use trolley_store::records::{Key, Record};

use crate::support::{Actor, Shop, days, request};

#[tokio::test]
async fn several_cookies_of_our_name_are_refused() {
    let shop = Shop::new();
    for cookies in [vec![format!("{NAME}=a; {NAME}=b")], vec![format!("{NAME}=a"), format!("x=y; {NAME}=a")]]
    {
        let mut request = request("GET", "/v1/cart");
        for cookie in cookies {
            request = request.header("cookie", cookie);
        }
        let refused = shop.anyone().send(request.body(axum::body::Body::empty()).unwrap()).await;
        let refused = refused.problem(400, "duplicate_cookie");
        assert_eq!((refused.pointers(), refused.set_cookie()), (vec!["#/header/Cookie"], None));
    }
}

#[tokio::test]
async fn a_bearer_app_has_a_cart_without_cookies() {
    let shop = Shop::new();
    let begun = shop.anyone().json("POST", "/v1/session", json!({"transport": "bearer"})).await.expect(201);
    let mut names: Vec<_> = begun.json.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["absolute_expires_at", "device", "expires_at", "signed_in", "token"]);
    assert_eq!(begun.set_cookie(), None);
    let app = shop.bearer().await;
    let empty = app.cart().await;
    assert_eq!((empty.revision(), empty.quantity()), (0, 0));
    let added = app.add("a", 2).await.expect(200);
    assert_eq!((added.set_cookie(), added.json["id"].clone()), (None, empty.json["id"].clone()));
    assert_eq!(app.cart().await.shown(), "a=2");
    let told = app.get("/v1/session").await.expect(200);
    assert_eq!((told.json["signed_in"].clone(), told.json.get("token")), (json!(false), None));
}

#[tokio::test]
async fn a_token_opens_its_session_only_the_way_it_was_given() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    app.add("a", 1).await.expect(200);
    assert_eq!(shop.browser_with(&app.token).cart().await.json["id"], json!(null));
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    let bearer = format!("Bearer {}", browser.cookie().unwrap());
    let refused = shop.anyone().with("GET", "/v1/cart", &[("authorization", &bearer)], json!(null)).await;
    refused.problem(401, "session_ended");
}

#[tokio::test]
async fn what_is_no_live_bearer_token_is_401() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    app.add("a", 1).await.expect(200);
    let lower = format!("bearer {}", app.token);
    shop.anyone().with("GET", "/v1/cart", &[("authorization", &lower)], json!(null)).await.expect(200);
    shop.turn(days(200)).await;
    for reply in [app.get("/v1/cart").await, app.add("a", 1).await, app.get("/v1/session").await] {
        assert_eq!(reply.problem(401, "session_ended").header("www-authenticate"), Some("Bearer"));
    }
    for (value, code) in [
        ("Bearer x", "session_ended"),
        ("Bearer ", "unsupported_authorization"),
        ("Bearer", "unsupported_authorization"),
        (&app.token, "unsupported_authorization"),
        ("trk_x", "unsupported_authorization"),
    ] {
        let refused = shop.anyone().with("GET", "/v1/cart", &[("authorization", value)], json!(null)).await;
        assert_eq!(refused.problem(401, code).header("www-authenticate"), Some("Bearer"), "{value}");
    }
}

#[tokio::test]
async fn an_authorization_of_another_scheme_is_not_ours_and_counts_as_none() {
    let shop = Shop::new();
    let browser = shop.browser();
    for (n, scheme) in
        ["Basic c3RhZ2luZzpzZWNyZXQ=", "basic x", "Digest username=\"a\"", "Negotiate", ""].iter().enumerate()
    {
        let basic = [("authorization", *scheme)];
        let added = browser.with("POST", "/v1/cart/lines", &basic, json!({"sku": "a"})).await.expect(200);
        assert_eq!(added.quantity(), n as u64 + 1, "{scheme}: the cookie opens its cart");
        let read = browser.with("GET", "/v1/cart", &basic, json!(null)).await.expect(200);
        assert_eq!(read.json["id"], added.json["id"]);
        browser.with("GET", "/v1/verify", &basic, json!(null)).await.expect(200);
        browser.with("GET", "/v1/session", &basic, json!(null)).await.expect(200);
        let nobody = shop.anyone().with("GET", "/v1/cart", &basic, json!(null)).await.expect(200);
        assert_eq!(nobody.json["id"], json!(null));
        let nobody = shop.anyone().with("GET", "/v1/verify", &basic, json!(null)).await.expect(401);
        assert_eq!(nobody.header("www-authenticate"), Some("Bearer"), "Basic would make a browser ask");
    }
    // Who signs up behind it gets cookies, and no header that only an app reads.
    let login = crate::account::accounts::login("ann@example.com", crate::account::accounts::PASSWORD);
    let basic = [("authorization", "Basic c3RhZ2luZzpzZWNyZXQ=")];
    let up = browser.with("POST", "/v1/accounts", &basic, login.clone()).await.expect(201);
    assert!(up.set_cookie().is_some() && up.header("trolley-token").is_none());
    browser.with("POST", "/v1/session/sign-out", &basic, json!(null)).await.expect(204);
    let again = browser.with("POST", "/v1/session/sign-in", &basic, login).await.expect(200);
    assert!(again.set_cookie().is_some() && again.header("trolley-token").is_none());
}

#[tokio::test]
async fn a_cookie_and_an_authorization_are_one_too_many() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    let bearer = format!("Bearer {}", shop.bearer().await.token);
    browser
        .with("GET", "/v1/cart", &[("authorization", &bearer)], json!(null))
        .await
        .problem(400, "two_credentials");
    shop.browser_with("dead")
        .with("GET", "/v1/cart", &[("authorization", &bearer)], json!(null))
        .await
        .problem(400, "two_credentials");
}

#[tokio::test]
async fn a_session_that_ends_while_a_write_runs_ends_the_write() {
    let shop = Shop::new();
    let browser = Arc::new(shop.browser());
    browser.add("a", 1).await.expect(200);
    browser.cart().await;
    shop.store.shut_gate();
    let write = tokio::spawn({
        let browser = browser.clone();
        async move { browser.add("a", 1).await }
    });
    shop.store.until_waiting(1).await;
    let digest = Token::parse(browser.cookie().unwrap().as_bytes()).unwrap().digest();
    let Some(Record::Token(named)) = shop.store.load(Key::Token(digest)).await.unwrap() else { panic!() };
    shop.store.end_session(named.session).await;
    shop.store.open_gate();
    let ended = write.await.unwrap().problem(401, "session_ended");
    assert_eq!((ended.set_cookie(), ended.header("www-authenticate")), (None, Some("Bearer")));
}
