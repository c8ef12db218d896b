//! How long orders are kept: until then they can be cancelled, afterwards nothing of them is there (S39).

use serde_json::{Value, json};
use trolley::http::server::state::HttpConfig;
use trolley::service::settings::{Bounds, Keeping, Settings};
use trolley_core::access::Scope;
use trolley_core::time::Span;
use trolley_store::port::{Listing, Store as _, Write};
use trolley_store::records::{Key, Kind};

use crate::account::accounts::{EMAIL, PASSWORD, login};
use crate::support::{Actor, Shop, days};

fn shop(orders: Span) -> Shop {
    let keeping = Keeping { orders, ..Keeping::default() };
    let bounds = Bounds { sweep_batch: 3, ..Bounds::default() };
    Shop::still(HttpConfig::default(), Settings { keeping, bounds, ..crate::account::accounts::cheap() })
}

async fn order(actor: &impl Actor) -> String {
    actor.add("mug", 1).await.expect(200);
    let made = actor.json("POST", "/v1/cart/checkout", json!({})).await.expect(201);
    made.json["order"]["id"].as_str().unwrap().to_owned()
}

/// How many orders and links to orders there are.
async fn kept(shop: &Shop) -> [usize; 2] {
    let of = async |kind| shop.store.list(Listing::all(kind), 1_000).await.unwrap().len();
    [of(Kind::Order).await, of(Kind::OrderLink).await]
}

#[tokio::test]
async fn an_order_can_be_cancelled_until_its_time_is_over_and_then_nothing_of_it_is_there() {
    let shop = shop(days(20));
    let (key, _) = shop.service.make_key("a system", vec![Scope::Orders]).await.unwrap();
    let key = format!("Bearer {}", key.expose());
    let cancel = async |id: &str| {
        let path = format!("/v1/admin/orders/{id}/cancel");
        shop.anyone().with("POST", &path, &[("authorization", key.as_str())], Value::Null).await
    };
    let app = shop.bearer().await;
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(order(&app).await);
    }
    shop.turn(days(10)).await;
    let young = order(&app).await;
    shop.turn(Span::from_ms(days(10).as_ms() - 1)).await;
    cancel(&ids[0]).await.expect(200);
    assert_eq!((app.cart().await.shown().as_str(), kept(&shop).await), ("mug=1", [9, 9]));
    shop.turn(Span::from_ms(1)).await;
    assert_eq!(kept(&shop).await, [1, 1]);
    for id in &ids {
        cancel(id).await.problem(404, "order_not_found");
        app.get(&format!("/v1/orders/{id}")).await.problem(404, "order_not_found");
    }
    let listed = app.get("/v1/orders").await.expect(200);
    assert_eq!(listed.json["orders"].as_array().unwrap().len(), 1);
    cancel(&young).await.expect(200);
}

#[tokio::test]
async fn another_time_holds_for_the_orders_that_are_there() {
    let shop = Shop::new();
    order(&shop.bearer().await).await;
    let again = |orders| {
        let keeping = Keeping { orders, ..Keeping::default() };
        Shop::over(shop.store.clone(), HttpConfig::default(), Settings { keeping, ..Settings::default() })
    };
    for (orders, left) in [(days(40), [1, 1]), (days(3_650), [1, 1]), (days(20), [0, 0])] {
        let again = again(orders);
        again.turn(days(10)).await;
        assert_eq!(kept(&again).await, left, "{orders:?}");
    }
}

#[tokio::test]
async fn an_order_that_a_guest_brought_along_leaves_with_its_link() {
    let shop = shop(days(1));
    let browser = shop.browser();
    let id = order(&browser).await;
    shop.turn(Span::from_hours(1)).await;
    browser.json("POST", "/v1/accounts", login(EMAIL, PASSWORD)).await.expect(201);
    browser.get(&format!("/v1/orders/{id}")).await.expect(200);
    shop.turn(Span::from_hours(23)).await;
    assert_eq!(kept(&shop).await, [0, 0]);
}

#[tokio::test]
async fn an_order_that_leaves_while_it_is_being_cancelled_is_told_as_gone() {
    let shop = shop(days(20));
    let (key, _) = shop.service.make_key("a system", vec![Scope::Orders]).await.unwrap();
    let key = format!("Bearer {}", key.expose());
    let app = shop.bearer().await;
    let id = order(&app).await;
    let (path, headers) = (format!("/v1/admin/orders/{id}/cancel"), [("authorization", key.as_str())]);
    let system = shop.anyone();
    shop.store.shut_gate();
    let leaves = async {
        // The add is being committed, and the cancel waits behind it in the cart's lane.
        shop.store.until_waiting(1).await;
        let gone = Write::delete(Key::Order(id.parse().unwrap()), 1);
        shop.store.beneath().commit(vec![gone]).await.unwrap();
        shop.store.open_gate();
    };
    let cancel = system.with("POST", &path, &headers, Value::Null);
    let (added, cancelled, ()) = tokio::join!(app.add("mug", 1), cancel, leaves);
    assert_eq!(added.expect(200).shown(), "mug=1");
    cancelled.problem(404, "order_not_found");
}
