//! With and without limits a line's units in cart, saved list and leftovers together are the same, whatever a guest's
//! devices send after the sign-in, by every policy: a late op finds what the merge brought wherever limits put it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use trolley_core::cart::limits::Limits;
use trolley_core::cart::merge::Merge;
use trolley_core::cart::op::{Call, Intent, LineRef, MergePolicy, Op, Outcome, SyncCall};
use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, ClientId, SessionId};
use trolley_core::time::{Span, Timestamp};

use crate::merging::filled;
use crate::owed::policy;
use crate::owed_world::lists;
use crate::quantities::act;
use crate::runner::{cases, over};
use crate::shelf::Shelf;
use crate::world::{LINES, item};

const DEVICES: usize = 2;
const MOST: u32 = 5;

/// What a shopper does on one of the guest's devices.
#[derive(Clone, Debug)]
enum Act {
    Add(usize, u32),
    Set(usize, u32),
    Remove(usize),
    Clear(Vec<usize>),
    Save(usize),
    Unsave(usize),
    Discard(usize),
    /// Of the op so many before this one.
    Undo(u64),
}

#[derive(Clone, Debug)]
enum Step {
    Act(usize, Act),
    Read(usize),
    /// Its queue goes out: to the guest's cart, or after the sign-in to the account's.
    Deliver(usize),
    /// Someone brings in a leftover, having made room; without limits there is none.
    BringIn(usize),
}

fn shopper() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (0..LINES, 1..4u32).prop_map(|(line, n)| Act::Add(line, n)),
        4 => (0..LINES, 0..=MOST).prop_map(|(line, n)| Act::Set(line, n)),
        2 => (0..LINES).prop_map(Act::Remove),
        1 => proptest::collection::vec(0..LINES, 1..LINES).prop_map(Act::Clear),
        2 => (0..LINES).prop_map(Act::Save),
        2 => (0..LINES).prop_map(Act::Unsave),
        1 => (0..LINES).prop_map(Act::Discard),
        1 => (1..4u64).prop_map(Act::Undo),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = prop_oneof![
        6 => (0..DEVICES, shopper()).prop_map(|(device, act)| Step::Act(device, act)),
        2 => (0..DEVICES).prop_map(Step::Read),
        3 => (0..DEVICES).prop_map(Step::Deliver),
        1 => (0..3usize).prop_map(Step::BringIn),
    ];
    proptest::collection::vec(one, 0..14)
}

/// The guest's devices and two accounts that it signs in to: one has limits, the other has none.
#[derive(Clone)]
struct World {
    guest: Cart,
    /// With the leftovers beside it.
    accounts: Vec<(Cart, Shelf, Limits)>,
    signed_in: bool,
    queues: [Vec<(Op, u64)>; DEVICES],
    next_seq: [u64; DEVICES],
    seen: [u64; DEVICES],
    now: u64,
}

fn client(device: usize) -> ClientId {
    ClientId::from_bytes([[40; 16], [30; 16]][device])
}

impl World {
    fn new(account: &Cart, tight: Limits) -> World {
        let limits = [tight, Limits::default()];
        let mut world = World {
            guest: Cart::new(CartId::from_bytes([2; 16]), Timestamp::from_ms(0)),
            accounts: limits.map(|limits| (account.clone(), Shelf::default(), limits)).to_vec(),
            signed_in: false,
            queues: Default::default(),
            next_seq: [1; DEVICES],
            seen: [0; DEVICES],
            now: 1_000,
        };
        // Each has said a word, so that both move along.
        (0..DEVICES).for_each(|device| drop(world.deliver(device)));
        world
    }

    fn step(&mut self, step: &Step) -> Vec<[Outcome; 2]> {
        self.now += 1;
        match step {
            Step::Act(device, act) => self.act(*device, act),
            Step::Read(device) if !self.signed_in => self.seen[*device] = self.guest.revision,
            // What it shows of the account's cart would end its time as a guest's device.
            Step::Read(_) => {}
            Step::Deliver(device) => return self.deliver(*device),
            Step::BringIn(nth) => self.bring_in(*nth),
        }
        Vec::new()
    }

    fn act(&mut self, device: usize, act: &Act) {
        let line = |line: &usize| LineRef::Item(item(*line));
        let seq = self.next_seq[device];
        let intent = match act {
            Act::Add(l, n) => Intent::Add(line(l), *n),
            Act::Set(l, n) => Intent::Set(line(l), *n),
            Act::Remove(l) => Intent::Remove(line(l)),
            Act::Clear(lines) => {
                Intent::Clear(Some(lines.iter().map(|line| item(*line).line_id()).collect()))
            }
            Act::Save(l) => Intent::Save(line(l)),
            Act::Unsave(l) => Intent::Unsave(line(l)),
            Act::Discard(l) => Intent::Discard(line(l)),
            Act::Undo(back) if *back < seq => Intent::Undo(seq - back),
            Act::Undo(_) => return,
        };
        let op = Op {
            seq,
            op_id: seq,
            cart: Some(self.guest.id),
            generation: None,
            base: self.seen[device],
            age: Span::from_ms(0),
            intent: Ok(intent),
        };
        self.next_seq[device] += 1;
        self.queues[device].push((op, self.now));
    }

