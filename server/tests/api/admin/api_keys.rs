//! Keys of the shop's own systems: what opens `/v1/admin/*`, and what does not.

use axum::body::Body;
use axum::extract::FromRequestParts as _;
use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::response::IntoResponse as _;
use trolley::http::extract::address::Address;
use trolley::http::extract::api_key::{ApiKey, Audit, Needs, Orders, OrdersRead};
use trolley::service::keys::api_keys::{ApiKeyError, KEYS_MAX};
use trolley_core::access::Scope;
use trolley_core::ids::ApiKeyId;

use crate::support::reply::Reply;
use crate::support::{Shop, request};

fn from() -> Address {
    Address([192, 0, 2, 1].into())
}

/// What a handler that needs the scope `S` makes of a request with these headers: which key it is, or the answer.
async fn ask<S: Needs>(shop: &Shop, headers: &[(&str, &str)]) -> Result<ApiKeyId, Reply> {
    let mut request = request("GET", "/v1/admin/example").extension(from());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (mut parts, _) = request.body(Body::empty()).unwrap().into_parts();
    match ApiKey::<S>::from_request_parts(&mut parts, shop.app.front()).await {
        Ok(key) => Ok(key.id),
        Err(problem) => Err(Reply::read(problem.into_response()).await),
    }
}

async fn with_key<S: Needs>(shop: &Shop, key: &str) -> Result<ApiKeyId, Reply> {
    ask::<S>(shop, &[("authorization", &format!("Bearer {key}"))]).await
}

#[tokio::test]
async fn a_key_opens_what_its_scopes_name_and_nothing_else() {
    let shop = Shop::new();
    let (secret, key) = shop.service.make_key("the warehouse", vec![Scope::OrdersRead]).await.unwrap();
    assert_eq!(with_key::<OrdersRead>(&shop, secret.expose()).await.unwrap(), key.id);
    let refused = with_key::<Orders>(&shop, secret.expose()).await.unwrap_err().problem(403, "missing_scope");
    assert!(refused.json["detail"].as_str().unwrap().contains("scope orders."), "{}", refused.text);
    with_key::<Audit>(&shop, secret.expose()).await.unwrap_err().problem(403, "missing_scope");
    let (wider, _) = shop.service.make_key("the office", vec![Scope::Audit, Scope::Orders]).await.unwrap();
    assert!(with_key::<OrdersRead>(&shop, wider.expose()).await.is_ok());
    assert!(with_key::<Orders>(&shop, wider.expose()).await.is_ok());
    assert!(with_key::<Audit>(&shop, wider.expose()).await.is_ok());
}

#[tokio::test]
async fn without_a_key_that_stands_the_answer_is_401() {
    let shop = Shop::new();
    let (secret, key) = shop.service.make_key("x", vec![Scope::Orders]).await.unwrap();
    let missing = ask::<Orders>(&shop, &[]).await.unwrap_err().problem(401, "api_key_missing");
    assert_eq!(missing.header("www-authenticate"), Some("Bearer"));
    let never_made = format!("trk_{}", "a".repeat(43));
    let guest = shop.bearer().await.token;
    with_key::<Orders>(&shop, "").await.unwrap_err().problem(401, "unsupported_authorization");
    for unknown in ["trk_", &never_made, &secret.expose()[4..], &guest] {
        with_key::<Orders>(&shop, unknown).await.unwrap_err().problem(401, "api_key_unknown");
    }
    let basic = [("authorization", "Basic dXNlcjpwYXNz")];
    ask::<Orders>(&shop, &basic).await.unwrap_err().problem(401, "api_key_missing");
    let bare = [("authorization", secret.expose())];
    ask::<Orders>(&shop, &bare).await.unwrap_err().problem(401, "unsupported_authorization");
    assert!(with_key::<Orders>(&shop, secret.expose()).await.is_ok());
    shop.service.revoke_key(key.id).await.unwrap();
    with_key::<Orders>(&shop, secret.expose()).await.unwrap_err().problem(401, "api_key_unknown");
}

#[tokio::test]
async fn a_key_beside_a_cookie_or_another_key_is_refused() {
    let shop = Shop::new();
    let (secret, _) = shop.service.make_key("x", vec![Scope::Orders]).await.unwrap();
    let authorization = format!("Bearer {}", secret.expose());
    let headers = [("authorization", authorization.as_str()), ("cookie", "__Host-trolley=x")];
    ask::<Orders>(&shop, &headers).await.unwrap_err().problem(400, "two_credentials");
    let (mut parts, _) = request("GET", "/").extension(from()).body(Body::empty()).unwrap().into_parts();
    for _ in 0..2 {
        parts.headers.append(AUTHORIZATION, HeaderValue::from_str(&authorization).unwrap());
    }
    assert!(ApiKey::<Orders>::from_request_parts(&mut parts, shop.app.front()).await.is_err());
    parts.headers.append(COOKIE, HeaderValue::from_static("other=x"));
    let one = parts.headers.remove(AUTHORIZATION).unwrap();
    parts.headers.insert(AUTHORIZATION, one);
    assert!(ApiKey::<Orders>::from_request_parts(&mut parts, shop.app.front()).await.is_ok());
}

#[tokio::test]
async fn a_store_that_is_down_is_not_taken_for_an_unknown_key() {
    let shop = Shop::new();
    let (secret, _) = shop.service.make_key("x", vec![Scope::Orders]).await.unwrap();
    shop.store.fail_loads(true);
    with_key::<Orders>(&shop, secret.expose()).await.unwrap_err().problem(503, "store_down");
}

#[tokio::test]
async fn keys_are_listed_without_their_secret_and_taken_back_once() {
    let shop = Shop::new();
    let (secret, key) = shop.service.make_key("till 4", vec![Scope::Audit, Scope::Orders]).await.unwrap();
    let keys = shop.service.keys().await.unwrap();
    assert_eq!((keys.len(), &keys[0]), (1, &key));
    assert!(!format!("{keys:?}").contains(secret.expose()));
    assert_eq!(shop.service.revoke_key(key.id).await.unwrap(), key);
    assert!(matches!(shop.service.revoke_key(key.id).await, Err(ApiKeyError::Unknown(_))));
    assert!(shop.service.keys().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_key_has_a_scope_a_name_that_can_be_shown_and_a_bounded_number_beside_it() {
    let shop = Shop::new();
    let make = async |name: &str, scopes: Vec<Scope>| shop.service.make_key(name, scopes).await.map(drop);
    assert!(matches!(make("x", vec![]).await, Err(ApiKeyError::NoScope)));
    for name in ["", "a\nb", &"x".repeat(65)] {
        assert!(matches!(make(name, vec![Scope::Audit]).await, Err(ApiKeyError::Name)), "{name}");
    }
    make(&"ü".repeat(64), vec![Scope::Audit, Scope::Audit]).await.unwrap();
    assert_eq!(shop.service.keys().await.unwrap()[0].scopes, [Scope::Audit]);
    for _ in 1..KEYS_MAX {
        make("x", vec![Scope::Audit]).await.unwrap();
    }
    assert!(matches!(make("x", vec![Scope::Audit]).await, Err(ApiKeyError::TooMany)));
}
