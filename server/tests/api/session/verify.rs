//! Whom a request comes from: what it costs to know, and what a proxy or an app is told.

use axum::body::Body;
use serde_json::json;
use trolley::http::extract::cookie::NAME;
use trolley::http::server::state::HttpConfig;
use trolley::service::settings::Settings;
use trolley_core::session::Transport;
use trolley_core::time::Span;

use crate::support::reply::Reply;
use crate::support::{Actor, Shop, request};

fn shop() -> Shop {
    let shop = Shop::new();
    shop.store.never_sweep();
    shop
}

fn minutes(minutes: u64) -> Span {
    Span::from_s(minutes * 60)
}

#[tokio::test]
async fn a_live_session_is_recognised_without_a_read_of_the_store() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, false).await;
    let guest = shop.browser();
    guest.add("a", 1).await.expect(200);
    for _ in 0..2 {
        device.cart().await;
        guest.cart().await;
    }
    let loads = |from: usize| shop.store.loads() - from;
    let before = shop.store.loads();
    for _ in 0..100 {
        device.get("/v1/verify").await.expect(200);
    }
    assert_eq!(loads(before), 100, "the account's name alone");
    let before = shop.store.loads();
    for _ in 0..100 {
        device.cart().await;
    }
    assert_eq!(loads(before), 100, "the cart alone");
    let before = shop.store.loads();
    for _ in 0..100 {
        guest.cart().await;
    }
    assert_eq!(loads(before), 100, "the cart alone");
}

#[tokio::test]
async fn an_app_gets_its_renewed_token_in_a_header_and_no_cookie() {
    let shop = shop();
    let member = shop.member(1).await;
    let app = shop.bearer().await;
    let session = app.get("/v1/verify").await.expect(200).header("trolley-session").unwrap().to_owned();
    let device = shop.device();
    let mut entering = device.entering(&member, true).await;
    entering.session = Some(session.parse().unwrap());
    entering.transport = Transport::Bearer;
    let entered = shop.service.attach(&entering).await.unwrap();
    app.get("/v1/cart").await.problem(401, "session_ended");
    let bearer = |token: &str| request("GET", "/v1/cart").header("authorization", format!("Bearer {token}"));
    shop.turn(minutes(61)).await;
    let ask = async |token: &str| shop.anyone().send(bearer(token).body(Body::empty()).unwrap()).await;
    let renewed = ask(entered.token.expose()).await.expect(200);
    assert_eq!(renewed.set_cookie(), None);
    let token = renewed.header("trolley-token").unwrap().to_owned();
    assert_eq!(ask(&token).await.expect(200).header("trolley-token"), None);
}

#[tokio::test]
async fn verify_names_the_session_and_applies_the_cross_site_rule_to_the_original_request() {
    let shop = shop();
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, false).await;
    let verified = device.get("/v1/verify").await.expect(200);
    assert_eq!(verified.header("trolley-account"), Some("customer-1"));
    assert_eq!(verified.header("trolley-session"), Some(device.session().await.to_string().as_str()));
    assert_eq!(verified.text, "");
    let asked =
        async |headers: &[(&'static str, &str)]| device.with("GET", "/v1/verify", headers, json!(null)).await;
    let post = ("x-original-method", "POST");
    asked(&[post, ("origin", "https://evil.test")]).await.problem(403, "cross_site");
    asked(&[post, ("sec-fetch-site", "cross-site")]).await.problem(403, "cross_site");
    asked(&[post, ("origin", "https://shop.test")]).await.expect(200);
    asked(&[("x-original-method", "GET"), ("origin", "https://evil.test")]).await.expect(200);
    asked(&[("x-original-method", "no method")]).await.problem(400, "invalid_request");
    // A form that says nothing of its page is refused, and not for its type: this call takes no body.
    let forms = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"];
    for form in forms {
        asked(&[post, ("content-type", form)]).await.problem(403, "cross_site");
    }
    asked(&[post, ("content-type", "application/json")]).await.expect(200);
    shop.turn(minutes(61)).await;
    assert_eq!(device.get("/v1/verify").await.expect(200).set_cookie(), None, "it renews nothing");
    let guest = shop.browser();
    guest.add("a", 1).await.expect(200);
    let verified = guest.get("/v1/verify").await.expect(200);
    assert_eq!(
        (verified.header("trolley-signed-in"), verified.header("trolley-account")),
        (Some("false"), None)
    );
    shop.anyone().get("/v1/verify").await.expect(401);
}

async fn ask(actor: &impl Actor, headers: &[(&'static str, &str)]) -> Reply {
    actor.with("GET", "/v1/verify", headers, json!(null)).await
}

#[tokio::test]
async fn beside_the_shops_own_bearer_the_cookie_decides_and_a_proxy_hears_401_of_what_is_unclear() {
    let shop = shop();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    let jwt = "Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln";
    for foreign in ["Bearer shops-own-token", jwt, "Bearer undefined", "Bearer trk_x", "Bearer", "Basic dTpw"]
    {
        let known = ask(&browser, &[("authorization", foreign)]).await.expect(200);
        assert!(known.header("trolley-session").is_some(), "{foreign}");
        ask(&shop.browser_with("dead"), &[("authorization", foreign)]).await.expect(401);
        let nobody = ask(&shop.anyone(), &[("authorization", foreign)]).await.expect(401);
        assert_eq!(
            (nobody.text.as_str(), nobody.header("www-authenticate")),
            ("", Some("Bearer")),
            "{foreign}"
        );
        // It opened nothing, so it does not lift the cross-site rule either.
        let evil =
            [("authorization", foreign), ("x-original-method", "POST"), ("origin", "https://evil.test")];
        ask(&browser, &evil).await.problem(403, "cross_site");
    }
    let token = shop.bearer().await.token.clone();
    let ours = format!("Bearer {token}");
    ask(&shop.anyone(), &[("authorization", &ours)]).await.expect(200);
    ask(&shop.anyone(), &[("authorization", &ours), ("authorization", "Bearer shops-own-token")])
        .await
        .expect(200);
    let unclear: [&[(&'static str, &str)]; 2] = [&[("authorization", &ours)], &[("authorization", &token)]];
    for headers in unclear {
        assert_eq!(ask(&browser, headers).await.expect(401).text, "");
    }
    let twice = format!("{NAME}={token}; {NAME}={token}");
    ask(&shop.anyone(), &[("cookie", &twice)]).await.expect(401);
    // The calls of the API stay as they are: there a second credential is refused by name.
    browser
        .with("GET", "/v1/cart", &[("authorization", "Bearer shops-own-token")], json!(null))
        .await
        .problem(400, "two_credentials");
}

#[tokio::test]
async fn verify_answers_401_however_often_somebody_guesses() {
    let shop = Shop::with(HttpConfig::default(), Settings { rate_limits: true, ..Settings::default() });
    let mut answers = std::collections::BTreeSet::new();
    for n in 0..200 {
        let guess = format!("{n:0>43}");
        answers.insert(shop.browser_with(&guess).get("/v1/verify").await.status);
    }
    assert_eq!(answers.into_iter().collect::<Vec<_>>(), [401]);
    // They were counted all the same.
    shop.browser_with(&"g".repeat(43)).get("/v1/cart").await.problem(429, "rate_limited");
}
