//! S29 and S34: what one address may do at most, by the server's clock, and what it is told.

use serde_json::json;
use trolley::http::extract::address::Proxies;
use trolley::http::server::state::HttpConfig;
use trolley::service::limits::addresses::{GUESSES, GUESTS, GUESTS_IN_ALL};
use trolley::service::settings::Settings;
use trolley_core::time::Span;

use crate::support::reply::Reply;
use crate::support::somebody::at;
use crate::support::{Actor, Shop};

fn shop() -> Shop {
    Shop::still(HttpConfig::default(), Settings { rate_limits: true, ..Settings::default() })
}

/// A well-formed token that was never issued, another for each `n`.
fn guess(n: u32) -> String {
    format!("{n:043}")
}

async fn guess_bearer(shop: &Shop, address: &str, n: u32) -> Reply {
    let mut guesser = at(shop, address);
    guesser.headers.insert("authorization", format!("Bearer {}", guess(n)).parse().unwrap());
    guesser.get("/v1/cart").await
}

async fn guess_cookie(shop: &Shop, address: &str, n: u32) -> Reply {
    let mut guesser = at(shop, address);
    guesser.headers.insert("cookie", format!("__Host-trolley={}", guess(n)).parse().unwrap());
    guesser.get("/v1/cart").await
}

/// As many bearer tokens as may be guessed at once.
async fn use_up_guesses(shop: &Shop, address: &str) {
    for n in 0..GUESSES.most {
        guess_bearer(shop, address, n).await.problem(401, "session_ended");
    }
}

#[tokio::test]
async fn s34_one_address_begins_so_many_guests_and_then_one_whenever_a_place_is_free() {
    let shop = shop();
    for n in 1..=GUESTS.most {
        let begun = at(&shop, "192.0.2.1").add("a", 1).await.expect(200);
        assert!(begun.set_cookie().is_some());
        assert_eq!(begun.header("ratelimit-policy"), Some("\"guests\";q=300;w=60"));
        assert_eq!(
            begun.header("ratelimit").unwrap(),
            format!("\"guests\";r={};t={}", 300 - n, n.div_ceil(5))
        );
    }
    let records = shop.store.commits();
    let refused = at(&shop, "192.0.2.1").add("a", 1).await.problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("ratelimit"), Some("\"guests\";r=0;t=60"));
    assert_eq!((refused.set_cookie(), shop.store.commits()), (None, records), "nothing was stored");
    let bearer = json!({"transport": "bearer"});
    at(&shop, "192.0.2.1").json("POST", "/v1/session", bearer.clone()).await.problem(429, "rate_limited");
    at(&shop, "192.0.2.2").json("POST", "/v1/session", bearer).await.expect(201);

    shop.turn(Span::from_ms(199)).await;
    at(&shop, "192.0.2.1").add("a", 1).await.problem(429, "rate_limited");
    shop.turn(Span::from_ms(1)).await;
    at(&shop, "192.0.2.1").add("a", 1).await.expect(200);
    at(&shop, "192.0.2.1").add("a", 1).await.problem(429, "rate_limited");
    shop.turn(Span::from_s(60)).await;
    for _ in 0..GUESTS.most {
        at(&shop, "192.0.2.1").add("a", 1).await.expect(200);
    }
}

#[tokio::test]
async fn s34_an_ipv6_customer_is_one_address() {
    let shop = shop();
    for n in 0..GUESTS.most {
        at(&shop, &format!("2001:db8:1:2::{n:x}")).add("a", 1).await.expect(200);
    }
    at(&shop, "2001:db8:1:2:ffff::1").add("a", 1).await.problem(429, "rate_limited");
    at(&shop, "2001:db8:1:3::1").add("a", 1).await.expect(200);
}

#[tokio::test]
async fn s34_all_addresses_together_begin_a_bounded_number_too() {
    let shop = shop();
    for n in 0..GUESTS_IN_ALL.most {
        at(&shop, &format!("10.{}.{}.1", n / 200, n % 200)).add("a", 1).await.expect(200);
    }
    let refused = at(&shop, "192.0.2.1").add("a", 1).await.problem(429, "rate_limited");
    assert_eq!(refused.header("ratelimit-policy"), Some("\"guests-in-all\";q=3000;w=60"));
    shop.turn(Span::from_s(1)).await;
    for _ in 0..50 {
        at(&shop, "192.0.2.1").add("a", 1).await.expect(200);
    }
    at(&shop, "192.0.2.1").add("a", 1).await.problem(429, "rate_limited");
}

#[tokio::test]
async fn s34_what_begins_no_guest_is_not_counted() {
    let shop = shop();
    let guest = shop.browser();
    guest.add("a", 1).await.expect(200);
    for _ in 0..2 * GUESTS.most {
        guest.add("a", 1).await.expect(200);
        at(&shop, "127.0.0.1").get("/v1/cart").await.expect(200);
        at(&shop, "127.0.0.1").add("a", 10_000).await.problem(422, "quantity_over_limit");
        at(&shop, "127.0.0.1").delete("/v1/cart").await.expect(200);
    }
    let begun = at(&shop, "127.0.0.1").add("a", 1).await.expect(200);
    assert_eq!(begun.header("ratelimit"), Some("\"guests\";r=298;t=1"));
}