    /// What each of the two accounts answers, op by op.
    fn deliver(&mut self, device: usize) -> Vec<[Outcome; 2]> {
        let aged = |(op, acted): (Op, u64)| Op { age: Span::from_ms(self.now - acted), ..op };
        let ops = std::mem::take(&mut self.queues[device]).into_iter().map(aged).collect();
        let sync = SyncCall { client: client(device), at: Timestamp::from_ms(self.now), ops };
        if !self.signed_in {
            self.guest.sync(&sync, &Limits::default()).unwrap();
            self.seen[device] = self.guest.revision;
            return Vec::new();
        }
        let mut told = (self.accounts.iter_mut())
            .map(|(cart, shelf, limits)| shelf.sync(cart, &sync, limits).unwrap().results);
        let (tight, roomy) = (told.next().unwrap(), told.next().unwrap());
        tight.iter().zip(&roomy).map(|(tight, roomy)| [tight.outcome, roomy.outcome]).collect()
    }

    fn bring_in(&mut self, nth: usize) {
        let (session, at) = (SessionId::from_bytes([3; 16]), Timestamp::from_ms(self.now));
        let roomy = Limits::default();
        for (cart, shelf, _) in &mut self.accounts {
            let Some(id) = cart.leftovers.get(nth).map(|of| of.id) else { continue };
            let _ = shelf.call(cart, &Call { session, base: None, at, intent: Intent::BringIn(id) }, &roomy);
        }
    }

    fn sign_in(&mut self, policy: MergePolicy) {
        self.now += 1;
        let (author, at) = (SessionId::from_bytes([3; 16]), Timestamp::from_ms(self.now));
        self.guest.seal(self.accounts[0].0.id);
        for (cart, shelf, limits) in &mut self.accounts {
            let asked = Merge { guest: &self.guest, policy, author, at };
            assert_eq!(shelf.merge(cart, &asked, limits), Ok(true));
        }
        self.signed_in = true;
    }

    fn units(&self, account: usize, line: usize) -> u64 {
        let (cart, shelf, _) = &self.accounts[account];
        lists(cart, line).iter().sum::<u64>() + shelf.units(cart, item(line).line_id())
    }
}

/// Limits that keep one line of five units in the cart or two, and little or nothing on the saved list.
fn tight() -> impl Strategy<Value = Limits> {
    (1..3usize, 0..2usize, 2..7u32, prop_oneof![Just(0usize), Just(280)]).prop_map(
        |(lines, saved, owed_units, saved_bytes)| Limits {
            lines,
            saved,
            owed_units,
            saved_bytes,
            quantity: MOST,
            leftover_lines: 2,
            ..Limits::default()
        },
    )
}

#[test]
fn with_and_without_limits_a_line_has_as_many_units_in_all() {
    let met = RefCell::new(BTreeMap::<&'static str, u64>::new());
    let histories = (proptest::collection::vec(act(), 0..8), steps(), policy(), steps(), tight());
    over(cases(), &histories, |(held, before, policy, after, tight)| {
        let mut world = World::new(&filled(1, &held, &Limits::default()), tight);
        before.iter().for_each(|step| drop(world.step(step)));
        world.sign_in(policy);
        let last = [Step::Deliver(0), Step::Deliver(1)];
        let mut told = Vec::new();
        for step in after.iter().chain(&last) {
            told.extend(world.step(step));
            for line in 0..LINES {
                let [tight, roomy] = [0, 1].map(|account| world.units(account, line));
                prop_assert_eq!(tight, roomy, "line {} by {:?} after {:?}", line, policy, step);
            }
        }
        let mut met = met.borrow_mut();
        let mut note = |what, is: bool| *met.entry(what).or_default() += u64::from(is);
        for [tight, roomy] in told {
            let is_clamped = tight == Outcome::Clamped;
            prop_assert_eq!(if is_clamped { Outcome::Applied } else { tight }, roomy);
            note("forwarded and clamped", is_clamped);
            note("forwarded", true);
        }
        note("left over", !world.accounts[0].0.leftovers.is_empty());
        note("saved", world.accounts[0].0.shown_saved().count() > world.accounts[1].0.shown_saved().count());
        Ok(())
    });
    for (what, times) in met.into_inner() {
        assert!(times * 20 >= cases(), "the histories hardly met \"{what}\": {times}");
    }
}
