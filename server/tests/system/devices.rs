//! Devices that shop offline, one guest's cart on the real server, and the one sentence that it must keep.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use trolley_core::ids::{CartId, ClientId, SessionId};
use trolley_core::item::Item;

use crate::folder::Folder;
use crate::histories::{Act, Fate, Step};
use crate::oracle::{Arrival, Oracle};
use crate::program::Program;
use crate::wire::{Answer, Wire};

pub(crate) const LINES: usize = 3;
pub(crate) const DEVICES: usize = 3;
/// Between two acts: more than a delivery takes, so that ages tell true times apart.
const TICK_MS: u64 = 600_000;

/// The server, which may be killed and started again.
pub(crate) struct Shop {
    folder: Folder,
    program: Option<Program>,
    wire: Wire,
}

impl Shop {
    pub(crate) fn open() -> Shop {
        let folder = Folder::new("histories");
        let program = start(&folder);
        let wire = program.wire();
        Shop { folder, program: Some(program), wire }
    }

    fn restart(&mut self) {
        let program = start(&self.folder);
        self.wire = program.wire();
        self.program = Some(program);
    }

    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.wire.send(method, path, headers, &body).expect("an answer")
    }
}

/// Commits wait for the operating system alone: a killed process loses none of them, and power cuts are tried elsewhere.
fn start(folder: &Folder) -> Program {
    Program::start(folder.path(), &["--test-clock", "--durability", "relaxed", "--log", "warn"])
}

/// An op in a queue.
#[derive(Clone, Debug)]
struct Queued {
    seq: u64,
    act: Act,
    /// What the device had seen: revision and generation.
    seen: Option<(u64, u64)>,
    acted: u64,
    wrong: i64,
}

struct Device {
    client: ClientId,
    seen: Option<(u64, u64)>,
    next_seq: u64,
    queue: Vec<Queued>,
}

/// One guest's story.
pub(crate) struct World<'a> {
    shop: &'a mut Shop,
    bearer: String,
    session: SessionId,
    cart: CartId,
    revision: u64,
    generation: u64,
    generation_start: u64,
    oracle: Oracle,
    devices: Vec<Device>,
    sent: Vec<(usize, Vec<Queued>)>,
    taken: BTreeSet<(usize, u64)>,
    now_ms: u64,
    turned_ms: u64,
    /// Some device's clock is wrong: which of two writes at once stands may differ, and nothing else.
    lies: bool,
}

