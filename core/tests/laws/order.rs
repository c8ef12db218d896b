//! Any order of arrival gives the same cart, as long as each device's own order is kept and its age is true.

use proptest::prelude::*;
use trolley_core::cart::op::{Op, SyncCall};
use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, ClientId};
use trolley_core::time::{Span, Timestamp};

use crate::quantities::act;
use crate::runner::{cases, over};
use crate::world::{Act, LINES, intent, quantity, tight};

const NOON: u64 = 50_000;

/// What each device did and how long after its act before, and two orders in which it arrives.
type History = (Vec<(u8, Act, u64)>, Vec<u8>, Vec<u8>);

/// A cart that all devices had seen at revision 3, then what each did offline, then an order in which it arrives.
fn history() -> impl Strategy<Value = History> {
    let acts = proptest::collection::vec((0..3u8, act(), 1..6u64), 1..9);
    acts.prop_flat_map(|acts| {
        let order: Vec<u8> = acts.iter().map(|(device, ..)| *device).collect();
        (Just(acts), Just(order.clone()).prop_shuffle(), Just(order).prop_shuffle())
    })
}

fn client(device: u8) -> ClientId {
    ClientId::from_bytes([device + 1; 16])
}

fn start() -> Cart {
    let mut cart = Cart::new(CartId::from_bytes([9; 16]), Timestamp::from_ms(1));
    let ops = (0..LINES).map(|line| op(line as u64 + 1, 0, &Act::Add(line, 2), 0)).collect();
    let sync = SyncCall { client: client(7), at: Timestamp::from_ms(10), ops };
    cart.sync(&sync, &tight()).unwrap();
    cart
}

fn op(seq: u64, base: u64, act: &Act, age: u64) -> Op {
    Op {
        seq,
        op_id: seq,
        cart: None,
        generation: None,
        base,
        age: Span::from_ms(age),
        intent: Ok(intent(act)),
    }
}

/// The quantities after the acts arrived in this order, each a little later than the one before.
fn arrived(acts: &[(u8, Act, u64)], order: &[u8]) -> Vec<u64> {
    let mut cart = start();
    let base = cart.revision;
    let mut next = [0; 3];
    for (arrival, device) in order.iter().enumerate() {
        let mine: Vec<_> = acts.iter().filter(|(other, ..)| other == device).collect();
        let seq = next[usize::from(*device)];
        next[usize::from(*device)] += 1;
        // A device's clock goes on from one act to the next; two devices may act at the same time.
        let acted = NOON + mine[..=seq].iter().map(|(_, _, pause)| *pause).sum::<u64>();
        let at = NOON + 1_000 + arrival as u64;
        let op = Op { cart: Some(cart.id), ..op(seq as u64 + 1, base, &mine[seq].1, at - acted) };
        let sync = SyncCall { client: client(*device), at: Timestamp::from_ms(at), ops: vec![op] };
        cart.sync(&sync, &tight()).unwrap();
    }
    (0..LINES).map(|line| quantity(&cart, line)).collect()
}

#[test]
fn any_order_of_arrival_gives_the_same_cart() {
    over(cases() / 2, &history(), |(acts, one, other)| {
        prop_assert_eq!(arrived(&acts, &one), arrived(&acts, &other));
        Ok(())
    });
}
