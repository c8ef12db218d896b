//! S39: no cart, session, account or address makes the store grow without end; and who is refused loses nothing.

use serde_json::{Value, json};
use trolley::http::server::state::HttpConfig;
use trolley::service::limits::quotas::REMEMBERED;
use trolley::service::settings::{Rates, Settings};
use trolley_core::time::Span;
use trolley_store::port::{Listing, Store as _};
use trolley_store::record::encode;
use trolley_store::records::{Kind, Record};

use crate::account::accounts::{EMAIL, PASSWORD, login};
use crate::support::reply::Reply;
use crate::support::somebody::{Somebody, at};
use crate::support::{Actor, Shop, days};

fn shop(rates: Rates) -> Shop {
    Shop::still(
        HttpConfig::default(),
        Settings { rate_limits: true, rates, ..crate::account::accounts::cheap() },
    )
}

/// Somebody at an address, with a session of its own.
async fn app<'a>(shop: &'a Shop, address: &str) -> Somebody<'a> {
    let mut app = at(shop, address);
    let begun = app.json("POST", "/v1/session", json!({"transport": "bearer"})).await.expect(201);
    let token = format!("Bearer {}", begun.json["token"].as_str().unwrap());
    app.headers.insert("authorization", token.parse().unwrap());
    app
}

async fn check_out(actor: &impl Actor) -> Reply {
    actor.json("POST", "/v1/cart/checkout", json!({})).await
}

async fn check_out_as(actor: &impl Actor, key: &str) -> Reply {
    actor.with("POST", "/v1/cart/checkout", &[("idempotency-key", key)], json!({})).await
}

async fn order(actor: &impl Actor) -> Reply {
    actor.add("mug", 1).await.expect(200);
    check_out(actor).await
}

/// Refused by this quota.
#[track_caller]
fn used_up(reply: Reply, quota: &str) -> u64 {
    let reply = reply.problem(429, "rate_limited");
    let policy = reply.header("ratelimit-policy").unwrap();
    assert!(policy.starts_with(&format!("\"{quota}\";q=")), "{policy}");
    assert!(reply.header("ratelimit").is_some() && reply.set_cookie().is_none());
    assert!(reply.json["detail"].as_str().unwrap().contains(quota), "{}", reply.text);
    reply.header("retry-after").unwrap().parse().unwrap()
}

async fn orders(shop: &Shop) -> usize {
    shop.store.list(Listing::all(Kind::Order), 1_000_000).await.unwrap().len()
}

/// Bytes of all records in the store.
async fn bytes(shop: &Shop) -> usize {
    let mut bytes = 0;
    for kind in Kind::ALL {
        let listed = shop.store.list(Listing::all(*kind), 1_000_000).await.unwrap();
        bytes += listed.iter().map(|listed| encode(&listed.record).len()).sum::<usize>();
    }
    bytes
}

#[tokio::test]
async fn s39_a_cart_is_ordered_ten_times_a_minute_and_who_is_refused_keeps_it() {
    let shop = shop(Rates::default());
    let (one, other) = (app(&shop, "192.0.2.1").await, app(&shop, "192.0.2.1").await);
    for _ in 0..10 {
        order(&one).await.expect(201);
    }
    assert_eq!(used_up(order(&one).await, "checkouts"), 6);
    assert_eq!((one.cart().await.shown().as_str(), orders(&shop).await), ("mug=1", 10));
    order(&other).await.expect(201);
    shop.turn(Span::from_s(6)).await;
    check_out(&one).await.expect(201);
    used_up(order(&one).await, "checkouts");
}

#[tokio::test]
async fn s39_a_retry_of_a_checkout_is_answered_whatever_is_used_up_and_a_429_keeps_nothing_under_its_key() {
    let shop = shop(Rates::default());
    let one = app(&shop, "192.0.2.1").await;
    one.add("mug", 1).await.expect(200);
    let first = check_out_as(&one, "first").await.expect(201);
    for _ in 0..9 {
        order(&one).await.expect(201);
    }
    one.add("mug", 1).await.expect(200);
    used_up(check_out_as(&one, "later").await, "checkouts");
    for _ in 0..30 {
        let again = check_out_as(&one, "first").await.expect(201);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.json["order"], first.json["order"]);
    }
    shop.turn(Span::from_s(6)).await;
    let later = check_out_as(&one, "later").await.expect(201);
    assert_eq!(later.header("idempotency-replayed"), None);
}

#[tokio::test]
async fn s39_what_is_not_ordered_counts_as_no_order() {
    let shop = shop(Rates::default());
    let one = app(&shop, "192.0.2.1").await;
    for _ in 0..30 {
        check_out(&one).await.problem(409, "cart_empty");
    }
    for n in 0..10 {
        order(&one).await.expect(201);
        check_out_as(&one, &format!("empty-{n}")).await.problem(
            if n < 9 { 409 } else { 429 },
            match n {
                9 => "rate_limited",
                _ => "cart_empty",
            },
        );
    }
}