impl<'a> World<'a> {
    pub(crate) fn new(shop: &'a mut Shop, clients: u64, lies: bool) -> World<'a> {
        let begun = shop.send("POST", "/v1/session", &[], &json!({"transport": "bearer"}));
        let bearer = format!("Bearer {}", begun.body["token"].as_str().expect("a token"));
        let session = begun.body["device"]["id"].as_str().expect("an id").parse().expect("a UUID");
        let shown = shop.send("GET", "/v1/cart", &[("Authorization", &bearer)], &Value::Null);
        let cart = shown.body["id"].as_str().expect("an id").parse().expect("a UUID");
        let device = |n: usize| {
            let mut id = [0x40; 16];
            // Spread, so that neither old nor new devices win every tie.
            let number = (clients * DEVICES as u64 + n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            id[..8].copy_from_slice(&number.to_be_bytes());
            Device { client: ClientId::from_bytes(id), seen: None, next_seq: 1, queue: Vec::new() }
        };
        World {
            shop,
            bearer,
            session,
            cart,
            revision: 0,
            generation: 0,
            generation_start: 0,
            oracle: Oracle::default(),
            devices: (0..DEVICES).map(device).collect(),
            sent: Vec::new(),
            taken: BTreeSet::new(),
            now_ms: 0,
            turned_ms: 0,
            lies,
        }
    }

    pub(crate) fn step(&mut self, step: &Step) {
        self.now_ms += TICK_MS;
        match step {
            Step::Act { device, act, wrong } => {
                let (acted, wrong) = (self.now_ms, if self.lies { *wrong } else { 0 });
                let device = &mut self.devices[*device];
                let (seq, seen) = (device.next_seq, device.seen);
                device.queue.push(Queued { seq, act: act.clone(), seen, acted, wrong });
                device.next_seq += 1;
            }
            Step::Deliver { device, most, fate } => self.deliver(*device, *most, *fate),
            Step::Again { back } => self.again(*back),
            Step::Read(device) => {
                let cart = self.read();
                self.devices[*device].seen = Some(self.seen());
                self.check(&cart);
            }
            Step::Plain { behind, act } => self.plain(*behind, act),
            Step::CheckOut => self.check_out(),
        }
    }

    /// Left in peace, every queue gets in, and each op of it once.
    pub(crate) fn settle(&mut self) {
        for device in 0..DEVICES {
            self.deliver(device, 1_000, Fate::Heard);
            assert!(self.devices[device].queue.is_empty(), "a queue gets in");
        }
        let cart = self.read();
        self.check(&cart);
        let done: u64 = self.devices.iter().map(|device| device.next_seq - 1).sum();
        assert_eq!(self.taken.len() as u64, done, "each act is taken in");
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
            let seen = self.seen();
            let device = &mut self.devices[place];
            device.queue.drain(..batch.len());
            device.seen = Some(seen);
        }
    }

    /// The server is killed while it takes a delivery in. Afterwards all of it is there, or nothing.
    fn deliver_and_kill(&mut self, place: usize, batch: &[Queued], tenths: u64) {
        self.turn_clock();
        let (path, body) = ("/v1/cart/sync", self.body(place, batch).to_string());
        let program = self.shop.program.take().expect("it runs");
        let mut wire = program.wire();
        let bearer = self.bearer.clone();
        std::thread::scope(|scope| {
            scope.spawn(move || wire.send("POST", path, &[("Authorization", &bearer)], &body));
            std::thread::sleep(Duration::from_micros(100 * tenths));
            program.kill();
        });
        self.shop.restart();
        let (cart, before) = (self.read_raw(), self.revision);
        let fresh = batch.iter().filter(|queued| !self.taken.contains(&(place, queued.seq))).count() as u64;
        let came = cart["revision"].as_u64().expect("a revision") - before;
        assert!(came == 0 || came == fresh, "a delivery is there whole or not at all: {came} of {fresh}");
        if came > 0 {
            self.take_in(place, batch);
        }
        self.check(&cart);
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
        let bearer = self.bearer.clone();
        let answer = self.shop.send("POST", "/v1/cart/sync", &[("Authorization", &bearer)], &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    fn body(&self, place: usize, batch: &[Queued]) -> Value {
        let ops: Vec<Value> = batch.iter().map(|queued| self.op(queued)).collect();
        json!({"client": self.devices[place].client.to_string(), "ops": ops})
    }

    fn op(&self, queued: &Queued) -> Value {
        let age = i64::try_from(self.now_ms - queued.acted).expect("a short story");
        let mut op = json!({
            "seq": queued.seq,
            "op_id": format!("{:016x}", queued.seq * 7_919),
            "base": queued.seen.map_or(0, |(revision, _)| revision),
            "age_ms": age + queued.wrong * i64::try_from(TICK_MS).expect("a tick is short"),
        });
        if let Some((_, generation)) = queued.seen {
            (op["cart"], op["generation"]) = (self.cart.to_string().into(), generation.into());
        }
        let more = match &queued.act {
            Act::Add(line, n) => json!({"op": "add", "sku": sku(*line), "quantity": n}),
            Act::Set(line, n) => json!({"op": "set", "sku": sku(*line), "quantity": n}),
            Act::Remove(line) => json!({"op": "remove", "line": line_id(*line)}),
            Act::Clear(lines) => {
                json!({"op": "clear", "lines": lines.iter().map(|line| line_id(*line)).collect::<Vec<_>>()})
            }
        };
        op.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        op
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
        self.check(&answer.body["cart"]);
    }

    fn take_in(&mut self, place: usize, batch: &[Queued]) {
        let newest = self.revision;
        for queued in batch {
            if !self.taken.insert((place, queued.seq)) {
                continue;
            }
            self.revision += 1;
            let base = queued.seen.map_or(0, |(revision, _)| revision);
            let late = match base {
                0 => queued.seen.is_some_and(|(_, generation)| generation < self.generation),
                base => base < self.generation_start,
            };
            let at = Arrival {
                revision: self.revision,
                author: *self.devices[place].client.bytes(),
                is_device: true,
                seq: queued.seq,
                base: base.min(newest),
                acted: queued.acted,
                late,
            };
            tell(&mut self.oracle, &queued.act, at);
        }
    }

    fn plain(&mut self, behind: u64, act: &Act) {
        let base = self.revision.saturating_sub(behind);
        let cleared: Vec<usize> = (0..LINES).filter(|line| self.oracle.shows(*line, base)).collect();
        let (method, path, body, act) = match act {
            Act::Add(line, n) => {
                let body = json!({"sku": sku(*line), "quantity": n});
                ("POST", "/v1/cart/lines".to_owned(), body, act.clone())
            }
            Act::Set(line, n) => ("PUT", at_line(*line), json!({"quantity": n}), act.clone()),
            Act::Remove(line) => ("DELETE", at_line(*line), Value::Null, act.clone()),
            // What it means depends on which of two writes stands.
            Act::Clear(_) if self.lies => return,
            Act::Clear(_) => ("DELETE", "/v1/cart".to_owned(), Value::Null, Act::Clear(cleared)),
        };
        self.turn_clock();
        let (bearer, tag) = (self.bearer.clone(), format!("\"{}.{base}\"", self.cart));
        let headers = [("Authorization", bearer.as_str()), ("If-Match", tag.as_str())];
        let answer = self.shop.send(method, &path, &headers, &body);
        if answer.status == 404 {
            return;
        }
        assert_eq!(answer.status, 200, "{answer:?}");
        let late = base > 0 && base < self.generation_start;
        let at = self.plain_arrival(base, late);
        tell(&mut self.oracle, &act, at);
        self.check(&answer.body);
    }

    fn check_out(&mut self) {
        if self.lies {
            return;
        }
        self.turn_clock();
        let (bearer, base) = (self.bearer.clone(), self.revision);
        let answer = self.shop.send("POST", "/v1/cart/checkout", &[("Authorization", &bearer)], &json!({}));
        let units: u64 = (0..LINES).map(|line| self.oracle.quantity(line)).sum();
        if answer.status != 201 {
            return assert_eq!((units, answer.status), (0, 409), "{answer:?}");
        }
        assert_eq!(answer.body["order"]["quantity"], units, "what is paid is what was there");
        let cleared: Vec<usize> = (0..LINES).filter(|line| self.oracle.shows(*line, base)).collect();
        let at = self.plain_arrival(base, false);
        tell(&mut self.oracle, &Act::Clear(cleared), at);
        (self.generation, self.generation_start) = (self.generation + 1, self.revision);
        self.check(&answer.body["cart"]);
    }

    fn plain_arrival(&mut self, base: u64, late: bool) -> Arrival {
        self.revision += 1;
        let (revision, author) = (self.revision, *self.session.bytes());
        Arrival { revision, author, is_device: false, seq: revision, base, acted: self.now_ms, late }
    }

    fn seen(&self) -> (u64, u64) {
        (self.revision, self.generation)
    }

    fn read(&mut self) -> Value {
        self.turn_clock();
        self.read_raw()
    }

    fn read_raw(&mut self) -> Value {
        let bearer = self.bearer.clone();
        self.shop.send("GET", "/v1/cart", &[("Authorization", &bearer)], &Value::Null).body
    }

    /// The server's clock follows the story's.
    fn turn_clock(&mut self) {
        let by = json!({"advance_ms": self.now_ms - self.turned_ms});
        let turned = self.shop.send("POST", "/test/clock", &[], &by);
        assert_eq!(turned.status, 200, "{turned:?}");
        self.turned_ms = self.now_ms;
    }

    /// The cart is what the one sentence says.
    fn check(&self, cart: &Value) {
        assert_eq!(
            (&cart["revision"], &cart["generation"]),
            (&self.revision.into(), &self.generation.into())
        );
        for line in 0..LINES {
            let lines = cart["lines"].as_array().expect("lines");
            let shown = lines.iter().find(|shown| shown["sku"] == sku(line));
            let units = shown.map_or(0, |shown| shown["quantity"].as_u64().expect("a quantity"));
            let wanted = self.oracle.quantity(line);
            let holds = if self.lies { self.oracle.may_be(line, units) } else { units == wanted };
            assert!(holds, "{} {units}, not {wanted}: {cart}", sku(line));
        }
    }
}

fn tell(oracle: &mut Oracle, act: &Act, at: Arrival) {
    match act {
        Act::Add(line, n) => oracle.add(*line, *n, at),
        Act::Set(line, n) => oracle.set(*line, *n, at),
        Act::Remove(line) => oracle.set(*line, 0, at),
        Act::Clear(lines) => {
            let once: BTreeSet<usize> = lines.iter().copied().collect();
            once.into_iter().for_each(|line| oracle.set(line, 0, at));
        }
    }
}

fn sku(line: usize) -> &'static str {
    ["mug", "lamp", "book"][line]
}

fn line_id(line: usize) -> String {
    Item::new(sku(line), Vec::new()).expect("a sku").line_id().to_string()
}

fn at_line(line: usize) -> String {
    format!("/v1/cart/lines/{}", line_id(line))
}
