//! Races: callers that wait for each other at a barrier and then act at once, on several threads, many times over.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Barrier;
use trolley_core::access::Scope;

use crate::support::reply::Reply;
use crate::support::{Actor, Anyone, Bearer, Shop};

/// Has all of them act at once, and gives their answers in order.
async fn at_once<F: Future<Output = Reply> + Send + 'static>(acts: Vec<F>) -> Vec<Reply> {
    let barrier = Arc::new(Barrier::new(acts.len()));
    let racing: Vec<_> = acts
        .into_iter()
        .map(|act| {
            let barrier = barrier.clone();
            tokio::spawn(async move {
                barrier.wait().await;
                act.await
            })
        })
        .collect();
    let mut replies = Vec::new();
    for act in racing {
        replies.push(act.await.unwrap());
    }
    replies
}

async fn ask(app: Arc<Bearer>, path: &'static str, key: Option<String>, body: Value) -> Reply {
    let key: Vec<_> = key.iter().map(|key| ("idempotency-key", key.as_str())).collect();
    app.with("POST", path, &key, body).await
}

fn made(replies: &[Reply]) -> Vec<&Reply> {
    replies.iter().filter(|reply| reply.status == 201).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn checkout_against_add_orders_and_the_next_cart_are_exact_in_500_rounds() {
    let shop = Shop::new();
    let app = Arc::new(shop.bearer().await);
    let (mut added, mut ordered, mut refused) = (0, 0, 0);
    let mut moments = [0; 4];
    for round in 0..500_u64 {
        let adds = 1 + round % 3;
        let mut acts = vec![ask(app.clone(), "/v1/cart/checkout", None, json!({}))];
        acts.extend((0..adds).map(|n| {
            let body = json!({"sku": format!("sku-{}", (round + n) % 5), "quantity": n + 1});
            ask(app.clone(), "/v1/cart/lines", None, body)
        }));
        let replies = at_once(acts).await;
        for reply in &replies[1..] {
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
        added += (1..=adds).sum::<u64>();
        let checkout = &replies[0];
        match checkout.status {
            201 => ordered += checkout.json["order"]["quantity"].as_u64().unwrap(),
            _ => {
                assert_eq!(checkout.json["code"], "cart_empty", "{}", checkout.text);
                refused += 1;
            }
        }
        let left = app.cart().await;
        assert_eq!(ordered + left.quantity(), added, "round {round}");
        assert_eq!(left.json["generation"], round + 1 - refused);
        moments[left.json["lines"].as_array().unwrap().len().min(3)] += 1;
    }
    assert!(
        moments.iter().filter(|met| **met > 0).count() > 1,
        "the race was always decided alike: {moments:?}"
    );
    let mut listed = 0;
    let mut page = Some("/v1/orders?limit=100".to_owned());
    while let Some(path) = page {
        let orders = app.get(&path).await.expect(200);
        let quantities = orders.json["orders"].as_array().unwrap().iter();
        listed += quantities.map(|order| order["quantity"].as_u64().unwrap()).sum::<u64>();
        page = orders.header("link").map(|link| link[1..link.find('>').unwrap()].to_owned());
    }
    assert_eq!(listed, ordered, "the orders that are listed are those that were answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_checkouts_at_once_without_a_key_one_orders() {
    let shop = Shop::new();
    let app = Arc::new(shop.bearer().await);
    for round in 0..50 {
        let seen = app.add("a", 3).await.expect(200).revision();
        let bodies =
            [json!({}), json!({"seen": {"revision": seen}}), json!({}), json!({"seen": {"revision": seen}})];
        let acts = bodies.into_iter().map(|body| ask(app.clone(), "/v1/cart/checkout", None, body));
        let replies = at_once(acts.collect()).await;
        assert_eq!(made(&replies).len(), 1, "round {round}");
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            let code = reply.json["code"].as_str().unwrap();
            assert!(["cart_empty", "cart_changed"].contains(&code), "{}", reply.text);
            assert_eq!((reply.status, &reply.json["cart"]["quantity"]), (409, &json!(0)));
        }
    }
    assert_eq!(app.get("/v1/orders?limit=100").await.json["orders"].as_array().unwrap().len(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn checkouts_at_once_under_one_key_are_one_order() {
    let shop = Shop::new();
    let app = Arc::new(shop.bearer().await);
    for round in 0..50 {
        app.add("a", 3).await.expect(200);
        let key = Some(format!("round-{round}"));
        let acts = (0..4).map(|_| ask(app.clone(), "/v1/cart/checkout", key.clone(), json!({})));
        let replies = at_once(acts.collect()).await;
        let made = made(&replies);
        assert_eq!(made.len(), 4, "{}", replies[0].text);
        assert!(made.iter().all(|reply| reply.json["order"] == made[0].json["order"]));
        let replayed = made.iter().filter(|reply| reply.header("idempotency-replayed").is_some()).count();
        assert_eq!((replayed, app.cart().await.quantity()), (3, 0));
    }
    assert_eq!(app.get("/v1/orders?limit=100").await.json["orders"].as_array().unwrap().len(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cancel_against_cancel_gives_the_lines_back_once() {
    let shop = Shop::new();
    let (secret, _) = shop.service.make_key("the office", vec![Scope::Orders]).await.unwrap();
    let bearer = format!("Bearer {}", secret.expose());
    let app = Arc::new(shop.bearer().await);
    for round in 1..=50_u64 {
        app.add("a", 2).await.expect(200);
        let order = app.json("POST", "/v1/cart/checkout", json!({})).await.expect(201);
        let path = format!("/v1/admin/orders/{}/cancel", order.json["order"]["id"].as_str().unwrap());
        let acts = (0..4).map(|_| {
            let (office, path, bearer): (Anyone, _, _) = (shop.anyone(), path.clone(), bearer.clone());
            async move { office.with("POST", &path, &[("authorization", &bearer)], json!({})).await }
        });
        let replies = at_once(acts.collect()).await;
        let told = &replies[0].json["cancelled_at"];
        assert!(told.is_string() && replies.iter().all(|reply| reply.json["cancelled_at"] == *told));
        let cart = app.cart().await;
        assert_eq!(
            cart.quantity(),
            2 * round,
            "what was ordered came back once: it had {} before",
            2 * (round - 1)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn undo_against_undo_takes_back_once() {
    let shop = Shop::new();
    let app = Arc::new(shop.bearer().await);
    app.add("a", 1).await.expect(200);
    for round in 0..50 {
        let revision = app.add("a", 2).await.expect(200).revision();
        let acts = (0..4).map(|_| ask(app.clone(), "/v1/cart/undo", None, json!({"revision": revision})));
        let mut replies = at_once(acts.collect()).await;
        replies.sort_by_key(|reply| reply.status);
        let codes: Vec<_> = replies.iter().map(|reply| (reply.status, reply.json["code"].as_str())).collect();
        let gone = (409, Some("not_undoable"));
        assert_eq!(codes, [(200, None), gone, gone, gone], "round {round}");
        assert_eq!(app.cart().await.quantity(), 1);
    }
}