#[tokio::test]
async fn s29_tokens_that_open_nothing_are_counted_and_those_that_do_are_not() {
    let shop = shop();
    let (app, browser) = (shop.bearer().await, shop.browser());
    browser.add("a", 1).await.expect(200);
    use_up_guesses(&shop, "127.0.0.1").await;
    let refused = guess_bearer(&shop, "127.0.0.1", 7).await.problem(429, "rate_limited");
    assert_eq!(refused.header("ratelimit-policy"), Some("\"guesses\";q=100;w=60"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    guess_cookie(&shop, "127.0.0.1", 7).await.problem(429, "rate_limited");
    for _ in 0..2 * GUESSES.most {
        app.get("/v1/cart").await.expect(200);
        browser.cart().await;
    }
    at(&shop, "127.0.0.1").get("/v1/cart").await.expect(200);
    guess_bearer(&shop, "192.0.2.9", 7).await.problem(401, "session_ended");
    shop.turn(Span::from_s(1)).await;
    guess_bearer(&shop, "127.0.0.1", 7).await.problem(401, "session_ended");
    guess_bearer(&shop, "127.0.0.1", 7).await.problem(429, "rate_limited");
}

#[tokio::test]
async fn s29_a_dead_cookie_is_one_guess_however_often_its_browser_sends_it() {
    let shop = shop();
    for _ in 0..3 * GUESSES.most {
        guess_cookie(&shop, "192.0.2.1", 0).await.expect(200);
    }
    for n in 1..GUESSES.most {
        guess_cookie(&shop, "192.0.2.1", n).await.expect(200);
    }
    guess_cookie(&shop, "192.0.2.1", GUESSES.most).await.problem(429, "rate_limited");
}

#[tokio::test]
async fn s29_malformed_bearers_and_api_keys_are_guesses_too() {
    let shop = shop();
    for n in 0..GUESSES.most {
        let mut guesser = at(&shop, "192.0.2.1");
        guesser.headers.insert("authorization", format!("Bearer x{n}").parse().unwrap());
        guesser.get("/v1/cart").await.problem(401, "session_ended");
    }
    guess_bearer(&shop, "192.0.2.1", 1).await.problem(429, "rate_limited");
}

#[tokio::test]
async fn without_limits_nobody_is_counted_or_told_a_quota() {
    let shop = Shop::new();
    for n in 0..2 * GUESTS.most {
        let begun = at(&shop, "192.0.2.1").add("a", 1).await.expect(200);
        assert_eq!(begun.header("ratelimit"), None);
        guess_bearer(&shop, "192.0.2.1", n).await.problem(401, "session_ended");
    }
}

#[tokio::test]
async fn a_page_of_a_trusted_origin_can_read_its_quota() {
    let trusted_origins = vec!["https://app.example".to_owned()];
    let settings = Settings { rate_limits: true, ..Settings::default() };
    let shop = Shop::still(HttpConfig { trusted_origins, ..HttpConfig::default() }, settings);
    let mut page = at(&shop, "192.0.2.1");
    page.headers.insert("origin", "https://app.example".parse().unwrap());
    for _ in 0..GUESTS.most {
        page.add("a", 1).await.expect(200);
    }
    let refused = page.add("a", 1).await.problem(429, "rate_limited");
    assert_eq!(refused.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(refused.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(refused.header("vary"), Some("Origin"));
    let exposed = refused.header("access-control-expose-headers").unwrap();
    for told in ["Retry-After", "RateLimit", "RateLimit-Policy"] {
        assert!(exposed.split(", ").any(|name| name == told) && refused.header(told).is_some(), "{told}");
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_shopper_has_a_quota_and_behind_another_all_share_one() {
    let trusted_proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
    let settings = Settings { rate_limits: true, ..Settings::default() };
    let shop = Shop::still(HttpConfig { trusted_proxies, ..HttpConfig::default() }, settings);
    let through = |proxy: &str, shopper: &str| {
        let mut somebody = at(&shop, proxy);
        somebody.headers.insert("x-forwarded-for", shopper.parse().unwrap());
        somebody
    };
    for _ in 0..GUESTS.most {
        through("10.0.0.9", "192.0.2.1").add("a", 1).await.expect(200);
        through("198.51.100.9", "192.0.2.3").add("a", 1).await.expect(200);
    }
    through("10.0.0.9", "192.0.2.1").add("a", 1).await.problem(429, "rate_limited");
    through("10.0.0.9", "192.0.2.2").add("a", 1).await.expect(200);
    through("198.51.100.9", "192.0.2.4").add("a", 1).await.problem(429, "rate_limited");
}
