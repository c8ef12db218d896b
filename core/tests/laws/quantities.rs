//! The main law: after every step of every history each line holds what the one sentence says.

use std::cell::RefCell;

use proptest::prelude::*;

use crate::runner::{cases, over};
use crate::world::{Act, DEVICES, LINES, Met, Step, World, quantity, tight};

pub(crate) fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (0..LINES, 1..4u32).prop_map(|(line, n)| Act::Add(line, n)),
        3 => (0..LINES, 0..6u32).prop_map(|(line, n)| Act::Set(line, n)),
        2 => (0..LINES).prop_map(Act::Remove),
        1 => proptest::collection::vec(0..LINES, 1..LINES).prop_map(Act::Clear),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let device = 0..DEVICES;
    let pass = prop_oneof![
        3 => (0..5u64).prop_map(|ms| Step::Pass { ms, days: 0 }),
        2 => (1..35u64).prop_map(|days| Step::Pass { ms: 0, days }),
        1 => (31..100u64).prop_map(|days| Step::Pass { ms: 0, days }),
    ];
    prop_oneof![
        8 => (device.clone(), act()).prop_map(|(device, act)| Step::Act(device, act)),
        8 => (device.clone(), 0..4usize, proptest::bool::weighted(0.25))
            .prop_map(|(device, most, lost)| Step::Deliver { device, most, lost }),
        3 => device.clone().prop_map(Step::Read),
        2 => (device.clone(), 1..6usize).prop_map(|(device, most)| Step::Repeat { device, most }),
        1 => (device, 0..64usize).prop_map(|(device, at)| Step::Fork { device, at }),
        3 => (1..4u8, 0..5u64, act()).prop_map(|(session, behind, act)| Step::Plain { session, behind, act }),
        1 => (1..4u8, 0..5u64).prop_map(|(session, behind)| Step::PlainClear { session, behind }),
        1 => Just(Step::Checkout),
        5 => pass,
    ]
}

#[test]
fn every_line_holds_what_the_one_sentence_says() {
    let met = RefCell::new(Met::default());
    over(cases(), &proptest::collection::vec(step(), 1..60), |steps| {
        let mut world = World::new(tight());
        for step in &steps {
            world.step(step);
            for line in 0..LINES {
                let (is, should) = (quantity(&world.cart, line), world.oracle.quantity(line));
                prop_assert_eq!(is, should, "line {} after {:?}", line, step);
            }
        }
        for (what, times) in world.met.0 {
            *met.borrow_mut().0.entry(what).or_default() += times;
        }
        Ok(())
    });
    let met = met.into_inner();
    let often = [
        "applied",
        "superseded",
        "carried",
        "duplicate",
        "answer lost",
        "expired",
        "dropped or lapsed",
        "read too long ago",
        "folded",
        "repeated",
        "repeated by a dropped client",
        "forked",
        "plain",
        "checked out",
    ];
    for what in often {
        let times = met.0.get(what).copied().unwrap_or_default();
        assert!(times * 100 >= cases(), "the histories hardly met \"{what}\": {met:?}");
    }
}
