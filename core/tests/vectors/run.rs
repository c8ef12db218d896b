//! Runs one vector: its start, its queues in every order, its steps; and compares.

use std::collections::BTreeMap;

use trolley_core::cart::op::Intent;

use crate::compare;
use crate::interleave;
use crate::parse::{Step, Vector, View};
use crate::world::{Answer, World};

/// The cart of a step that names none.
const CART: &str = "C";
/// Between two deliveries of the queues.
const BETWEEN_MS: u64 = 1_000;

/// Whether the vector holds; else what broke, and where.
pub(crate) fn check(vector: &Vector, starts: &BTreeMap<String, Vec<Step>>) -> Result<(), String> {
    let mut world = World::new(vector);
    let start = vector.start.iter().flat_map(|name| {
        starts.get(name).unwrap_or_else(|| panic!("{}: no start is called {name}", vector.name))
    });
    for (place, step) in start.enumerate() {
        take(&mut world, step).map_err(|broken| format!("start, step {}: {broken}", place + 1))?;
    }
    if !vector.queues.is_empty() {
        world.turn_clock_to(vector.queues_from.unwrap_or(BETWEEN_MS));
    }
    let (names, queues): (Vec<_>, Vec<_>) = vector.queues.iter().unzip();
    for order in interleave::orders(&queues.iter().map(|queue| queue.len()).collect::<Vec<_>>()) {
        let told: Vec<_> = order.iter().map(|queue| names[*queue].as_str()).collect();
        run_order(vector, world.clone(), &queues, &order).map_err(|broken| {
            if told.is_empty() { broken } else { format!("in the order {told:?}: {broken}") }
        })?;
    }
    Ok(())
}

fn run_order(
    vector: &Vector,
    mut world: World,
    queues: &[&Vec<Step>],
    order: &[usize],
) -> Result<(), String> {
    let mut taken = vec![0; queues.len()];
    for &queue in order {
        let step = &queues[queue][taken[queue]];
        taken[queue] += 1;
        take(&mut world, step).map_err(|broken| format!("delivery {}: {broken}", taken[queue]))?;
        world.wait(BETWEEN_MS);
    }
    for (place, step) in vector.steps.iter().enumerate() {
        take(&mut world, step).map_err(|broken| format!("step {}: {broken}", place + 1))?;
    }
    let in_order = vector.queues.is_empty();
    for (name, view) in &vector.ends {
        let whole = View {
            saved: Some(view.saved.clone().unwrap_or_default()),
            leftovers: Some(view.leftovers.clone().unwrap_or_default()),
            generation: Some(view.generation.unwrap_or(0)),
            ..view.clone()
        };
        compare::view(&whole, &world.seen(name), in_order)
            .map_err(|broken| format!("at the end, cart {name}: {broken}"))?;
    }
    Ok(())
}

/// Takes one step and compares what it answered. A refusal must change nothing; a delivery that is taken in is sent a
/// second time, on a copy, and must do nothing more.
fn take(world: &mut World, step: &Step) -> Result<(), String> {
    if let Some(ms) = step.at {
        world.turn_clock_to(ms);
    }
    let on = step.on.as_deref().unwrap_or(CART);
    let before = world.seen(on);
    let answer = carry_out(world, on, step);
    if let Answer::Refused { code, .. } = &answer
        && world.seen(on) != before
    {
        return Err(format!("refused as {code}, and yet the cart has changed"));
    }
    if let (Answer::Synced { .. }, Some(_)) = (&answer, &step.sync) {
        let mut again = world.clone();
        let repeated = carry_out(&mut again, on, step);
        compare::is_repetition(&answer, &repeated, &world.seen(on), &again.seen(on))?;
    }
    let read = step.read.as_deref().unwrap_or(on);
    match &step.expect {
        Some(expect) => compare::answer(expect, &answer, &world.seen(read)),
        None => compare::unexpected(&answer),
    }
}

fn carry_out(world: &mut World, on: &str, step: &Step) -> Answer {
    let kinds = [
        step.sync.is_some(),
        step.call.is_some(),
        step.checkout.is_some(),
        step.cancel.is_some(),
        step.merge.is_some(),
        step.bring_in.is_some(),
        step.drop.is_some(),
        step.read.is_some(),
        step.wait_ms.is_some(),
    ];
    assert_eq!(kinds.iter().filter(|is| **is).count(), 1, "a step is of one kind: {step:?}");
    if let Some(sync) = &step.sync {
        world.sync(on, sync)
    } else if let Some(call) = &step.call {
        world.call(on, call)
    } else if let Some(order) = &step.checkout {
        world.checkout(on, order)
    } else if let Some(order) = &step.cancel {
        world.cancel(on, order)
    } else if let Some(merge) = &step.merge {
        world.merge(on, merge)
    } else if let Some(nth) = step.bring_in {
        world.leftover(on, nth, Intent::BringIn)
    } else if let Some(nth) = step.drop {
        world.leftover(on, nth, Intent::DropLeftover)
    } else {
        world.wait(step.wait_ms.unwrap_or(0));
        Answer::Nothing
    }
}
