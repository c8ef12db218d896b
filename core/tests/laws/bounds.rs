//! No client, however it lies, pushes a cart over a bound, breaks its form or takes another's units.

use proptest::prelude::*;
use trolley_core::cart::checkout::Checkout;
use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::{Call, Intent, LineRef, MergePolicy, Op, Refusal, SyncCall};
use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, ClientId, LeftoverId, SessionId};
use trolley_core::item::{Item, LineId};
use trolley_core::time::{Span, Timestamp};

use crate::runner::{cases, over};
use crate::shelf::Shelf;

fn tiny() -> Limits {
    Limits {
        lines: 4,
        saved: 3,
        quantity: 20,
        owed_units: 30,
        leftovers: 2,
        leftover_lines: 3,
        text_bytes: 60,
        clients: 3,
        line_adds: 4,
        cart_adds: 8,
        tombstones: 5,
        departed: 4,
        ring_least: 3,
        ring_for: Span::from_hours(1),
        ring_most: 6,
        ring_pieces: 12,
        ops: 5,
        ..Limits::default()
    }
}

/// Few bytes for what the parts may hold.
fn light() -> Limits {
    Limits { bytes: 3_300, tombstones: 12, ring_most: 30, ring_pieces: 90, ..tiny() }
}

/// The saved list takes a few owed lines beyond its own.
fn owing() -> Limits {
    Limits { lines: 2, saved: 1, text_bytes: 200, saved_bytes: 500, ..tiny() }
}

/// How its seq skips, its op id, its cart, generation, base and age, and what is wanted.
type LyingOp = (u64, u64, u8, Option<u64>, u64, u64, Intent);

#[derive(Clone, Debug)]
enum Lie {
    Sync {
        client: u8,
        ops: Vec<LyingOp>,
    },
    Call {
        base: Option<u64>,
        intent: Intent,
    },
    Checkout,
    /// Brings a leftover in, or drops it.
    Leftover {
        nth: usize,
        drops: bool,
    },
    Pass(u64),
}

fn line() -> impl Strategy<Value = LineRef> {
    let named = (0..9usize, 0..3usize).prop_map(|(sku, long)| {
        let item = Item::new(&format!("{sku}{}", "x".repeat(long * 8)), vec![]).unwrap();
        LineRef::Item(std::sync::Arc::new(item))
    });
    let by_id = (0..3u8).prop_map(|n| LineRef::Id(LineId::parse(&format!("{}{n}", "A".repeat(21))).unwrap()));
    prop_oneof![6 => named, 1 => by_id]
}

fn intent() -> impl Strategy<Value = Intent> {
    let n = prop_oneof![4 => 0..6u32, 1 => Just(u32::MAX), 1 => Just(20)];
    prop_oneof![
        6 => (line(), n.clone()).prop_map(|(line, n)| Intent::Add(line, n)),
        3 => (line(), n).prop_map(|(line, n)| Intent::Set(line, n)),
        2 => line().prop_map(Intent::Remove),
        2 => line().prop_map(Intent::Save),
        1 => line().prop_map(Intent::Unsave),
        1 => line().prop_map(Intent::Discard),
        1 => proptest::collection::vec(line(), 0..9)
            .prop_map(|lines| Intent::Clear(Some(lines.iter().map(LineRef::id).collect()))),
        1 => Just(Intent::Clear(None)),
        2 => (0..30u64).prop_map(Intent::Undo),
    ]
}

fn lie() -> impl Strategy<Value = Lie> {
    let wild = || prop_oneof![6 => 0..20u64, 1 => Just(u64::MAX), 1 => Just(u64::MAX / 2)];
    let cart = prop_oneof![8 => Just(9u8), 1 => 0..3u8];
    let op = (0..9u64, 0..3u64, cart, proptest::option::of(0..3u64), wild(), wild(), intent());
    prop_oneof![
        6 => (0..9u8, proptest::collection::vec(op, 0..7)).prop_map(|(client, mut ops)| {
            // Mostly in order, or nothing would ever be taken in.
            ops.sort_by_key(|op| op.0);
            Lie::Sync { client, ops }
        }),
        6 => (proptest::option::of(wild()), intent()).prop_map(|(base, intent)| Lie::Call { base, intent }),
        2 => Just(Lie::Checkout),
        1 => (0..3usize, any::<bool>()).prop_map(|(nth, drops)| Lie::Leftover { nth, drops }),
        1 => prop_oneof![Just(1), Just(3_600_000), Just(40 * 24 * 3_600_000)].prop_map(Lie::Pass),
    ]
}

