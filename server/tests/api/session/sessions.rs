//! Sessions as SESSION.md promises them, each by its number: ids and creation, time, cookies, failure.

use std::collections::HashSet;

use base64::Engine as _;
use serde_json::json;
use trolley::http::extract::cookie::{NAME, SameSite};
use trolley::http::server::state::HttpConfig;
use trolley::service::random::OsRandom;
use trolley::service::session::token::Token;
use trolley::service::settings::Settings;
use trolley_core::time::Span;
use trolley_store::port::Store as _;
use trolley_store::records::counts::Counts;
use trolley_store::records::{Key, Record};

use crate::support::faulty::Mode;
use crate::support::{Actor, Shop, days};

#[test]
fn s01_ten_thousand_fresh_tokens_are_unique_and_random_in_every_bit() {
    let mut seen = HashSet::new();
    let mut ones = [0_u32; 256];
    for _ in 0..10_000 {
        let token = Token::mint(&OsRandom);
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.expose()).unwrap();
        assert_eq!(bytes.len(), 32);
        for (bit, count) in ones.iter_mut().enumerate() {
            *count += u32::from(bytes[bit / 8] >> (bit % 8) & 1);
        }
        assert!(seen.insert(token.expose().to_owned()));
    }
    // A fair bit leaves 4,600 to 5,400 once in far more runs than there will ever be.
    assert!(ones.iter().all(|count| (4_600..=5_400).contains(count)), "{ones:?}");
}

#[tokio::test]
async fn s01_each_guest_gets_a_token_of_its_own() {
    let shop = Shop::new();
    let mut tokens = HashSet::new();
    for _ in 0..50 {
        let token = shop.browser().add("a", 1).await.expect(200).token().unwrap();
        assert_eq!(token.len(), 43);
        assert!(tokens.insert(token));
    }
}

#[tokio::test]
async fn s02_a_well_formed_token_that_was_never_issued_is_not_adopted() {
    let shop = Shop::new();
    let forged = "A".repeat(43);
    let browser = shop.browser_with(&forged);
    let cart = browser.cart().await;
    assert_eq!((cart.json["id"].clone(), cart.set_cookie()), (json!(null), None));
    let added = browser.add("a", 1).await.expect(200);
    assert_ne!(added.token().unwrap(), forged);
    assert_eq!(browser.cart().await.shown(), "a=1");
    assert_eq!(shop.browser_with(&forged).cart().await.json["id"], json!(null));
}

#[tokio::test]
async fn s03_malformed_tokens_are_answered_as_none_and_never_reflected() {
    let shop = Shop::new();
    let nobody = shop.browser().cart().await;
    let long = "x".repeat(20_000);
    for token in ["", "x", "' OR 1=1 --", "%00%0d%0aSet-Cookie:x", "\"quoted\"", "é", &"A".repeat(42), &long]
    {
        let browser = shop.browser_with(token);
        let cart = browser.cart().await;
        assert_eq!((&cart.json, cart.set_cookie()), (&nobody.json, None), "{token}");
        let added = browser.add("a", 1).await.expect(200);
        assert!(token.len() < 2 || !added.text.contains(token), "{token}");
        assert!(added.token().is_some_and(|fresh| fresh != token));
    }
}

#[tokio::test]
async fn s04_a_token_in_url_or_body_is_ignored_and_none_is_ever_there() {
    let shop = Shop::new();
    let browser = shop.browser();
    let added = browser.add("a", 1).await.expect(200);
    let token = browser.cookie().unwrap();
    assert!(!added.text.contains(&token));
    let stranger = shop.anyone().get(&format!("/v1/cart?token={token}&{NAME}={token}")).await.expect(200);
    assert_eq!(stranger.json["id"], json!(null));
    let body = json!({"sku": "b", NAME: token});
    shop.anyone().json("POST", "/v1/cart/lines", body).await.problem(422, "invalid_body");
    assert!(!browser.get("/v1/session").await.expect(200).text.contains(&token));
}

#[tokio::test]
async fn s05_an_anonymous_get_sets_no_cookie_and_creates_nothing() {
    let shop = Shop::new();
    for path in ["/v1/cart", "/v1/session", "/healthz", "/nowhere"] {
        let reply = shop.anyone().get(path).await;
        assert_eq!(reply.set_cookie(), None, "{path}");
    }
    assert_eq!(shop.anyone().get("/v1/session").await.json, json!({"signed_in": false}));
    assert_eq!((shop.store.commits(), shop.store.count().await.unwrap()), (0, Counts::default()));
}

