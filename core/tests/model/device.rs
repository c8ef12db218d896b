//! An honest device, as CART.md asks it to be: it keeps a queue, shows what it has seen, and never lets go of an op that
//! was not acknowledged.

use std::sync::Arc;

use trolley_core::cart::op::{Intent, LineRef, Op};
use trolley_core::ids::{CartId, ClientId};
use trolley_core::item::Item;
use trolley_core::time::{Span, Timestamp};

use crate::oracle::Name;

/// What a shopper does, to which line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Act {
    Add(usize, u32),
    Set(usize, u32),
    Remove(usize),
    /// Of both lines.
    Clear,
}

/// What a device had seen: of which cart which revision, in which generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Seen {
    pub(crate) cart: Name,
    pub(crate) revision: u64,
    pub(crate) generation: u64,
}

/// An op in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Queued {
    pub(crate) seq: u64,
    /// Which act of the whole story it is; its op id comes of it.
    pub(crate) id: u8,
    pub(crate) seen: Option<Seen>,
    pub(crate) acted: u64,
}

/// A browser or an app.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Device {
    pub(crate) client: u8,
    pub(crate) seen: Option<Seen>,
    /// How many acts of its script it has done.
    pub(crate) done: u8,
    pub(crate) next_seq: u64,
    pub(crate) queue: Vec<Queued>,
}

/// What a device is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Told {
    /// All up to this seq of what it sent was taken in. What `acked` says beyond that may be another's, of a copied queue.
    Synced {
        taken: u64,
        seen: Seen,
    },
    Forked {
        seq: u64,
    },
    /// It begins anew with what it is shown.
    Expired {
        seen: Seen,
    },
}

impl Device {
    pub(crate) fn new(client: u8, seen: Option<Seen>) -> Device {
        Device { client, seen, done: 0, next_seq: 1, queue: Vec::new() }
    }

    pub(crate) fn act(&mut self, id: u8, acted: u64) {
        self.queue.push(Queued { seq: self.next_seq, id, seen: self.seen, acted });
        self.next_seq += 1;
        self.done += 1;
    }

    /// Learns what an answer says, if it is for the client that it still is. `fresh` is the id of its next client; what it
    /// gives up is given back.
    pub(crate) fn hear(&mut self, client: u8, told: Told, fresh: u8) -> Vec<Queued> {
        if client != self.client {
            return Vec::new();
        }
        match told {
            Told::Synced { taken, seen } => {
                self.queue.retain(|queued| queued.seq > taken);
                self.seen = self.seen.max(Some(seen));
                Vec::new()
            }
            Told::Forked { seq } => {
                // What came before that seq was taken in with the same op ids: it is not pending any more.
                self.queue.retain(|queued| queued.seq >= seq);
                self.begin_anew(fresh);
                Vec::new()
            }
            Told::Expired { seen } => {
                let given_up = std::mem::take(&mut self.queue);
                self.begin_anew(fresh);
                self.seen = self.seen.max(Some(seen));
                given_up
            }
        }
    }

    fn begin_anew(&mut self, fresh: u8) {
        self.client = fresh;
        self.next_seq = 1;
        for queued in &mut self.queue {
            queued.seq = self.next_seq;
            self.next_seq += 1;
        }
    }
}

impl Act {
    pub(crate) fn intent(self) -> Intent {
        let named = |line: usize| LineRef::Item(item(line));
        match self {
            Act::Add(line, n) => Intent::Add(named(line), n),
            Act::Set(line, n) => Intent::Set(named(line), n),
            Act::Remove(line) => Intent::Remove(named(line)),
            Act::Clear => Intent::Clear(Some((0..LINES).map(|line| item(line).line_id()).collect())),
        }
    }
}

impl Queued {
    /// As it is sent and received at `at`.
    pub(crate) fn op(&self, act: Act, at: u64) -> Op {
        Op {
            seq: self.seq,
            op_id: u64::from(self.id) + 1,
            cart: self.seen.map(|seen| cart_id(seen.cart)),
            generation: self.seen.map(|seen| seen.generation),
            base: self.seen.map_or(0, |seen| seen.revision),
            age: Timestamp::from_ms(at).since(Timestamp::from_ms(self.acted)),
            intent: Ok(act.intent()),
        }
    }

    pub(crate) fn base(&self) -> u64 {
        self.seen.map_or(0, |seen| seen.revision)
    }
}

pub(crate) const LINES: usize = 2;
pub(crate) const DAY: u64 = 24 * 3_600_000;

pub(crate) fn item(line: usize) -> Arc<Item> {
    Arc::new(Item::new(["mug", "lamp"][line], vec![]).unwrap())
}

pub(crate) fn cart_id(name: Name) -> CartId {
    CartId::from_bytes([if name == Name::Guest { 0xa1 } else { 0xa2 }; 16])
}

pub(crate) fn client_id(client: u8) -> ClientId {
    ClientId::from_bytes([client; 16])
}

pub(crate) fn days(days: u64) -> Span {
    Span::from_days(days)
}
