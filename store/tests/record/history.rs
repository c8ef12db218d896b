//! Real histories of carts: each state reads back, and each step's delta makes it of the one before.

use std::sync::Arc;

use proptest::prelude::*;
use trolley_core::cart::checkout::Checkout;
use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::{Call, Intent, LineRef, MergePolicy, Op, SyncCall};
use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, ClientId, OrderId, SessionId};
use trolley_core::item::Item;
use trolley_core::money::{Currency, Money};
use trolley_core::time::{Span, Timestamp};
use trolley_store::record::{apply, decode, delta, encode};
use trolley_store::records::Record;

pub(crate) fn item(n: u64) -> Arc<Item> {
    let options = (0..n % 3).map(|option| (format!("option {option}"), format!("välue {n}"))).collect();
    Arc::new(Item::new(&format!("sku-{n}"), options).unwrap())
}

/// One more change of a cart, of every kind there is, as `dice` says.
pub(crate) fn change(cart: &mut Cart, dice: u64, at: u64) {
    within(cart, dice, at, Limits::default().bytes);
}

/// The same, where the cart may take so many bytes.
fn within(cart: &mut Cart, dice: u64, at: u64, bytes: usize) {
    let limits =
        Limits { bytes, clients: 4, ring_least: 6, ring_for: Span::from_hours(1), ..Limits::default() };
    let (now, session) = (Timestamp::from_ms(at), SessionId::from_bytes([(dice % 3) as u8; 16]));
    let line = LineRef::Item(item(dice / 7 % 9));
    let intent = match dice % 11 {
        0..=3 => Intent::Add(line, (dice % 5 + 1) as u32),
        4 => Intent::Set(line, (dice / 3 % 6) as u32),
        5 => Intent::Remove(line),
        6 => Intent::Save(line),
        7 => Intent::Unsave(line),
        8 => Intent::Clear(None),
        9 => Intent::Discard(line),
        _ => Intent::Undo(cart.revision.saturating_sub(dice % 4)),
    };
    match dice / 13 % 8 {
        0..=3 => drop(cart.call(&Call { session, base: None, at: now, intent }, &limits)),
        4 | 5 => {
            let client = ClientId::from_bytes([(dice / 17 % 6) as u8 + 1; 16]);
            let seq = cart.acked(client) + 1;
            let op = Op {
                seq,
                op_id: dice,
                cart: Some(cart.id),
                generation: None,
                base: cart.revision,
                age: Span::from_ms(dice % 50),
                intent: Ok(intent),
            };
            drop(cart.sync(&SyncCall { client, at: now, ops: vec![op] }, &limits));
        }
        6 => drop(cart.checkout(&Checkout::of_all(session, now), &limits).map(|taken| {
            cart.give_back_order(OrderId::from_bytes([dice as u8; 16]), &taken, session, now, &limits)
        })),
        _ => {
            let mut guest = Cart::new(CartId::from_bytes([(dice / 5 % 200) as u8; 16]), now);
            for n in 0..3 {
                guest
                    .call(
                        &Call {
                            session,
                            base: None,
                            at: now,
                            intent: Intent::Add(LineRef::Item(item(n)), 2),
                        },
                        &limits,
                    )
                    .unwrap();
            }
            guest.seal(cart.id);
            let policy =
                [MergePolicy::Sum, MergePolicy::Max, MergePolicy::KeepAccount, MergePolicy::KeepGuest]
                    [(dice % 4) as usize];
            drop(cart.merge(&guest, policy, session, now, &limits));
        }
    }
    if dice.is_multiple_of(3) {
        cart.remember_prices(|item| Some(price(item.text_bytes() as u64 * (dice % 50))));
    }
}

pub(crate) fn price(amount: u64) -> Money {
    Money { amount, currency: Currency::parse("EUR").unwrap() }
}

pub(crate) fn cart() -> Cart {
    Cart::new(CartId::from_bytes([250; 16]), Timestamp::from_ms(1_000_000))
}

pub(crate) fn record(cart: &Cart) -> Record {
    Record::Cart(Arc::new(cart.clone()))
}

proptest! {
    #[test]
    fn every_state_reads_back_and_every_delta_leads_to_it(steps in proptest::collection::vec((any::<u64>(), 0..200_000_000u64), 1..80)) {
        let (mut cart, mut at) = (cart(), 1_000_000);
        let first = record(&cart);
        for (dice, pause) in steps {
            let before = record(&cart);
            at += pause;
            // Now and then so few that it has to let go of some.
            within(&mut cart, dice, at, if dice / 19 % 2 == 0 { 9_000 } else { 100 << 10 });
            let after = record(&cart);
            let image = encode(&after);
            prop_assert_eq!(decode(after.key(), &image), Ok(after.clone()));
            prop_assert!(image.len() <= cart.bytes_at_most());
            prop_assert_eq!(encode(&after), image);
            for earlier in [&before, &first, &after] {
                let delta = delta(earlier, &after).unwrap();
                let made = apply(earlier, &delta).unwrap();
                prop_assert_eq!(encode(&made), encode(&after));
                prop_assert_eq!(&made, &after);
            }
        }
    }
}
