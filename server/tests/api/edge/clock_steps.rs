//! S38: a wall clock that is set, back or ahead, by hours: nobody is refused for it, and nothing stands still.

use std::sync::Arc;

use axum::http::StatusCode;
use parking_lot::Mutex;
use serde_json::{Value, json};
use trolley::catalogue::web::{Patience, Web};
use trolley::http::extract::cookie::NAME;
use trolley::service::account::hashing::Cost;
use trolley::service::catalogue::listing::Listing;
use trolley::service::catalogue::{BoxFuture, Catalogue, Skus};
use trolley::service::clock::Hands;
use trolley::service::limits::addresses::GUESTS;
use trolley::service::limits::attempts::BY_ACCOUNT;
use trolley::service::settings::Settings;
use trolley_core::access::Scope;
use trolley_core::time::{Span, Timestamp};
use trolley_store::memory::Memory;

use crate::live::events::Stream;
use crate::support::faulty::Faulty;
use crate::support::reply::Reply;
use crate::support::somebody::at;
use crate::support::{Actor, Browser, Shop};

pub const HOUR_MS: i64 = 3_600_000;
/// Back and ahead, by hours.
const STEPS: [i64; 4] = [-2 * HOUR_MS, 3 * HOUR_MS, -30 * HOUR_MS, 7 * HOUR_MS];

fn settings() -> Settings {
    let hashing = Cost { memory_kib: 8, passes: 1 };
    Settings { rate_limits: true, hashing, ..Settings::default() }
}

fn store() -> Arc<Faulty> {
    Arc::new(Faulty::over(Arc::new(Memory::new())))
}

pub fn shop() -> (Shop, Arc<Hands>) {
    let hands = Arc::new(Hands::default());
    (Shop::by_hands(&hands, store(), settings(), None), hands)
}

pub async fn wrong_password(shop: &Shop, address: &str) -> Reply {
    let wrong = json!({"email": "ada@example.org", "password": "not the right one"});
    at(shop, address).json("POST", "/v1/session/sign-in", wrong).await
}

#[tokio::test]
async fn s38_first_writes_are_counted_by_a_clock_that_only_goes_on() {
    for step in STEPS {
        let (shop, hands) = shop();
        for _ in 0..GUESTS.most {
            at(&shop, "192.0.2.1").add("a", 1).await.expect(200);
        }
        hands.set(step);
        let refused = at(&shop, "192.0.2.1").add("a", 1).await.problem(429, "rate_limited");
        assert_eq!(refused.header("retry-after"), Some("1"), "{step}");
        assert_eq!(refused.header("ratelimit"), Some("\"guests\";r=0;t=60"), "{step}");
        hands.pass(Span::from_ms(200));
        at(&shop, "192.0.2.1").add("a", 1).await.expect(200);
        at(&shop, "192.0.2.1").add("a", 1).await.problem(429, "rate_limited");
        hands.pass(Span::from_s(60));
        for _ in 0..GUESTS.most {
            at(&shop, "192.0.2.1").add("a", 1).await.expect(200);
        }
    }
}

#[tokio::test]
async fn s38_so_are_wrong_passwords_and_guesses() {
    for step in STEPS {
        let (shop, hands) = shop();
        for _ in 0..BY_ACCOUNT.most {
            wrong_password(&shop, "192.0.2.1").await.problem(401, "invalid_credentials");
        }
        hands.set(step);
        let refused = wrong_password(&shop, "192.0.2.1").await.problem(429, "rate_limited");
        assert_eq!(refused.header("retry-after"), Some("90"), "{step}");
        hands.pass(Span::from_s(90));
        wrong_password(&shop, "192.0.2.1").await.problem(401, "invalid_credentials");
        let guess = async |n: u32| {
            let mut guesser = at(&shop, "192.0.2.1");
            guesser.headers.insert("authorization", format!("Bearer {n:043}").parse().unwrap());
            guesser.get("/v1/cart").await.status
        };
        let mut n = 0;
        while guess(n).await == 401 {
            n += 1;
        }
        hands.set(-step);
        assert_eq!(guess(1).await, 429, "{step}");
        hands.pass(Span::from_s(60));
        assert_eq!(guess(2).await, 401, "{step}");
    }
}

/// A catalogue that notes by which time it is asked.
#[derive(Default)]
struct Noting(Mutex<Vec<Timestamp>>);

impl Catalogue for Noting {
    fn listing<'a>(&'a self, _skus: Skus<'a>, now: Timestamp) -> BoxFuture<'a, Listing> {
        self.0.lock().push(now);
        Box::pin(async { Listing::Untold })
    }
}

#[tokio::test]
async fn s38_what_a_catalogue_said_gets_older_and_its_breaker_too() {
    let (noting, hands) = (Arc::new(Noting::default()), Arc::new(Hands::default()));
    let shop = Shop::by_hands(&hands, store(), settings(), Some(noting.clone()));
    let browser = shop.browser();
    browser.add("mug", 1).await.expect(200);
    noting.0.lock().clear();
    for step in STEPS {
        hands.set(step);
        hands.pass(Span::from_s(11));
        browser.cart().await;
    }
    let asked = noting.0.lock().clone();
    let apart: Vec<u64> = asked.windows(2).map(|two| two[1].as_ms() - two[0].as_ms()).collect();
    assert_eq!(apart, [11_000; 3], "it is asked by a clock that only goes on");
}

