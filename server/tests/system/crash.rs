//! SIGKILL under load, many times over: what was acknowledged is there once, and what was not answered, sent again under
//! its key, is there once too.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::folder::Folder;
use crate::program::Program;
use crate::wire::Wire;

/// What one shopper did, and what it was told.
struct Shopper {
    cookie: String,
    /// Units a sku that were acknowledged.
    acknowledged: BTreeMap<String, u64>,
    /// Adds that no answer came to: key, sku.
    unanswered: Vec<(String, String)>,
    keys: u64,
}

impl Shopper {
    fn arrive(wire: &mut Wire) -> Option<Shopper> {
        let answer = wire.send("POST", "/v1/cart/lines", &[], r#"{"sku":"first"}"#)?;
        assert_eq!(answer.status, 200, "{answer:?}");
        let acknowledged = BTreeMap::from([("first".to_owned(), 1)]);
        Some(Shopper { cookie: answer.cookie()?, acknowledged, unanswered: Vec::new(), keys: 0 })
    }

    /// Adds one unit after another until told to stop or cut off.
    fn shop(&mut self, wire: &mut Wire, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            self.keys += 1;
            let key = format!("key-{}", self.keys);
            let sku = format!("sku-{}", self.keys % 7);
            match self.add(wire, &key, &sku) {
                true => *self.acknowledged.entry(sku).or_default() += 1,
                false => {
                    self.unanswered.push((key, sku));
                    return;
                }
            }
        }
    }

    fn add(&self, wire: &mut Wire, key: &str, sku: &str) -> bool {
        let body = format!(r#"{{"sku":"{sku}"}}"#);
        let headers = [("Cookie", self.cookie.as_str()), ("Idempotency-Key", key)];
        let answer = wire.send("POST", "/v1/cart/lines", &headers, &body);
        if let Some(answer) = &answer {
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        answer.is_some()
    }

    /// The cart as it is now: units a sku, and its revision.
    fn cart(&self, wire: &mut Wire) -> (BTreeMap<String, u64>, u64) {
        let answer = wire.send("GET", "/v1/cart", &[("Cookie", &self.cookie)], "").expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
        let lines = answer.body["lines"].as_array().expect("lines");
        let units = |line: &serde_json::Value| {
            (
                line["sku"].as_str().unwrap_or_default().to_owned(),
                line["quantity"].as_u64().unwrap_or_default(),
            )
        };
        (lines.iter().map(units).collect(), answer.body["revision"].as_u64().expect("a revision"))
    }

    /// Nothing acknowledged is missing, and of the unanswered each is there at most once.
    fn check_after_crash(&self, wire: &mut Wire) {
        let (cart, _) = self.cart(wire);
        let mut unsure: BTreeMap<&str, u64> = BTreeMap::new();
        for (_, sku) in &self.unanswered {
            *unsure.entry(sku).or_default() += 1;
        }
        for sku in self.acknowledged.keys().map(String::as_str).chain(unsure.keys().copied()) {
            let there = cart.get(sku).copied().unwrap_or_default();
            let least = self.acknowledged.get(sku).copied().unwrap_or_default();
            let most = least + unsure.get(sku).copied().unwrap_or_default();
            assert!((least..=most).contains(&there), "{sku}: {there} units, not {least} to {most}");
        }
    }

    /// Sends what was not answered again under its key: then each is there exactly once.
    fn send_again(&mut self, wire: &mut Wire) {
        for (key, sku) in std::mem::take(&mut self.unanswered) {
            for _ in 0..2 {
                assert!(self.add(wire, &key, &sku), "a repeated request is answered");
            }
            *self.acknowledged.entry(sku).or_default() += 1;
        }
        let (cart, revision) = self.cart(wire);
        assert_eq!(cart, self.acknowledged);
        assert_eq!(revision, self.acknowledged.values().sum::<u64>(), "one revision an add");
    }
}

/// A small generator of numbers, seeded and printed, so that a failure can be played again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

fn storm(address: SocketAddr, shoppers: Vec<Shopper>, stop: &AtomicBool) -> Vec<Shopper> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = shoppers
            .into_iter()
            .map(|mut shopper| {
                scope.spawn(move || {
                    shopper.shop(&mut Wire::new(address), stop);
                    shopper
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no shopper fails")).collect()
    })
}

fn kill_and_check(rounds: u64, seed: u64) {
    let (folder, mut dice) = (Folder::new("crash"), Dice(seed | 1));
    let mut shoppers: Vec<Shopper> = Vec::new();
    for round in 0..rounds {
        let program = Program::start(folder.path(), &[]);
        let mut wire = program.wire();
        for shopper in &mut shoppers {
            shopper.check_after_crash(&mut wire);
            shopper.send_again(&mut wire);
        }
        if round % 4 == 0 {
            shoppers.truncate(4);
            shoppers.extend((0..6).filter_map(|_| Shopper::arrive(&mut wire)));
        }
        let (address, stop) = (program.address, AtomicBool::new(false));
        let pause = Duration::from_millis(5 + dice.roll(120));
        shoppers = std::thread::scope(|scope| {
            let storming = scope.spawn(|| storm(address, shoppers, &stop));
            std::thread::sleep(pause);
            program.kill();
            stop.store(true, Ordering::Relaxed);
            storming.join().expect("the storm ends")
        });
    }
    let program = Program::start(folder.path(), &[]);
    let mut wire = program.wire();
    let total: u64 = shoppers.iter().map(|shopper| shopper.acknowledged.values().sum::<u64>()).sum();
    for shopper in &mut shoppers {
        shopper.check_after_crash(&mut wire);
        shopper.send_again(&mut wire);
    }
    assert!(total > rounds, "the storms did something");
    assert!(program.terminate().success());
}

#[test]
#[ignore = "system: ./check runs it"]
fn thirty_kills_under_load_lose_nothing_and_double_nothing() {
    let of_env = |name: &str| std::env::var(name).ok().and_then(|value| value.parse().ok());
    kill_and_check(of_env("CRASH_ROUNDS").unwrap_or(30), of_env("CRASH_SEED").unwrap_or(0x007a_11e7));
}

#[test]
#[ignore = "system: ./check runs it"]
fn a_second_server_on_one_folder_is_refused_with_a_sentence() {
    let folder = Folder::new("second");
    let program = Program::start(folder.path(), &[]);
    let (status, said) = Program::refused(folder.path(), &[]);
    assert!(!status.success());
    assert!(said.contains("another") && said.contains(&folder.path().display().to_string()), "{said}");
    drop(program);
}
