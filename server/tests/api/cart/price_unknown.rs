//! What nobody can tell the price of is in no total and in no order, and its line is named.

use std::sync::Arc;

use serde_json::{Value, json};
use trolley::http::server::state::HttpConfig;
use trolley::service::catalogue::listing::Lookup;
use trolley::service::settings::Settings;
use trolley_store::memory::Memory;

use crate::support::demo::form;
use crate::support::faulty::Faulty;
use crate::support::reply::Reply;
use crate::support::scripted::{Scripted, product};
use crate::support::{Actor, Shop};

/// A shop that knows a mug at 12.50 and a lamp at 49.00.
fn shop() -> (Shop, Scripted) {
    let catalogue = Scripted::default();
    catalogue.sells("mug", 1_250);
    catalogue.sells("lamp", 4_900);
    (Shop::selling(Arc::new(catalogue.clone())), catalogue)
}

fn euro(amount: u64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

/// `code@sku`, in order.
fn notices(cart: &Value) -> Vec<String> {
    let lines = || cart["lines"].as_array().into_iter().chain(cart["saved"].as_array()).flatten();
    let sku = |id: &Value| lines().find(|line| &line["id"] == id).map(|line| line["sku"].as_str().unwrap());
    let notices = cart["notices"].as_array().unwrap().iter();
    let told = notices.map(|notice| {
        format!("{}@{}", notice["code"].as_str().unwrap(), sku(&notice["line"]).unwrap_or_default())
    });
    told.collect()
}

async fn check_out(actor: &impl Actor, body: Value) -> Reply {
    actor.json("POST", "/v1/cart/checkout", body).await
}

#[tokio::test]
async fn a_line_without_a_price_leaves_the_cart_without_a_subtotal_and_unordered() {
    let (shop, catalogue) = shop();
    let browser = shop.browser();
    browser.add("mug", 1).await.expect(200);
    let cart = browser.add("odd", 50).await.expect(200);
    assert_eq!(
        (cart.json.get("subtotal"), notices(&cart.json)),
        (None, vec!["price_unknown@odd".to_owned()])
    );
    assert_eq!(cart.json["lines"][0]["line_total"], euro(1_250), "the others have their prices");
    let refused = check_out(&browser, json!({})).await.problem(409, "price_unknown");
    assert_eq!(refused.json["cart"], cart.json);
    // What is wrong with the cart comes before what is wrong with its prices.
    check_out(&browser, json!({"seen": {"revision": 1}})).await.problem(409, "cart_changed");
    let seen = json!({"seen": {"revision": 2, "subtotal": euro(1_250)}, "accept_available": true});
    check_out(&browser, seen).await.problem(409, "price_unknown");
    catalogue.sells("odd", 3);
    let made =
        check_out(&browser, json!({"seen": {"revision": 2, "subtotal": euro(1_400)}})).await.expect(201);
    assert_eq!(made.json["order"]["subtotal"], euro(1_400));
}

#[tokio::test]
async fn what_a_tag_leaves_out_of_the_order_need_have_no_price() {
    let (shop, _) = shop();
    let browser = shop.browser();
    let seen = browser.add("mug", 1).await.expect(200);
    browser.add("odd", 1).await.expect(200);
    let tag = [("if-match", seen.etag())];
    let made = browser.with("POST", "/v1/cart/checkout", &tag, json!(null)).await.expect(201);
    assert_eq!((&made.json["order"]["subtotal"], made.json["cart"].get("subtotal")), (&euro(1_250), None));
}

#[tokio::test]
async fn a_saved_line_without_a_price_is_named_and_hinders_nothing() {
    let (shop, _) = shop();
    let browser = shop.browser();
    let odd = browser.add("odd", 1).await.expect(200);
    browser.json("POST", &format!("/v1/cart/lines/{}/save", odd.line("odd")), json!(null)).await.expect(200);
    let cart = browser.add("mug", 1).await.expect(200);
    assert_eq!(
        (&cart.json["subtotal"], notices(&cart.json)),
        (&euro(1_250), vec!["price_unknown@odd".to_owned()])
    );
    check_out(&browser, json!({})).await.expect(201);
}

#[tokio::test]
async fn the_last_known_price_sells_and_the_cart_remembers_it_as_shown() {
    let (shop, catalogue) = shop();
    let browser = shop.browser();
    let before = browser.add("mug", 2).await.expect(200);
    catalogue.says("mug", Lookup::Last(product("mug", 1_400, Some(1))));
    let last = browser.cart().await;
    assert_eq!(
        (&last.json["subtotal"], notices(&last.json)),
        (&euro(2_800), vec!["price_changed@mug".to_owned()])
    );
    assert_eq!(last.json["lines"][0].get("available"), None, "stock is told by the minute or not at all");
    assert_ne!(before.etag(), last.etag());
    assert_eq!(notices(&browser.add("mug", 1).await.expect(200).json), Vec::<String>::new());
    catalogue.sells("mug", 1_400);
    assert_eq!(notices(&browser.cart().await.json), Vec::<String>::new());
    catalogue.says("mug", Lookup::Last(product("mug", 1_400, None)));
    assert_eq!(check_out(&browser, json!({})).await.expect(201).json["order"]["subtotal"], euro(4_200));
}

#[tokio::test]
async fn catalogue_down_is_told_of_the_whole_and_of_carts_that_need_it() {
    let (shop, catalogue) = shop();
    let browser = shop.browser();
    browser.add("mug", 1).await.expect(200);
    catalogue.is_down(true);
    let fresh = browser.cart().await;
    assert_eq!(notices(&fresh.json), Vec::<String>::new(), "all of it is known");
    catalogue.says("mug", Lookup::Last(product("mug", 1_250, None)));
    let down = browser.cart().await;
    assert_eq!(
        (notices(&down.json), &down.json["subtotal"]),
        (vec!["catalogue_down@".to_owned()], &euro(1_250))
    );
    catalogue.is_down(false);
    let up = browser.cart().await;
    assert_eq!(notices(&up.json), Vec::<String>::new());
    assert!(fresh.etag() != down.etag() && down.etag() != up.etag() && up.etag() != fresh.etag());
}

#[tokio::test]
async fn beside_what_is_no_more_on_sale_the_rest_is_ordered_at_what_it_costs() {
    let (shop, catalogue) = shop();
    let browser = shop.browser();
    browser.add("mug", 1).await.expect(200);
    browser.add("lamp", 1).await.expect(200);
    catalogue.says("mug", Lookup::Unknown);
    let seen = |amount| json!({"seen": {"revision": 2, "subtotal": euro(amount)}, "accept_available": true});
    check_out(&browser, json!({})).await.problem(409, "short_stock");
    check_out(&browser, seen(6_150)).await.problem(409, "price_changed");
    let made = check_out(&browser, seen(4_900)).await.expect(201);
    assert_eq!((&made.json["order"]["subtotal"], &made.json["order"]["quantity"]), (&euro(4_900), &json!(1)));
}

#[tokio::test]
async fn the_demo_says_in_plain_words_that_a_price_cannot_be_looked_up() {
    let catalogue = Scripted::default();
    catalogue.sells("mug", 1_250);
    catalogue.sells("board", 4_900);
    let store = Arc::new(Faulty::over(Arc::new(Memory::new())));
    let rules = HttpConfig { demo: true, ..HttpConfig::default() };
    let shop = Shop::made(store, rules, Settings::default(), Some(Arc::new(catalogue.clone())));
    let browser = shop.browser();
    browser.add("mug", 1).await.expect(200);
    browser.add("board", 1).await.expect(200);
    let agreed = form(&browser, "/checkout", "/checkout").await;
    catalogue.says("board", Lookup::Untold(None));
    let page = browser.get("/cart").await.expect(200);
    assert!(page.text.contains("We cannot look up what"), "{}", page.text);
    assert!(page.text.contains("not known"), "{}", page.text);
    for page in ["/product/board", "/aisle/all"] {
        let page = browser.get(page).await.expect(200);
        assert!(page.text.contains("just now") && !page.text.contains("NaN"), "{}", page.text);
    }
    let refused = agreed.send(&browser).await.expect(409);
    assert!(refused.text.contains("We cannot look up a price at the moment"), "{}", refused.text);
    catalogue.sells("board", 4_900);
    form(&browser, "/checkout", "/checkout").await.send(&browser).await.expect(303);
}