#[tokio::test]
async fn s38_a_price_is_asked_for_again_after_its_time() {
    let asked = Arc::new(Mutex::new(0));
    let counting = asked.clone();
    let router = axum::Router::new().fallback(move || async move {
        *counting.lock() += 1;
        let product = json!({"title": "The mug", "price": {"amount": 5, "currency": "EUR"}, "stock": 9});
        (StatusCode::OK, product.to_string())
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/products/", listener.local_addr().unwrap());
    let upstream = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let hands = Arc::new(Hands::default());
    let web = Arc::new(Web::new(&address, Patience::default()).unwrap());
    let shop = Shop::by_hands(&hands, store(), settings(), Some(web));
    let browser = shop.browser();
    browser.add("mug", 1).await.expect(200);
    for step in STEPS {
        let before = *asked.lock();
        hands.set(step);
        browser.cart().await;
        assert_eq!(*asked.lock(), before, "{step}: nothing became stale");
        hands.pass(Span::from_s(11));
        browser.cart().await;
        assert_eq!(*asked.lock(), before + 1, "{step}: nothing stays fresh");
    }
    upstream.abort();
}

#[tokio::test]
async fn s38_a_session_ends_when_it_was_not_seen_for_its_time_and_not_before() {
    for step in STEPS {
        let (shop, hands) = shop();
        let (one, other) = (shop.member(1).await, shop.member(2).await);
        let (active, left) = (shop.signed_in(&one, false).await, shop.signed_in(&other, false).await);
        active.cart().await;
        left.cart().await;
        hands.pass(Span::from_s(30 * 60));
        hands.set(step);
        while shop.service.sweep().await.unwrap() {}
        for _ in 0..3 {
            active.cart().await;
            assert!(active.is_signed_in().await, "{step}");
            hands.pass(Span::from_s(40 * 60));
        }
        assert!(!left.is_signed_in().await, "{step}: 150 minutes unseen");
        hands.pass(Span::from_hours(2));
        assert!(!active.is_signed_in().await, "{step}");
        let guest = shop.browser();
        guest.add("a", 1).await.expect(200);
        hands.set(-step);
        while shop.service.sweep().await.unwrap() {}
        assert_eq!(guest.cart().await.shown(), "a=1", "{step}");
    }
}

#[tokio::test]
async fn s38_a_day_after_its_sign_in_a_session_ends_however_the_clock_was_set() {
    for step in [-5 * HOUR_MS, 5 * HOUR_MS] {
        let (shop, hands) = shop();
        let member = shop.member(1).await;
        let device = shop.signed_in(&member, false).await;
        hands.set(step);
        for hour in 0..30 {
            device.cart().await;
            // Set back, what was written in the hours that came twice may count as of the second time.
            let (soonest, latest) = (24, 24 + (-step).max(0) / HOUR_MS);
            assert!(hour >= soonest || device.is_signed_in().await, "{step}, {hour}");
            assert!(hour < latest || !device.is_signed_in().await, "{step}, {hour}");
            hands.pass(Span::from_hours(1));
            while shop.service.sweep().await.unwrap() {}
        }
    }
}

#[tokio::test]
async fn s38_the_grace_of_a_replaced_token_is_two_minutes_and_no_step_makes_a_thief() {
    for step in STEPS {
        let (shop, hands) = shop();
        let member = shop.member(1).await;
        let device = shop.signed_in(&member, true).await;
        device.cart().await;
        hands.pass(Span::from_s(61 * 60));
        let tab = device.tab();
        device.cart().await;
        assert_ne!(device.token(), tab.token());
        device.cart().await;
        hands.set(step);
        hands.pass(Span::from_s(60));
        tab.tab().cart().await;
        assert!(device.is_signed_in().await, "{step}: a tab that was a minute late is no thief");
        hands.pass(Span::from_s(61));
        let copy = tab.cookie(NAME).unwrap();
        tab.drop_cookie(trolley::http::extract::cookie::REMEMBER);
        tab.cart().await;
        assert!(!device.is_signed_in().await, "{step}: {copy} came back after its grace");
        assert_eq!(shop.trail_of(&member, "token_replayed").await, 1, "{step}");
    }
}

#[tokio::test]
async fn s38_a_retired_token_is_remembered_for_ten_minutes_and_not_for_hours() {
    for step in STEPS {
        let (shop, hands) = shop();
        let member = shop.member(1).await;
        let device = shop.device();
        device.add("a", 1).await.expect(200);
        let late = device.tab();
        device.sign_in(&member, false).await;
        hands.set(step);
        late.tab().add("a", 1).await.problem(401, "session_ended");
        hands.pass(Span::from_s(601));
        late.tab().add("a", 1).await.expect(200);
    }
}

#[tokio::test]
async fn s38_a_reset_token_lives_an_hour_where_the_clock_is_set_back() {
    for step in STEPS.into_iter().filter(|step| *step < 0) {
        let (shop, hands) = shop();
        let browser = crate::account::accounts::signed_up(&shop, crate::account::accounts::EMAIL).await;
        let id = browser.get("/v1/session").await.json["account"]["id"].as_str().unwrap().parse().unwrap();
        let (token, _) = shop.service.issue_reset(id).await.unwrap();
        hands.set(step);
        hands.pass(Span::from_s(59 * 60));
        assert!(shop.service.resets(&token).await.is_ok(), "{step}");
        hands.pass(Span::from_s(60));
        assert!(shop.service.resets(&token).await.is_err(), "{step}");
    }
}

#[tokio::test]
async fn s38_an_event_stream_ends_with_its_session_and_not_with_a_step() {
    for step in STEPS {
        let (shop, hands) = shop();
        let member = shop.member(1).await;
        let device = shop.signed_in(&member, false).await;
        device.add("a", 1).await.expect(200);
        let mut stream = Stream::open(&device, None).await;
        hands.set(step);
        shop.service.judge_streams().await;
        assert_eq!(stream.cart().await.quantity(), 1, "{step}");
        device.add("a", 1).await.expect(200);
        assert_eq!(stream.cart().await.quantity(), 2, "{step}");
        hands.pass(Span::from_hours(2));
        shop.service.judge_streams().await;
        stream.ends().await;
    }
}

#[tokio::test]
async fn s38_after_a_restart_with_the_clock_set_back_nobody_is_out_and_nobody_is_in_for_ever() {
    let (shop, hands) = shop();
    let (one, other) = (shop.member(1).await, shop.member(2).await);
    let (active, left) = (shop.signed_in(&one, false).await, shop.signed_in(&other, false).await);
    let retired = shop.device();
    retired.add("a", 1).await.expect(200);
    let late = retired.tab();
    retired.sign_in(&one, false).await;
    active.cart().await;
    left.cart().await;
    shop.service.flush_touches().await.unwrap();
    hands.set(-5 * HOUR_MS);
    hands.restart();
    let again = Shop::by_hands(&hands, shop.store.clone(), settings(), None);
    late.at(&again).add("a", 1).await.expect(200);
    let (active, left) = (active.at(&again), left.at(&again));
    active.cart().await;
    assert!(active.is_signed_in().await);
    again.service.flush_touches().await.unwrap();
    // What its owner came back with is put right: it is not held up until the clock comes there once more.
    hands.restart();
    let third = Shop::by_hands(&hands, shop.store.clone(), settings(), None);
    hands.pass(Span::from_s(127 * 60));
    assert!(!active.at(&third).is_signed_in().await, "two hours and a twentieth");
    assert!(
        left.at(&third).is_signed_in().await,
        "unseen, it cannot be told from one that was seen just now"
    );
    hands.pass(Span::from_hours(6));
    assert!(!left.at(&third).is_signed_in().await);
}

/// Orders so many units, and gives the order's id.
async fn order(browser: &Browser) -> String {
    browser.add("a", 1).await.expect(200);
    let made = browser.json("POST", "/v1/cart/checkout", json!({})).await.expect(201);
    made.json["order"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn s38_what_is_made_after_a_step_comes_behind_a_followers_cursor() {
    let (mut shop, hands) = shop();
    let scopes = vec![Scope::OrdersRead, Scope::Audit];
    let (secret, _) = shop.service.make_key("the office", scopes).await.unwrap();
    let bearer = format!("Bearer {}", secret.expose());
    let browser = shop.browser();
    let member = shop.member(1).await;
    let (mut seen, mut audited) = (order(&browser).await, None::<String>);
    for (round, step) in STEPS.into_iter().chain([0, -HOUR_MS]).enumerate() {
        hands.set(step);
        if round % 2 == 1 {
            shop = Shop::by_hands(&hands, shop.store.clone(), settings(), None);
        }
        let ask = async |path: String| {
            let key = [("authorization", bearer.as_str())];
            shop.anyone().with("GET", &path, &key, Value::Null).await.expect(200)
        };
        let browser = shop.browser();
        let made = order(&browser).await;
        let page = ask(format!("/v1/admin/orders?after={seen}")).await;
        let ids: Vec<_> = page.json["orders"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
        assert_eq!(ids, [&json!(made)], "{step}");
        let own = browser.get("/v1/orders").await.expect(200);
        assert_eq!(own.json["orders"][0]["id"], json!(made));
        seen = made;
        shop.signed_in(&member, false).await.sign_out().await;
        let after = audited.as_ref().map_or(String::new(), |after| format!("&after={after}"));
        let events = ask(format!("/v1/admin/audit?limit=100{after}")).await;
        let events = events.json["events"].as_array().unwrap().clone();
        assert!(!events.is_empty(), "{step}");
        audited = Some(events.last().unwrap()["id"].as_str().unwrap().to_owned());
    }
}
