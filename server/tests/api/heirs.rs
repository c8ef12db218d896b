//! Whose a guest's orders are: the account's that the guest signed in to, all of them, for as long as they are kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use trolley::http::front::Rules;
use trolley::service::settings::{Bounds, Settings};
use trolley_core::ids::OrderId;
use trolley_store::kind::{Counts, Key, Kind};
use trolley_store::port::{Listing, Store as _, Write};

use crate::accounts::{EMAIL, PASSWORD, cheap, login, signed_in, signed_up};
use crate::support::{Actor, Browser, Shop, days};

/// Settings by which so many records are taken at once.
fn by(sweep_batch: usize) -> Settings {
    let bounds = Bounds { sweep_batch, ..Bounds::default() };
    Settings { bounds, ..cheap() }
}

async fn order(browser: &Browser, sku: &str, quantity: u32) -> OrderId {
    browser.add(sku, quantity).await.expect(200);
    let made = browser.json("POST", "/v1/cart/checkout", json!({})).await.expect(201);
    made.json["order"]["id"].as_str().unwrap().parse().unwrap()
}

async fn sign_in(browser: &Browser, email: &str) {
    browser.json("POST", "/v1/session/sign-in", login(email, PASSWORD)).await.expect(200);
}

/// All orders that a browser is shown, by pages of so many.
async fn listed(browser: &Browser, limit: usize) -> Vec<OrderId> {
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
        let shop = Shop::with(Rules::default(), by(100));
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
        let shop = Shop::over(shop.store.clone(), Rules::default(), by(100));
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
    let shop = Shop::with(Rules::default(), by(100));
    let guest = shop.browser();
    let made = order(&guest, "mug", 2).await;
    guest.json("POST", "/v1/accounts", login(EMAIL, PASSWORD)).await.expect(201);
    shop.turn(days(100)).await;
    shop.service.cancel(made).await.unwrap().unwrap();
    assert_eq!(signed_in(&shop, EMAIL).await.cart().await.shown(), "mug=2");
}

#[tokio::test]
async fn however_many_orders_a_guest_made_all_are_the_accounts_newest_first_and_nobody_elses() {
    let shop = Shop::with(Rules::default(), by(2));
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
    let shop = Shop::with(Rules::default(), by(1));
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
    let shop = Shop::with(Rules::default(), by(2));
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
        let shop = Shop::with(Rules::default(), by(2));
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

/// What the model knows of a browser: a guest's, by its number, or signed in to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Guest(u64),
    Account(u64),
    Nobody,
}

type Lines = BTreeMap<String, u64>;

/// A history of browsers, accounts and orders, with what has to come of it.
struct History {
    shop: Shop,
    batch: usize,
    browsers: Vec<(Browser, Owner)>,
    carts: BTreeMap<Owner, Lines>,
    orders: BTreeMap<OrderId, (Owner, Lines, bool)>,
    guests: u64,
    seed: u64,
}

const ACCOUNTS: u64 = 2;

impl History {
    async fn begin(seed: u64) -> History {
        let batch = (seed % 3 + 1) as usize;
        let shop = Shop::with(Rules::default(), by(batch));
        for n in 0..ACCOUNTS {
            signed_up(&shop, &format!("{n}@example.com")).await;
        }
        let browsers = (0..3).map(|n| (shop.browser(), Owner::Guest(n))).collect();
        let (carts, orders) = (BTreeMap::new(), BTreeMap::new());
        History { shop, batch, browsers, carts, orders, guests: 3, seed: seed * 7_919 + 1 }
    }

    fn any(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below
    }

    fn new_guest(&mut self) -> Owner {
        self.guests += 1;
        Owner::Guest(self.guests)
    }

    /// The owner is gone, with the cart.
    fn gone(&mut self, owner: Owner) {
        self.carts.remove(&owner);
        for (of, ..) in self.orders.values_mut().filter(|(of, ..)| *of == owner) {
            *of = Owner::Nobody;
        }
    }

    async fn step(&mut self) {
        let at = self.any(3) as usize;
        let owner = self.browsers[at].1;
        match self.any(20) {
            0..=5 => self.orders_something(at, owner).await,
            6..=8 => {
                let sku = format!("sku-{}", self.any(4));
                self.browsers[at].0.add(&sku, 1).await.expect(200);
                *self.carts.entry(owner).or_default().entry(sku).or_default() += 1;
            }
            9..=11 => self.signs_in(at, owner).await,
            12 => {
                self.browsers[at].0.json("POST", "/v1/session/sign-out", Value::Null).await.expect(204);
                if matches!(owner, Owner::Guest(_)) {
                    self.gone(owner);
                }
                self.browsers[at].1 = self.new_guest();
            }
            13..=16 => self.cancels_one().await,
            17 => self.restarts(),
            18 => self.turns(3).await,
            _ => self.turns(120).await,
        }
    }