#[tokio::test]
async fn s09_past_the_idle_limit_a_guest_is_gone_whatever_its_cookie_claims() {
    let shop = Shop::new();
    shop.store.never_sweep();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    browser.cart().await;
    shop.turn(Span::from_ms(days(30).as_ms() - 60_000)).await;
    assert_eq!(browser.cart().await.shown(), "a=1");
    shop.turn(days(30)).await;
    let cart = browser.cart().await;
    assert_eq!((cart.json["id"].clone(), cart.set_cookie()), (json!(null), None));
}

#[tokio::test]
async fn s09_a_token_that_never_came_back_is_gone_after_two_weeks() {
    let shop = Shop::new();
    shop.store.never_sweep();
    let (early, late) = (shop.browser(), shop.browser());
    early.add("a", 1).await.expect(200);
    late.add("a", 1).await.expect(200);
    shop.turn(days(13)).await;
    assert_eq!(early.cart().await.shown(), "a=1");
    shop.turn(days(1)).await;
    assert_eq!(early.cart().await.shown(), "a=1");
    assert_eq!(late.cart().await.json["id"], json!(null));
}

#[tokio::test]
async fn s10_a_read_counts_as_activity() {
    let shop = Shop::new();
    shop.store.never_sweep();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    for _ in 0..5 {
        shop.turn(Span::from_hours(23)).await;
        assert_eq!(browser.cart().await.shown(), "a=1");
    }
    for _ in 0..3 {
        shop.turn(days(29)).await;
        assert_eq!(browser.get("/v1/session").await.json["signed_in"], json!(false));
        assert_eq!(browser.cart().await.shown(), "a=1");
    }
}

#[tokio::test]
async fn s10_a_read_costs_no_commit_until_a_twentieth_of_the_idle_limit_has_passed() {
    let shop = Shop::new();
    let chores = shop.service.start_chores();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    browser.cart().await;
    let commits = shop.store.commits();
    assert_eq!(commits, 2, "the first change, and the first time the token came back");
    for _ in 0..100 {
        browser.cart().await;
    }
    shop.turn(Span::from_hours(35)).await;
    browser.cart().await;
    assert_eq!(shop.store.commits(), commits + 1, "the turn of the clock alone");
    shop.turn(Span::from_hours(2)).await;
    browser.cart().await;
    shop.store.until_commits(commits + 3).await;
    browser.cart().await;
    chores.stop().await;
    assert_eq!(shop.store.commits(), commits + 3, "two turns and one touch");
}

#[tokio::test]
async fn s10_what_memory_knew_is_written_down_at_the_end_and_a_restart_forgets_nothing() {
    let shop = Shop::new();
    shop.store.never_sweep();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    browser.cart().await;
    shop.turn(days(1)).await;
    browser.cart().await;
    shop.service.flush_touches().await.unwrap();
    let again = Shop::over(shop.store.clone(), HttpConfig::default(), Settings::default());
    // A day after it was made it was seen: 30 days later, and the twentieth that a store may be late, it is gone.
    again.turn(days(31)).await;
    let returned = again.browser_with(&browser.cookie().unwrap());
    assert_eq!(returned.cart().await.shown(), "a=1");
    again.turn(days(32)).await;
    assert_eq!(returned.cart().await.json["id"], json!(null));
}

#[tokio::test]
async fn s11_past_the_absolute_limit_a_guest_is_gone_despite_activity() {
    let shop = Shop::new();
    shop.store.never_sweep();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    browser.cart().await;
    for _ in 0..8 {
        shop.turn(days(22)).await;
        assert_eq!(browser.cart().await.shown(), "a=1");
    }
    let told = browser.get("/v1/session").await.json;
    assert_eq!(told["expires_at"], told["absolute_expires_at"]);
    shop.turn(days(4)).await;
    assert_eq!(browser.cart().await.json["id"], json!(null));
}