#[tokio::test]
async fn s39_a_day_takes_two_hundred_orders_of_a_cart() {
    let shop = shop(Rates::default());
    let one = app(&shop, "192.0.2.1").await;
    for _ in 0..200 {
        order(&one).await.expect(201);
        shop.turn(Span::from_s(6)).await;
    }
    assert_eq!(used_up(order(&one).await, "checkouts-a-day"), 86_400 - 1_200);
    shop.turn(Span::from_s(86_400 - 1_201)).await;
    used_up(check_out(&one).await, "checkouts-a-day");
    shop.turn(Span::from_s(1)).await;
    check_out(&one).await.expect(201);
}

#[tokio::test]
async fn s39_a_session_writes_six_hundred_times_a_minute_under_a_key_and_a_retry_is_no_write() {
    let shop = shop(Rates::default());
    let one = app(&shop, "192.0.2.1").await;
    let add = async |key: &str| {
        one.with("POST", "/v1/cart/lines", &[("idempotency-key", key)], json!({"sku": "mug"})).await
    };
    for _ in 0..700 {
        add("the-same").await.expect(200);
    }
    for n in 1..599 {
        add(&format!("n{n}")).await.expect(200);
    }
    let data = async |key: &str| {
        one.with("PATCH", "/v1/session/data", &[("idempotency-key", key)], json!({"n": key})).await
    };
    data("of-the-data").await.expect(200);
    used_up(data("one-more").await, "keyed-writes");
    used_up(add("another").await, "keyed-writes");
    add("n598").await.expect(200);
    one.add("mug", 1).await.expect(200);
    assert_eq!(one.cart().await.shown(), "mug=600");
    app(&shop, "192.0.2.1").await.add("mug", 1).await.expect(200);
    shop.turn(Span::from_s(1)).await;
    add("another").await.expect(200);
    assert_eq!(one.cart().await.shown(), "mug=601");
}

/// As much as fits into a session's data.
fn large(n: usize) -> Value {
    json!({"n": format!("{n}{}", "x".repeat(16_000))})
}

#[tokio::test]
async fn s39_the_guests_of_an_address_bring_so_much_a_day_and_new_ones_bring_no_more() {
    let shop = shop(Rates { mb_per_day: 1, ..Rates::default() });
    let one = app(&shop, "192.0.2.1").await;
    let neighbour = at(&shop, "192.0.2.1");
    neighbour.json("POST", "/v1/accounts", login(EMAIL, PASSWORD)).await.expect(201);
    let mut patches = 0;
    let refused = loop {
        let reply = one.json("PATCH", "/v1/session/data", large(patches)).await;
        if reply.status != 200 {
            break reply;
        }
        patches += 1;
    };
    assert_eq!((used_up(refused, "guest-bytes"), patches), (86_400, 64));
    used_up(one.add("mug", 1).await, "guest-bytes");
    used_up(at(&shop, "192.0.2.1").add("mug", 1).await, "guest-bytes");
    let bearer = json!({"transport": "bearer"});
    used_up(at(&shop, "192.0.2.1").json("POST", "/v1/session", bearer).await, "guest-bytes");
    one.cart().await;
    // Who signs in there has an allowance of its own, and who comes from elsewhere, too.
    let browser = at(&shop, "192.0.2.1").json("POST", "/v1/session/sign-in", login(EMAIL, PASSWORD)).await;
    let mut signed_in = at(&shop, "192.0.2.1");
    let cookie = format!("__Host-trolley={}", browser.expect(200).token().unwrap());
    signed_in.headers.insert("cookie", cookie.parse().unwrap());
    signed_in.add("mug", 1).await.expect(200);
    at(&shop, "192.0.2.2").add("mug", 1).await.expect(200);
    shop.turn(days(1)).await;
    at(&shop, "192.0.2.1").add("mug", 1).await.expect(200);
}

#[tokio::test]
async fn s39_what_changes_nothing_brings_nothing() {
    let shop = shop(Rates { mb_per_day: 1, ..Rates::default() });
    let one = app(&shop, "192.0.2.1").await;
    one.json("PATCH", "/v1/session/data", json!({"theme": "dark"})).await.expect(200);
    for _ in 0..2_500 {
        check_out(&one).await.problem(409, "cart_empty");
        one.json("PATCH", "/v1/session/data", json!({"theme": "dark"})).await.expect(200);
    }
    one.add("mug", 1).await.expect(200);
}

