//! SAVE, UNSAVE, UNDO, checkout and cancelled orders move or restore what they find: no unit is made twice, none is lost.

use proptest::prelude::*;
use trolley_core::cart::checkout::{CheckedOut, Checkout, CheckoutError};
use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::{Call, Intent, LineRef, Outcome};
use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, OrderId, SessionId};
use trolley_core::time::{Span, Timestamp};

use crate::runner::{cases, over};
use crate::world::{LINES, item};

#[derive(Clone, Debug)]
enum Move {
    Add(usize, u32),
    Save(usize, u64),
    Unsave(usize, u64),
    /// Takes back the change so many before the last.
    Undo(u64),
    /// Of what was there so many changes before, less so many units of its first line.
    Checkout(u64, u32),
    Cancel(usize),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (0..LINES, 1..4u32).prop_map(|(line, n)| Move::Add(line, n)),
        3 => (0..LINES, 0..3u64).prop_map(|(line, behind)| Move::Save(line, behind)),
        3 => (0..LINES, 0..3u64).prop_map(|(line, behind)| Move::Unsave(line, behind)),
        2 => (0..4u64).prop_map(Move::Undo),
        1 => (0..3u64, 0..3u32).prop_map(|(behind, missing)| Move::Checkout(behind, missing)),
        1 => (0..3usize).prop_map(Move::Cancel),
    ];
    proptest::collection::vec(one, 1..40)
}

fn units(cart: &Cart) -> u64 {
    cart.quantity() + cart.shown_saved().map(|line| u64::from(line.quantity())).sum::<u64>()
}

/// How many units the change at this revision brought in, if history still has it.
fn added_by(cart: &Cart, revision: u64) -> u64 {
    let change = cart.history().find(|change| change.revision == revision);
    let pieces = change.iter().flat_map(|change| &change.pieces);
    pieces.map(|piece| u64::from(piece.after.saturating_sub(piece.before))).sum()
}

/// Orders what was there at `base`, less so many units of the first line.
fn check_out(
    cart: &mut Cart,
    (session, at): (SessionId, Timestamp),
    base: Option<u64>,
    missing: u32,
    limits: &Limits,
) -> Result<Vec<CheckedOut>, CheckoutError> {
    let first = cart.shown().next().and_then(|line| line.item.clone()).filter(|_| missing > 0);
    let left_out = first.map(|item| CheckedOut { item, quantity: missing });
    cart.checkout(&Checkout { session, base, at, left_out: left_out.as_slice() }, limits)
}

#[test]
fn no_unit_is_made_twice_and_none_is_lost() {
    let limits = Limits { ring_least: 64, ring_for: Span::from_hours(24), ..Limits::default() };
    over(cases() / 2, &moves(), |moves| {
        let mut cart = Cart::new(CartId::from_bytes([9; 16]), Timestamp::from_ms(0));
        let session = SessionId::from_bytes([1; 16]);
        let (mut orders, mut cancelled) = (Vec::new(), Vec::new());
        let mut at = 1_000;
        for step in moves {
            at += 10;
            let now = Timestamp::from_ms(at);
            let before = units(&cart);
            let revision = cart.revision;
            let call = |cart: &mut Cart, intent, behind: u64| {
                let base = (behind > 0).then(|| revision.saturating_sub(behind));
                cart.call(&Call { session, base, at: now, intent }, &limits)
            };
            let line = |line| LineRef::Item(item(line));
            match step {
                Move::Add(l, n) => {
                    call(&mut cart, Intent::Add(line(l), n), 0).unwrap();
                    prop_assert_eq!(units(&cart), before + u64::from(n));
                }
                Move::Save(l, behind) => {
                    // One that is not there is refused; what one takes out is what it puts on the other list.
                    let _ = call(&mut cart, Intent::Save(line(l)), behind);
                    prop_assert_eq!(units(&cart), before);
                }
                Move::Unsave(l, behind) => {
                    let _ = call(&mut cart, Intent::Unsave(line(l)), behind);
                    prop_assert_eq!(units(&cart), before);
                }
                Move::Undo(back) => {
                    let target = revision.saturating_sub(back);
                    let added = added_by(&cart, target);
                    let outcome = call(&mut cart, Intent::Undo(target), 0);
                    let taken_back = before.saturating_sub(units(&cart));
                    prop_assert!(taken_back <= added, "an undo takes back no more than was added");
                    if outcome == Ok(Outcome::Covered) || outcome.is_err() {
                        prop_assert_eq!(units(&cart), before);
                    }
                    // Once more finds nothing left to take back.
                    let after = units(&cart);
                    let mut again = cart.clone();
                    let _ = call(&mut again, Intent::Undo(target), 0);
                    prop_assert_eq!(units(&again), after, "an undo is done once");
                }
                Move::Checkout(behind, missing) => {
                    let base = (behind > 0).then(|| revision.saturating_sub(behind));
                    if let Ok(taken) = check_out(&mut cart, (session, now), base, missing, &limits) {
                        let sum: u64 = taken.iter().map(|taken| u64::from(taken.quantity)).sum();
                        prop_assert_eq!(units(&cart) + sum, before);
                        prop_assert!(base.is_some() || cart.quantity() == 0);
                        orders.push(taken);
                    }
                }
                Move::Cancel(n) => {
                    let Some(taken) = orders.get(n) else { continue };
                    let sum: u64 = taken.iter().map(|taken| u64::from(taken.quantity)).sum();
                    let order = OrderId::from_bytes([n as u8 + 1; 16]);
                    let given = cart.give_back_order(order, taken, session, now, &limits).unwrap();
                    prop_assert_eq!(given, !cancelled.contains(&n), "an order gives back once");
                    prop_assert_eq!(units(&cart), before + if given { sum } else { 0 });
                    cancelled.push(n);
                }
            }
        }
        Ok(())
    });
}
