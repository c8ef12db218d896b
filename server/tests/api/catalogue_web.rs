//! A catalogue at an address: asked once for many, kept for a moment, and done without where it does not answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use trolley::catalogue::web::{Patience, Web};
use trolley::http::front::Rules;
use trolley::service::settings::Settings;
use trolley_core::time::Span;

use crate::support::reply::Reply;
use crate::support::{Actor, Shop};

/// The shop's own server of products, which does as it is told.
struct Upstream {
    address: String,
    told: Arc<Told>,
    task: JoinHandle<()>,
}

struct Told {
    /// Status and body by sku; others are not found.
    products: Mutex<HashMap<String, (u16, String)>>,
    asked: Mutex<Vec<String>>,
    gate: Semaphore,
}

impl Upstream {
    async fn start() -> Upstream {
        let told = Arc::new(Told {
            products: Mutex::default(),
            asked: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        });
        let router = axum::Router::new().route("/products/{sku}", get(answer)).with_state(told.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/products/", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let upstream = Upstream { address, told, task };
        upstream.sells("mug", 1_250);
        upstream.sells("lamp", 4_900);
        upstream
    }

    fn sells(&self, sku: &str, price: u64) {
        let product =
            json!({"title": format!("The {sku}"), "price": {"amount": price, "currency": "EUR"}, "stock": 9});
        self.answers(sku, 200, &product.to_string());
    }

    fn answers(&self, sku: &str, status: u16, body: &str) {
        self.told.products.lock().insert(sku.to_owned(), (status, body.to_owned()));
    }

    /// What was asked for since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.asked.lock())
    }

