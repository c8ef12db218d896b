//! A store that is full, down, or contended: what is told, what is not, and that it heals.

use serde_json::json;

use crate::support::faulty::Mode;
use crate::support::{Actor, Shop};

#[tokio::test]
async fn a_full_store_refuses_writes_goes_on_reading_and_heals() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    browser.cart().await;
    shop.store.set(Mode::Full);
    let refused = browser.add("a", 1).await.problem(503, "store_full");
    assert_eq!((refused.header("retry-after"), refused.set_cookie()), (Some("1"), None));
    let stranger = shop.browser();
    assert_eq!(stranger.add("a", 1).await.problem(503, "store_full").set_cookie(), None);
    shop.anyone()
        .json("POST", "/v1/session", json!({"transport": "bearer"}))
        .await
        .problem(503, "store_full");
    assert_eq!(browser.cart().await.shown(), "a=1");
    shop.store.set(Mode::Well);
    assert_eq!(browser.add("a", 1).await.expect(200).shown(), "a=2");
}

#[tokio::test]
async fn a_5xx_is_not_kept_under_its_key() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let key = [("idempotency-key", "one")];
    for mode in [Mode::Full, Mode::Down] {
        shop.store.set(mode);
        assert_eq!(app.with("POST", "/v1/cart/lines", &key, json!({"sku": "a"})).await.status, 503);
    }
    shop.store.set(Mode::Well);
    let done = app.with("POST", "/v1/cart/lines", &key, json!({"sku": "a"})).await.expect(200);
    assert_eq!((done.shown(), done.header("idempotency-replayed")), ("a=1".to_owned(), None));
}

#[tokio::test]
async fn a_change_whose_commit_is_not_known_counts_once_when_it_is_sent_again() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    app.cart().await;
    let key = [("idempotency-key", "one")];
    shop.store.set(Mode::Unknown);
    app.with("POST", "/v1/cart/lines", &key, json!({"sku": "a"})).await.problem(503, "store_down");
    shop.store.set(Mode::Well);
    let again = app.with("POST", "/v1/cart/lines", &key, json!({"sku": "a"})).await.expect(200);
    assert_eq!((again.shown(), again.header("idempotency-replayed")), ("a=1".to_owned(), Some("true")));
}

#[tokio::test]
async fn a_cart_that_another_node_changed_meanwhile_is_decided_anew() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    app.add("a", 1).await.expect(200);
    let other = Shop::over(shop.store.clone(), Default::default(), Default::default());
    let bearer = format!("Bearer {}", app.token);
    shop.store.shut_gate();
    let here = app.add("a", 10);
    let there = async {
        shop.store.until_waiting(1).await;
        let headers = [("authorization", bearer.as_str())];
        let anyone = other.anyone();
        let there = anyone.with("POST", "/v1/cart/lines", &headers, json!({"sku": "a", "quantity": 100}));
        let open = async {
            shop.store.until_waiting(2).await;
            shop.store.open_gate();
        };
        tokio::join!(there, open).0
    };
    let (here, there) = tokio::join!(here, there);
    here.expect(200);
    there.expect(200);
    assert_eq!((app.cart().await.shown(), app.cart().await.revision()), ("a=111".to_owned(), 3));
}

#[tokio::test]
async fn a_problem_of_the_store_tells_nothing_of_it() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    for mode in [Mode::Down, Mode::Unknown] {
        shop.store.set(mode);
        let refused = browser.add("a", 1).await.problem(503, "store_down");
        assert!(!refused.text.contains("secret address"), "{}", refused.text);
    }
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing_and_the_next_request_is_served() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    browser.cart().await;
    shop.store.set(Mode::Panics);
    // In the lane's own task, and in the request's.
    for reply in [browser.add("a", 1).await, shop.browser().add("a", 1).await] {
        let reply = reply.problem(500, "internal");
        assert!(!reply.text.contains("secret"), "{}", reply.text);
        assert_eq!(reply.set_cookie(), None);
    }
    shop.store.set(Mode::Well);
    assert_eq!(browser.add("a", 1).await.expect(200).shown(), "a=2");
    shop.service.idle().await;
}

#[tokio::test]
async fn a_warm_read_costs_three_loads_and_no_commit() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.add("a", 1).await.expect(200);
    browser.cart().await;
    let (loads, commits) = (shop.store.loads(), shop.store.commits());
    browser.cart().await;
    assert_eq!((shop.store.loads() - loads, shop.store.commits() - commits), (3, 0));
}

#[tokio::test]
async fn a_guests_first_change_is_one_commit() {
    let shop = Shop::new();
    shop.browser().add("a", 1).await.expect(200);
    assert_eq!(shop.store.commits(), 1);
}
