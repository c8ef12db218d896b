//! A damaged record is told and left; whoever goes through many records goes on with the others, and nobody is shown less.

use std::sync::Arc;

use serde_json::{Value, json};
use trolley::http::server::state::HttpConfig;
use trolley::service::session::token::Token;
use trolley::service::settings::{Bounds, Settings};
use trolley_core::ids::{OrderId, SessionId};
use trolley_core::time::Span;
use trolley_store::memory::Memory;
use trolley_store::port::Store;
use trolley_store::records::counts::Counts;
use trolley_store::records::{Key, Record};

use crate::account::accounts::{EMAIL, PASSWORD, cheap, is_signed_in, login, signed_in, signed_up};
use crate::support::faulty::Faulty;
use crate::support::scrape::Scrape;
use crate::support::{Actor, Browser, Shop, days};

/// A shop that takes so many records at once.
fn by(sweep_batch: usize) -> Shop {
    let bounds = Bounds { sweep_batch, ..Bounds::default() };
    Shop::with(HttpConfig::default(), Settings { bounds, ..cheap() })
}

async fn session_of(browser: &Browser) -> SessionId {
    let id = browser.get("/v1/session").await.expect(200).json["device"]["id"].clone();
    id.as_str().unwrap().parse().unwrap()
}

fn token_of(browser: &Browser) -> Key {
    Key::Token(Token::parse(browser.cookie().unwrap().as_bytes()).unwrap().digest())
}

