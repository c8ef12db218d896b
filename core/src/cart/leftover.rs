//! Leftovers: what a cart is owed and has no room for, as records beside it. The cart keeps their names alone.
//!
//! Nothing here loads or stores. Whoever changes a cart asks first which leftovers the change may touch
//! ([`Cart::leftovers_of_call`], [`Cart::leftovers_of_sync`]), puts those at hand, and afterwards writes what
//! [`Leftovers::changes`] tells in the same commit as the cart.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::ids::{CartId, LeftoverId, Revision};
use crate::time::Timestamp;

use super::op::{Call, Intent, OpKind, SyncCall};
use super::state::{Author, Cart, Change, Leftover, LeftoverFrom, LeftoverRef};

/// The leftovers of a cart that are at hand while it is changed.
#[derive(Clone, Debug, Default)]
pub struct Leftovers {
    loaded: Vec<Arc<Leftover>>,
    held: Vec<Arc<Leftover>>,
    closed: bool,
}

/// What to write of a leftover, in one commit with the cart.
#[derive(Clone, Debug, PartialEq)]
pub enum LeftoverChange {
    /// It is new or has changed: all of it.
    Put(Arc<Leftover>),
    /// It is no more; the version is the one that is stored.
    Gone(LeftoverId, u64),
}

impl Leftovers {
    /// None yet; changes may make some.
    pub fn new() -> Leftovers {
        Leftovers::default()
    }

    /// For a caller that keeps none: what would be left over is refused as `too_many_leftovers`, and nothing is lost.
    pub fn closed() -> Leftovers {
        Leftovers { closed: true, ..Leftovers::default() }
    }

    /// Puts a stored one at hand.
    pub fn load(&mut self, leftover: Arc<Leftover>) {
        if !self.knows(leftover.id) {
            self.loaded.push(leftover.clone());
            self.held.push(leftover);
        }
    }

    /// Whether this one was loaded or made here, also where it is gone again.
    pub fn knows(&self, id: LeftoverId) -> bool {
        self.loaded.iter().chain(&self.held).any(|leftover| leftover.id == id)
    }

    /// Those that are at hand now.
    pub fn held(&self) -> &[Arc<Leftover>] {
        &self.held
    }

    /// What became of them since they were loaded. Versions count on by one, however many ops there were.
    pub fn changes(&self) -> Vec<LeftoverChange> {
        let before = |id| self.loaded.iter().find(|loaded| loaded.id == id);
        let changed = self.held.iter().filter_map(|now| match before(now.id) {
            Some(before) if before == now => None,
            before => {
                let version = before.map_or(0, |before| before.version) + 1;
                Some(LeftoverChange::Put(Arc::new(Leftover { version, ..Leftover::clone(now) })))
            }
        });
        let gone = self.loaded.iter().filter(|before| self.get(before.id).is_none());
        changed.chain(gone.map(|before| LeftoverChange::Gone(before.id, before.version))).collect()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn get(&self, id: LeftoverId) -> Option<&Arc<Leftover>> {
        self.held.iter().find(|leftover| leftover.id == id)
    }

    pub(super) fn get_mut(&mut self, id: LeftoverId) -> Option<&mut Leftover> {
        self.held.iter_mut().find(|leftover| leftover.id == id).map(Arc::make_mut)
    }

    pub(super) fn make(&mut self, id: LeftoverId, from: LeftoverFrom, at: Timestamp) {
        self.held.push(Arc::new(Leftover { id, version: 0, from, at, lines: Vec::new() }));
    }

    pub(super) fn remove(&mut self, id: LeftoverId) {
        self.held.retain(|leftover| leftover.id != id);
    }
}

impl Leftover {
    /// Units of all its lines.
    pub fn quantity(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.line.quantity())).sum()
    }
}

impl LeftoverRef {
    /// The name of the `nth` leftover that a cart makes at a revision. Revisions never come again, so neither do names.
    pub(super) fn name(cart: CartId, revision: Revision, nth: u64) -> LeftoverId {
        let mut digest = Sha256::new_with_prefix(b"leftover");
        digest.update(cart.bytes());
        digest.update(revision.to_be_bytes());
        digest.update(nth.to_be_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&digest.finalize()[..16]);
        LeftoverId::from_bytes(id)
    }

    /// Whether UNDO of a merge takes of it: the merge made it, or it came along.
    pub(super) fn is_of_merge(&self, merge: &Change) -> bool {
        merge.kind == OpKind::Merge && self.revision == merge.revision
    }
}

impl Cart {
    /// The leftovers that a plain call may touch. Merges, cancels and checkouts touch none that is there.
    pub fn leftovers_of_call(&self, call: &Call) -> Vec<LeftoverId> {
        if self.leftovers.is_empty() {
            return Vec::new();
        }
        match call.intent {
            Intent::Undo(revision) => {
                let change = self.ring.iter().find(|change| change.revision == revision);
                change.map_or_else(Vec::new, |change| self.leftovers_of_undo(change))
            }
            Intent::BringIn(id) | Intent::DropLeftover(id) => self.named(|of| of.id == id),
            _ if self.is_late(call.base.unwrap_or(self.revision), None) => self.named(LeftoverRef::is_late),
            _ => Vec::new(),
        }
    }

    /// The leftovers that a delivery may touch.
    pub fn leftovers_of_sync(&self, sync: &SyncCall) -> Vec<LeftoverId> {
        if self.leftovers.is_empty() {
            return Vec::new();
        }
        let client = self.clients.iter().find(|client| client.id == sync.client);
        let guest = client.and_then(|client| client.guest).map(|guest| guest.cart);
        let undone = |seq: u64| {
            let author = Author::Device(sync.client);
            self.ring.iter().rev().find(|change| change.author == author && change.seq == seq)
        };
        let mut ids = self.named(|of| guest.is_some_and(|guest| of.from == LeftoverFrom::Merge(guest)));
        if guest.is_some() || sync.ops.iter().any(|op| self.is_late(op.base, op.generation)) {
            ids.extend(self.named(LeftoverRef::is_late));
        }
        for op in &sync.ops {
            if let Ok(Intent::Undo(seq)) = op.intent {
                ids.extend(undone(seq).iter().flat_map(|change| self.leftovers_of_undo(change)));
            }
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn leftovers_of_undo(&self, change: &Change) -> Vec<LeftoverId> {
        let own = change.leftover.as_ref().map(|of| of.id);
        self.named(|of| of.is_of_merge(change) || Some(of.id) == own)
    }

    fn named(&self, wanted: impl Fn(&LeftoverRef) -> bool) -> Vec<LeftoverId> {
        self.leftovers.iter().filter(|of| wanted(of)).map(|of| of.id).collect()
    }

    /// Whether the cart still has this one.
    pub(super) fn has_leftover(&self, id: LeftoverId) -> bool {
        self.leftovers.iter().any(|of| of.id == id)
    }
}

impl LeftoverRef {
    /// Whether late ops may be added to it.
    fn is_late(&self) -> bool {
        matches!(self.from, LeftoverFrom::Late(_)) && !self.followed
    }
}