#[tokio::test]
async fn s21_the_cookie_has_all_its_attributes_and_no_other() {
    let shop = Shop::still(HttpConfig::default(), Settings::default());
    let added = shop.browser().add("a", 1).await.expect(200);
    assert_eq!(added.headers.get_all("set-cookie").iter().count(), 1);
    let cookie = added.set_cookie().unwrap();
    assert!(cookie.len() <= 4_096);
    let token = added.token().unwrap();
    let expected =
        format!("{NAME}={token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={}", 180 * 24 * 3_600);
    assert_eq!(cookie, expected);
    let strict = HttpConfig { same_site: SameSite::Strict, ..HttpConfig::default() };
    let added = Shop::with(strict, Settings::default()).browser().add("a", 1).await.expect(200);
    assert!(added.set_cookie().unwrap().contains("; SameSite=Strict;"));
}

#[tokio::test]
async fn s21_only_the_answer_that_begins_a_session_sets_the_cookie() {
    let shop = Shop::new();
    let browser = shop.browser();
    assert!(browser.add("a", 1).await.set_cookie().is_some());
    assert_eq!(browser.add("a", 1).await.set_cookie(), None);
    assert_eq!(browser.cart().await.set_cookie(), None);
}

#[tokio::test]
async fn s22_what_carries_session_data_or_a_cookie_is_not_stored() {
    let shop = Shop::new();
    let browser = shop.browser();
    let added = browser.add("a", 1).await;
    let (cart, session) = (browser.cart().await, browser.get("/v1/session").await);
    let not_modified = browser.with("GET", "/v1/cart", &[("if-none-match", cart.etag())], json!(null)).await;
    let refused = browser.add("a", 10_000).await;
    for reply in [added, cart, session, not_modified.expect(304), refused] {
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn s23_an_answer_to_a_dead_token_never_clears_or_overwrites_the_cookie() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    shop.turn(days(200)).await;
    let dead = browser.cookie();
    assert_eq!(browser.cart().await.set_cookie(), None);
    assert_eq!(browser.delete("/v1/cart").await.expect(200).set_cookie(), None);
    assert_eq!(browser.add("a", 10_000).await.problem(422, "quantity_over_limit").set_cookie(), None);
    assert_eq!(browser.cookie(), dead);
    browser.add("b", 1).await.expect(200);
    assert_ne!(browser.cookie(), dead);
    assert_eq!(browser.cart().await.shown(), "b=1");
}

#[tokio::test]
async fn s32_a_store_that_is_down_signs_nobody_out() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    let cookie = browser.cookie();
    shop.store.fail_loads(true);
    for reply in [browser.get("/v1/cart").await, browser.add("a", 1).await, browser.get("/v1/session").await]
    {
        let reply = reply.problem(503, "store_down");
        assert_eq!((reply.set_cookie(), reply.header("retry-after")), (None, Some("1")));
        assert!(!reply.text.contains("secret address"), "{}", reply.text);
    }
    shop.store.fail_loads(false);
    shop.store.set(Mode::Down);
    let refused = browser.add("a", 1).await.problem(503, "store_down");
    assert_eq!(refused.set_cookie(), None);
    let stranger = shop.browser().add("a", 1).await.problem(503, "store_down");
    assert_eq!(stranger.set_cookie(), None);
    assert_eq!(browser.get("/v1/cart").await.expect(200).shown(), "a=1");
    shop.store.set(Mode::Well);
    assert_eq!((browser.cart().await.shown(), browser.cookie()), ("a=1".to_owned(), cookie));
}

#[tokio::test]
async fn s33_nothing_that_is_kept_is_usable_as_a_cookie() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    let token = browser.cookie().unwrap();
    let digest = Token::parse(token.as_bytes()).unwrap().digest();
    let Some(Record::Token(named)) = shop.store.load(Key::Token(digest)).await.unwrap() else { panic!() };
    let Some(Record::Session(session)) = shop.store.load(Key::Session(named.session)).await.unwrap() else {
        panic!()
    };
    let cart = shop.store.load(Key::Cart(session.cart.unwrap())).await.unwrap();
    let secret = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&token).unwrap();
    assert_ne!(session.tokens.present.bytes().as_slice(), secret);
    let dump = format!("{named:?} {session:?} {cart:?}");
    assert!(!dump.contains(&token));
    // Whoever has the digest has nothing: neither it nor its text opens the session.
    let digest_text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest.bytes());
    assert_eq!(shop.browser_with(&digest_text).cart().await.json["id"], json!(null));
}
