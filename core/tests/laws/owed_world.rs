//! An account's cart and a guest's with their orders and leftovers, under limits so tiny that every edge is common.

use std::collections::BTreeMap;

use proptest::prelude::*;
use trolley_core::cart::checkout::{CheckedOut, Checkout, GiveBack, GivenBack};
use trolley_core::cart::limits::Limits;
use trolley_core::cart::merge::Merge;
use trolley_core::cart::op::{Call, Intent, LineRef, MergePolicy, OpKind, Outcome, Refusal};
use trolley_core::cart::state::{AppliedKey, Cart, Holder};
use trolley_core::ids::{CartId, OrderId, SessionId};
use trolley_core::time::{Span, Timestamp};

use crate::owed::{Deed, Step};
use crate::shelf::Shelf;
use crate::world::{LINES, item};

const MONTHS: u64 = 62 * 24 * 3_600_000;

type Units = [u64; LINES];

/// One line or two of three units; no saved line or one, or two with owed ones, of five units; two leftovers.
pub(crate) fn tiny() -> impl Strategy<Value = Limits> {
    let saved_bytes = prop_oneof![2 => Just(0usize), 1 => Just(280)];
    (1..3usize, 0..2usize, saved_bytes, 3..6u32).prop_map(|(lines, saved, saved_bytes, owed_units)| Limits {
        lines,
        saved,
        quantity: 3,
        owed_units,
        saved_bytes,
        leftovers: 2,
        leftover_lines: 3,
        ring_least: 6,
        ring_for: Span::from_hours(1),
        line_adds: 6,
        ..Limits::default()
    })
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Open,
    Owed,
    Given,
}

#[derive(Clone, Debug)]
struct Order {
    of_guest: bool,
    lines: Vec<CheckedOut>,
    state: State,
    /// The cart that has its lines remembers that it has.
    has_key: bool,
}

/// What a step said.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Refused,
    Done,
    /// What a leftover held that was dropped.
    Dropped(Units),
    Undone(OpKind),
    /// What a sign-in must bring.
    CameIn(Units),
}

pub(crate) struct World {
    account: Cart,
    guest: Cart,
    shelf: Shelf,
    orders: Vec<Order>,
    guests: u8,
    now: u64,
    limits: Limits,
    pub(crate) met: BTreeMap<&'static str, u64>,
}

impl World {
    pub(crate) fn new(limits: Limits) -> World {
        let at = Timestamp::from_ms(MONTHS * 10);
        let account = Cart::held_by(Holder::Account, CartId::from_bytes([1; 16]), at);
        let guest = Cart::new(CartId::from_bytes([2; 16]), at);
        let met = BTreeMap::new();
        World {
            account,
            guest,
            shelf: Shelf::default(),
            orders: Vec::new(),
            guests: 2,
            now: at.as_ms(),
            limits,
            met,
        }
    }

    /// Units of each line that one of the two owns, wherever they are.
    pub(crate) fn units(&self, of_guest: bool) -> Units {
        let cart = if of_guest { &self.guest } else { &self.account };
        std::array::from_fn(|line| {
            let orders = self.orders.iter().filter(|order| order.of_guest == of_guest);
            let open = orders.filter(|order| order.state != State::Given).flat_map(|order| &order.lines);
            let ordered =
                open.filter(|taken| taken.item == item(line)).map(|taken| u64::from(taken.quantity));
            let [shown, saved] = lists(cart, line);
            shown + saved + self.shelf.units(cart, item(line).line_id()) + ordered.sum::<u64>()
        })
    }

    pub(crate) fn step(&mut self, step: &Step) -> Told {
        self.now += 10;
        match step {
            Step::Account(deed) => self.deed(deed, false),
            Step::Guest(deed) => self.deed(deed, true),
            Step::SignIn(policy) => self.sign_in(*policy),
            Step::Pass => {
                self.now += MONTHS;
                Told::Done
            }
        }
    }

