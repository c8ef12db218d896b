//! Expired sessions leave in bounded batches, with all that is theirs, and nothing else does.

use serde_json::json;
use trolley::http::server::state::HttpConfig;
use trolley::service::session::token::Token;
use trolley::service::settings::{Bounds, Settings};
use trolley_core::account::audit::EventKind;
use trolley_core::session::{Session, SessionPolicy};
use trolley_core::time::Span;
use trolley_store::port::{Store as _, Write};
use trolley_store::records::counts::Counts;
use trolley_store::records::{Key, Record};

use crate::account::accounts;
use crate::support::{Actor, Shop, days};

#[tokio::test]
async fn an_expired_guest_leaves_with_token_ledger_and_cart() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let key = [("idempotency-key", "one")];
    app.with("POST", "/v1/cart/lines", &key, json!({"sku": "a"})).await.expect(200);
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    assert_eq!(
        shop.store.count().await.unwrap(),
        Counts { guest_carts: 2, guest_sessions: 2, unproven_guests: 1, ..Counts::default() }
    );
    let token = Key::Token(Token::parse(app.token.as_bytes()).unwrap().digest());
    let Some(Record::Token(named)) = shop.store.load(token).await.unwrap() else { panic!() };
    let ledger = Key::Ledger(named.session);
    assert!(shop.store.load(ledger).await.unwrap().is_some());
    shop.turn(days(40)).await;
    assert_eq!(shop.store.count().await.unwrap(), Counts::default());
    for key in [token, ledger] {
        assert_eq!(shop.store.load(key).await.unwrap(), None);
    }
    app.get("/v1/cart").await.problem(401, "session_ended");
}

#[tokio::test]
async fn many_leave_in_batches_and_the_living_stay() {
    let bounds = Bounds { sweep_batch: 7, ..Bounds::default() };
    let shop = Shop::with(HttpConfig::default(), Settings { bounds, ..Settings::default() });
    for _ in 0..30 {
        shop.browser().add("a", 1).await.expect(200);
    }
    let living = shop.browser();
    shop.turn(Span::from_hours(14 * 24 - 1)).await;
    living.add("a", 1).await.expect(200);
    let commits = shop.store.commits();
    shop.turn(Span::from_hours(2)).await;
    assert_eq!(
        shop.store.count().await.unwrap(),
        Counts { guest_carts: 1, guest_sessions: 1, unproven_guests: 1, ..Counts::default() }
    );
    assert_eq!(shop.store.commits() - commits, 1 + 5, "the turn, and thirty in batches of seven");
    assert_eq!(living.cart().await.shown(), "a=1");
}

#[tokio::test]
async fn a_session_that_memory_saw_lately_stays_though_the_store_does_not_know() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    browser.cart().await;
    // Nobody writes touches down here: the store believes that it was last seen on the first day.
    for _ in 0..3 {
        shop.turn(days(20)).await;
        assert_eq!(browser.cart().await.shown(), "a=1");
    }
    shop.turn(days(32)).await;
    assert_eq!(shop.store.count().await.unwrap(), Counts::default());
}

#[tokio::test]
async fn a_session_that_leaves_memory_is_written_down_as_it_goes() {
    let bounds = Bounds { seen_sessions: 1, ..Bounds::default() };
    let shop = Shop::still(HttpConfig::default(), Settings { bounds, ..Settings::default() });
    let chores = shop.service.start_chores();
    let first = shop.browser();
    first.add("a", 1).await.expect(200);
    let id = first.get("/v1/session").await.expect(200).json["device"]["id"].clone();
    let id = id.as_str().unwrap().parse().unwrap();
    // Less than a twentieth of the idle limit: seen again, but not yet due to be written down.
    shop.turn(Span::from_hours(20)).await;
    first.cart().await;
    let seen = shop.service.now();
    let mut written = None;
    // The book has many shelves: it takes two more on this one's until it has to leave.
    for _ in 0..2_000 {
        let other = shop.browser();
        other.add("b", 1).await.expect(200);
        other.cart().await;
        tokio::task::yield_now().await;
        if let Some(Record::Session(session)) = shop.store.load(Key::Session(id)).await.unwrap() {
            written = Some(session.last_seen);
        }
        if written == Some(seen) {
            break;
        }
    }
    chores.stop().await;
    assert_eq!(written, Some(seen));
}

