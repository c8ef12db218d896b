//! Random histories of guests, accounts and their orders, beside a model of who owns what: whatever expires, is cancelled or
//! starts anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use trolley::http::server::state::HttpConfig;
use trolley_core::ids::OrderId;
use trolley_store::embedded::settings::{Durability, Settings};
use trolley_store::port::Store;

use crate::account::accounts::signed_up;
use crate::cart::heirs::{by, listed, order, sign_in};
use crate::support::faulty::Faulty;
use crate::support::{Actor, Browser, Shop, days};

/// A folder of a trial's own, gone at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(n: u64) -> Folder {
        let name = format!("heirs-{}-{n}", std::process::id());
        Folder(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(folder: &Folder) -> Arc<dyn Store> {
    let address = format!("file:{}", folder.0.display());
    let settings = Settings { durability: Durability::Relaxed, ..Settings::default() };
    trolley_store::open::open(&address, &settings, Arc::new(|why: &str| panic!("{why}"))).unwrap()
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
    /// The folder of the store, where it is on the disk.
    folder: Option<Folder>,
}

const ACCOUNTS: u64 = 2;

impl History {
    async fn begin(seed: u64, folder: Option<Folder>) -> History {
        let batch = (seed % 3 + 1) as usize;
        let shop = match &folder {
            Some(folder) => {
                Shop::over(Arc::new(Faulty::over(open(folder))), HttpConfig::default(), by(batch))
            }
            None => Shop::with(HttpConfig::default(), by(batch)),
        };
        for n in 0..ACCOUNTS {
            signed_up(&shop, &format!("{n}@example.com")).await;
        }
        let browsers = (0..3).map(|n| (shop.browser(), Owner::Guest(n))).collect();
        let (carts, orders) = (BTreeMap::new(), BTreeMap::new());
        History { shop, batch, browsers, carts, orders, guests: 3, seed: seed * 7_919 + 1, folder }
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
            17 => self.restarts().await,
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

    async fn restarts(&mut self) {
        let mut store = self.shop.store.clone();
        let folds = self.any(2) == 0;
        if let Some(folder) = &self.folder {
            if folds {
                // What stands in the journal goes into the table: once somebody wrote since, once nobody did.
                while store.upkeep().await.unwrap() {}
                while store.upkeep().await.unwrap() {}
            }
            store.close().await.unwrap();
            store = Arc::new(store.reopened(open(folder)));
        }
        self.shop = Shop::over(store, HttpConfig::default(), by(self.batch));
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
        // Some of them on the disk.
        let folder = (seed % 4 == 3).then(|| Folder::new(seed));
        let mut history = History::begin(seed, folder).await;
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
