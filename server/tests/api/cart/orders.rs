//! Order drafts: for their owner and nobody else, in pages; for the shop's own systems all of them; cancelled once.

use serde_json::{Value, json};
use trolley_core::access::Scope;
use trolley_core::time::Span;
use trolley_store::port::Store as _;

use crate::support::reply::Reply;
use crate::support::{Actor, Shop, days};

/// Orders so many units of a sku, and gives the order's id.
async fn order(actor: &impl Actor, sku: &str, quantity: u32) -> String {
    actor.add(sku, quantity).await.expect(200);
    let made = actor.json("POST", "/v1/cart/checkout", json!({})).await.expect(201);
    made.json["order"]["id"].as_str().unwrap().to_owned()
}

fn ids(reply: &Reply) -> Vec<String> {
    let orders = reply.json["orders"].as_array().unwrap();
    orders.iter().map(|order| order["id"].as_str().unwrap().to_owned()).collect()
}

/// Where the answer's Link leads.
fn next(reply: &Reply) -> Option<String> {
    let link = reply.header("link");
    let named = link.map(|link| link.split_once("after=").unwrap().1.split('&').next().unwrap());
    assert_eq!(reply.json.get("next").and_then(Value::as_str), named, "the body says the same");
    let link = link?;
    assert!(link.ends_with("; rel=\"next\""), "{link}");
    Some(link[1..link.find('>').unwrap()].to_owned())
}

/// A system of the shop's own, with a key of this scope.
struct System(Shop, String);

impl System {
    async fn of(shop: Shop, scope: Scope) -> System {
        let (secret, _) = shop.service.make_key("a system", vec![scope]).await.unwrap();
        System(shop, format!("Bearer {}", secret.expose()))
    }

    async fn ask(&self, method: &str, path: &str) -> Reply {
        let key = [("authorization", self.1.as_str())];
        self.0.anyone().with(method, path, &key, Value::Null).await
    }
}

#[tokio::test]
async fn orders_are_their_owners_alone() {
    let shop = Shop::new();
    let (one, other) = (shop.browser(), shop.bearer().await);
    let mine = order(&one, "a", 1).await;
    let others = order(&other, "b", 2).await;
    assert_eq!(ids(&one.get("/v1/orders").await.expect(200)), std::slice::from_ref(&mine));
    for id in [others.as_str(), "018bcfe5-687b-7fff-bfff-ffffffffffff", "x", "%ff"] {
        one.get(&format!("/v1/orders/{id}")).await.problem(404, "order_not_found");
    }
    let nobody = shop.browser();
    nobody.get(&format!("/v1/orders/{mine}")).await.problem(404, "order_not_found");
    assert_eq!(nobody.get("/v1/orders").await.expect(200).json, json!({"orders": []}));
    assert_eq!(nobody.cookie(), None);
}

#[tokio::test]
async fn a_list_comes_newest_first_in_pages_and_a_link_leads_to_the_next() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let mut made = Vec::new();
    for n in 1..=5 {
        made.insert(0, order(&app, "a", n).await);
        shop.turn(Span::from_s(1)).await;
    }
    let first = app.get("/v1/orders?limit=2").await.expect(200);
    assert_eq!(ids(&first), made[..2]);
    let second = app.get(&next(&first).unwrap()).await.expect(200);
    assert_eq!(ids(&second), made[2..4]);
    let last = app.get(&next(&second).unwrap()).await.expect(200);
    assert_eq!((ids(&last), next(&last)), (made[4..].to_vec(), None));
    assert_eq!(next(&app.get("/v1/orders?limit=5").await.expect(200)), None);
    for (query, pointer) in
        [("after=x", "#/query/after"), ("after=", "#/query/after"), ("limit=101", "#/query/limit")]
    {
        let refused = app.get(&format!("/v1/orders?{query}")).await.problem(422, "invalid_query");
        assert_eq!(refused.pointers(), [pointer]);
    }
}

#[tokio::test]
async fn the_shops_systems_read_all_orders_oldest_first_and_come_back_for_what_came_since() {
    let shop = Shop::new();
    let (one, other) = (shop.bearer().await, shop.bearer().await);
    let mut made = Vec::new();
    for actor in [&one, &other, &one] {
        made.push(order(actor, "a", 1).await);
        shop.turn(Span::from_s(1)).await;
    }
    let system = System::of(shop, Scope::OrdersRead).await;
    let first = system.ask("GET", "/v1/admin/orders?limit=2").await.expect(200);
    assert_eq!(ids(&first), made[..2]);
    let rest = system.ask("GET", &next(&first).unwrap()).await.expect(200);
    assert_eq!((ids(&rest), next(&rest)), (made[2..].to_vec(), None));
    let late = order(&one, "b", 1).await;
    let since = system.ask("GET", &format!("/v1/admin/orders?after={}", made[2])).await.expect(200);
    assert_eq!(ids(&since), std::slice::from_ref(&late));
    let shown = system.ask("GET", &format!("/v1/admin/orders/{late}")).await.expect(200);
    assert_eq!((&shown.json, &shown.json["cart"]), (&since.json["orders"][0], &one.cart().await.json["id"]));
    system.ask("GET", "/v1/admin/orders/x").await.problem(404, "order_not_found");
    system.ask("POST", &format!("/v1/admin/orders/{late}/cancel")).await.problem(403, "missing_scope");
}

