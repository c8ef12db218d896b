//! The service against the one sentence, over real HTTP: random histories of devices whose answers are lost, whose
//! deliveries come twice and out of turn, and whose server is killed and started again in between; of a guest, or of an
//! account into whose cart a guest's comes, with what the guest's device still sends afterwards.
//!
//! `HISTORIES` is how many (2,000 unless set), `HISTORIES_SEED` which. A failure prints the seed and a history cut down to
//! what it takes.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::devices::{DEVICES, LINES, World};
use crate::shop::Shop;

/// What a shopper does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Add(usize, u64),
    Set(usize, u64),
    Remove(usize),
    Clear(Vec<usize>),
}

/// One step of a history.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Somebody acts on a device, whose clock may be so many ticks wrong.
    Act { device: usize, act: Act, wrong: i64 },
    /// A device sends up to so many of its queue.
    Deliver { device: usize, most: usize, fate: Fate },
    /// What a device sent so many times ago comes once more.
    Again { back: usize },
    /// A device reads the cart.
    Read(usize),
    /// A tab acts, having seen the cart so many revisions ago.
    Plain { behind: u64, act: Act },
    /// The cart is checked out.
    CheckOut,
    /// The guest among an account's devices signs in; the server may be killed meanwhile.
    SignIn { killed: Option<u64> },
}

/// Whose devices they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// One guest's, which share a session.
    Guest,
    /// An account's, each with its session, and a guest's who signs in to it.
    Account,
}

/// What the devices' clocks are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clocks {
    True,
    /// Some are wrong: which of two writes at once stands may differ, and nothing else.
    Lie,
    /// All that the devices do is of one millisecond.
    Still,
}

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Heard,
    /// It arrives and its answer does not.
    Unheard,
    /// The server is killed so many tenths of a millisecond after it was sent, and started again.
    Killed(u64),
}

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (0..LINES, 1..4_u64).prop_map(|(line, n)| Act::Add(line, n)),
        3 => (0..LINES, 1..6_u64).prop_map(|(line, n)| Act::Set(line, n)),
        2 => (0..LINES).prop_map(Act::Remove),
        1 => proptest::collection::vec(0..LINES, 1..=LINES).prop_map(Act::Clear),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        60 => Just(Fate::Heard),
        30 => Just(Fate::Unheard),
        1 => (0..30_u64).prop_map(Fate::Killed),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..DEVICES, act(), -40..40_i64).prop_map(|(device, act, wrong)| Step::Act { device, act, wrong }),
        6 => (0..DEVICES, 1..5_usize, fate())
            .prop_map(|(device, most, fate)| Step::Deliver { device, most, fate }),
        2 => (0..6_usize).prop_map(|back| Step::Again { back }),
        3 => (0..DEVICES).prop_map(Step::Read),
        2 => (0..4_u64, act()).prop_map(|(behind, act)| Step::Plain { behind, act }),
        1 => Just(Step::CheckOut),
        1 => proptest::option::weighted(0.05, 0..60_u64).prop_map(|killed| Step::SignIn { killed }),
    ]
}

fn story() -> impl Strategy<Value = (Who, Clocks)> {
    prop_oneof![
        3 => Just((Who::Guest, Clocks::True)),
        1 => Just((Who::Guest, Clocks::Lie)),
        1 => Just((Who::Guest, Clocks::Still)),
        3 => Just((Who::Account, Clocks::True)),
        1 => Just((Who::Account, Clocks::Still)),
    ]
}

#[test]
#[ignore = "system: ./check runs it"]
fn every_history_leaves_the_cart_that_the_one_sentence_says() {
    let (cases, seed) = (setting("HISTORIES", 2_000), setting("HISTORIES_SEED", 1));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: u32::try_from(cases).expect("not that many"),
        max_shrink_iters: 500,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let (shop, told) = (RefCell::new(Shop::open()), Cell::new(0));
    let histories = (proptest::collection::vec(step(), 1..30), story());
    let run = runner.run(&histories, |(history, (who, clocks))| {
        told.set(told.get() + 1);
        // Where an assertion fails the server may be down: the next history begins with a fresh one.
        let played = catch_unwind(AssertUnwindSafe(|| {
            let mut shop = shop.borrow_mut();
            let mut world = World::new(&mut shop, told.get(), who, clocks);
            history.iter().for_each(|step| world.step(step));
            world.settle();
        }));
        played.map_err(|broken| {
            *shop.borrow_mut() = Shop::open();
            let words = broken.downcast_ref::<String>().cloned();
            TestCaseError::fail(words.unwrap_or_else(|| "it panicked".to_owned()))
        })
    });
    if let Err(broken) = run {
        panic!("HISTORIES_SEED={seed}: {broken}");
    }
}