async fn order(browser: &Browser, sku: &str) -> OrderId {
    browser.add(sku, 1).await.expect(200);
    let made = browser.json("POST", "/v1/cart/checkout", json!({})).await.expect(201);
    made.json["order"]["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn of_more_damaged_expired_records_than_a_batch_the_others_leave_all_the_same() {
    let shop = by(3);
    for n in 0..20 {
        let browser = shop.browser();
        browser.add("a", 1).await.expect(200);
        if n < 8 {
            shop.store.spoil(Key::Session(session_of(&browser).await));
        }
        // The damaged ones come first in every batch.
        shop.turn(Span::from_s(1)).await;
    }
    shop.turn(days(40)).await;
    let left = Counts { guest_carts: 8, guest_sessions: 8, ..Counts::default() };
    assert_eq!(shop.store.count().await.unwrap(), left);
    let page = Scrape::read(&shop.anyone().get("/metrics").await.expect(200).text);
    assert_eq!(page.value("trolley_store_damaged_records{kind=\"session\"}"), 8.0);
    assert_eq!(page.value("trolley_store_damaged_records{kind=\"cart\"}"), 0.0);
    // What expires later is not held up either, also by another process.
    for shop in [&shop, &Shop::over(shop.store.clone(), HttpConfig::default(), cheap())] {
        shop.browser().add("a", 1).await.expect(200);
        shop.turn(days(40)).await;
        assert_eq!(shop.store.count().await.unwrap(), left);
        let loads = shop.store.loads();
        while shop.service.sweep().await.unwrap() {}
        assert_eq!(shop.store.loads() - loads, 0, "what is known to be damaged is not read again and again");
    }
}

#[tokio::test]
async fn a_damaged_cart_is_a_5xx_and_never_an_empty_one_and_its_session_leaves_in_time() {
    let shop = by(100);
    let browser = shop.browser();
    let id = browser.add("a", 1).await.expect(200).json["id"].as_str().unwrap().parse().unwrap();
    shop.store.spoil(Key::Cart(id));
    for _ in 0..2 {
        browser.get("/v1/cart").await.problem(500, "internal");
        browser.add("a", 1).await.problem(500, "internal");
    }
    shop.turn(days(40)).await;
    let left = Counts { guest_carts: 1, ..Counts::default() };
    assert_eq!(shop.store.count().await.unwrap(), left, "the cart stays as it is");
}

#[tokio::test]
async fn a_damaged_token_or_ledger_or_data_keeps_no_guest_from_leaving() {
    for what in 0..3 {
        for leaves in [true, false] {
            let shop = by(100);
            let browser = shop.browser();
            let key = [("idempotency-key", "one")];
            browser.add("a", 1).await.expect(200);
            browser.with("POST", "/v1/cart/lines", &key, json!({"sku": "a"})).await.expect(200);
            browser.json("PATCH", "/v1/session/data", json!({"a": 1})).await.expect(200);
            let session = session_of(&browser).await;
            let damaged = [token_of(&browser), Key::Ledger(session), Key::Data(session)][what];
            shop.store.spoil(damaged);
            if leaves {
                browser.json("POST", "/v1/session/sign-out", Value::Null).await.expect(204);
            } else {
                shop.turn(days(40)).await;
            }
            assert_eq!(shop.store.count().await.unwrap(), Counts::default(), "{damaged}");
            assert!(
                shop.store.beneath().load(damaged).await.unwrap().is_some(),
                "{damaged} is left as it is"
            );
        }
    }
}

#[tokio::test]
async fn of_changes_in_one_commit_only_that_fails_whose_own_record_is_damaged() {
    for what in 0..2 {
        let shop = by(100);
        let (one, other) = (signed_up(&shop, EMAIL).await, signed_in(&shop, EMAIL).await);
        let key = [("idempotency-key", "first")];
        one.with("POST", "/v1/cart/lines", &key, json!({"sku": "a"})).await.expect(200);
        let session = session_of(&one).await;
        let damaged = [Key::Ledger(session), token_of(&one)][what];
        let before = other.cart().await.quantity();
        shop.store.shut_gate();
        let keyed = [("idempotency-key", "second")];
        let waits = other.add("a", 1);
        let fails = async {
            shop.store.until_waiting(1).await;
            shop.store.spoil(damaged);
            one.with("POST", "/v1/cart/lines", &keyed, json!({"sku": "a"})).await
        };
        let beside = async {
            shop.store.until_waiting(1).await;
            other.add("a", 1).await
        };
        let opens = async {
            shop.store.until_waiting(1).await;
            // The two others stand in the lane meanwhile.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            shop.store.open_gate();
        };
        let (waits, fails, beside, ()) = tokio::join!(waits, fails, beside, opens);
        fails.problem(500, "internal");
        waits.expect(200);
        beside.expect(200);
        assert_eq!(other.cart().await.quantity(), before + 2, "{damaged}");
    }
}

#[tokio::test]
async fn an_owner_with_a_damaged_session_signs_in_and_lists_devices_and_ends_all_of_them() {
    let policy = trolley_core::session::SessionPolicy { cap: 2, ..Default::default() };
    let shop = Shop::with(HttpConfig::default(), Settings { policy, ..cheap() });
    let lost = signed_up(&shop, EMAIL).await;
    let damaged = session_of(&lost).await;
    shop.store.spoil(Key::Session(damaged));
    shop.store.spoil(token_of(&lost));
    let here = signed_in(&shop, EMAIL).await;
    let listed = here.get("/v1/sessions").await.expect(200);
    assert_eq!(listed.json["sessions"].as_array().unwrap().len(), 1, "the others are listed");
    let third = signed_in(&shop, EMAIL).await;
    assert!(is_signed_in(&here).await && is_signed_in(&third).await, "the damaged one left over the cap");
    let fourth = shop.browser();
    fourth.json("POST", "/v1/session/sign-in", login(EMAIL, PASSWORD)).await.expect(200);
    shop.store.spoil(Key::Session(session_of(&third).await));
    shop.store.spoil(token_of(&third));
    fourth.delete("/v1/sessions?all=true").await.expect(204);
    assert!(!is_signed_in(&fourth).await);
    let again = Shop::over(shop.store.clone(), HttpConfig::default(), cheap());
    let late = again.browser_with(&third.cookie().unwrap());
    late.get("/v1/cart").await.problem(500, "internal");
}

#[tokio::test]
async fn of_orders_with_damaged_ones_the_others_are_listed_in_full_pages() {
    let shop = by(100);
    let browser = signed_up(&shop, EMAIL).await;
    let mut made = Vec::new();
    for n in 0..9 {
        made.insert(0, order(&browser, &format!("sku-{n}")).await);
    }
    for damaged in [1, 2, 4] {
        shop.store.spoil(Key::Order(made[damaged]));
    }
    let whole: Vec<_> = [0, 3, 5, 6, 7, 8].into_iter().map(|n| made[n].to_string()).collect();
    let (mut path, mut listed) = ("/v1/orders?limit=2".to_owned(), Vec::new());
    loop {
        let page = browser.get(&path).await.expect(200);
        let ids = page.json["orders"].as_array().unwrap().iter();
        listed.extend(ids.map(|order| order["id"].as_str().unwrap().to_owned()));
        let Some(link) = page.header("link") else { break };
        assert_eq!(listed.len() % 2, 0, "a page is full");
        path = link[1..link.find('>').unwrap()].to_owned();
    }
    assert_eq!(listed, whole);
    let all = shop.service.all_orders(None, 4).await.unwrap();
    let all: Vec<_> = all.iter().map(|order| order.id.to_string()).collect();
    assert_eq!(all, [8, 7, 6, 5].map(|n| made[n].to_string()));
    let all = shop.service.all_orders(Some(made[5]), 100).await.unwrap();
    assert_eq!(all.iter().map(|order| order.id).collect::<Vec<_>>(), [made[3], made[0]]);
    browser.get(&format!("/v1/orders/{}", made[1])).await.problem(500, "internal");
    assert!(shop.service.cancel(made[1]).await.is_err(), "nothing is given back of what cannot be read");
    let page = Scrape::read(&shop.anyone().get("/metrics").await.expect(200).text);
    assert_eq!(page.value("trolley_store_damaged_records{kind=\"order\"}"), 3.0);
}

#[tokio::test]
async fn an_order_is_behind_the_newest_one_also_where_that_is_damaged_and_the_clock_was_set_back() {
    let memory: Arc<dyn Store> = Arc::new(Memory::new());
    let before = Shop::over(Arc::new(Faulty::over(memory.clone())), HttpConfig::default(), cheap());
    before.turn(days(2)).await;
    let newest = order(&before.browser(), "a").await;
    // Another process, whose clock was never turned.
    let shop = Shop::over(Arc::new(Faulty::over(memory)), HttpConfig::default(), cheap());
    shop.store.spoil(Key::Order(newest));
    let next = order(&shop.browser(), "b").await;
    assert!(next > newest, "a follower whose cursor is {newest} would never see {next}");
    let since = shop.service.all_orders(Some(newest), 10).await.unwrap();
    assert_eq!(since.iter().map(|order| order.id).collect::<Vec<_>>(), [next]);
}

#[tokio::test]
async fn beside_a_damaged_session_the_others_are_written_down_as_seen() {
    let shop = by(100);
    let (damaged, other) = (shop.browser(), shop.browser());
    let mut sessions = Vec::new();
    for browser in [&damaged, &other] {
        browser.add("a", 1).await.expect(200);
        sessions.push(session_of(browser).await);
    }
    shop.turn(days(1)).await;
    damaged.cart().await;
    other.cart().await;
    shop.store.spoil(Key::Session(sessions[0]));
    shop.service.flush_touches().await.unwrap();
    let Some(Record::Session(seen)) = shop.store.load(Key::Session(sessions[1])).await.unwrap() else {
        panic!()
    };
    assert!(seen.last_seen.since(seen.created_at) >= days(1));
}
