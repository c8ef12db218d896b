//! The newest state of every record that changed since the tables were last brought up to date, decoded, in memory.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;

use trolley_core::time::Timestamp;

use crate::port::{Direction, Due, Listed, Listing, StoreError};
use crate::record;
use crate::records::{Key, Kind, Record};

use super::journal::{Entry, State};

/// What the journal says of one record.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// Its newest state; none where it is gone.
    pub(super) record: Option<Record>,
    /// When [`crate::port::Store::expired`] begins to name it.
    pub(super) expires_at: Option<Timestamp>,
    /// The row of the journal that says so.
    pub(super) seq: u64,
}

impl Slot {
    /// As a listing gives it; none where it is gone.
    pub(super) fn listed(self) -> Option<Listed> {
        Some(Listed { record: self.record?, expires_at: self.expires_at })
    }
}

/// All of them.
#[derive(Default)]
pub(super) struct Overlay {
    slots: HashMap<Key, Slot>,
    /// The records that expire at all, soonest first.
    by_expiry: BTreeSet<Due>,
    /// The records of the kinds that are listed, in the order of a listing: a page costs what it holds, not what was written lately.
    in_order: BTreeSet<Key>,
}

/// Whether records of this kind are kept in order. Of those that change with every visit nobody asks for a list.
fn is_in_order(kind: Kind) -> bool {
    !matches!(kind, Kind::Cart | Kind::Session | Kind::Token | Kind::Ledger)
}

/// The lowest and the highest key that a listing may take; none where it can take none.
fn span(listing: &Listing) -> Option<(Key, Key)> {
    let padded = |bytes: usize, by: u8| {
        let mut id = listing.prefix.clone();
        (id.len() <= bytes).then(|| id.resize(bytes, by))?;
        Key::of_parts(listing.kind as u8, &id)
    };
    let (low, high) = [0, 16, 32].into_iter().find_map(|bytes| padded(bytes, 0).zip(padded(bytes, 0xff)))?;
    let after = listing.after.as_ref().and_then(|after| Key::of_parts(listing.kind as u8, after));
    let (low, high) = match listing.direction {
        Direction::Ascending => (after.map_or(low, |after| after.max(low)), high),
        Direction::Descending => (low, after.map_or(high, |after| after.min(high))),
    };
    (low <= high).then_some((low, high))
}

impl Overlay {
    pub(super) fn get(&self, key: &Key) -> Option<&Slot> {
        self.slots.get(key)
    }

    pub(super) fn put(&mut self, key: Key, slot: Slot) {
        let expires_at = slot.expires_at.filter(|_| slot.record.is_some());
        let before = self.slots.insert(key, slot);
        if before.is_none() && is_in_order(key.kind()) {
            self.in_order.insert(key);
        }
        self.note_expiry(key, before, expires_at);
    }

    /// Takes out what row `upto` or one before it said, if that is the newest there is.
    pub(super) fn take_folded(&mut self, key: &Key, upto: u64) -> Option<Slot> {
        self.slots.get(key).filter(|slot| slot.seq <= upto)?;
        let slot = self.slots.remove(key);
        self.in_order.remove(key);
        self.note_expiry(*key, slot.clone(), None);
        slot
    }

    /// The records' keys, in the order of the tables.
    pub(super) fn keys(&self) -> Vec<Key> {
        self.slots.keys().copied().collect()
    }

    /// What the journal says of the records of a listing, in its order: of as many as are needed to find `most` that are there.
    pub(super) fn list(&self, listing: &Listing, most: usize) -> Vec<(Key, Slot)> {
        if !is_in_order(listing.kind) {
            let keys: BTreeSet<Key> =
                self.slots.keys().copied().filter(|key| key.kind() == listing.kind).collect();
            return self.list_of(&keys, listing, most);
        }
        self.list_of(&self.in_order, listing, most)
    }

    fn list_of(&self, keys: &BTreeSet<Key>, listing: &Listing, most: usize) -> Vec<(Key, Slot)> {
        let Some((low, high)) = span(listing) else { return Vec::new() };
        let range = keys.range(low..=high);
        let keys: Box<dyn Iterator<Item = &Key>> = match listing.direction {
            Direction::Ascending => Box::new(range),
            Direction::Descending => Box::new(range.rev()),
        };
        let mut there = 0;
        let mut found = Vec::new();
        for key in keys.filter(|key| listing.takes(key.kind(), key.id())) {
            let slot = &self.slots[key];
            there += usize::from(slot.record.is_some());
            found.push((*key, slot.clone()));
            if there >= most {
                break;
            }
        }
        found
    }

    /// Up to `most` records that expire at or before `now`, of those behind `after`.
    pub(super) fn due(&self, now: Timestamp, after: Option<Due>, most: usize) -> Vec<Due> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let due = self.by_expiry.range((from, Bound::Unbounded)).take_while(|due| due.at <= now);
        due.take(most).copied().collect()
    }

    /// Does again what row `seq` says.
    pub(super) fn replay(&mut self, seq: u64, entry: &Entry<'_>) -> Result<(), StoreError> {
        let key = entry.key;
        let (record, expires_at) = match entry.state {
            State::Gone => (None, None),
            State::Image(image, expires_at) => (Some(record::decode(key, image)?), expires_at),
            State::Delta(delta, expires_at) => {
                let before = self.slots.get(&key).and_then(|slot| slot.record.as_ref());
                let before =
                    before.ok_or(StoreError::Damaged { key, what: "what it changed is not there".into() })?;
                (Some(record::apply(before, delta)?), expires_at)
            }
        };
        self.put(key, Slot { record, expires_at, seq });
        Ok(())
    }

    fn note_expiry(&mut self, key: Key, before: Option<Slot>, expires_at: Option<Timestamp>) {
        if let Some(at) = before.and_then(|slot| slot.expires_at) {
            self.by_expiry.remove(&Due { at, key });
        }
        if let Some(at) = expires_at {
            self.by_expiry.insert(Due { at, key });
        }
    }
}
