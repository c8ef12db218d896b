//! Which host a request asks for: said once and well, or not answered; and compared as what it is, not as it is written.

use crate::support::reply::Reply;
use crate::support::wire::Served;
use crate::support::{Actor, Shop};
use axum::body::Body;
use axum::http::{Request, Version};
use serde_json::json;
use trolley::http::extract::address::Proxies;
use trolley::http::server::serve::ServerLimits;
use trolley::http::server::state::HttpConfig;
use trolley::service::settings::Settings;

async fn ask(shop: &Shop, version: Version, path: &str, hosts: &[&[u8]]) -> Reply {
    let mut request = Request::builder().version(version).uri(path);
    for host in hosts {
        request = request.header("host", *host);
    }
    shop.anyone().send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn http_1_1_names_one_host_well_or_is_400() {
    let shop = Shop::new();
    for fine in [&b"shop.example"[..], b"shop.example:443", b"SHOP:80", b"[::1]:8080", b"127.0.0.1"] {
        ask(&shop, Version::HTTP_11, "/v1/cart", &[fine]).await.expect(200);
        ask(&shop, Version::HTTP_10, "/v1/cart", &[fine]).await.expect(200);
    }
    ask(&shop, Version::HTTP_10, "/v1/cart", &[]).await.expect(200);
    ask(&shop, Version::HTTP_11, "/v1/cart", &[]).await.problem(400, "invalid_request");
    let wrong: [&[&[u8]]; 9] = [
        &[b""],
        &[b"a b"],
        &[b"a, b"],
        &[b"ann@shop.example"],
        &[b"shop.example:port"],
        &[b"::1"],
        &[b"\xff"],
        &[b"shop.example", b"shop.example"],
        &[b"shop.example", b""],
    ];
    for hosts in wrong {
        for version in [Version::HTTP_11, Version::HTTP_10] {
            for path in ["/v1/cart", "/openapi.json", "/metrics", "/nowhere"] {
                let refused = ask(&shop, version, path, hosts).await.problem(400, "invalid_request");
                assert_eq!(refused.pointers(), ["#/header/Host"], "{hosts:?}");
            }
            ask(&shop, version, "/healthz", hosts).await.expect(200);
            ask(&shop, version, "/readyz", hosts).await.expect(200);
        }
    }
    let admin = shop.app.admin();
    for (path, status) in [("/healthz", 200), ("/metrics", 400), ("/v1/admin/orders", 400)] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let reply = Reply::read(admin.answer(request, ([127, 0, 0, 1], 9).into()).await).await;
        assert_eq!(
            (reply.status, reply.header("x-content-type-options")),
            (status, Some("nosniff")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn over_a_socket_it_is_the_same() {
    let shop = Shop::new();
    let served = Served::start(&shop, ServerLimits::default()).await;
    for (head, status) in [
        ("GET /v1/cart HTTP/1.1\r\n\r\n", 400),
        ("GET /v1/cart HTTP/1.1\r\nhost:\r\n\r\n", 400),
        ("GET /v1/cart HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", 400),
        ("GET /v1/cart HTTP/1.1\r\nhost: a b\r\n\r\n", 400),
        ("GET http://shop.example/v1/cart HTTP/1.1\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nhost:\r\n\r\n", 200),
        ("GET /v1/cart HTTP/1.0\r\n\r\n", 200),
        ("GET /v1/cart HTTP/1.1\r\nhost: shop.example:8080\r\n\r\n", 200),
        ("GET http://shop.example/v1/cart HTTP/1.1\r\nhost: shop.example\r\n\r\n", 200),
        ("OPTIONS * HTTP/1.1\r\nhost: shop.example\r\n\r\n", 404),
    ] {
        let mut wire = served.connect().await;
        wire.write(head).await;
        let answer = wire.answer().await;
        assert!(answer.split(' ').nth(1) == Some(&status.to_string()), "{head}: {answer}");
        assert!(answer.contains("\r\nx-content-type-options: nosniff\r\n"), "{answer}");
    }
    for broken in ["nonsense\r\n\r\n".to_owned(), format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(70_000))] {
        let mut wire = served.connect().await;
        wire.write(broken).await;
        let answer = wire.answer().await;
        assert!(
            answer.contains("\r\nx-content-type-options: nosniff\r\n"),
            "also what hyper refuses: {answer}"
        );
    }
}

/// Whether a POST from `origin` passes, asked at `host` through this machine's proxy, with what that says.
async fn passes(uri: &str, host: &str, origin: &str, more: &[(&str, &str)]) -> bool {
    let trusted_proxies = Proxies::new(vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()]);
    let trusted_origins = vec!["https://app.example".to_owned()];
    let shop = Shop::with(
        HttpConfig { trusted_proxies, trusted_origins, ..HttpConfig::default() },
        Settings::default(),
    );
    let mut request = Request::post(uri).header("host", host).header("origin", origin);
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    let request =
        request.header("content-type", "application/json").body(Body::from(json!({"sku": "a"}).to_string()));
    let reply = shop.anyone().send(request.unwrap()).await;
    if reply.status == 403 {
        reply.problem(403, "cross_site");
        return false;
    }
    reply.expect(200);
    true
}

#[tokio::test]
async fn a_default_port_the_case_and_the_form_of_an_address_make_no_difference() {
    const ADD: &str = "/v1/cart/lines";
    for (host, origin, expected) in [
        ("shop.example:443", "https://shop.example", true),
        ("shop.example", "https://shop.example:443", true),
        ("shop.example:80", "http://shop.example", true),
        ("shop.example:", "http://shop.example", true),
        ("Shop.Example:443", "https://shop.example", true),
        ("xn--bcher-kva.example", "https://XN--bcher-KVA.example", true),
        ("[2001:db8::1]:443", "https://[2001:db8:0:0::1]", true),
        ("[2001:db8::1]", "https://[2001:db8::2]", false),
        ("shop.example:80", "https://shop.example", false),
        ("shop.example:443", "http://shop.example", false),
        ("shop.example:8443", "https://shop.example", false),
        ("shop.example", "https://shop.example:8443", false),
        ("shop.example", "https://shop.example.evil.example", false),
        ("elsewhere.example", "https://app.example:443", true),
        ("elsewhere.example", "https://app.example:444", false),
    ] {
        assert_eq!(passes(ADD, host, origin, &[]).await, expected, "{host} {origin}");
        let forwarded = [("x-forwarded-host", host)];
        assert_eq!(passes(ADD, "inner", origin, &forwarded).await, expected, "forwarded {host} {origin}");
        let standard = format!("for=192.0.2.1;host=\"{host}\"");
        assert_eq!(passes(ADD, "inner", origin, &[("forwarded", &standard)]).await, expected, "{standard}");
    }
    let line = "http://shop.example/v1/cart/lines";
    assert!(
        passes(line, "other.example", "http://shop.example", &[]).await,
        "the request line goes before Host"
    );
    assert!(!passes(line, "other.example", "http://other.example", &[]).await);
}

#[tokio::test]
async fn of_a_forwarded_list_the_host_counts_that_the_outermost_trusted_proxy_named() {
    let passes = async |more: &[(&str, &str)]| {
        passes("/v1/cart/lines", "inner.example", "https://shop.example", more).await
    };
    for (hosts, hops, expected) in [
        // One proxy, which adds its word to the client's.
        ("evil.example, shop.example", "6.6.6.6, 192.0.2.1", true),
        ("shop.example, evil.example", "192.0.2.1", false),
        // Two, of which each adds its word.
        ("shop.example, inner.example", "192.0.2.1, 10.0.0.1", true),
        ("evil.example, shop.example, inner.example", "6.6.6.6, 192.0.2.1, 10.0.0.1", true),
        ("shop.example, evil.example, inner.example", "6.6.6.6, 192.0.2.1, 10.0.0.1", false),
        // Two, of which the inner one leaves what the outer one wrote.
        ("shop.example", "192.0.2.1, 10.0.0.1", true),
    ] {
        let headers = [("x-forwarded-host", hosts), ("x-forwarded-for", hops)];
        assert_eq!(passes(&headers).await, expected, "{hosts} {hops}");
        let two = hops.contains("10.0.0.1");
        for (proto, by_https) in [("https, http", two), ("http, https", !two)] {
            let headers = [headers[0], headers[1], ("x-forwarded-proto", proto)];
            assert_eq!(passes(&headers).await, expected && by_https, "{headers:?}");
        }
        let lines = hosts.split(", ").map(|host| ("x-forwarded-host", host));
        let lines: Vec<_> = lines.chain(hops.split(", ").map(|hop| ("x-forwarded-for", hop))).collect();
        assert_eq!(passes(&lines).await, expected, "several lines are a list: {lines:?}");
    }
    for (forwarded, expected) in [
        (
            "for=6.6.6.6;host=evil.example, for=192.0.2.1;host=shop.example;proto=https, for=10.0.0.1;proto=http",
            true,
        ),
        ("for=192.0.2.1;host=shop.example, for=10.0.0.1;host=inner.example", true),
        ("for=192.0.2.1;host=evil.example, for=10.0.0.1;host=shop.example", false),
    ] {
        assert_eq!(passes(&[("forwarded", forwarded)]).await, expected, "{forwarded}");
    }
}
