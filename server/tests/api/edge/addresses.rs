//! Trusted proxies and listeners: whose word counts on where a request came from, and what is served where.

use crate::support::reply::Reply;
use crate::support::{Actor, Shop, request};
use serde_json::json;
use trolley::http::extract::address::Proxies;
use trolley::http::server::state::HttpConfig;
use trolley::service::settings::Settings;

/// Whether a POST with these headers gets past the cross-site rule, where this machine's proxy is trusted or is not.
async fn passes(trusted: bool, headers: &[(&'static str, &str)]) -> bool {
    let proxies = if trusted { vec!["127.0.0.0/8".parse().unwrap()] } else { Vec::new() };
    let shop = Shop::with(
        HttpConfig { trusted_proxies: Proxies::new(proxies), ..HttpConfig::default() },
        Settings::default(),
    );
    let reply = shop.anyone().with("POST", "/v1/cart/lines", headers, json!({"sku": "a"})).await;
    if reply.status == 403 {
        reply.problem(403, "cross_site");
        return false;
    }
    reply.expect(200);
    true
}

#[tokio::test]
async fn a_forwarded_host_and_scheme_count_from_a_trusted_proxy_alone() {
    for (headers, untrusted, trusted) in [
        (&[("origin", "https://shop.example"), ("x-forwarded-host", "shop.example")][..], false, true),
        (
            &[("origin", "https://shop.example"), ("forwarded", "for=192.0.2.1;host=shop.example")],
            false,
            true,
        ),
        (&[("origin", "https://shop.test"), ("x-forwarded-host", "shop.example")], true, false),
        (&[("origin", "https://shop.test")], true, true),
        (&[("origin", "https://shop.test"), ("x-forwarded-proto", "https")], true, true),
        (&[("origin", "http://shop.test"), ("x-forwarded-proto", "https")], true, false),
        (
            &[("origin", "https://shop.example"), ("x-forwarded-host", "evil.example, shop.example")],
            false,
            true,
        ),
    ] {
        assert_eq!(passes(false, headers).await, untrusted, "untrusted: {headers:?}");
        assert_eq!(passes(true, headers).await, trusted, "trusted: {headers:?}");
    }
}

#[tokio::test]
async fn the_admin_listener_serves_the_probes_and_no_cart_and_the_shops_none_of_its_own() {
    let shop = Shop::with(HttpConfig { admin: false, ..HttpConfig::default() }, Settings::default());
    let admin = shop.app.admin();
    let ask = async |path: &str| {
        let request = request("GET", path).body(axum::body::Body::empty()).unwrap();
        Reply::read(admin.answer(request, ([127, 0, 0, 1], 9).into()).await).await
    };
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/problems/not_found", 200),
        ("/metrics", 200),
        ("/v1/cart", 404),
        ("/v1/session", 404),
    ] {
        assert_eq!(ask(path).await.status, status, "{path}");
    }
    shop.anyone().get("/metrics").await.problem(404, "not_found");
    Shop::new().anyone().get("/metrics").await.expect(200);
}