/// Everything of a cart that has a bound is within it, and its form is sound.
fn sound(cart: &Cart, now: Timestamp, limits: &Limits) -> Result<(), TestCaseError> {
    prop_assert!(cart.shown().count() <= limits.lines);
    // A line takes 128 bytes and more.
    prop_assert!(cart.shown_saved().count() <= limits.saved.max(limits.saved_bytes / 128));
    prop_assert!(cart.leftovers.len() <= limits.leftovers);
    prop_assert!(cart.clients.len() <= limits.clients);
    prop_assert!(cart.departed.len() <= limits.departed);
    prop_assert!(cart.ring.len() <= limits.ring_most);
    let hidden = cart.lines.iter().chain(&cart.saved).filter(|line| !line.is_shown()).count();
    prop_assert!(hidden <= limits.tombstones, "{} lines that are not shown", hidden);
    let mut adds = 0;
    prop_assert!(cart.lines.iter().all(|line| line.quantity() <= limits.quantity));
    for line in cart.lines.iter().chain(&cart.saved) {
        prop_assert!(line.quantity() <= limits.owed_units);
        prop_assert!(line.adds.len() <= limits.line_adds);
        prop_assert!(line.adds.is_sorted_by_key(|add| add.revision));
        prop_assert!(
            line.adds
                .iter()
                .all(|add| add.n > 0 && add.from <= add.revision && add.revision <= cart.revision)
        );
        adds += line.adds.len();
    }
    prop_assert!(adds <= limits.cart_adds);
    let bytes = cart.bytes_at_most();
    prop_assert!(bytes <= limits.bytes, "{} bytes", bytes);
    prop_assert!(cart.floor <= cart.revision);
    prop_assert!(cart.clients.iter().all(|client| client.recent.len() <= 64));
    let mut live = cart.clients.iter().filter(|client| now.since(client.last_seen) < limits.lease);
    prop_assert!(live.all(|client| client.lowest_base >= cart.floor), "the floor is what all have seen");
    prop_assert!(cart.ring.iter().map(|change| change.revision).is_sorted());
    Ok(())
}

fn left_over_in_bounds(shelf: &Shelf, cart: &Cart, limits: &Limits) -> Result<(), TestCaseError> {
    for leftover in shelf.of(cart) {
        prop_assert!((1..=limits.leftover_lines).contains(&leftover.lines.len()));
        let adds = || leftover.lines.iter().map(|line| line.line.adds.len());
        prop_assert!(adds().all(|adds| adds <= limits.line_adds));
        prop_assert!(adds().sum::<usize>() <= limits.cart_adds + limits.leftover_lines);
    }
    Ok(())
}

