//! Sign-in: by every policy nothing is dropped, and a repeated merge has no second effect.

use proptest::prelude::*;
use trolley_core::cart::limits::Limits;
use trolley_core::cart::merge::Merge;
use trolley_core::cart::op::{Call, MergePolicy, NoticeCode};
use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, SessionId};
use trolley_core::time::Timestamp;

use crate::owed_world::lists;
use crate::quantities::act;
use crate::runner::{cases, over};
use crate::shelf::Shelf;
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
        1 => Just(Limits { quantity: 4, ..Limits::default() }),
        1 => Just(Limits { quantity: 4, owed_units: 5, ..Limits::default() }),
    ];
    over(cases() / 2, &(acts(), acts(), policy, limits), |(account, guest, policy, limits)| {
        let roomy = Limits::default();
        let (mut account, mut guest) = (filled(1, &account, &roomy), filled(2, &guest, &roomy));
        let (before, came) = (account.clone(), guest.clone());
        let (at, author) = (Timestamp::from_ms(1_000), SessionId::from_bytes([3; 16]));
        prop_assert!(guest.seal(account.id));
        let (mut shelf, asked) = (Shelf::default(), Merge { guest: &guest, policy, author, at });
        prop_assert!(shelf.merge(&mut account, &asked, &limits).unwrap());
        let once = account.clone();
        prop_assert!(!shelf.merge(&mut account, &asked, &limits).unwrap());
        prop_assert_eq!(&account, &once, "a repeated merge has no second effect");
        for line in 0..LINES {
            let (a, g) = (quantity(&before, line), quantity(&came, line));
            let most = u64::from(limits.quantity);
            let left = shelf.units(&once, item(line).line_id());
            let [cart, saved] = lists(&once, line);
            let all = if policy == MergePolicy::Max { a.max(g) } else { a + g };
            prop_assert_eq!(cart + saved + left, all, "line {}", line);
            // An account that had more than the limit before it was set keeps what it had.
            let fits = match policy {
                MergePolicy::Sum | MergePolicy::Max => all.min(most.max(a)),
                MergePolicy::KeepAccount => a,
                MergePolicy::KeepGuest => g.min(most),
            };
            let fits_saved = (all - fits).min(u64::from(limits.owed_units));
            prop_assert_eq!((cart, saved), (fits, fits_saved), "line {} by {:?}", line, policy);
        }
        let told = once.notices.iter().filter(|notice| notice.code == NoticeCode::LinesLeftOver);
        prop_assert_eq!(told.count() > 0, shelf.len() > 0, "what is left over is told");
        Ok(())
    });
}
