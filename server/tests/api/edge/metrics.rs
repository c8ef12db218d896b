//! What is counted, as Prometheus reads it, and that it tells of nobody.

use std::sync::Arc;

use serde_json::json;
use trolley::http::problem::code::Code;
use trolley::http::server::state::HttpConfig;
use trolley::service::settings::Settings;
use trolley_store::embedded::Embedded;
use trolley_store::embedded::settings as embedded;

use crate::account::accounts;
use crate::account::accounts::{EMAIL, PASSWORD, login};
use crate::support::faulty::Faulty;
use crate::support::scrape::Scrape;
use crate::support::{Actor, Shop, days};

async fn scrape(shop: &Shop) -> Scrape {
    let page = shop.anyone().get("/metrics").await.expect(200);
    assert_eq!(page.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    Scrape::read(&page.text)
}

#[tokio::test]
async fn requests_are_counted_by_route_method_and_status_and_never_by_path() {
    let shop = Shop::new();
    let browser = shop.browser();
    let added = browser.add("a", 1).await.expect(200);
    browser.add("b", 1).await.expect(200);
    let line = added.line("a").to_owned();
    browser.json("PUT", &format!("/v1/cart/lines/{line}"), json!({"quantity": 3})).await.expect(200);
    browser.json("PUT", &format!("/v1/cart/lines/{line}"), json!({})).await.expect(422);
    browser.with("HEAD", "/v1/cart", &[], json!(null)).await.expect(200);
    browser.cart().await;
    shop.anyone().get("/no/such/path").await.expect(404);
    shop.anyone().json("PATCH", "/v1/cart", json!({})).await.expect(405);
    let seen = scrape(&shop).await;
    for (route, method, status, count) in [
        ("/v1/cart/lines", "POST", "2xx", 2.0),
        ("/v1/cart/lines/{line}", "PUT", "2xx", 1.0),
        ("/v1/cart/lines/{line}", "PUT", "4xx", 1.0),
        ("/v1/cart", "GET", "2xx", 1.0),
        ("/v1/cart", "HEAD", "2xx", 1.0),
        ("/v1/cart", "PATCH", "4xx", 1.0),
        ("none", "GET", "4xx", 1.0),
    ] {
        let labels = format!("{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}");
        assert_eq!(seen.value(&format!("trolley_http_requests_total{labels}")), count, "{labels}");
    }
    let of_adds = "{route=\"/v1/cart/lines\",method=\"POST\"}";
    assert_eq!(seen.value(&format!("trolley_http_request_duration_seconds_count{of_adds}")), 2.0);
    let within = "{route=\"/v1/cart/lines\",method=\"POST\",le=\"0.025\"}";
    assert!(seen.samples.contains_key(&format!("trolley_http_request_duration_seconds_bucket{within}")));
    assert_eq!(seen.value(&format!("trolley_http_request_size_bytes_sum{of_adds}")), 2.0 * 24.0);
    assert!(seen.value(&format!("trolley_http_response_size_bytes_sum{of_adds}")) > added.text.len() as f64);
}

#[tokio::test]
async fn refusals_are_counted_by_code_also_those_that_reach_no_route() {
    let shop = Shop::new();
    shop.anyone().add("a", 10_000).await.problem(422, "quantity_over_limit");
    let foreign = [("sec-fetch-site", "cross-site")];
    for _ in 0..3 {
        shop.anyone()
            .with("POST", "/v1/cart/lines", &foreign, json!({"sku": "a"}))
            .await
            .problem(403, "cross_site");
    }
    let seen = scrape(&shop).await;
    let refused = |code: &str| seen.value(&format!("trolley_refusals_total{{code=\"{code}\"}}"));
    assert_eq!((refused("quantity_over_limit"), refused("cross_site"), refused("busy")), (1.0, 3.0, 0.0));
    for code in Code::ALL {
        assert!(seen.samples.contains_key(&format!("trolley_refusals_total{{code=\"{}\"}}", code.as_str())));
    }
}

#[tokio::test]
async fn the_store_and_the_service_tell_what_they_did() {
    let folder = tempfile("metrics");
    let store =
        Embedded::open(&folder, &embedded::Settings::default(), Arc::new(|why| panic!("{why}"))).unwrap();
    let shop =
        Shop::over(Arc::new(Faulty::over(Arc::new(store))), HttpConfig::default(), Settings::default());
    let (one, other) = (shop.browser(), shop.browser());
    for _ in 0..3 {
        one.add("a", 1).await.expect(200);
        other.add("a", 1).await.expect(200);
    }
    while trolley_store::port::Store::upkeep(&*shop.store).await.unwrap() {}
    while trolley_store::port::Store::upkeep(&*shop.store).await.unwrap() {}
    shop.browser_with(&"x".repeat(43)).cart().await;
    let seen = scrape(&shop).await;
    assert_eq!(seen.value("trolley_carts{kind=\"guest\"}"), 2.0);
    assert_eq!(seen.value("trolley_sessions{kind=\"guest\"}"), 2.0);
    assert_eq!(seen.value("trolley_guests_begun_total"), 2.0);
    assert_eq!((seen.value("trolley_store_waiting"), seen.value("trolley_lanes")), (0.0, 0.0));
    let commits = seen.value("trolley_store_commits_total");
    assert!(commits >= 6.0, "{commits}");
    assert_eq!(
        seen.value("trolley_store_batch_commits_sum"),
        commits + seen.value("trolley_store_conflicts_total")
    );
    assert!(seen.value("trolley_store_journal_written_bytes_total") > 0.0);
    assert_eq!(
        (seen.value("trolley_store_journal_bytes"), seen.value("trolley_store_folds_total")),
        (0.0, 1.0)
    );
    assert!(seen.value("trolley_store_loads_total{from=\"memory\"}") > 0.0);
    assert!(seen.value("trolley_store_loads_total{from=\"disk\"}") > 0.0, "a token that was never there");
    shop.turn(days(200)).await;
    let seen = scrape(&shop).await;
    assert_eq!(seen.value("trolley_swept_total"), 2.0);
    assert_eq!(seen.value("trolley_carts{kind=\"guest\"}"), 0.0);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn sessions_and_carts_are_counted_by_who_holds_them() {
    let shop = accounts::shop();
    let held = async || {
        let seen = scrape(&shop).await;
        let count = |name: &str, kind: &str| seen.value(&format!("trolley_{name}{{kind=\"{kind}\"}}"));
        let carts = ["guest", "account", "merged"].map(|kind| count("carts", kind));
        (carts, ["guest", "account"].map(|kind| count("sessions", kind)))
    };
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    shop.browser().add("a", 1).await.expect(200);
    assert_eq!(held().await, ([2.0, 0.0, 0.0], [2.0, 0.0]));
    browser.json("POST", "/v1/accounts", login(EMAIL, PASSWORD)).await.expect(201);
    browser.add("b", 1).await.expect(200);
    assert_eq!(held().await, ([1.0, 1.0, 1.0], [1.0, 1.0]), "its cart went along");
    let other = accounts::signed_up(&shop, "bob@example.com").await;
    assert_eq!(held().await, ([1.0, 1.0, 1.0], [1.0, 2.0]), "a cart begins with its first line");
    other.add("a", 1).await.expect(200);
    assert_eq!(held().await, ([1.0, 2.0, 1.0], [1.0, 2.0]));
    other.json("POST", "/v1/session/sign-out", json!(null)).await.expect(204);
    assert_eq!(held().await, ([1.0, 2.0, 1.0], [1.0, 1.0]), "an account's cart stays");
    browser.json("DELETE", "/v1/account", json!({"password": PASSWORD})).await.expect(204);
    assert_eq!(held().await, ([1.0, 1.0, 1.0], [1.0, 0.0]));
    shop.turn(days(15)).await;
    assert_eq!(held().await, ([0.0, 1.0, 0.0], [0.0, 0.0]), "who never came back is swept, too");
}

#[tokio::test]
async fn what_happens_to_accounts_is_counted_as_the_audit_trail_names_it() {
    let shop = Shop::new();
    let login = |password: &str| json!({"email": "ann@example.com", "password": password});
    shop.browser().json("POST", "/v1/accounts", login("a long and rare password")).await.expect(201);
    for _ in 0..2 {
        let wrong =
            shop.browser().json("POST", "/v1/session/sign-in", login("another password, wrong")).await;
        wrong.problem(401, "invalid_credentials");
    }
    let seen = scrape(&shop).await;
    let happened = |event: &str| seen.value(&format!("trolley_account_events_total{{event=\"{event}\"}}"));
    assert_eq!(
        (happened("account_created"), happened("sign_in_failed"), happened("signed_out")),
        (1.0, 2.0, 0.0)
    );
}

#[tokio::test]
async fn no_metric_tells_of_anybody() {
    let shop = Shop::new();
    let (browser, app) = (shop.browser(), shop.bearer().await);
    let cart = browser.add("a-certain-sku", 1).await.expect(200);
    app.add("a-certain-sku", 1).await.expect(200);
    let session = browser.get("/v1/session").await.json["device"]["id"].as_str().unwrap().to_owned();
    browser.get("/a-path-that-somebody-typed").await.expect(404);
    let page = shop.anyone().get("/metrics").await.expect(200).text;
    let cookie = browser.cookie().unwrap();
    let cart_id = cart.json["id"].as_str().unwrap();
    for secret in [&cookie, &app.token, &session, cart_id, "a-certain-sku", "127.0.0.1", "somebody"] {
        assert!(!page.contains(secret), "{secret}");
    }
}

fn tempfile(name: &str) -> std::path::PathBuf {
    let folder =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}