#[tokio::test]
async fn who_follows_the_orders_is_shown_none_before_one_that_was_begun_earlier() {
    let shop = Shop::new();
    let (slow, quick) = (shop.bearer().await, shop.bearer().await);
    let seen = order(&quick, "a", 1).await;
    slow.add("b", 1).await.expect(200);
    quick.add("c", 1).await.expect(200);
    let system = System::of(shop, Scope::OrdersRead).await;
    let since = async || ids(&system.ask("GET", &format!("/v1/admin/orders?after={seen}")).await.expect(200));
    system.0.store.shut_gate();
    let slow = tokio::spawn(async move { slow.json("POST", "/v1/cart/checkout", json!({})).await });
    system.0.store.until_waiting(1).await;
    system.0.store.let_others_by();
    let quick = quick.json("POST", "/v1/cart/checkout", json!({})).await.expect(201);
    assert_eq!(
        since().await,
        [] as [String; 0],
        "with this one as its cursor a follower would miss the other"
    );
    system.0.store.open_gate();
    let slow = slow.await.unwrap().expect(201);
    assert_eq!(since().await, [&slow, &quick].map(|made| made.json["order"]["id"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_follows_the_orders_while_they_are_made_is_given_each_once() {
    let shop = Shop::new();
    let mut shoppers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let shopper = shop.bearer().await;
        shoppers.spawn(async move {
            let mut made = Vec::new();
            for _ in 0..12 {
                made.push(order(&shopper, "a", 1).await);
            }
            made
        });
    }
    let system = System::of(shop, Scope::OrdersRead).await;
    let (mut made, mut followed, mut after) = (Vec::new(), Vec::new(), String::new());
    while made.len() < 16 * 12 || followed.len() < made.len() {
        let over = shoppers.is_empty();
        while let Some(shopper) = shoppers.try_join_next() {
            made.extend(shopper.unwrap());
        }
        let page = ids(&system.ask("GET", &format!("/v1/admin/orders?limit=100{after}")).await.expect(200));
        assert!(!over || !page.is_empty(), "{} of {} came", followed.len(), made.len());
        if let Some(last) = page.last() {
            after = format!("&after={last}");
        }
        followed.extend(page);
        tokio::task::yield_now().await;
    }
    assert!(followed.is_sorted());
    made.sort_unstable();
    assert_eq!(followed, made);
}

#[tokio::test]
async fn without_a_key_no_order_is_told_and_none_is_cancelled() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let made = order(&app, "a", 1).await;
    let path = format!("/v1/admin/orders/{made}");
    for (method, path) in [("GET", "/v1/admin/orders"), ("GET", &*path), ("POST", &*format!("{path}/cancel"))]
    {
        shop.anyone().with(method, path, &[], json!(null)).await.problem(401, "api_key_missing");
        app.with(method, path, &[], json!(null)).await.problem(401, "api_key_unknown");
    }
    assert_eq!(app.cart().await.shown(), "");
}

#[tokio::test]
async fn a_cancelled_order_gives_its_lines_back_once() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let made = order(&app, "a", 2).await;
    app.add("a", 1).await.expect(200);
    let system = System::of(shop, Scope::Orders).await;
    let cancel = format!("/v1/admin/orders/{made}/cancel");
    let cancelled = system.ask("POST", &cancel).await.expect(200);
    assert!(cancelled.json["cancelled_at"].is_string(), "{}", cancelled.text);
    let cart = app.cart().await;
    assert_eq!((cart.shown(), cart.revision()), ("a=3".to_owned(), 4));
    system.0.turn(days(1)).await;
    let again = system.ask("POST", &cancel).await.expect(200);
    assert_eq!((again.json, app.cart().await.json), (cancelled.json, cart.json));
    let own = app.get(&format!("/v1/orders/{made}")).await.expect(200);
    assert!(own.json["cancelled_at"].is_string());
    let history = app.get("/v1/cart/history").await.expect(200);
    assert_eq!(
        (&history.json["changes"][0]["op"], &history.json["changes"][0]["undoable"]),
        (&json!("cancel"), &json!(false))
    );
}

#[tokio::test]
async fn what_is_over_a_limit_when_it_comes_back_is_saved_for_later() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let made = order(&app, "a", 9_000).await;
    app.add("a", 2_000).await.expect(200);
    let system = System::of(shop, Scope::Orders).await;
    system.ask("POST", &format!("/v1/admin/orders/{made}/cancel")).await.expect(200);
    let cart = app.cart().await;
    assert_eq!((cart.shown(), &cart.json["saved"][0]["quantity"]), ("a=9999".to_owned(), &json!(1_001)));
}

#[tokio::test]
async fn a_cart_that_left_with_its_session_is_not_brought_back_by_a_cancelled_order() {
    let shop = Shop::new();
    let app = shop.bearer().await;
    let made = order(&app, "a", 2).await;
    let counted = shop.store.count().await.unwrap();
    shop.turn(days(181)).await;
    let system = System::of(shop, Scope::Orders).await;
    let left = system.0.store.count().await.unwrap();
    assert_eq!((counted.carts() - left.carts(), counted.sessions() - left.sessions()), (1, 1));
    let cancelled = system.ask("POST", &format!("/v1/admin/orders/{made}/cancel")).await.expect(200);
    assert!(cancelled.json["cancelled_at"].is_string());
    assert_eq!(system.0.store.count().await.unwrap(), left);
    assert_eq!(
        ids(&system.ask("GET", "/v1/admin/orders").await.expect(200)),
        [made],
        "an order is the shop's"
    );
}

#[tokio::test]
async fn the_links_of_a_guests_orders_leave_with_the_guest() {
    use trolley_store::port::Listing;
    use trolley_store::records::Kind;
    let shop = Shop::new();
    let app = shop.bearer().await;
    for n in 1..4 {
        order(&app, "a", n).await;
    }
    let links = async || shop.store.list(Listing::all(Kind::OrderLink), 10).await.unwrap().len();
    assert_eq!(links().await, 3);
    shop.turn(days(181)).await;
    assert_eq!(links().await, 0);
}