#[test]
fn no_lie_pushes_a_cart_over_a_bound() {
    let limits = prop_oneof![Just(tiny()), Just(light()), Just(owing())];
    over(cases() / 2, &(proptest::collection::vec(lie(), 1..50), limits), |(lies, limits)| {
        let mut cart = Cart::new(CartId::from_bytes([9; 16]), Timestamp::from_ms(0));
        let mut shelf = Shelf::default();
        let mut now = 1_000;
        for lie in lies {
            now += 1;
            let (at, session) = (Timestamp::from_ms(now), SessionId::from_bytes([1; 16]));
            let before = cart.clone();
            let refused = match lie {
                Lie::Sync { client, ops } => {
                    let ops = ops.into_iter().enumerate().map(
                        |(n, (skip, op_id, of, generation, base, age, intent))| Op {
                            // The next seq most often, now and then a gap or a repetition.
                            seq: match skip {
                                0 => 1,
                                8 => 40,
                                _ => cart.acked(ClientId::from_bytes([client; 16])) + 1 + n as u64,
                            },
                            op_id,
                            cart: (of != 0).then(|| CartId::from_bytes([of; 16])),
                            generation,
                            base,
                            age: Span::from_ms(age),
                            intent: Ok(intent),
                        },
                    );
                    let sync =
                        SyncCall { client: ClientId::from_bytes([client; 16]), at, ops: ops.collect() };
                    shelf.sync(&mut cart, &sync, &limits).is_err()
                }
                Lie::Call { base, intent } => {
                    shelf.call(&mut cart, &Call { session, base, at, intent }, &limits).is_err()
                }
                Lie::Leftover { nth, drops } => {
                    let id = cart.leftovers.get(nth).map_or(LeftoverId::from_bytes([0; 16]), |of| of.id);
                    let intent = if drops { Intent::DropLeftover(id) } else { Intent::BringIn(id) };
                    let call = Call { session, base: None, at, intent };
                    shelf.call(&mut cart, &call, &limits).is_err()
                }
                Lie::Checkout => cart.checkout(&Checkout::of_all(session, at), &limits).is_err(),
                Lie::Pass(ms) => {
                    now += ms;
                    continue;
                }
            };
            if refused {
                prop_assert_eq!(&cart, &before, "what is refused changes nothing");
            } else {
                prop_assert!(cart.version > before.version);
            }
            prop_assert!(cart.revision >= before.revision);
            if cart.revision == before.revision {
                let seen = |cart: &Cart| -> Vec<_> {
                    let lines = cart.shown().chain(cart.shown_saved());
                    lines.map(|line| (line.id, line.quantity(), line.price, line.updated_at)).collect()
                };
                prop_assert_eq!(seen(&cart), seen(&before), "one revision is one cart");
                prop_assert_eq!(&cart.notices, &before.notices, "notices stand until the next change");
            }
            sound(&cart, at, &limits)?;
            left_over_in_bounds(&shelf, &cart, &limits)?;
        }
        Ok(())
    });
}

/// A full account takes in a full guest: each line is told of. Then devices come of which each op is refused: they are kept apart, and
/// nothing changes that anybody sees.
#[test]
fn devices_whose_ops_are_refused_take_no_notice_of_the_last_change_away() {
    let full = |id: u8, limits: &Limits| {
        let mut cart = Cart::new(CartId::from_bytes([id; 16]), Timestamp::from_ms(0));
        // One line fewer than are told of together.
        for n in 0..19 {
            let item = std::sync::Arc::new(Item::new(&format!("sku-{n}"), vec![]).unwrap());
            let intent = Intent::Add(LineRef::Item(item), limits.quantity);
            let (session, at) = (SessionId::from_bytes([id; 16]), Timestamp::from_ms(n));
            cart.call(&Call { session, base: None, at, intent }, limits).unwrap();
        }
        cart
    };
    let merged = |limits: &Limits| {
        let roomy = Limits::default();
        let (mut account, mut guest) = (full(1, &roomy), full(2, &roomy));
        guest.seal(account.id);
        let (author, at) = (SessionId::from_bytes([3; 16]), Timestamp::from_ms(1_000));
        account.merge(&guest, MergePolicy::Sum, author, at, limits).map(|_| account)
    };
    let roomy = Limits::default();
    let most = merged(&roomy).unwrap().notices.len();
    assert!(most > 19, "{most}");
    // From bytes that hold the merge to the letter to bytes that hold the devices too.
    let mut tried = 0;
    for spare in [10, 500, 2_000, 8_000, 16_000, 24_000, 32_000, 40_000] {
        let limits = Limits { bytes: merged(&roomy).unwrap().bytes_at_most() + spare, ..roomy.clone() };
        // With too few bytes something would be left over, which this caller has no room for.
        let Ok(mut cart) = merged(&limits) else { continue };
        tried += 1;
        let told = cart.notices.clone();
        for client in 0..40 {
            let refused = (1..=64).map(|seq| Op {
                seq,
                op_id: seq,
                cart: None,
                generation: None,
                base: cart.revision,
                age: Span::from_ms(0),
                intent: Err(Refusal::UnknownSku),
            });
            let (client, at, ops) =
                (ClientId::from_bytes([client; 16]), Timestamp::from_ms(2_000), refused.collect());
            cart.sync(&SyncCall { client, at, ops }, &limits).unwrap();
            assert_eq!(cart.notices, told, "{spare} bytes to spare");
            assert!(cart.bytes_at_most() <= limits.bytes, "{spare} bytes to spare");
        }
    }
    assert!(tried >= 3, "{tried} merges had room");
}
