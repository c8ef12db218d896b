//! A cart, the devices that fill it, and the network between them. Time is turned by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trolley_core::cart::checkout::Checkout;
use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::{Call, Intent, LineRef, Op, Outcome, SyncCall, SyncRefusal};
use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, ClientId, SessionId};
use trolley_core::item::Item;
use trolley_core::time::{Span, Timestamp};

use crate::oracle::{Arrival, Oracle};

pub(crate) const LINES: usize = 3;
pub(crate) const DEVICES: usize = 4;
const DAY: u64 = 24 * 3_600_000;

/// What a shopper does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Add(usize, u32),
    Set(usize, u32),
    Remove(usize),
    Clear(Vec<usize>),
}

/// One step of a history.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Somebody acts on a device; its queue keeps it.
    Act(usize, Act),
    /// A device sends up to so many of its queue; the answer may be lost.
    Deliver { device: usize, most: usize, lost: bool },
    /// A device reads the cart, without a word about itself.
    Read(usize),
    /// A device sends again what it sent before, from its first op on.
    Repeat { device: usize, most: usize },
    /// A copy of a device, restored from a backup of long ago, has acted otherwise since: one seq of it is another op.
    Fork { device: usize, at: usize },
    /// Somebody's tab acts, having seen the newest cart, or one so many revisions older.
    Plain { session: u8, behind: u64, act: Act },
    /// A tab empties the cart.
    PlainClear { session: u8, behind: u64 },
    /// The cart is checked out.
    Checkout,
    /// Time passes: milliseconds and days.
    Pass { ms: u64, days: u64 },
}

/// An op in a device's queue.
#[derive(Clone, Debug)]
struct Queued {
    op: Op,
    act: Act,
    acted: u64,
    /// When the device had read what it showed then.
    read_at: u64,
}

/// A browser or an app.
#[derive(Clone, Debug)]
struct Device {
    client: ClientId,
    /// The newest revision and generation it has seen, and when; none before it saw any.
    seen: Option<(u64, u64, u64)>,
    next_seq: u64,
    /// What is not acknowledged yet.
    queue: Vec<Queued>,
    /// What was sent at all under this client.
    sent: Vec<Op>,
    /// It has sent something that was taken in.
    enrolled: bool,
}

/// How often what happened: a law that stops meeting something has stopped testing it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Met(pub(crate) BTreeMap<&'static str, u64>);

impl Met {
    fn note(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }
}

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) cart: Cart,
    pub(crate) oracle: Oracle,
    pub(crate) limits: Limits,
    pub(crate) met: Met,
    now: u64,
    devices: Vec<Device>,
    clients: u64,
    taken: BTreeSet<([u8; 16], u64)>,
}

/// Bounds under which folding, dropping and forgetting happen within a short history.
pub(crate) fn tight() -> Limits {
    Limits { clients: 3, ring_least: 4, ring_for: Span::from_hours(1), ..Limits::default() }
}

pub(crate) fn item(line: usize) -> Arc<Item> {
    Arc::new(Item::new(["mug", "lamp", "book", "pen"][line], vec![]).unwrap())
}

pub(crate) fn quantity(cart: &Cart, line: usize) -> u64 {
    cart.shown_line(item(line).line_id()).map_or(0, |line| u64::from(line.quantity()))
}

pub(crate) fn intent(act: &Act) -> Intent {
    let named = |line: &usize| LineRef::Item(item(*line));
    match act {
        Act::Add(line, n) => Intent::Add(named(line), *n),
        Act::Set(line, n) => Intent::Set(named(line), *n),
        Act::Remove(line) => Intent::Remove(named(line)),
        Act::Clear(lines) => Intent::Clear(Some(lines.iter().map(|line| item(*line).line_id()).collect())),
    }
}

impl World {
    pub(crate) fn new(limits: Limits) -> World {
        let now = 1_000 * DAY;
        let mut world = World {
            cart: Cart::new(CartId::from_bytes([9; 16]), Timestamp::from_ms(now)),
            oracle: Oracle::default(),
            limits,
            met: Met::default(),
            now,
            devices: Vec::new(),
            clients: 0,
            taken: BTreeSet::new(),
        };
        for _ in 0..DEVICES {
            let device = world.new_device(None);
            world.devices.push(device);
        }
        world
    }

    pub(crate) fn step(&mut self, step: &Step) {
        let floor = self.cart.floor;
        // No two shoppers act in one millisecond, but for devices: their writes are told apart by base and client.
        self.now += 1;
        match step {
            Step::Act(device, act) => self.act(*device, act),
            Step::Deliver { device, most, lost } => self.deliver(*device, *most, *lost),
            Step::Read(device) => self.read(*device),
            Step::Repeat { device, most } => self.repeat(*device, *most),
            Step::Fork { device, at } => self.fork(*device, *at),
            Step::Plain { session, behind, act } => self.plain(*session, *behind, Some(act)),
            Step::PlainClear { session, behind } => self.plain(*session, *behind, None),
            Step::Checkout => self.checkout(),
            Step::Pass { ms, days } => self.now += ms + days * DAY,
        }
        if self.cart.floor > floor {
            self.met.note("folded");
        }
    }

