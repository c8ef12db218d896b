//! Devices that shop offline, the carts on the real server that they shop in, and the one sentence that those must keep.
//!
//! Either three devices share a guest's session, or two are signed in to an account and the third is a guest's, until
//! that guest signs in and its cart comes into the account's. Where nobody signs in the one cart stands as the account's.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trolley_core::ids::ClientId;

use crate::histories::{Act, Clocks, Fate, Step, Who};
use crate::oracle::{Name, Oracle, Past};
use crate::queue::{Device, Queued, Seen, sku};
use crate::shop::{Cart, Shop, Visit};
use crate::wire::Answer;

pub(crate) const LINES: usize = 3;
pub(crate) const DEVICES: usize = 3;
/// The one that is the guest's, where the others are signed in.
const GUESTS: usize = 2;
/// Between two acts: more than a delivery takes, so that ages tell true times apart.
const TICK_MS: u64 = 600_000;
/// The age of what happened at the beginning of time, where every clock before stands still.
const FOR_EVER_MS: i64 = 1_000_000_000_000_000;

/// One story.
pub(crate) struct World<'a> {
    shop: &'a mut Shop,
    who: Who,
    clocks: Clocks,
    /// The shop's name of the account.
    account_id: String,
    /// One for each device, or one for all.
    visits: Vec<Visit>,
    account: Cart,
    guest: Cart,
    merged_at: Option<u64>,
    /// The guest's device has not acted yet on what it saw of the account's cart.
    moves_along: bool,
    oracle: Oracle,
    devices: Vec<Device>,
    sent: Vec<(usize, Vec<Queued>)>,
    taken: BTreeSet<(usize, u64)>,
    now_ms: u64,
    turned_ms: u64,
}

