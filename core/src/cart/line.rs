//! One line: its quantity, and what a SET, REMOVE or CLEAR does to it.

use std::sync::Arc;

use crate::ids::{ClientId, Quantity, Revision, Seq};
use crate::item::{Item, LineId};
use crate::time::Timestamp;

use super::stamp::Stamp;
use super::state::{Add, Author, Line, Register};

impl Line {
    /// A line that holds nothing yet.
    pub(super) fn empty(id: LineId, item: Option<Arc<Item>>, at: Timestamp) -> Line {
        Line {
            id,
            item,
            register: None,
            adds: Vec::new(),
            guests: Vec::new(),
            price: None,
            added_at: at,
            updated_at: at,
        }
    }

    /// The register's value plus the adds.
    pub fn quantity(&self) -> Quantity {
        let set = self.register.as_ref().map_or(0, |register| u64::from(register.n));
        let added: u64 = self.adds.iter().map(|add| u64::from(add.n)).sum();
        Quantity::try_from(set + added).unwrap_or(Quantity::MAX)
    }

    /// Whether the shopper sees it.
    pub fn is_shown(&self) -> bool {
        self.register.as_ref().is_some_and(|register| register.n > 0) || !self.adds.is_empty()
    }

    /// Whether nothing is left of it that an op could still meet.
    pub(super) fn is_bare(&self) -> bool {
        self.register.is_none() && self.adds.is_empty() && self.guests.is_empty()
    }

    /// Bytes of its sku and options.
    pub(super) fn text_bytes(&self) -> usize {
        self.item.as_ref().map_or(0, |item| item.text_bytes())
    }

    /// Appends units.
    pub(super) fn add(&mut self, stamp: &Stamp, n: Quantity) {
        self.adds.push(stamp.add(n));
    }

    /// A SET, or with `n` = 0 a REMOVE or CLEAR: the adds its writer had observed go, and the newer register stays.
    pub(super) fn write(&mut self, stamp: &Stamp, n: Quantity) -> Written {
        let mut dropped = self.drop_adds(|add| stamp.observes(add));
        let own = stamp.register(self.register.as_ref(), n);
        let eff = own.eff;
        let won = self.register.as_ref().is_none_or(|old| old.rank() < own.rank());
        if won {
            dropped += self.register.as_ref().map_or(0, |old| old.n);
            self.register = Some(own);
        }
        Written { won, dropped, eff }
    }

    /// Units that it would lose to a REMOVE of this author.
    pub(super) fn would_lose(&self, stamp: &Stamp) -> Quantity {
        let mut after = self.clone();
        after.write(stamp, 0);
        self.quantity().saturating_sub(after.quantity())
    }

    /// Gives `n` of the units away that this author had observed, its own first and imported ones last: they stand as they
    /// stood, only fewer.
    pub(super) fn give_units(&mut self, stamp: &Stamp, n: Quantity) {
        let mut wanted = n;
        let mut give = |held: &mut Quantity| {
            let given = wanted.min(*held);
            *held -= given;
            wanted -= given;
        };
        for imported in [false, true] {
            let observed = |add: &&mut Add| stamp.observes(add) && add.origin.is_some() == imported;
            self.adds.iter_mut().filter(observed).for_each(|add| give(&mut add.n));
        }
        if let Some(register) = &mut self.register {
            give(&mut register.n);
        }
        self.adds.retain(|add| add.n > 0);
    }

    /// Drops the adds that `goes` names, and says how many units they held.
    pub(super) fn drop_adds(&mut self, goes: impl Fn(&Add) -> bool) -> Quantity {
        let mut dropped = 0;
        self.adds.retain(|add| {
            let gone = goes(add);
            dropped += if gone { add.n } else { 0 };
            !gone
        });
        dropped
    }
}

/// What a SET, REMOVE or CLEAR did to a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    /// Its register is the line's now.
    pub(super) won: bool,
    /// The units it dropped: the adds it had observed and the register it replaced.
    pub(super) dropped: Quantity,
    /// The time it counts as made at.
    pub(super) eff: Timestamp,
}

impl Register {
    /// By which the newer of two registers is told.
    pub(super) fn rank(&self) -> (Timestamp, Revision, [u8; 16], Seq) {
        (self.eff, self.base, self.author.bytes(), self.seq)
    }
}

impl Author {
    /// The 16 bytes of its id: sessions and devices share one order.
    pub fn bytes(&self) -> [u8; 16] {
        match self {
            Author::Device(client) => *client.bytes(),
            Author::Session(session) => *session.bytes(),
        }
    }

    /// The device's queue, if it is one.
    pub fn client(&self) -> Option<ClientId> {
        match self {
            Author::Device(client) => Some(*client),
            Author::Session(_) => None,
        }
    }
}