    fn note(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    fn at(&self) -> (SessionId, Timestamp) {
        (SessionId::from_bytes([3; 16]), Timestamp::from_ms(self.now))
    }

    fn cart(&self, of_guest: bool) -> &Cart {
        if of_guest { &self.guest } else { &self.account }
    }

    fn call(&mut self, of_guest: bool, intent: Intent, base: Option<u64>) -> Result<Outcome, Refusal> {
        let (session, at) = self.at();
        let cart = if of_guest { &mut self.guest } else { &mut self.account };
        let floor = cart.floor;
        let called = self.shelf.call(cart, &Call { session, base, at, intent }, &self.limits);
        if cart.floor > floor {
            self.note("folded");
        }
        called
    }

    fn deed(&mut self, deed: &Deed, of_guest: bool) -> Told {
        let cart = self.cart(of_guest);
        let revision = cart.revision;
        let behind = |behind: u64| (behind > 0).then(|| revision.saturating_sub(behind));
        let line = |line: usize| LineRef::Item(item(line));
        let leftover = |nth: usize| cart.leftovers.get(nth).map(|of| of.id);
        let (intent, base) = match deed {
            Deed::Add(l, n) => (Intent::Add(line(*l), *n), None),
            Deed::Set(l, n) => (Intent::Set(line(*l), *n), None),
            Deed::Save(l, seen) => (Intent::Save(line(*l)), behind(*seen)),
            Deed::Unsave(l, seen) => (Intent::Unsave(line(*l)), behind(*seen)),
            Deed::Discard(l) => (Intent::Discard(line(*l)), None),
            Deed::Undo(back) => return self.undo(of_guest, revision.saturating_sub(*back)),
            Deed::Checkout => return self.check_out(of_guest),
            Deed::Cancel(order) => return self.cancel(of_guest, *order),
            Deed::Late(l, n) => return self.late(of_guest, *l, *n),
            Deed::BringIn(nth) => match leftover(*nth) {
                Some(id) => (Intent::BringIn(id), None),
                None => return Told::Refused,
            },
            Deed::Drop(nth) => match leftover(*nth) {
                Some(id) => (Intent::DropLeftover(id), None),
                None => return Told::Refused,
            },
        };
        let left: Units = std::array::from_fn(|line| {
            let Intent::DropLeftover(id) = &intent else { return 0 };
            let dropped = self.shelf.of(cart).filter(|leftover| leftover.id == *id);
            let lines = dropped.flat_map(|leftover| &leftover.lines);
            let of_line = lines.filter(|held| held.line.id == item(line).line_id());
            of_line.map(|held| u64::from(held.line.quantity())).sum()
        });
        let called = self.call(of_guest, intent.clone(), base);
        match (deed, called) {
            (Deed::BringIn(_), Ok(Outcome::Applied)) => self.note("brought in whole"),
            (Deed::BringIn(_), Ok(Outcome::Clamped)) => self.note("brought in part"),
            (Deed::BringIn(_), Err(_)) => self.note("nothing of it fitted"),
            (Deed::Unsave(..), Ok(Outcome::Clamped)) => self.note("unsaved in part"),
            (Deed::Drop(_), Ok(_)) => {
                self.note("dropped");
                return Told::Dropped(left);
            }
            (_, Err(_)) => return Told::Refused,
            _ => {}
        }
        Told::Done
    }

    fn undo(&mut self, of_guest: bool, target: u64) -> Told {
        let (cart, before) = (self.cart(of_guest), self.units(of_guest));
        let Some(change) = cart.history().find(|change| change.revision == target).cloned() else {
            let _ = self.call(of_guest, Intent::Undo(target), None);
            return Told::Refused;
        };
        let was = cart.clone();
        let undone = self.call(of_guest, Intent::Undo(target), None);
        let (after, had) = (self.units(of_guest), was.leftovers.len());
        if undone.is_err() {
            return Told::Refused;
        }
        if change.kind == OpKind::Merge && self.cart(of_guest).leftovers.len() < had {
            self.note("a merge undone with its leftovers");
        }
        if change.kind == OpKind::BringIn {
            self.note("a bring-in undone");
        }
        if matches!(change.kind, OpKind::Add | OpKind::Merge) {
            assert!((0..LINES).all(|line| after[line] <= before[line]), "an undo of {change:?} makes units");
        }
        // What was asked for may be refused for a limit; what is saved goes back there whatever the limits.
        Told::Undone(change.kind)
    }

    fn check_out(&mut self, of_guest: bool) -> Told {
        let (session, at) = self.at();
        let cart = if of_guest { &mut self.guest } else { &mut self.account };
        match cart.checkout(&Checkout::of_all(session, at), &self.limits) {
            Ok(lines) => {
                self.orders.push(Order { of_guest, lines, state: State::Open, has_key: false });
                Told::Done
            }
            Err(_) => Told::Refused,
        }
    }

    fn cancel(&mut self, of_guest: bool, nth: usize) -> Told {
        let (author, at) = self.at();
        let mut mine = (0..self.orders.len()).rev().filter(|nth| self.orders[*nth].of_guest == of_guest);
        let Some(place) = mine.nth(nth) else { return Told::Refused };
        let order = &self.orders[place];
        let id = OrderId::from_bytes([u8::try_from(place % 250).unwrap(); 16]);
        let cart = if of_guest { &mut self.guest } else { &mut self.account };
        let asked = GiveBack { order: id, lines: &order.lines, author, at };
        let before = order.state;
        // The order is marked, so the cart's own key may go; half of them keep it.
        if before == State::Given && !order.has_key {
            return Told::Done;
        }
        let given = self.shelf.give_back(cart, &asked, &self.limits).unwrap();
        let full = cart.leftovers.len() == self.limits.leftovers;
        let (after, what) = match (before, given) {
            (State::Open, GivenBack::Now) => (State::Given, "given back"),
            (State::Owed, GivenBack::Now) => (State::Given, "given back later"),
            (State::Given, GivenBack::Before) => (State::Given, "given back twice"),
            (State::Open | State::Owed, GivenBack::Owed) if full => (State::Owed, "owed by the order"),
            (before, given) => panic!("{before:?} and {given:?}"),
        };
        let has_key = !place.is_multiple_of(2);
        if after == State::Given && !has_key {
            cart.forget_cancelled(id);
        }
        self.orders[place] = Order { state: after, has_key, ..self.orders[place].clone() };
        self.note(what);
        Told::Done
    }

    fn late(&mut self, of_guest: bool, line: usize, n: u32) -> Told {
        let cart = self.cart(of_guest);
        let (base, had) = (cart.generation_start.saturating_sub(1), cart.leftovers.len());
        if base == 0 {
            return Told::Refused;
        }
        let before = self.shelf.units(cart, item(line).line_id());
        match self.call(of_guest, Intent::Add(LineRef::Item(item(line)), n), Some(base)) {
            Ok(_) => {
                if self.shelf.units(self.cart(of_guest), item(line).line_id()) > before {
                    self.note("a late add left over");
                }
                Told::Done
            }
            Err(Refusal::TooManyLeftovers(most)) => {
                assert_eq!(had, most, "there was room");
                self.note("a late add refused for leftovers");
                Told::Refused
            }
            Err(other) => panic!("what is owed is refused: {other:?}"),
        }
    }

    fn sign_in(&mut self, policy: MergePolicy) -> Told {
        if self.guest.revision == 0 {
            return Told::Refused;
        }
        let (author, at) = self.at();
        let (account, guest) = (self.account.clone(), self.guest.clone());
        let came: Units = std::array::from_fn(|line| {
            let ([held, _], [shown, saved]) = (lists(&account, line), lists(&guest, line));
            let comes = if policy == MergePolicy::Max { shown.saturating_sub(held) } else { shown };
            let orders = self.orders.iter().filter(|order| order.of_guest && order.state != State::Given);
            let taken = orders.flat_map(|order| &order.lines).filter(|taken| taken.item == item(line));
            let ordered: u64 = taken.map(|taken| u64::from(taken.quantity)).sum();
            comes + saved + ordered + self.shelf.units(&guest, item(line).line_id())
        });
        let mut sealed = guest.clone();
        sealed.seal(account.id);
        let asked = Merge { guest: &sealed, policy, author, at };
        let merged = self.shelf.merge(&mut self.account, &asked, &self.limits);
        let both = account.leftovers.len() + guest.leftovers.len();
        if let Err(refusal) = merged {
            assert_eq!(refusal, Refusal::TooManyLeftovers(self.limits.leftovers));
            assert!(both + 1 + guest.lines.len() / self.limits.leftover_lines >= self.limits.leftovers);
            self.note("a sign-in refused for leftovers");
            return Told::Refused;
        }
        let once = self.account.clone();
        assert_eq!(self.shelf.merge(&mut self.account, &asked, &self.limits), Ok(false));
        assert_eq!(self.account, once, "a repeated merge has no second effect");
        self.account.forget_applied(AppliedKey::Merge(guest.id));
        sealed.mark_merged();
        assert!(sealed.leftovers.is_empty(), "they are the account's now");
        for order in self.orders.iter_mut().filter(|order| order.of_guest) {
            (order.of_guest, order.has_key) = (false, false);
        }
        self.guests += 1;
        self.guest = Cart::new(CartId::from_bytes([self.guests; 16]), at);
        let more = self.account.leftovers.len() > both;
        self.note(if more { "merged, some of it left over" } else { "merged" });
        Told::CameIn(came)
    }

    /// On a copy: UNDO of the merge that has just been done takes all of it back, leftovers too.
    pub(crate) fn undo_of_the_last_merge_leaves_what_was_before(
        &mut self,
        step: &Step,
        before: Units,
    ) -> Result<(), TestCaseError> {
        let last = self.account.history().next().filter(|last| last.kind == OpKind::Merge);
        let (Step::SignIn(_), Some(last)) = (step, last) else { return Ok(()) };
        if last.at != Timestamp::from_ms(self.now) {
            return Ok(());
        }
        let (mut account, mut shelf, (session, at)) = (self.account.clone(), self.shelf.clone(), self.at());
        let undo = Intent::Undo(last.revision);
        let call = Call { session, base: None, at, intent: undo };
        if shelf.call(&mut account, &call, &self.limits).is_err() {
            return Ok(());
        }
        let in_orders = |line: usize| {
            let open = self.orders.iter().filter(|order| order.state != State::Given);
            let taken = open.flat_map(|order| &order.lines).filter(|taken| taken.item == item(line));
            taken.map(|taken| u64::from(taken.quantity)).sum::<u64>()
        };
        for line in 0..LINES {
            let [shown, saved] = lists(&account, line);
            let left = shelf.units(&account, item(line).line_id());
            // What the guest had ordered has become the account's, and stays.
            prop_assert!(shown + saved + left <= before[line], "line {} of {:?}", line, before);
            prop_assert!(
                shown + saved + left + in_orders(line) >= before[line],
                "line {} of {:?}",
                line,
                before
            );
        }
        prop_assert!(account.leftovers.iter().all(|of| of.revision != last.revision));
        Ok(())
    }

    /// All that has a bound is within it, and each leftover is one cart's.
    pub(crate) fn is_sound(&mut self) -> Result<(), TestCaseError> {
        for cart in [&self.account, &self.guest] {
            prop_assert!(cart.shown().count() <= self.limits.lines);
            prop_assert!(cart.shown().all(|line| line.quantity() <= self.limits.quantity));
            prop_assert!(cart.shown_saved().all(|line| line.quantity() <= self.limits.owed_units));
            prop_assert!(cart.leftovers.len() <= self.limits.leftovers);
            prop_assert!(cart.bytes_at_most() <= self.limits.bytes);
            let lines = self.shelf.of(cart).map(|leftover| leftover.lines.len());
            prop_assert!(lines.into_iter().all(|lines| (1..=self.limits.leftover_lines).contains(&lines)));
        }
        prop_assert_eq!(self.shelf.len(), self.account.leftovers.len() + self.guest.leftovers.len());
        let beyond = self.account.shown_saved().count() > self.limits.saved
            || self.account.shown_saved().any(|line| line.quantity() > self.limits.quantity);
        if beyond {
            self.note("saved beyond the limits");
        }
        Ok(())
    }
}

/// Units of a line in the cart and on the saved list.
pub(crate) fn lists(cart: &Cart, line: usize) -> [u64; 2] {
    let id = item(line).line_id();
    let saved = cart.shown_saved().find(|line| line.id == id).map_or(0, |line| u64::from(line.quantity()));
    [cart.shown_line(id).map_or(0, |line| u64::from(line.quantity())), saved]
}