impl<'a> World<'a> {
    pub(crate) fn new(shop: &'a mut Shop, story: u64, who: Who, clocks: Clocks) -> World<'a> {
        let account_id = format!("customer-{story}");
        let mut visits: Vec<Visit> = match who {
            Who::Guest => vec![shop.visit()],
            Who::Account => (0..DEVICES).map(|_| shop.visit()).collect(),
        };
        let signed_in = if who == Who::Account { GUESTS } else { 0 };
        visits[..signed_in].iter_mut().for_each(|visit| drop(shop.sign_in(visit, &account_id)));
        let (account, guest) = (shop.cart(&visits[0]), shop.cart(&visits[visits.len() - 1]));
        let device = |n: usize| {
            let mut id = [0x40; 16];
            // Spread, so that neither old nor new devices win every tie.
            let number = (story * DEVICES as u64 + n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            id[..8].copy_from_slice(&number.to_be_bytes());
            Device::new(ClientId::from_bytes(id))
        };
        let mut world = World {
            shop,
            who,
            clocks,
            account_id,
            visits,
            account,
            guest,
            merged_at: None,
            moves_along: true,
            oracle: Oracle::default(),
            devices: (0..DEVICES).map(device).collect(),
            sent: Vec::new(),
            taken: BTreeSet::new(),
            now_ms: 0,
            turned_ms: 0,
        };
        if who == Who::Account {
            // It has said a word before the sign-in, or it would have to begin anew after it.
            world.sync(GUESTS, &[]);
        }
        world
    }

    pub(crate) fn step(&mut self, step: &Step) {
        self.now_ms += TICK_MS;
        match step {
            Step::Act { device, act, wrong } => {
                let acted = if self.clocks == Clocks::Still { 0 } else { self.now_ms };
                let wrong = if self.clocks == Clocks::Lie { *wrong } else { 0 };
                self.devices[*device].act(act.clone(), acted, wrong);
            }
            Step::Deliver { device, most, fate } => self.deliver(*device, *most, *fate),
            Step::Again { back } => self.again(*back),
            Step::Read(device) => {
                let cart = self.read(*device);
                self.devices[*device].seen = Some(self.seen(*device));
                self.check(self.opened_by(*device), &cart);
            }
            Step::Plain { behind, act } => self.plain(*behind, act),
            Step::CheckOut => self.check_out(),
            Step::SignIn { killed } => self.sign_in(*killed),
        }
    }

    /// Left in peace, every queue gets in, and each op of it once.
    pub(crate) fn settle(&mut self) {
        for device in 0..DEVICES {
            self.deliver(device, 1_000, Fate::Heard);
            assert!(self.devices[device].queue.is_empty(), "a queue gets in");
            let cart = self.read(device);
            self.check(self.opened_by(device), &cart);
        }
        let done: u64 = self.devices.iter().map(|device| device.next_seq - 1).sum();
        assert_eq!(self.taken.len() as u64, done, "each act is taken in");
    }

    /// The cart that a device's session opens.
    fn opened_by(&self, device: usize) -> Name {
        let is_guests = self.who == Who::Account && device == GUESTS && self.merged_at.is_none();
        if is_guests { Name::Guest } else { Name::Account }
    }

    fn cart(&self, name: Name) -> &Cart {
        match name {
            Name::Guest => &self.guest,
            Name::Account => &self.account,
        }
    }

    fn cart_mut(&mut self, name: Name) -> &mut Cart {
        match name {
            Name::Guest => &mut self.guest,
            Name::Account => &mut self.account,
        }
    }

    fn seen(&self, device: usize) -> Seen {
        let cart = self.opened_by(device);
        let &Cart { revision, generation, .. } = self.cart(cart);
        Seen { cart, revision, generation }
    }

    fn deliver(&mut self, place: usize, most: usize, fate: Fate) {
        let device = &self.devices[place];
        let batch: Vec<Queued> = device.queue.iter().take(most.max(1)).cloned().collect();
        if batch.is_empty() {
            return;
        }
        self.sent.push((place, batch.clone()));
        if let Fate::Killed(tenths) = fate {
            return self.deliver_and_kill(place, &batch, tenths);
        }
        let answer = self.sync(place, &batch);
        self.hear(place, &batch, &answer);
        if matches!(fate, Fate::Heard) {
            let seen = self.seen(place);
            let device = &mut self.devices[place];
            device.queue.drain(..batch.len());
            device.seen = Some(seen);
        }
    }

    /// The server is killed while it takes a delivery in. Afterwards all of it is there, or nothing.
    fn deliver_and_kill(&mut self, place: usize, batch: &[Queued], tenths: u64) {
        self.turn_clock();
        let body = self.body(place, batch);
        let visit = &self.visits[place.min(self.visits.len() - 1)];
        self.shop.deliver_and_kill(visit, &body, tenths);
        let name = self.opened_by(place);
        let (cart, before) = (self.read_raw(place), self.cart(name).revision);
        let fresh = batch.iter().filter(|queued| !self.taken.contains(&(place, queued.seq))).count() as u64;
        let came = cart["revision"].as_u64().expect("a revision") - before;
        assert!(came == 0 || came == fresh, "a delivery is there whole or not at all: {came} of {fresh}");
        if came > 0 {
            self.take_in(place, batch);
        }
        self.check(name, &cart);
    }

    fn again(&mut self, back: usize) {
        let Some(at) = self.sent.len().checked_sub(1 + back) else { return };
        let (place, batch) = self.sent[at].clone();
        let answer = self.sync(place, &batch);
        self.hear(place, &batch, &answer);
    }

    fn sync(&mut self, place: usize, batch: &[Queued]) -> Answer {
        self.turn_clock();
        let body = self.body(place, batch);
        let visit = &self.visits[place.min(self.visits.len() - 1)];
        let answer = self.shop.ask(visit, "POST", "/v1/cart/sync", &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    fn body(&self, place: usize, batch: &[Queued]) -> Value {
        let op = |queued: &Queued| {
            let tick = i64::try_from(TICK_MS).expect("a tick is short");
            let age = match self.clocks {
                Clocks::Still => FOR_EVER_MS,
                _ => i64::try_from(self.now_ms - queued.acted).expect("a short story") + queued.wrong * tick,
            };
            queued.op(age, queued.seen.map(|seen| self.cart(seen.cart).id.clone()))
        };
        let ops: Vec<Value> = batch.iter().map(op).collect();
        json!({"client": self.devices[place].client.to_string(), "ops": ops})
    }

    /// Each op that is new is taken in, each that is not is a duplicate.
    fn hear(&mut self, place: usize, batch: &[Queued], answer: &Answer) {
        let results = answer.body["results"].as_array().expect("results");
        assert_eq!(results.len(), batch.len());
        for (queued, result) in batch.iter().zip(results) {
            let is_known = self.taken.contains(&(place, queued.seq));
            assert_eq!(result["outcome"] == "duplicate", is_known, "{answer:?}");
            assert_ne!(result["outcome"], "rejected", "{answer:?}");
        }
        self.take_in(place, batch);
        self.check(self.opened_by(place), &answer.body["cart"]);
    }

    fn take_in(&mut self, place: usize, batch: &[Queued]) {
        let name = self.opened_by(place);
        let newest = self.cart(name).revision;
        for queued in batch {
            if !self.taken.insert((place, queued.seq)) {
                continue;
            }
            let of_guest = queued.seen.is_none_or(|seen| seen.cart == Name::Guest);
            let came_over = self.merged_at.is_some() && place == GUESTS;
            let forwarded = came_over && self.moves_along && of_guest;
            self.moves_along &= !came_over || forwarded;
            let cart = self.cart(name);
            let (base, late) = match self.merged_at.filter(|_| forwarded) {
                // What came in has been paid since.
                Some(merged_at) => (queued.base(), merged_at <= cart.generation_start),
                None => (queued.base().min(newest), is_late(queued, cart)),
            };
            let past = Past {
                of: if forwarded { Name::Guest } else { name },
                author: *self.devices[place].client.bytes(),
                is_device: true,
                seq: queued.seq,
                base,
                acted: queued.acted,
                forwarded,
                ..self.arrival(name)
            };
            match queued.act {
                // A forwarded ADD is an ADD of the account's.
                Act::Add(..) => self.tell(&queued.act, &Past { of: name, ..past }),
                // A SET of what was paid since would buy it again.
                _ if late => {}
                _ => self.tell(&queued.act, &past),
            }
        }
    }

    fn plain(&mut self, behind: u64, act: &Act) {
        let is_clear = matches!(act, Act::Clear(_));
        // What a CLEAR means depends on which of two writes stands, and on what came in.
        let is_clear_told = self.clocks == Clocks::True && self.who == Who::Guest;
        // The server's own clock goes on: what a tab does is not of the same millisecond.
        if self.clocks == Clocks::Still || (is_clear && !is_clear_told) {
            return;
        }
        let base = self.account.revision.saturating_sub(behind);
        let shown = (0..LINES).filter(|line| self.oracle.shows(*line, base)).collect();
        let (method, path, body) = act.call();
        self.turn_clock();
        let tag = format!("\"{}.{base}\"", self.account.id);
        let answer = self.shop.ask_having_seen(&self.visits[0], &tag, (method, &path, &body));
        if answer.status == 404 {
            return;
        }
        assert_eq!(answer.status, 200, "{answer:?}");
        let late = base > 0 && base < self.account.generation_start;
        let past = self.plain_arrival(base);
        match act {
            Act::Add(..) => self.tell(act, &past),
            _ if late => {}
            Act::Clear(_) => self.tell(&Act::Clear(shown), &past),
            _ => self.tell(act, &past),
        }
        self.check(Name::Account, &answer.body);
    }

    fn check_out(&mut self) {
        if self.clocks != Clocks::True {
            return;
        }
        self.turn_clock();
        let base = self.account.revision;
        let answer = self.shop.ask(&self.visits[0], "POST", "/v1/cart/checkout", &json!({}));
        let units = |line: &usize| self.oracle.quantity(Name::Account, *line);
        let all: u64 = (0..LINES).map(|line| units(&line)).sum();
        if answer.status != 201 {
            return assert_eq!((all, answer.status), (0, 409), "{answer:?}");
        }
        assert_eq!(answer.body["order"]["quantity"], all, "what is paid is what was there");
        let paid = (0..LINES).filter(|line| units(line) > 0 || self.oracle.shows(*line, base)).collect();
        let past = self.plain_arrival(base);
        self.tell(&Act::Clear(paid), &past);
        self.account.generation += 1;
        self.account.generation_start = self.account.revision;
        self.check(Name::Account, &answer.body["cart"]);
    }

    /// The guest signs in, or signs in again; the server may be killed the first time. Its cart comes in once.
    fn sign_in(&mut self, killed: Option<u64>) {
        if self.who == Who::Guest {
            return;
        }
        self.turn_clock();
        if let Some(tenths) = killed {
            self.shop.sign_in_and_kill(&self.visits[GUESTS], &self.account_id, tenths);
        }
        let answer = self.shop.sign_in(&mut self.visits[GUESTS], &self.account_id);
        let (told, is_first) = (&answer.body["merge"]["revision"], self.merged_at.is_none());
        if is_first {
            self.account.revision += 1;
            self.merged_at = Some(self.account.revision);
            self.oracle.merge(self.account.revision);
        }
        let is_told = told.as_u64() == Some(self.account.revision);
        assert!(if is_first { is_told || killed.is_some() } else { told.is_null() }, "{answer:?}");
        self.check(Name::Account, &answer.body["cart"]);
    }

    fn plain_arrival(&mut self, base: u64) -> Past {
        let author = *self.visits[0].session.bytes();
        let past = self.arrival(Name::Account);
        Past { author, seq: past.revision, base, acted: self.now_ms, ..past }
    }

    /// Whatever comes next into a cart.
    fn arrival(&mut self, of: Name) -> Past {
        self.cart_mut(of).revision += 1;
        Past { of, revision: self.cart(of).revision, ..Past::default() }
    }

    fn tell(&mut self, act: &Act, past: &Past) {
        let mut push = |line: usize, set, add| {
            self.oracle.push(Past { line, set, add, ..past.clone() });
        };
        match act {
            Act::Add(line, n) => push(*line, None, *n),
            Act::Set(line, n) => push(*line, Some(*n), 0),
            Act::Remove(line) => push(*line, Some(0), 0),
            Act::Clear(lines) => {
                let once: BTreeSet<usize> = lines.iter().copied().collect();
                once.into_iter().for_each(|line| push(line, Some(0), 0));
            }
        }
    }

    fn read(&mut self, device: usize) -> Value {
        self.turn_clock();
        self.read_raw(device)
    }

    fn read_raw(&mut self, device: usize) -> Value {
        let visit = &self.visits[device.min(self.visits.len() - 1)];
        self.shop.ask(visit, "GET", "/v1/cart", &Value::Null).body
    }

    /// The server's clock follows the story's.
    fn turn_clock(&mut self) {
        self.shop.turn_clock(self.now_ms - self.turned_ms);
        self.turned_ms = self.now_ms;
    }

    /// The cart is what the one sentence says.
    fn check(&self, name: Name, cart: &Value) {
        let Cart { revision, generation, .. } = self.cart(name);
        assert_eq!((&cart["revision"], &cart["generation"]), (&(*revision).into(), &(*generation).into()));
        for line in 0..LINES {
            let lines = cart["lines"].as_array().expect("lines");
            let shown = lines.iter().find(|shown| shown["sku"] == sku(line));
            let units = shown.map_or(0, |shown| shown["quantity"].as_u64().expect("a quantity"));
            let wanted = self.oracle.quantity(name, line);
            let may_be = self.clocks == Clocks::Lie && self.oracle.may_be(name, line, units);
            assert!(units == wanted || may_be, "{} {units}, not {wanted}: {cart}", sku(line));
        }
    }
}

fn is_late(queued: &Queued, cart: &Cart) -> bool {
    match queued.base() {
        0 => queued.seen.is_some_and(|seen| seen.generation < cart.generation),
        base => base < cart.generation_start,
    }
}
