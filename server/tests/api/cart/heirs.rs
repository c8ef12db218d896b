//! Whose a guest's orders are: the account's that the guest signed in to, all of them, for as long as they are kept.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Barrier;
use trolley::http::server::state::HttpConfig;
use trolley::service::settings::{Bounds, Settings};
use trolley_core::ids::OrderId;
use trolley_store::port::{Listing, Store as _, Write};
use trolley_store::records::counts::Counts;
use trolley_store::records::{Key, Kind};

use crate::account::accounts::{EMAIL, PASSWORD, cheap, login, signed_in, signed_up};
use crate::support::{Actor, Browser, Shop, days};

/// Settings by which so many records are taken at once.
pub fn by(sweep_batch: usize) -> Settings {
    let bounds = Bounds { sweep_batch, ..Bounds::default() };
    Settings { bounds, ..cheap() }
}

pub async fn order(browser: &Browser, sku: &str, quantity: u32) -> OrderId {
    browser.add(sku, quantity).await.expect(200);
    let made = browser.json("POST", "/v1/cart/checkout", json!({})).await.expect(201);
    made.json["order"]["id"].as_str().unwrap().parse().unwrap()
}

pub async fn sign_in(browser: &Browser, email: &str) {
    browser.json("POST", "/v1/session/sign-in", login(email, PASSWORD)).await.expect(200);
}

/// All orders that a browser is shown, by pages of so many.
pub async fn listed(browser: &Browser, limit: usize) -> Vec<OrderId> {
    let (mut path, mut listed) = (format!("/v1/orders?limit={limit}"), Vec::new());
    loop {
        let page = browser.get(&path).await.expect(200);
        let ids = page.json["orders"].as_array().unwrap().iter();
        listed.extend(ids.map(|order| order["id"].as_str().unwrap().parse::<OrderId>().unwrap()));
        let Some(link) = page.header("link") else { return listed };
        path = link[1..link.find('>').unwrap()].to_owned();
    }
}

async fn count(shop: &Shop, kind: Kind) -> usize {
    shop.store.list(Listing::all(kind), 1_000).await.unwrap().len()
}

#[tokio::test]
async fn an_order_that_is_cancelled_long_after_the_sign_in_gives_its_lines_to_the_account() {
    for empty in [true, false] {
        let shop = Shop::with(HttpConfig::default(), by(100));
        signed_up(&shop, EMAIL).await;
        let guest = shop.browser();
        let made = order(&guest, "mug", 2).await;
        if !empty {
            guest.add("lamp", 1).await.expect(200);
        }
        sign_in(&guest, EMAIL).await;
        shop.turn(days(2)).await;
        assert_eq!(shop.store.count().await.unwrap().merged_carts, 0, "the sealed cart was swept");
        for _ in 0..4 {
            shop.turn(days(100)).await;
        }
        let shop = Shop::over(shop.store.clone(), HttpConfig::default(), by(100));
        let owner = signed_in(&shop, EMAIL).await;
        assert_eq!(listed(&owner, 10).await, [made]);
        for _ in 0..2 {
            let cancelled = shop.service.cancel(made).await.unwrap().unwrap();
            assert!(cancelled.cancelled_at.is_some());
            let shown = if empty { "mug=2" } else { "lamp=1 mug=2" };
            assert_eq!(owner.cart().await.shown(), shown);
        }
        owner.get(&format!("/v1/orders/{made}")).await.expect(200);
    }
}

#[tokio::test]
async fn a_guest_who_signs_up_with_nothing_but_an_order_gets_its_lines_back() {
    let shop = Shop::with(HttpConfig::default(), by(100));
    let guest = shop.browser();
    let made = order(&guest, "mug", 2).await;
    guest.json("POST", "/v1/accounts", login(EMAIL, PASSWORD)).await.expect(201);
    shop.turn(days(100)).await;
    shop.service.cancel(made).await.unwrap().unwrap();
    assert_eq!(signed_in(&shop, EMAIL).await.cart().await.shown(), "mug=2");
}

#[tokio::test]
async fn however_many_orders_a_guest_made_all_are_the_accounts_newest_first_and_nobody_elses() {
    let shop = Shop::with(HttpConfig::default(), by(2));
    let owner = signed_up(&shop, EMAIL).await;
    let guests = [shop.browser(), shop.browser(), shop.browser()];
    let mut made = Vec::new();
    for n in 0..25_u32 {
        let by = [&owner, &guests[0], &guests[1], &guests[1], &guests[2]][n as usize % 5];
        made.insert(0, order(by, "mug", n + 1).await);
        shop.turn(trolley_core::time::Span::from_s(1)).await;
    }
    let stranger = guests[2].cookie().unwrap();
    for guest in &guests[..2] {
        sign_in(guest, EMAIL).await;
    }
    let strangers: Vec<_> = made.iter().step_by(5).copied().collect();
    let owners: Vec<_> = made.iter().copied().filter(|id| !strangers.contains(id)).collect();
    for limit in [1, 3, 7, 100] {
        assert_eq!(listed(&owner, limit).await, owners, "in pages of {limit}");
    }
    let stranger = shop.browser_with(&stranger);
    assert_eq!(listed(&stranger, 2).await, strangers);
    for (id, is_owners) in owners.iter().map(|id| (id, true)).chain(strangers.iter().map(|id| (id, false))) {
        let path = format!("/v1/orders/{id}");
        let (yes, no) = if is_owners { (&owner, &stranger) } else { (&stranger, &owner) };
        yes.get(&path).await.expect(200);
        no.get(&path).await.problem(404, "order_not_found");
    }
}

