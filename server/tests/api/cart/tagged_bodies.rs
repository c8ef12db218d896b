//! A strong tag names one body, whatever happened: random histories of everything that changes a cart, a catalogue or a server.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use trolley::http::server::state::HttpConfig;
use trolley::service::catalogue::listing::Lookup;
use trolley::service::settings::Settings;
use trolley_core::time::Span;

use crate::support::reply::Reply;
use crate::support::scripted::{Scripted, product};
use crate::support::{Actor, Bearer, Shop};

const SKUS: [&str; 4] = ["mug", "lamp", "pen", "odd"];

#[derive(Clone, Debug)]
enum Act {
    Add {
        sku: usize,
        n: u32,
        keyed: bool,
    },
    Set {
        sku: usize,
        n: u32,
    },
    Remove(usize),
    Save(usize),
    Unsave(usize),
    Undo,
    Checkout,
    /// A device's delivery of so many adds.
    Sync {
        client: u8,
        adds: usize,
        n: u32,
    },
    /// Its last one once more.
    Again(u8),
    Says {
        sku: usize,
        word: usize,
        price: u64,
    },
    Down(bool),
    Pass,
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    let (sku, n) = (0..SKUS.len(), prop_oneof![1..4u32, Just(9_999)]);
    prop_oneof![
        4 => (sku.clone(), n.clone(), any::<bool>()).prop_map(|(sku, n, keyed)| Act::Add { sku, n, keyed }),
        1 => (sku.clone(), 0..3u32).prop_map(|(sku, n)| Act::Set { sku, n }),
        1 => sku.clone().prop_map(Act::Remove),
        1 => sku.clone().prop_map(Act::Save),
        1 => sku.clone().prop_map(Act::Unsave),
        1 => Just(Act::Undo),
        1 => Just(Act::Checkout),
        5 => (0..2u8, 0..3usize, n).prop_map(|(client, adds, n)| Act::Sync { client, adds, n }),
        2 => (0..2u8).prop_map(Act::Again),
        5 => (sku, 0..5usize, 1..4u64).prop_map(|(sku, word, price)| Act::Says { sku, word, price }),
        1 => any::<bool>().prop_map(Act::Down),
        1 => Just(Act::Pass),
        1 => Just(Act::Restart),
    ]
}

/// One shopper's app, and every body that it was ever given under a tag.
struct Watching {
    shop: Shop,
    app: Bearer,
    catalogue: Scripted,
    bodies: HashMap<String, String>,
    /// Of each device the seq that comes next, and its last delivery.
    devices: [(u64, Value); 2],
}

impl Watching {
    async fn begin() -> Watching {
        let catalogue = Scripted::default();
        catalogue.sells("mug", 1);
        let shop = Shop::selling(Arc::new(catalogue.clone()));
        let app = shop.bearer().await;
        let devices = [0, 1].map(|device| (1, delivery(device, &[])));
        Watching { shop, app, catalogue, bodies: HashMap::new(), devices }
    }

    /// Notes a body under its tag; where another stands there, says which two.
    fn note(&mut self, reply: &Reply) -> Result<(), TestCaseError> {
        let Some(tag) = reply.header("etag").map(str::to_owned) else { return Ok(()) };
        let body = reply.json.get("cart").unwrap_or(&reply.json).to_string();
        let before = self.bodies.entry(tag.clone()).or_insert_with(|| body.clone());
        prop_assert_eq!(&*before, &body, "two bodies under {}", tag);
        Ok(())
    }

    async fn act(&mut self, act: &Act) -> Result<(), TestCaseError> {
        let cart = self.app.cart().await;
        self.note(&cart)?;
        if let Some(reply) = self.ask(act, &cart).await {
            self.note(&reply)?;
        } else {
            self.befall(act).await;
        }
        let after = self.app.cart().await;
        self.note(&after)
    }