    fn shut_gate(&self) {
        self.told.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    fn open_gate(&self) {
        self.told.gate.add_permits(1_000_000);
    }

    async fn until_asked(&self) {
        while self.told.asked.lock().is_empty() {
            tokio::task::yield_now().await;
        }
    }

    fn shop(&self) -> Shop {
        self.shop_with(Duration::from_secs(30))
    }

    fn shop_with(&self, patience: Duration) -> Shop {
        let patience = Patience { one: patience, all: 2 * patience };
        Shop::selling(Arc::new(Web::new(&self.address, patience).unwrap()))
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(told): State<Arc<Told>>, Path(sku): Path<String>) -> (StatusCode, String) {
    told.asked.lock().push(sku.clone());
    told.gate.acquire().await.unwrap().forget();
    let (status, body) = told.products.lock().get(&sku).cloned().unwrap_or((404, String::new()));
    (StatusCode::from_u16(status).unwrap(), body)
}

fn notices(cart: &Reply) -> Vec<&str> {
    cart.json["notices"].as_array().unwrap().iter().map(|notice| notice["code"].as_str().unwrap()).collect()
}

fn euro(amount: u64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

#[tokio::test]
async fn what_it_said_holds_for_ten_seconds_and_is_then_asked_for_again() {
    let upstream = Upstream::start().await;
    let shop = upstream.shop();
    let browser = shop.browser();
    let cart = browser.add("mug", 2).await.expect(200);
    assert_eq!((&cart.json["lines"][0]["title"], &cart.json["subtotal"]), (&json!("The mug"), &euro(2_500)));
    browser.add("nothing", 1).await.problem(422, "unknown_sku");
    browser.add("nothing", 1).await.problem(422, "unknown_sku");
    upstream.sells("mug", 1_400);
    assert_eq!(browser.cart().await.json, cart.json);
    assert_eq!(upstream.asked(), ["mug", "nothing"]);
    shop.turn(Span::from_ms(10_000)).await;
    let cart = browser.cart().await;
    assert_eq!((notices(&cart), &cart.json["subtotal"]), (vec!["price_changed"], &euro(2_800)));
    assert_eq!(upstream.asked(), ["mug"]);
}

#[tokio::test]
async fn many_who_want_one_sku_at_once_ask_once() {
    let upstream = Upstream::start().await;
    upstream.shut_gate();
    let shop = upstream.shop();
    let guests: Vec<_> = (0..20).map(|_| shop.browser()).collect();
    let adding: Vec<_> = guests
        .into_iter()
        .map(|guest| tokio::spawn(async move { guest.add("mug", 1).await.expect(200) }))
        .collect();
    upstream.until_asked().await;
    upstream.open_gate();
    for added in adding {
        assert_eq!(added.await.unwrap().json["subtotal"], euro(1_250));
    }
    assert_eq!(upstream.asked(), ["mug"]);
}

#[tokio::test]
async fn while_it_is_down_the_cart_works_on_with_the_last_known_prices() {
    let upstream = Upstream::start().await;
    let shop = upstream.shop();
    let browser = shop.browser();
    let before = browser.add("mug", 1).await.expect(200);
    for sku in ["mug", "lamp"] {
        upstream.answers(sku, 503, "");
    }
    shop.turn(Span::from_ms(10_000)).await;
    let down = browser.cart().await;
    assert_eq!((notices(&down), &down.json["subtotal"]), (vec!["catalogue_down"], &euro(1_250)));
    assert_eq!(
        (&down.json["lines"][0]["title"], down.json["lines"][0].get("available")),
        (&json!("The mug"), None)
    );
    assert_ne!(down.etag(), before.etag());
    // Whether the shop sells what was never asked for cannot be told: it is taken as it is.
    let taken = browser.add("lamp", 2).await.expect(200);
    assert_eq!((taken.shown().as_str(), notices(&taken)), ("mug=1 lamp=2", vec!["catalogue_down"]));
    assert_eq!(taken.json["lines"][1].get("unit_price"), None);
    for _ in 0..10 {
        shop.turn(Span::from_ms(1_000)).await;
        browser.cart().await;
    }
    let asked = upstream.asked().len();
    assert!(asked < 10, "after some failures it is left alone: {asked} questions");
    upstream.sells("mug", 1_250);
    upstream.sells("lamp", 4_900);
    shop.turn(Span::from_ms(6_000)).await;
    browser.cart().await;
    shop.turn(Span::from_ms(1_000)).await;
    let well = browser.cart().await;
    assert_eq!((notices(&well), &well.json["subtotal"]), (vec![], &euro(11_050)));
}

#[tokio::test]
async fn one_that_does_not_answer_in_time_is_not_waited_for() {
    let upstream = Upstream::start().await;
    upstream.shut_gate();
    let shop = upstream.shop_with(Duration::from_millis(20));
    let taken = shop.browser().add("mug", 1).await.expect(200);
    assert_eq!((taken.shown().as_str(), notices(&taken)), ("mug=1", vec!["catalogue_down"]));
}

#[tokio::test]
async fn after_a_restart_without_it_the_cart_itself_knows_what_its_lines_cost() {
    let upstream = Upstream::start().await;
    let shop = upstream.shop();
    let browser = shop.browser();
    browser.add("mug", 3).await.expect(200);
    let cookie = browser.cookie().unwrap();
    let nowhere = Arc::new(Web::new("http://127.0.0.1:1", Patience::default()).unwrap());
    let shop = Shop::made(shop.store, Rules::default(), Settings::default(), Some(nowhere));
    let cart = shop.browser_with(&cookie).cart().await;
    assert_eq!((notices(&cart), &cart.json["subtotal"]), (vec!["catalogue_down"], &euro(3_750)));
    assert_eq!(
        (cart.json["lines"][0].get("title"), &cart.json["lines"][0]["unit_price"]),
        (None, &euro(1_250))
    );
}

#[tokio::test]
async fn one_product_that_is_not_as_it_should_be_concerns_no_other() {
    let upstream = Upstream::start().await;
    upstream.answers("lamp", 200, r#"{"title": "Lamp", "price": 12.5}"#);
    upstream.answers("dollar", 200, r#"{"title": "Imported", "price": {"amount": 1, "currency": "USD"}}"#);
    upstream.answers("moved", 301, "");
    let shop = upstream.shop();
    let browser = shop.browser();
    browser.add("mug", 1).await.expect(200);
    for sku in ["lamp", "dollar", "moved"] {
        browser.add(sku, 1).await.expect(200);
    }
    let cart = browser.cart().await;
    assert_eq!((notices(&cart), &cart.json["subtotal"]), (vec!["catalogue_down"], &euro(1_250)));
    assert_eq!(cart.json["lines"][0]["available"], 9);
}