    fn new_device(&mut self, seen: Option<(u64, u64, u64)>) -> Device {
        self.clients += 1;
        let mut id = [0; 16];
        // Spread, so that neither old nor new clients win every tie.
        id[..8].copy_from_slice(&self.clients.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let client = ClientId::from_bytes(id);
        Device { client, seen, next_seq: 1, queue: Vec::new(), sent: Vec::new(), enrolled: false }
    }

    fn act(&mut self, device: usize, act: &Act) {
        let (id, now) = (self.cart.id, self.now);
        let device = &mut self.devices[device];
        let (base, generation) =
            device.seen.map_or((0, None), |(base, generation, _)| (base, Some(generation)));
        let op = Op {
            seq: device.next_seq,
            op_id: device.next_seq.wrapping_mul(7_919),
            cart: device.seen.map(|_| id),
            generation,
            base,
            age: Span::from_ms(0),
            intent: Ok(intent(act)),
        };
        device.next_seq += 1;
        let read_at = device.seen.map_or(0, |(_, _, at)| at);
        device.queue.push(Queued { op, act: act.clone(), acted: now, read_at });
    }

    fn deliver(&mut self, place: usize, most: usize, lost: bool) {
        let mut device = self.devices[place].clone();
        // An empty delivery registers a client at what there is now: a device that has something to send sends it, and
        // one that has not waits for the answer before it shows anything (a lower base would be refused from then on).
        let batch: Vec<Queued> = device.queue.iter().take(most.max(1)).cloned().collect();
        let lost = lost && !batch.is_empty();
        let aged = |queued: &Queued| Op { age: Span::from_ms(self.now - queued.acted), ..queued.op.clone() };
        let ops: Vec<Op> = batch.iter().map(aged).collect();
        let sync = SyncCall { client: device.client, at: Timestamp::from_ms(self.now), ops };
        let before = self.cart.clone();
        let refused = match self.cart.sync(&sync, &self.limits) {
            Ok(synced) => {
                let outcomes = synced.results.iter().map(|result| result.outcome);
                self.take_in(&device, &batch, outcomes, &before);
                device.sent.extend(
                    sync.ops
                        .into_iter()
                        .filter(|op| !device.sent.iter().any(|sent| sent.seq == op.seq))
                        .collect::<Vec<_>>(),
                );
                device.enrolled = true;
                None
            }
            Err(refusal) => Some(refusal),
        };
        match refused {
            Some(SyncRefusal::ClientExpired) => {
                self.met.note("expired");
                self.may_expire(&device, &before);
                assert_eq!(self.cart, before, "a refused delivery changes nothing");
                // What it had pending may only be offered again to the shopper; it begins anew with what it sees now.
                device = self.new_device(Some((self.cart.revision, self.cart.generation, self.now)));
            }
            Some(other) => panic!("an honest device was refused: {other:?}"),
            None if lost => self.met.note("answer lost"),
            None => {
                device.queue.drain(..batch.len());
                device.seen = Some((self.cart.revision, self.cart.generation, self.now));
            }
        }
        self.devices[place] = device;
    }

    /// Tells the oracle of what was new, with the revision that each got.
    fn take_in(
        &mut self,
        device: &Device,
        batch: &[Queued],
        outcomes: impl Iterator<Item = Outcome>,
        before: &Cart,
    ) {
        let mut revision = before.revision;
        for (queued, outcome) in batch.iter().zip(outcomes) {
            let is_new = self.taken.insert((*device.client.bytes(), queued.op.seq));
            assert_eq!(outcome == Outcome::Duplicate, !is_new, "each op is taken in once");
            if !is_new {
                self.met.note("duplicate");
                continue;
            }
            revision += 1;
            let late = match queued.op.base {
                0 => queued.op.generation.is_some_and(|generation| generation < before.generation),
                base => base < before.generation_start,
            };
            self.met.note(match outcome {
                Outcome::Applied => "applied",
                Outcome::Superseded => "superseded",
                Outcome::Carried => "carried",
                other => panic!("{other:?} within the limits"),
            });
            assert_eq!(outcome == Outcome::Carried, late && matches!(queued.act, Act::Add(..)));
            let at = Arrival {
                revision,
                author: *device.client.bytes(),
                is_device: true,
                seq: queued.op.seq,
                base: queued.op.base,
                acted: queued.acted,
                late,
            };
            self.tell(&queued.act, at);
        }
        assert_eq!(self.cart.revision, revision, "each op taken in has a revision");
    }

    fn tell(&mut self, act: &Act, at: Arrival) {
        match act {
            Act::Add(line, n) => self.oracle.add(*line, u64::from(*n), at),
            Act::Set(line, n) => self.oracle.set(*line, u64::from(*n), at),
            Act::Remove(line) => self.oracle.set(*line, 0, at),
            Act::Clear(lines) => {
                let once: BTreeSet<usize> = lines.iter().copied().collect();
                once.into_iter().for_each(|line| self.oracle.set(line, 0, at));
            }
        }
    }

    /// A client may be told to begin anew only where it lapsed, was dropped, or had read so long ago, and so far back, that
    /// the cart has since been folded.
    fn may_expire(&mut self, device: &Device, before: &Cart) {
        if device.enrolled {
            let client = before.clients.iter().find(|client| client.id == device.client);
            let live = client.is_some_and(|client| {
                Timestamp::from_ms(self.now).since(client.last_seen) < self.limits.lease
            });
            assert!(!live, "a live client was refused");
            self.met.note("dropped or lapsed");
            return;
        }
        let base = device.queue.first().map_or(before.revision, |queued| queued.op.base);
        let read_at = device.queue.first().map_or(self.now, |queued| queued.read_at);
        let in_ring = before.ring.front().is_none_or(|oldest| base + 1 >= oldest.revision);
        assert!(!in_ring, "what a device had read is still in the ring");
        assert!(
            self.now - read_at >= 30 * DAY || base == 0,
            "a device had read the cart less than 30 days ago"
        );
        self.met.note("read too long ago");
    }

    fn read(&mut self, device: usize) {
        self.devices[device].seen = Some((self.cart.revision, self.cart.generation, self.now));
    }

    /// Everything it ever sent, again: nothing happens, whether it is still known or was dropped.
    fn repeat(&mut self, place: usize, most: usize) {
        let device = &self.devices[place];
        let ops: Vec<Op> = device.sent.iter().take(most).cloned().collect();
        if ops.is_empty() {
            return;
        }
        let before = self.cart.clone();
        let sync = SyncCall { client: device.client, at: Timestamp::from_ms(self.now), ops };
        match self.cart.sync(&sync, &self.limits) {
            Ok(synced) => {
                assert!(
                    synced.results.iter().all(|result| result.outcome == Outcome::Duplicate),
                    "{synced:?}"
                );
                assert_eq!(self.cart.revision, before.revision);
                self.met.note("repeated");
            }
            Err(SyncRefusal::ClientExpired) => {
                self.met.note("repeated by a dropped client");
                assert_eq!(self.cart, before);
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    /// A seq that was taken in comes as another op: it is told so, or that its client is gone, and nothing happens.
    fn fork(&mut self, place: usize, at: usize) {
        let device = &self.devices[place];
        // What is no longer among its last 64 ops cannot be told from a repetition.
        let recent = &device.sent[device.sent.len().saturating_sub(64)..];
        let Some(copied) = recent.get(at % recent.len().max(1)) else { return };
        let (seq, op) = (copied.seq, Op { op_id: copied.op_id + 1, ..copied.clone() });
        let before = self.cart.clone();
        let sync = SyncCall { client: device.client, at: Timestamp::from_ms(self.now), ops: vec![op] };
        let told = self.cart.sync(&sync, &self.limits).unwrap_err();
        let is_fork = told == SyncRefusal::ClientForked { seq };
        assert!(is_fork || told == SyncRefusal::ClientExpired, "{told:?}");
        self.met.note(if is_fork { "forked" } else { "forked by a dropped client" });
        assert_eq!(self.cart, before, "a fork changes nothing");
    }

    fn plain(&mut self, session: u8, behind: u64, act: Option<&Act>) {
        // A plain call holds no floor: one that is older than it observes less, which is said in CART.md.
        let base = self.cart.revision.saturating_sub(behind).max(self.cart.floor);
        let author = [session; 16];
        let call = Call {
            session: SessionId::from_bytes(author),
            base: Some(base),
            at: Timestamp::from_ms(self.now),
            intent: act.map_or(Intent::Clear(None), intent),
        };
        let late = base > 0 && base < self.cart.generation_start;
        let revision = self.cart.revision + 1;
        let cleared: Vec<usize> = (0..LINES).filter(|line| self.oracle.shows(*line, base)).collect();
        self.cart.call(&call, &self.limits).unwrap();
        assert_eq!(self.cart.revision, revision);
        let at = Arrival { revision, author, is_device: false, seq: revision, base, acted: self.now, late };
        self.tell(act.unwrap_or(&Act::Clear(cleared)), at);
        self.met.note("plain");
    }

    fn checkout(&mut self) {
        let author = [8; 16];
        let (base, revision) = (self.cart.revision, self.cart.revision + 1);
        let taken = self.cart.checkout(
            &Checkout::of_all(SessionId::from_bytes(author), Timestamp::from_ms(self.now)),
            &self.limits,
        );
        let Ok(taken) = taken else { return };
        let sum: u64 = taken.iter().map(|taken| u64::from(taken.quantity)).sum();
        assert_eq!(
            sum,
            (0..LINES).map(|line| self.oracle.quantity(line)).sum::<u64>(),
            "what is paid is what was there"
        );
        let at =
            Arrival { revision, author, is_device: false, seq: revision, base, acted: self.now, late: false };
        for line in 0..LINES {
            if self.oracle.shows(line, base) {
                self.oracle.set(line, 0, at);
            }
        }
        self.met.note("checked out");
    }
}
