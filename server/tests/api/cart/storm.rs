//! Many at once on one cart: nothing is lost, nothing counts twice, nobody is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Actor, Bearer, Shop};

const CLIENTS: usize = 64;
const ADDS: usize = 2_000;

/// Has 64 clients send `ADDS` adds of one unit, each so many times at once, and gives back the cart's quantity.
async fn storm(app: Arc<Bearer>, keyed: bool) -> u64 {
    let next = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (app, next) = (app.clone(), next.clone());
        clients.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= ADDS {
                    return;
                }
                if keyed {
                    let key = format!("add-{n}");
                    let header = [("idempotency-key", key.as_str())];
                    let send = || app.with("POST", "/v1/cart/lines", &header, json!({"sku": "a"}));
                    let (one, other) = tokio::join!(send(), send());
                    let replays = [one.expect(200), other.expect(200)];
                    assert_eq!(
                        replays.iter().filter(|reply| reply.header("idempotency-replayed").is_some()).count(),
                        1
                    );
                } else {
                    app.add("a", 1).await.expect(200);
                }
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    app.cart().await.quantity()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_add_two_thousand_units_to_one_cart() {
    let shop = Shop::new();
    let app = Arc::new(shop.bearer().await);
    assert_eq!(storm(app.clone(), false).await, ADDS as u64);
    assert_eq!(app.cart().await.revision(), ADDS as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_sent_twice_under_one_key_counts_once() {
    let shop = Shop::new();
    let app = Arc::new(shop.bearer().await);
    assert_eq!(storm(app.clone(), true).await, ADDS as u64);
    assert_eq!(app.cart().await.revision(), ADDS as u64);
}

#[tokio::test]
async fn what_waits_for_one_cart_shares_a_commit_and_each_answer_has_its_own_revision() {
    let shop = Shop::new();
    let app = Arc::new(shop.bearer().await);
    app.add("a", 1).await.expect(200);
    let commits = shop.store.commits();
    shop.store.shut_gate();
    let mut adds = JoinSet::new();
    let add = |app: Arc<Bearer>| async move { app.add("a", 1).await.expect(200).revision() };
    adds.spawn(add(app.clone()));
    shop.store.until_waiting(1).await;
    for _ in 0..50 {
        adds.spawn(add(app.clone()));
    }
    // Each of the fifty is in the lane once its task has run up to its answer.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    shop.store.open_gate();
    let mut revisions = adds.join_all().await;
    revisions.sort_unstable();
    assert_eq!(revisions, (2..=52).collect::<Vec<_>>());
    assert_eq!(shop.store.commits(), commits + 2);
}

#[tokio::test]
async fn a_client_that_hangs_up_stalls_nobody_and_its_change_is_done() {
    let shop = Shop::new();
    let app = Arc::new(shop.bearer().await);
    app.add("a", 1).await.expect(200);
    shop.store.shut_gate();
    let gone = tokio::spawn({
        let app = app.clone();
        async move { app.add("a", 10).await }
    });
    shop.store.until_waiting(1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    shop.store.open_gate();
    assert_eq!(app.add("a", 1).await.expect(200).shown(), "a=12");
}

#[tokio::test]
async fn a_lane_that_is_full_says_busy_and_when_to_come_again() {
    use trolley::service::settings::{Bounds, Settings};
    let bounds = Bounds { lane_waiting: 2, ..Bounds::default() };
    let shop = Shop::with(Default::default(), Settings { bounds, ..Settings::default() });
    let app = Arc::new(shop.bearer().await);
    app.add("a", 1).await.expect(200);
    shop.store.shut_gate();
    let mut adds = JoinSet::new();
    for _ in 0..6 {
        let app = app.clone();
        adds.spawn(async move { app.add("a", 1).await });
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
    shop.store.open_gate();
    let (mut done, mut busy) = (0, 0);
    for reply in adds.join_all().await {
        if reply.status == 200 {
            done += 1;
        } else {
            assert_eq!(reply.problem(503, "busy").header("retry-after"), Some("1"));
            busy += 1;
        }
    }
    assert_eq!((done, busy), (3, 3), "one under way and two waiting");
    assert_eq!(app.cart().await.quantity(), 1 + done);
}