#[tokio::test]
async fn a_longer_policy_keeps_what_a_shorter_one_had_doomed() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    browser.cart().await;
    let policy = SessionPolicy { guest_idle: days(90), ..SessionPolicy::default() };
    let patient =
        Shop::over(shop.store.clone(), HttpConfig::default(), Settings { policy, ..Settings::default() });
    patient.turn(days(60)).await;
    assert_eq!(patient.browser_with(&browser.cookie().unwrap()).cart().await.shown(), "a=1");
}

#[tokio::test]
async fn the_test_clock_turns_for_loopback_peers_alone_and_sweeps_at_once() {
    let rules = HttpConfig { test_clock: true, ..HttpConfig::default() };
    let shop = Shop::with(rules.clone(), Settings::default());
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    let turned =
        shop.anyone().json("POST", "/test/clock", json!({"advance_ms": 1_296_000_000})).await.expect(200);
    assert_eq!(turned.json["now"].as_str().map(str::len), Some(24));
    assert_eq!(shop.store.count().await.unwrap(), Counts::default());
    let again = Shop::over(shop.store.clone(), rules, Settings::default());
    let now = again.anyone().json("POST", "/test/clock", json!({"advance_ms": 0})).await.expect(200);
    assert!(now.json["now"].as_str() >= turned.json["now"].as_str(), "a restart keeps the clock");
    for header in
        ["x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-host", "x-forwarded-proto"]
    {
        let refused = shop
            .anyone()
            .with("POST", "/test/clock", &[(header, "127.0.0.1")], json!({"advance_ms": 1}))
            .await;
        refused.problem(403, "loopback_only");
    }
    let far = crate::support::request("POST", "/test/clock").header("content-type", "application/json");
    let far = far.body(r#"{"advance_ms":1}"#.into()).unwrap();
    let answer = shop.app.answer(far, ([192, 0, 2, 1], 1).into()).await;
    assert_eq!(answer.status().as_u16(), 403);
    for body in [json!({}), json!({"advance_ms": -1}), json!({"advance_ms": 1.5}), json!({"advance_ms": "1"})]
    {
        shop.anyone().json("POST", "/test/clock", body).await.problem(422, "invalid_body");
    }
}

#[tokio::test]
async fn an_event_that_loses_its_address_did_not_happen_once_more() {
    let shop = accounts::shop();
    accounts::signed_up(&shop, accounts::EMAIL).await;
    shop.turn(days(31)).await;
    let report = shop.service.report().await.unwrap();
    let created = report.happened.iter().find(|(what, _)| *what == EventKind::AccountCreated).unwrap();
    assert_eq!(created.1, 1);
}

#[tokio::test]
async fn a_session_that_is_seen_elsewhere_while_it_is_being_swept_stays() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    browser.cart().await;
    let id = browser.get("/v1/session").await.expect(200).json["device"]["id"].clone();
    let key = Key::Session(id.as_str().unwrap().parse().unwrap());
    shop.store.never_sweep();
    shop.turn(days(40)).await;
    let (shop, seen_at) =
        (Shop::over(shop.store, HttpConfig::default(), Settings::default()), shop.service.now());
    shop.store.sweep_again();
    shop.store.shut_gate();
    let elsewhere = async {
        shop.store.until_waiting(1).await;
        let beneath = shop.store.beneath();
        let Some(Record::Session(session)) = beneath.load(key).await.unwrap() else { panic!() };
        let seen = Session { version: session.version + 1, last_seen: seen_at, ..(*session).clone() };
        let seen = Write::swap(session.version, Record::Session(seen.into()), Some(seen_at));
        beneath.commit(vec![seen]).await.unwrap();
        shop.store.open_gate();
    };
    tokio::join!(shop.service.sweep(), elsewhere).0.unwrap();
    assert_eq!(shop.browser_with(&browser.cookie().unwrap()).cart().await.shown(), "a=1");
}
