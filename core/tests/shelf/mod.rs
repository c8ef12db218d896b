//! Where leftovers are kept beside carts, as a store keeps them: a change finds at hand only what core asked for, and what
//! core tells is written with the versions that a store compares.

use std::collections::BTreeMap;
use std::sync::Arc;

use trolley_core::cart::checkout::{GiveBack, GivenBack};
use trolley_core::cart::leftover::{LeftoverChange, Leftovers};
use trolley_core::cart::limits::Limits;
use trolley_core::cart::merge::Merge;
use trolley_core::cart::op::{Call, Outcome, Refusal, SyncCall, SyncOutcome, SyncRefusal};
use trolley_core::cart::state::{Cart, Leftover};
use trolley_core::ids::LeftoverId;
use trolley_core::item::LineId;

/// All leftovers of all carts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shelf {
    kept: BTreeMap<LeftoverId, Arc<Leftover>>,
}

impl Shelf {
    pub(crate) fn call(&mut self, cart: &mut Cart, call: &Call, limits: &Limits) -> Result<Outcome, Refusal> {
        let mut at_hand = self.load(&cart.leftovers_of_call(call));
        let before = cart.clone();
        let called = cart.call_with(call, limits, &mut at_hand);
        self.settle(&at_hand, called.is_ok().then_some(&before), &before, cart);
        called
    }

    pub(crate) fn sync(
        &mut self,
        cart: &mut Cart,
        sync: &SyncCall,
        limits: &Limits,
    ) -> Result<SyncOutcome, SyncRefusal> {
        let mut at_hand = self.load(&cart.leftovers_of_sync(sync));
        let before = cart.clone();
        let synced = cart.sync_with(sync, limits, &mut at_hand);
        self.settle(&at_hand, synced.is_ok().then_some(&before), &before, cart);
        synced
    }

    pub(crate) fn merge(
        &mut self,
        cart: &mut Cart,
        asked: &Merge<'_>,
        limits: &Limits,
    ) -> Result<bool, Refusal> {
        let mut at_hand = Leftovers::new();
        let before = cart.clone();
        let merged = cart.merge_with(asked, limits, &mut at_hand);
        self.settle(&at_hand, merged.is_ok().then_some(&before), &before, cart);
        merged
    }

    pub(crate) fn give_back(
        &mut self,
        cart: &mut Cart,
        asked: &GiveBack<'_>,
        limits: &Limits,
    ) -> Result<GivenBack, Refusal> {
        let mut at_hand = Leftovers::new();
        let before = cart.clone();
        let given = cart.give_back(asked, limits, &mut at_hand);
        self.settle(&at_hand, (given == Ok(GivenBack::Now)).then_some(&before), &before, cart);
        given
    }

    /// The leftovers of a cart, oldest first.
    pub(crate) fn of<'a>(&'a self, cart: &'a Cart) -> impl Iterator<Item = &'a Leftover> {
        cart.leftovers.iter().map(|of| &**self.kept.get(&of.id).expect("a leftover that a cart has is kept"))
    }

    /// Units of one line in all leftovers of a cart.
    pub(crate) fn units(&self, cart: &Cart, id: LineId) -> u64 {
        let lines = self.of(cart).flat_map(|leftover| &leftover.lines).filter(|line| line.line.id == id);
        lines.map(|line| u64::from(line.line.quantity())).sum()
    }

    /// How many there are at all.
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    fn load(&self, ids: &[LeftoverId]) -> Leftovers {
        let mut at_hand = Leftovers::new();
        for id in ids {
            at_hand.load(self.kept.get(id).expect("a leftover that a cart has is kept").clone());
        }
        at_hand
    }

    /// Writes what changed; where nothing was done, nothing may have.
    fn settle(&mut self, at_hand: &Leftovers, done: Option<&Cart>, before: &Cart, cart: &Cart) {
        let changes = at_hand.changes();
        if done.is_none() {
            assert_eq!(changes, [], "what is refused changes no leftover");
            assert_eq!(cart, before, "what is refused changes nothing");
        }
        for change in changes {
            match change {
                LeftoverChange::Put(leftover) => {
                    let stored = self.kept.get(&leftover.id).map_or(0, |stored| stored.version);
                    assert_eq!(leftover.version, stored + 1, "versions count on");
                    assert!(!leftover.lines.is_empty(), "an empty leftover goes");
                    self.kept.insert(leftover.id, leftover);
                }
                LeftoverChange::Gone(id, version) => {
                    let stored = self.kept.remove(&id).expect("what goes was there");
                    assert_eq!(stored.version, version);
                }
            }
        }
        assert!(
            cart.leftovers
                .iter()
                .all(|of| { self.kept.get(&of.id).is_some_and(|leftover| leftover.from == of.from) })
        );
    }
}
