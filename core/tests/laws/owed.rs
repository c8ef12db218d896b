//! What is owed is never lost: with tiny limits, over merges by every policy, cancels, late ops, undo, save, unsave, what is
//! brought out of leftovers, and folding, every unit is in the cart, on the saved list, in a leftover or in an order.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use trolley_core::cart::op::{MergePolicy, OpKind};

use crate::owed_world::{Told, World, tiny};
use crate::runner::{cases, over};
use crate::world::LINES;

/// What is done to the account's cart, or to the guest's.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Add(usize, u32),
    Set(usize, u32),
    Save(usize, u64),
    Unsave(usize, u64),
    Discard(usize),
    /// Takes back the change so many before the last.
    Undo(u64),
    Checkout,
    /// Cancels an order, or cancels it again.
    Cancel(usize),
    /// An ADD that was meant for the cart before its last checkout.
    Late(usize, u32),
    BringIn(usize),
    Drop(usize),
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Account(Deed),
    Guest(Deed),
    SignIn(MergePolicy),
    /// Two months pass, and what can be folded is.
    Pass,
}

fn deed() -> impl Strategy<Value = Deed> {
    let line = 0..LINES;
    prop_oneof![
        7 => (line.clone(), 1..4u32).prop_map(|(line, n)| Deed::Add(line, n)),
        1 => (line.clone(), 0..4u32).prop_map(|(line, n)| Deed::Set(line, n)),
        3 => (line.clone(), 0..2u64).prop_map(|(line, behind)| Deed::Save(line, behind)),
        3 => (line.clone(), 0..2u64).prop_map(|(line, behind)| Deed::Unsave(line, behind)),
        1 => line.clone().prop_map(Deed::Discard),
        3 => (0..4u64).prop_map(Deed::Undo),
        5 => Just(Deed::Checkout),
        6 => (0..4usize).prop_map(Deed::Cancel),
        5 => (line, 1..4u32).prop_map(|(line, n)| Deed::Late(line, n)),
        8 => (0..3usize).prop_map(Deed::BringIn),
        1 => (0..3usize).prop_map(Deed::Drop),
    ]
}

pub(crate) fn policy() -> impl Strategy<Value = MergePolicy> {
    prop_oneof![
        Just(MergePolicy::Sum),
        Just(MergePolicy::Max),
        Just(MergePolicy::KeepAccount),
        Just(MergePolicy::KeepGuest)
    ]
}

fn step() -> impl Strategy<Value = Vec<Step>> {
    let row = |deeds: Vec<Deed>| deeds.into_iter().map(Step::Account).collect();
    prop_oneof![
        8 => deed().prop_map(|deed| vec![Step::Account(deed)]),
        8 => deed().prop_map(|deed| vec![Step::Guest(deed)]),
        2 => policy().prop_map(|policy| vec![Step::SignIn(policy)]),
        1 => Just(vec![Step::Pass]),
        // What makes room, and then what needs it.
        1 => Just(row(vec![Deed::Checkout, Deed::BringIn(0)])),
        1 => Just(row(vec![Deed::Checkout, Deed::BringIn(1), Deed::Undo(0)])),
        1 => Just(row(vec![Deed::Cancel(0), Deed::Drop(0), Deed::Cancel(0)])),
    ]
}

type Units = [u64; LINES];

/// Units of each line as they must be after a step, as far as the step's own answer tells them.
fn must_be(step: &Step, told: &Told, before: Units) -> Option<Units> {
    let mut after = before;
    match (step, told) {
        (_, Told::Refused) | (Step::Pass, _) => {}
        (Step::Account(deed) | Step::Guest(deed), told) => match (deed, told) {
            (Deed::Add(line, n) | Deed::Late(line, n), _) => after[*line] += u64::from(*n),
            (Deed::Drop(_), Told::Dropped(units)) => (0..LINES).for_each(|line| after[line] -= units[line]),
            (Deed::Undo(_), Told::Undone(OpKind::Save | OpKind::Unsave | OpKind::BringIn)) => {}
            (Deed::Set(..) | Deed::Discard(_) | Deed::Undo(_) | Deed::Drop(_), _) => return None,
            _ => {}
        },
        (Step::SignIn(_), Told::CameIn(units)) => (0..LINES).for_each(|line| after[line] += units[line]),
        (Step::SignIn(_), _) => return None,
    }
    Some(after)
}

#[test]
fn every_unit_is_in_the_cart_saved_left_over_or_in_an_order() {
    let met = RefCell::new(BTreeMap::<&'static str, u64>::new());
    over(cases(), &(tiny(), proptest::collection::vec(step(), 1..60)), |(limits, steps)| {
        let steps = steps.concat();
        let mut world = World::new(limits);
        for step in &steps {
            let on_guest = matches!(step, Step::Guest(_));
            let (before, other) = (world.units(on_guest), world.units(!on_guest));
            let told = world.step(step);
            // A sign-in empties the guest's side.
            if !matches!(step, Step::SignIn(_)) {
                prop_assert_eq!(world.units(!on_guest), other, "the other cart after {:?}", step);
            }
            if let Some(must) = must_be(step, &told, before) {
                prop_assert_eq!(world.units(on_guest), must, "after {:?}: {:?}", step, told);
            }
            world.undo_of_the_last_merge_leaves_what_was_before(step, before)?;
            world.is_sound()?;
        }
        for (what, times) in world.met {
            *met.borrow_mut().entry(what).or_default() += times;
        }
        Ok(())
    });
    let met = met.into_inner();
    for what in [
        "merged",
        "merged, some of it left over",
        "a sign-in refused for leftovers",
        "given back",
        "given back twice",
        "owed by the order",
        "given back later",
        "a late add left over",
        "a late add refused for leftovers",
        "brought in whole",
        "brought in part",
        "nothing of it fitted",
        "dropped",
        "unsaved in part",
        "saved beyond the limits",
        "a merge undone with its leftovers",
        "a bring-in undone",
        "folded",
    ] {
        let times = met.get(what).copied().unwrap_or_default();
        assert!(times * 500 >= cases(), "the histories hardly met \"{what}\": {met:?}");
    }
}