#[tokio::test]
async fn the_demo_shop_pages_through_all_of_them_and_shows_each() {
    let shop = crate::support::demo::shop();
    let browser = shop.browser();
    let mut made = Vec::new();
    for _ in 0..120 {
        made.insert(0, order(&browser, "board", 1).await);
    }
    let (mut path, mut seen) = ("/orders".to_owned(), Vec::new());
    for _ in 0..3 {
        let page = browser.get(&path).await.expect(200).text;
        let links = page.split("href=\"/order/").skip(1).filter_map(|rest| rest.split('"').next());
        seen.extend(links.map(|id| id.parse::<OrderId>().unwrap()));
        let earlier = page.split("href=\"/orders?after=").nth(1).and_then(|rest| rest.split('"').next());
        path = earlier.map(|after| format!("/orders?after={after}")).unwrap_or_default();
    }
    assert_eq!((path.as_str(), seen), ("", made));
}

#[tokio::test]
async fn a_seal_stays_while_an_order_of_its_cart_is_kept_and_goes_then() {
    let shop = Shop::with(HttpConfig::default(), by(1));
    let guest = shop.browser();
    let made = [order(&guest, "mug", 1).await, order(&guest, "mug", 2).await];
    let cart = guest.cart().await.json["id"].as_str().unwrap().parse().unwrap();
    guest.json("POST", "/v1/accounts", login(EMAIL, PASSWORD)).await.expect(201);
    for id in made {
        for _ in 0..3 {
            shop.turn(days(100)).await;
            assert_eq!((count(&shop, Kind::Sealing).await, count(&shop, Kind::SealingLink).await), (1, 1));
        }
        // As the sweep of orders takes one out.
        let link = trolley_core::order::OrderLink::new(cart, id);
        let gone = vec![Write::delete(Key::Order(id), 1), Write::delete(Key::OrderLink(link), 1)];
        shop.store.commit(gone).await.unwrap();
    }
    shop.turn(days(100)).await;
    assert_eq!((count(&shop, Kind::Sealing).await, count(&shop, Kind::SealingLink).await), (0, 0));
}

#[tokio::test]
async fn after_goodbye_nothing_leads_from_the_person_to_an_order_however_many_there_were() {
    let shop = Shop::with(HttpConfig::default(), by(2));
    let owner = signed_up(&shop, EMAIL).await;
    let mut made = Vec::new();
    for n in 0..5 {
        made.push(order(&owner, "mug", n + 1).await);
    }
    for _ in 0..3 {
        let guest = shop.browser();
        for n in 0..6 {
            made.push(order(&guest, "lamp", n + 1).await);
        }
        sign_in(&guest, EMAIL).await;
    }
    owner.json("DELETE", "/v1/account", json!({"password": PASSWORD})).await.expect(204);
    for kind in [Kind::OrderLink, Kind::Sealing, Kind::SealingLink] {
        assert_eq!(count(&shop, kind).await, 0, "{kind:?}");
    }
    for waited in [0, 2] {
        shop.turn(days(waited)).await;
        let counted = shop.store.count().await.unwrap();
        let id = made.pop().unwrap();
        assert!(shop.service.cancel(id).await.unwrap().unwrap().cancelled_at.is_some());
        assert_eq!(shop.store.count().await.unwrap(), counted, "no cart comes back for it");
    }
    assert_eq!(shop.service.all_orders(None, 100).await.unwrap().len(), 23, "orders are the shop's");
}

#[tokio::test]
async fn a_guest_with_many_orders_leaves_by_sign_out_and_in_time() {
    for leaves in [true, false] {
        let shop = Shop::with(HttpConfig::default(), by(2));
        let guest = shop.browser();
        for n in 0..30 {
            order(&guest, "mug", n + 1).await;
        }
        if leaves {
            guest.json("POST", "/v1/session/sign-out", Value::Null).await.expect(204);
        } else {
            shop.turn(days(40)).await;
        }
        assert_eq!(shop.store.count().await.unwrap(), Counts::default());
        assert_eq!(count(&shop, Kind::OrderLink).await, 0);
        assert_eq!(count(&shop, Kind::Order).await, 30);
    }
}

/// A checkout that races a sign-in is the account's order, or it was refused and there is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_races_a_sign_in_is_the_accounts_or_was_refused_in_200_rounds() {
    let (mut made, mut refused) = (0, 0);
    for round in 0..200 {
        let shop = Shop::with(HttpConfig::default(), by(1));
        signed_up(&shop, EMAIL).await;
        let guest = Arc::new(shop.browser());
        guest.add("mug", 1).await.expect(200);
        let tab = shop.browser_with(&guest.cookie().unwrap());
        let start = Arc::new(Barrier::new(2));
        let checkout = {
            let start = start.clone();
            tokio::spawn(async move {
                start.wait().await;
                tab.json("POST", "/v1/cart/checkout", json!({})).await
            })
        };
        start.wait().await;
        sign_in(&guest, EMAIL).await;
        let checkout = checkout.await.unwrap();
        let owner = signed_in(&shop, EMAIL).await;
        match checkout.status {
            201 => {
                let id = checkout.json["order"]["id"].as_str().unwrap().parse().unwrap();
                assert_eq!(listed(&owner, 1).await, [id], "round {round}");
                assert_eq!(owner.cart().await.shown(), "");
                shop.service.cancel(id).await.unwrap().unwrap();
                made += 1;
            }
            _ => {
                assert_eq!(listed(&owner, 1).await, [], "round {round}");
                refused += 1;
            }
        }
        assert_eq!(owner.cart().await.shown(), "mug=1", "round {round}");
    }
    assert!(made > 0 && refused > 0, "both sides of the race were seen: {made} made, {refused} refused");
}