    /// What the shopper or a device asks for; none where it is the shop that does something.
    async fn ask(&mut self, act: &Act, cart: &Reply) -> Option<Reply> {
        let line = |list: &str, sku: usize| {
            let lines = cart.json[list].as_array().unwrap();
            let line = lines.iter().find(|line| line["sku"] == SKUS[sku]);
            line.map_or("A".repeat(22), |line| line["id"].as_str().unwrap().to_owned())
        };
        let app = &self.app;
        Some(match *act {
            Act::Add { sku, n, keyed } => {
                let key: &[_] = if keyed { &[("idempotency-key", "the same")] } else { &[] };
                app.with("POST", "/v1/cart/lines", key, json!({"sku": SKUS[sku], "quantity": n})).await
            }
            Act::Set { sku, n } => {
                let path = format!("/v1/cart/lines/{}", line("lines", sku));
                app.json("PUT", &path, json!({"quantity": n})).await
            }
            Act::Remove(sku) => app.delete(&format!("/v1/cart/lines/{}", line("lines", sku))).await,
            Act::Save(sku) => {
                let path = format!("/v1/cart/lines/{}/save", line("lines", sku));
                app.json("POST", &path, json!(null)).await
            }
            Act::Unsave(sku) => {
                let path = format!("/v1/cart/saved/{}/unsave", line("saved", sku));
                app.json("POST", &path, json!(null)).await
            }
            Act::Undo => app.json("POST", "/v1/cart/undo", json!({"revision": cart.revision().max(1)})).await,
            Act::Checkout => app.json("POST", "/v1/cart/checkout", json!({})).await,
            Act::Sync { client, adds, n } => {
                let (next, last) = &mut self.devices[usize::from(client)];
                let ops = (0..adds).map(|add| {
                    let seq = *next + add as u64;
                    json!({"seq": seq, "op_id": format!("{seq:016x}"), "base": cart.revision(), "age_ms": 0,
                        "op": "add", "sku": SKUS[add], "quantity": n})
                });
                *last = delivery(client, &ops.collect::<Vec<_>>());
                *next += adds as u64;
                app.json("POST", "/v1/cart/sync", last.clone()).await.expect(200)
            }
            Act::Again(client) => {
                let last = self.devices[usize::from(client)].1.clone();
                app.json("POST", "/v1/cart/sync", last).await.expect(200)
            }
            Act::Says { .. } | Act::Down(_) | Act::Pass | Act::Restart => return None,
        })
    }

    /// What the shop does.
    async fn befall(&mut self, act: &Act) {
        match *act {
            Act::Says { sku, word, price } => {
                let said = product(SKUS[sku], price, (price > 1).then_some(2));
                let words = [
                    Lookup::Known(said.clone()),
                    Lookup::Unknown,
                    Lookup::Last(said.clone()),
                    Lookup::Untold(Some(said)),
                    Lookup::Untold(None),
                ];
                self.catalogue.says(SKUS[sku], words[word].clone());
            }
            Act::Down(is_down) => self.catalogue.is_down(is_down),
            Act::Pass => self.shop.turn(Span::from_ms(60_000)).await,
            Act::Restart => {
                let (store, token) = (self.shop.store.clone(), self.app.token.clone());
                let catalogue = Arc::new(self.catalogue.clone());
                self.shop = Shop::made(store, HttpConfig::default(), Settings::default(), Some(catalogue));
                self.app = self.shop.bearer_with(&token);
            }
            _ => {}
        }
    }
}

fn delivery(client: u8, ops: &[Value]) -> Value {
    json!({"client": format!("00000000-0000-4000-8000-{client:012}"), "ops": ops})
}

#[test]
fn a_strong_tag_never_stands_for_two_bodies() {
    let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let histories = proptest::collection::vec(act(), 1..25);
    let ran = TestRunner::new_with_rng(config, rng).run(&histories, |acts| {
        runtime.block_on(async {
            let mut watching = Watching::begin().await;
            for act in &acts {
                watching.act(act).await?;
            }
            Ok(())
        })
    });
    if let Err(broken) = ran {
        panic!("{broken}");
    }
}

#[tokio::test]
async fn a_changed_price_is_told_through_empty_repeated_and_refused_deliveries() {
    let mut watching = Watching::begin().await;
    for act in [
        Act::Add { sku: 0, n: 1, keyed: false },
        Act::Sync { client: 0, adds: 1, n: 1 },
        Act::Says { sku: 0, word: 0, price: 3 },
        Act::Sync { client: 0, adds: 0, n: 1 },
        Act::Sync { client: 1, adds: 0, n: 1 },
        Act::Again(0),
        Act::Sync { client: 1, adds: 1, n: 9_999 },
        Act::Again(1),
    ] {
        watching.act(&act).await.unwrap();
    }
    let cart = watching.app.cart().await;
    assert_eq!((cart.revision(), &cart.json["notices"][0]["code"]), (2, &json!("price_changed")));
    let changed = watching.app.add("mug", 1).await.expect(200);
    assert_eq!(changed.json["notices"][0]["code"], "short_stock", "{}", changed.text);
    assert_eq!(changed.json["notices"].as_array().unwrap().len(), 1);
}
