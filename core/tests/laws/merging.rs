//! Sign-in: by every policy nothing is dropped, and a repeated merge has no second effect.

use proptest::prelude::*;
use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::{Call, MergePolicy};
use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, SessionId};
use trolley_core::time::Timestamp;

use crate::quantities::act;
use crate::runner::{cases, over};
use crate::world::{Act, LINES, intent, item, quantity};

pub(crate) fn filled(id: u8, acts: &[Act], limits: &Limits) -> Cart {
    let mut cart = Cart::new(CartId::from_bytes([id; 16]), Timestamp::from_ms(0));
    for (n, act) in acts.iter().enumerate() {
        let at = Timestamp::from_ms(10 + n as u64);
        let call = Call { session: SessionId::from_bytes([id; 16]), base: None, at, intent: intent(act) };
        cart.call(&call, limits).unwrap();
    }
    cart
}

fn saved(cart: &Cart, line: usize) -> u64 {
    let id = item(line).line_id();
    cart.shown_saved().filter(|line| line.id == id).map(|line| u64::from(line.quantity())).sum()
}

#[test]
fn a_merge_drops_nothing_and_happens_once() {
    let policy = prop_oneof![
        Just(MergePolicy::Sum),
        Just(MergePolicy::Max),
        Just(MergePolicy::KeepAccount),
        Just(MergePolicy::KeepGuest)
    ];
    let acts = || proptest::collection::vec(act(), 0..12);
    // Tight now and then, so that quantities and lines go over.
    let limits = prop_oneof![
        2 => Just(Limits::default()),
        1 => Just(Limits { quantity: 12, ..Limits::default() }),
    ];
    over(cases() / 2, &(acts(), acts(), policy, limits), |(account, guest, policy, limits)| {
        let roomy = Limits::default();
        let (mut account, mut guest) = (filled(1, &account, &roomy), filled(2, &guest, &roomy));
        let (before, came) = (account.clone(), guest.clone());
        let (at, author) = (Timestamp::from_ms(1_000), SessionId::from_bytes([3; 16]));
        prop_assert!(guest.seal(account.id));
        prop_assert!(account.merge(&guest, policy, author, at, &limits).unwrap());
        let once = account.clone();
        prop_assert!(!account.merge(&guest, policy, author, at, &limits).unwrap());
        prop_assert_eq!(&account, &once, "a repeated merge has no second effect");
        for line in 0..LINES {
            let (a, g) = (quantity(&before, line), quantity(&came, line));
            let most = u64::from(limits.quantity);
            let (cart, saved) = (quantity(&once, line), saved(&once, line));
            let over_limit = a > most || g > most || a + g > most;
            let all = match policy {
                MergePolicy::Max => a.max(g),
                MergePolicy::Sum | MergePolicy::KeepAccount | MergePolicy::KeepGuest => a + g,
            };
            if over_limit {
                // What fits on neither list stays readable in the sealed cart.
                prop_assert!(
                    (all.min(most)..=all).contains(&(cart + saved)),
                    "{} and {} of {}",
                    cart,
                    saved,
                    all
                );
                continue;
            }
            match policy {
                MergePolicy::Sum => prop_assert_eq!((cart, saved), (a + g, 0)),
                MergePolicy::Max => prop_assert_eq!((cart, saved), (a.max(g), 0)),
                MergePolicy::KeepAccount => prop_assert_eq!((cart, saved), (a, g)),
                MergePolicy::KeepGuest => prop_assert_eq!((cart, saved), (g, a)),
            }
        }
        Ok(())
    });
}