#[tokio::test]
async fn s39_an_account_signs_in_thirty_times_an_hour_and_nobody_learns_more_by_it() {
    let shop = shop(Rates::default());
    crate::account::accounts::signed_up(&shop, EMAIL).await;
    crate::account::accounts::signed_up(&shop, "ben@example.com").await;
    let sign_in = async |email: &str, password: &str| {
        at(&shop, "192.0.2.1").json("POST", "/v1/session/sign-in", login(email, password)).await
    };
    for n in 0..30 {
        sign_in(EMAIL, PASSWORD).await.expect(200);
        if n % 4 == 0 {
            sign_in(EMAIL, "not it").await.problem(401, "invalid_credentials");
        }
    }
    used_up(sign_in(EMAIL, PASSWORD).await, "account-sign-ins");
    // Who does not know the password is told nothing of it (`account::shut_out` has the other half).
    sign_in(EMAIL, "not it").await.problem(401, "invalid_credentials");
    sign_in("ben@example.com", PASSWORD).await.expect(200);
    shop.turn(Span::from_s(120)).await;
    sign_in(EMAIL, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn s39_a_remembered_device_begins_no_sessions_without_end() {
    let shop = shop(Rates::default());
    let member = shop.member(1).await;
    let device = shop.signed_in(&member, true).await;
    for _ in 0..REMEMBERED.most {
        device.drop_cookie(trolley::http::extract::cookie::NAME);
        device.cart().await;
        device.cart().await;
        assert!(device.is_signed_in().await);
    }
    let begun = shop.trail_of(&member, "remembered").await;
    for _ in 0..100 {
        device.drop_cookie(trolley::http::extract::cookie::NAME);
        assert_eq!(device.cart().await.set_cookie(), None);
    }
    assert_eq!(shop.trail_of(&member, "remembered").await, begun);
    shop.turn(Span::from_s(300)).await;
    device.cart().await;
    assert!(device.is_signed_in().await);
}

/// One line as long as a line can be, another one for each `n`.
fn longest(n: usize) -> Value {
    let options: serde_json::Map<String, Value> =
        (0..20).map(|o| (format!("o{o}"), json!(format!("{n:0256}")))).collect();
    json!({"sku": format!("sku-{n}"), "options": options})
}

/// Adds and orders until it is refused.
async fn order_on(actor: &impl Actor, from: &mut usize) {
    loop {
        *from += 1;
        for part in 0..8 {
            let added = actor.json("POST", "/v1/cart/lines", longest(*from * 8 + part)).await;
            if added.status == 429 {
                return;
            }
        }
        if check_out(actor).await.status != 201 {
            return;
        }
    }
}

#[tokio::test]
async fn s39_one_guest_who_orders_all_day_leaves_two_hundred_orders() {
    let shop = shop(Rates::default());
    let (one, mut n) = (app(&shop, "192.0.2.1").await, 0);
    for minute in 0..24 * 60 {
        if minute < 40 || minute % 120 == 0 {
            order_on(&one, &mut n).await;
        } else {
            check_out(&one).await.problem(429, "rate_limited");
        }
        shop.turn(Span::from_s(60)).await;
        if minute % 60 == 0 {
            let neighbour = app(&shop, "192.0.2.2").await;
            order(&neighbour).await.expect(201);
        }
    }
    assert_eq!(orders(&shop).await, 200 + 24);
    let (kept, most) = (bytes(&shop).await, 201 * (60 << 10) + (160 << 10) + 24 * 2_048);
    assert!(kept < most, "{kept} bytes, {most} at most");
    check_out(&one).await.expect(201);
}

#[tokio::test]
async fn s39_guests_in_a_loop_leave_no_more_than_their_address_may_bring() {
    let shop = shop(Rates { mb_per_day: 2, ..Rates::default() });
    let (mut n, mut begun) = (0, 0);
    for _ in 0..24 {
        for _ in 0..40 {
            let guest = at(&shop, "192.0.2.1");
            let first = guest.add("mug", 1).await;
            if first.status == 429 {
                continue;
            }
            begun += 1;
            let mut guest = at(&shop, "192.0.2.1");
            let cookie = format!("__Host-trolley={}", first.token().unwrap());
            guest.headers.insert("cookie", cookie.parse().unwrap());
            match begun % 3 {
                0 => order_on(&guest, &mut n).await,
                1 => drop(guest.json("PATCH", "/v1/session/data", large(begun)).await),
                _ => keep_keys(&guest).await,
            }
        }
        at(&shop, "192.0.2.2").add("mug", 1).await.expect(200);
        shop.turn(Span::from_s(3_550)).await;
    }
    let (kept, most) = (bytes(&shop).await, (2 << 20) + (64 << 10) + 24 * 1_024);
    assert!(begun > 4 && orders(&shop).await > 10, "{begun} guests");
    assert!(kept < most, "{kept} bytes, {most} at most");
    assert!(kept > 1 << 20, "what is counted is about what is kept: {kept}");
}

async fn keep_keys(guest: &impl Actor) {
    for key in 0..50 {
        let key = [("idempotency-key", format!("k{key}"))];
        let key = key.each_ref().map(|(name, key)| (*name, key.as_str()));
        guest.with("POST", "/v1/cart/lines", &key, json!({"sku": "mug"})).await;
    }
}

#[tokio::test]
async fn s39_without_limits_nothing_is_counted() {
    let shop = Shop::new();
    let one = shop.bearer().await;
    for _ in 0..210 {
        order(&one).await.expect(201);
    }
    assert_eq!(shop.store.list(Listing::all(Kind::Order), 1_000).await.unwrap().len(), 210);
    assert!(matches!(
        shop.store.list(Listing::all(Kind::Order), 1).await.unwrap()[0].record,
        Record::Order(_)
    ));
}
