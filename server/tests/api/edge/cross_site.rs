//! S24: what another site may have sent changes nothing.

use crate::support::{Actor, Shop, request};
use serde_json::json;
use trolley::http::server::state::HttpConfig;
use trolley::service::settings::Settings;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn shop() -> Shop {
    let trusted_origins = vec!["https://app.example".to_owned()];
    let public_origin = Some("https://shop.example".to_owned());
    Shop::with(
        HttpConfig { trusted_origins, public_origin, demo: true, ..HttpConfig::default() },
        Settings::default(),
    )
}

/// Whether a POST with these headers gets past the rule.
async fn passes(shop: &Shop, path: &str, content_type: &str, headers: &[(&str, &str)]) -> bool {
    let mut request = request("POST", path).header("content-type", content_type);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let reply = shop.anyone().send(request.body(r#"{"sku":"a"}"#.into()).unwrap()).await;
    if reply.status == 403 {
        reply.problem(403, "cross_site");
        return false;
    }
    true
}

#[tokio::test]
async fn s24_fetch_metadata_decides_where_a_browser_sends_it() {
    let shop = shop();
    for (site, origin, expected) in [
        ("same-origin", None, true),
        ("none", None, true),
        ("same-origin", Some("https://evil.example"), true),
        ("same-site", None, false),
        ("cross-site", None, false),
        ("nonsense", None, false),
        ("cross-site", Some("https://evil.example"), false),
        ("cross-site", Some("http://shop.test"), false),
        ("cross-site", Some("https://app.example"), true),
        ("same-site", Some("https://shop.example"), true),
        ("cross-site", Some("https://app.example.evil.example"), false),
        ("cross-site", Some("https://app.example:8443"), false),
        ("cross-site", Some("http://app.example"), false),
        ("cross-site", Some("null"), false),
    ] {
        let mut headers = vec![("sec-fetch-site", site)];
        headers.extend(origin.map(|origin| ("origin", origin)));
        assert_eq!(passes(&shop, "/v1/cart/lines", JSON, &headers).await, expected, "{headers:?}");
    }
}

#[tokio::test]
async fn s24_without_fetch_metadata_the_origin_must_be_the_host() {
    let shop = shop();
    for (origin, expected) in [
        ("http://shop.test", true),
        ("https://shop.test", true),
        ("https://SHOP.test", true),
        ("https://shop.test:8080", false),
        ("https://evil.example", false),
        ("https://app.example", true),
        ("null", false),
        ("", false),
        ("shop.test", false),
        ("ftp://shop.test", false),
    ] {
        assert_eq!(passes(&shop, "/v1/cart/lines", JSON, &[("origin", origin)]).await, expected, "{origin}");
    }
    assert!(
        !passes(&shop, "/v1/cart/lines", JSON, &[("origin", "https://shop.test"), ("origin", "null")]).await
    );
}

#[tokio::test]
async fn s24_with_neither_header_only_forms_are_refused() {
    let shop = shop();
    assert!(passes(&shop, "/v1/cart/lines", JSON, &[]).await);
    for form in [FORM, "application/x-www-form-urlencoded; charset=utf-8", "multipart/form-data; boundary=x"]
    {
        let refused = request("POST", "/v1/cart/lines").header("content-type", form);
        let refused = shop.anyone().send(refused.body("sku=a".into()).unwrap()).await;
        assert_eq!(refused.problem(415, "unsupported_media_type").set_cookie(), None, "{form}");
        assert!(!passes(&shop, "/cart/add", form, &[]).await, "{form}");
    }
    let plain = request("POST", "/v1/cart/lines").header("content-type", "Text/Plain; charset=utf-8");
    let plain = shop.anyone().send(plain.body(r#"{"sku":"a"}"#.into()).unwrap()).await;
    plain.problem(415, "unsupported_media_type");
    assert!(passes(&shop, "/cart/add", FORM, &[("sec-fetch-site", "same-origin")]).await);
    assert!(!passes(&shop, "/v1/cart/lines", FORM, &[("origin", "https://evil.example")]).await);
    assert!(!passes(&shop, "/v1/cart/lines", FORM, &[("sec-fetch-site", "cross-site")]).await);
}

#[tokio::test]
async fn s24_a_password_that_browsers_send_by_themselves_lifts_nothing() {
    let shop = shop();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    for scheme in ["Basic c3RhZ2luZzpzZWNyZXQ=", "Negotiate abc", "Digest a=b", "bearerx y", ""] {
        for headers in [
            &[("authorization", scheme), ("sec-fetch-site", "cross-site")][..],
            &[("authorization", scheme), ("origin", "https://evil.example")],
            &[("authorization", scheme), ("origin", "null")],
        ] {
            let refused = browser.with("POST", "/v1/cart/lines", headers, json!({"sku": "a"})).await;
            refused.problem(403, "cross_site");
        }
        let form =
            request("POST", "/v1/cart/lines").header("content-type", FORM).header("authorization", scheme);
        // It is refused all the same, and told what curl can do about it.
        browser.send(form.body("sku=a".into()).unwrap()).await.problem(415, "unsupported_media_type");
        let asked =
            [("authorization", scheme), ("x-original-method", "POST"), ("sec-fetch-site", "cross-site")];
        browser.with("GET", "/v1/verify", &asked, json!(null)).await.problem(403, "cross_site");
    }
    assert_eq!(browser.cart().await.shown(), "a=1");
}

#[tokio::test]
async fn s24_with_a_bearer_token_the_rule_does_not_apply() {
    let shop = shop();
    let app = shop.bearer().await;
    let headers = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    app.with("POST", "/v1/cart/lines", &headers, json!({"sku": "a"})).await.expect(200);
}

#[tokio::test]
async fn s24_get_head_and_options_change_nothing() {
    let shop = shop();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    let before = browser.cart().await;
    for method in ["GET", "HEAD", "OPTIONS"] {
        for path in [
            "/v1/cart",
            "/v1/cart/lines",
            &format!("/v1/cart/lines/{}", before.line("a")),
            "/cart/add",
            "/cart/clear",
        ] {
            browser.with(method, path, &[("sec-fetch-site", "cross-site")], json!(null)).await;
        }
    }
    assert_eq!(browser.cart().await.json, before.json);
}

#[tokio::test]
async fn a_trusted_origin_may_read_and_no_other() {
    let shop = shop();
    let trusted = [("origin", "https://app.example")];
    let asked = [("origin", "https://app.example"), ("access-control-request-method", "PUT")];
    let reply = shop.anyone().with("GET", "/v1/cart", &trusted, json!(null)).await.expect(200);
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(reply.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(reply.header("vary"), Some("Origin"));
    let exposed = reply.header("access-control-expose-headers").unwrap();
    let names =
        "ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, Idempotency-Replayed, Trolley-Token";
    assert_eq!(exposed, names);
    let preflight = shop.anyone().with("OPTIONS", "/v1/cart", &asked, json!(null)).await.expect(204);
    assert!(preflight.header("access-control-allow-methods").unwrap().contains("PUT"));
    let allowed = preflight.header("access-control-allow-headers").unwrap();
    for name in [
        "Authorization",
        "Content-Type",
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "Last-Event-ID",
        "Trolley-Strict",
    ] {
        assert!(allowed.split(", ").any(|allowed| allowed == name), "{name}");
    }
    let evil = [("origin", "https://evil.example"), ("access-control-request-method", "PUT")];
    let refused = shop
        .anyone()
        .with("OPTIONS", "/v1/cart", &evil, json!(null))
        .await
        .problem(405, "method_not_allowed");
    assert_eq!(
        (refused.header("access-control-allow-origin"), refused.header("vary")),
        (None, Some("Origin"))
    );
}