    async fn orders_something(&mut self, at: usize, owner: Owner) {
        let sku = format!("sku-{}", self.any(4));
        let id = order(&self.browsers[at].0, &sku, 1).await;
        let mut lines = self.carts.remove(&owner).unwrap_or_default();
        *lines.entry(sku).or_default() += 1;
        self.orders.insert(id, (owner, lines, false));
    }

    async fn signs_in(&mut self, at: usize, owner: Owner) {
        let n = self.any(ACCOUNTS);
        sign_in(&self.browsers[at].0, &format!("{n}@example.com")).await;
        self.browsers[at].1 = Owner::Account(n);
        if matches!(owner, Owner::Guest(_)) {
            for (of, ..) in self.orders.values_mut().filter(|(of, ..)| *of == owner) {
                *of = Owner::Account(n);
            }
            self.bring(Owner::Account(n), &self.carts.get(&owner).cloned().unwrap_or_default());
            self.carts.remove(&owner);
        }
    }

    fn bring(&mut self, owner: Owner, lines: &Lines) {
        let cart = self.carts.entry(owner).or_default();
        for (sku, quantity) in lines {
            *cart.entry(sku.clone()).or_default() += quantity;
        }
    }

    async fn cancels_one(&mut self) {
        if self.orders.is_empty() {
            return;
        }
        let nth = self.any(self.orders.len() as u64) as usize;
        let (id, (owner, lines, cancelled)) =
            self.orders.iter().nth(nth).map(|(id, order)| (*id, order.clone())).unwrap();
        self.shop.service.cancel(id).await.unwrap().unwrap();
        if !cancelled && owner != Owner::Nobody {
            self.bring(owner, &lines);
        }
        self.orders.get_mut(&id).unwrap().2 = true;
    }

    fn restarts(&mut self) {
        self.shop = Shop::over(self.shop.store.clone(), Rules::default(), by(self.batch));
        for (browser, _) in &mut self.browsers {
            *browser = match browser.cookie() {
                Some(cookie) => self.shop.browser_with(&cookie),
                None => self.shop.browser(),
            };
        }
    }

    /// Three days end all that is signed in; four months every guest.
    async fn turns(&mut self, by: u64) {
        for (browser, _) in &self.browsers {
            // Who has come back stays for longer than a day.
            browser.cart().await;
        }
        self.shop.turn(days(by)).await;
        for at in 0..self.browsers.len() {
            let owner = self.browsers[at].1;
            match owner {
                Owner::Guest(_) if by < 100 => drop(self.browsers[at].0.cart().await),
                Owner::Guest(_) => {
                    self.gone(owner);
                    self.browsers[at].1 = self.new_guest();
                }
                _ => self.browsers[at].1 = self.new_guest(),
            }
        }
    }

    fn of(&self, owner: Owner) -> Vec<OrderId> {
        self.orders.iter().rev().filter(|(_, (of, ..))| *of == owner).map(|(id, _)| *id).collect()
    }

    async fn holds(&self, about: &str) {
        let mut told = BTreeSet::new();
        for (browser, owner) in &self.browsers {
            assert_eq!(listed(browser, 2).await, self.of(*owner), "{about}: of {owner:?}");
            let lines = self.carts.get(owner).into_iter().flatten();
            let shown: BTreeSet<_> = lines.map(|(sku, quantity)| format!("{sku}={quantity}")).collect();
            let cart = browser.cart().await.shown();
            let cart: BTreeSet<_> = cart.split_whitespace().map(str::to_owned).collect();
            assert_eq!(cart, shown, "{about}: the cart of {owner:?}");
            for (id, (of, ..)) in &self.orders {
                let answer = browser.get(&format!("/v1/orders/{id}")).await;
                assert_eq!(answer.status == 200, of == owner, "{about}: {id} of {of:?} for {owner:?}");
            }
            told.insert(*owner);
        }
        assert!(!told.contains(&Owner::Nobody));
    }
}

/// Each order is listed exactly once, by its present owner and by nobody else, and what is cancelled comes into the owner's
/// cart exactly once: whoever signs in where, however few records are taken at once, whatever expires or starts anew.
#[tokio::test]
async fn in_any_history_an_order_is_its_present_owners_alone_and_comes_back_once() {
    let (mut orders, mut nobodys, mut cancelled, mut accounts) = (0, 0, 0, 0);
    for seed in 0..24 {
        let mut history = History::begin(seed).await;
        for step in 0..60 {
            history.step().await;
            if step % 6 == 5 {
                history.holds(&format!("history {seed}, step {step}")).await;
            }
        }
        for n in 0..ACCOUNTS {
            let browser = history.shop.browser();
            sign_in(&browser, &format!("{n}@example.com")).await;
            history.browsers.push((browser, Owner::Account(n)));
        }
        history.holds(&format!("history {seed}, at its end")).await;
        orders += history.orders.len();
        nobodys += history.of(Owner::Nobody).len();
        accounts += history.of(Owner::Account(0)).len();
        cancelled += history.orders.values().filter(|(.., cancelled)| *cancelled).count();
    }
    assert!(orders > 300 && nobodys > 30 && accounts > 30 && cancelled > 60, "much of each was seen");
}
