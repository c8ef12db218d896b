//! How many bytes records take at the worst, and their changes as a rule.

use std::sync::Arc;

use trolley_core::cart::leftover::Leftovers;
use trolley_core::cart::limits::Limits;
use trolley_core::cart::merge::Merge;
use trolley_core::cart::op::{Call, Intent, LineRef, MergePolicy, Op, SyncCall};
use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, ClientId, SessionId};
use trolley_core::item::Item;
use trolley_core::ledger::{KEYS_MAX, Ledger, LedgerAnswer, LedgerEntry};
use trolley_core::money::Money;
use trolley_core::time::{Span, Timestamp};
use trolley_store::record::{delta, encode};
use trolley_store::records::Record;

use crate::history::{cart, price, record};

fn call(cart: &mut Cart, intent: Intent, at: u64) {
    let call =
        Call { session: SessionId::from_bytes([1; 16]), base: Some(0), at: Timestamp::from_ms(at), intent };
    cart.call(&call, &Limits::default()).unwrap();
}

fn named(n: u64, long: usize) -> LineRef {
    LineRef::Item(Arc::new(Item::new(&format!("{n}{}", "x".repeat(long)), vec![]).unwrap()))
}

/// What CART.md and CART.md alone allows: no bound of the whole.
fn without_a_whole() -> Limits {
    Limits { bytes: usize::MAX, ..Limits::default() }
}

fn sync(cart: &mut Cart, (client, seq): (u64, u64), intent: Intent, at: u64, limits: &Limits) {
    let mut id = [7; 16];
    id[..8].copy_from_slice(&client.to_be_bytes());
    let (cart_id, age) = (None, Span::from_ms(0));
    let op =
        Op { seq, op_id: u64::MAX - seq, cart: cart_id, generation: None, base: 0, age, intent: Ok(intent) };
    let sync = SyncCall { client: ClientId::from_bytes(id), at: Timestamp::from_ms(at), ops: vec![op] };
    let _ = cart.sync(&sync, limits);
    judge(cart, limits);
}

/// The estimate is never over the bound, in no state between either, and never below what is stored.
fn judge(cart: &Cart, limits: &Limits) {
    let most = cart.bytes_at_most();
    assert!(most <= limits.bytes, "{most} bytes at most");
    if cart.version.is_multiple_of(16) {
        let bytes = stored(cart);
        assert!(bytes <= most, "{bytes} bytes, not {most} at most");
    }
}

fn stored(cart: &Cart) -> usize {
    encode(&record(cart)).len()
}

/// The sku is short and the options are many: each has its length before it.
fn wordy(n: u64) -> LineRef {
    let options = (0..20).map(|option| (char::from(b'a' + option).to_string(), String::new())).collect();
    LineRef::Item(Arc::new(Item::new(&format!("{n}"), options).unwrap()))
}

/// 200 lines with all the text that is allowed, as many saved, 256 tombstones, 1,024 adds, 32 clients that each sent
/// 64 ops, 256 clients that left, and a ring full of changes.
fn worst(limits: &Limits, line: impl Fn(u64) -> LineRef) -> Cart {
    let (mut cart, mut at) = (cart(), 2_000_000);
    for n in 0..456 {
        let at = Timestamp::from_ms(1_000_000 + n);
        let session = SessionId::from_bytes([1; 16]);
        let after = if n < 200 { Intent::Save(line(1_000 + n)) } else { Intent::Remove(line(1_000 + n)) };
        for (base, intent) in [(Some(0), Intent::Add(line(1_000 + n), 1)), (None, after)] {
            cart.call(&Call { session, base, at, intent }, limits).unwrap();
        }
        judge(&cart, limits);
    }
    let adds = (0..288).map(|client| (client, 1, client % 200));
    let more =
        (2..=65).flat_map(|seq| (256..288).map(move |client| (client, seq, (seq * 32 + client) % 200)));
    for (client, seq, n) in adds.chain(more) {
        at += 1;
        sync(&mut cart, (client, seq), Intent::Add(line(n), 1), at, limits);
    }
    cart.remember_prices(|_| Some(price(Money::AMOUNT_MAX)));
    judge(&cart, limits);
    cart
}

/// The same, into which guests come whose devices have more to send: registers, origins and clients move along.
fn worst_merged(limits: &Limits) -> Cart {
    let mut account = worst(limits, |n| named(n, 10));
    for n in 0..6 {
        let mut guest = Cart::new(CartId::from_bytes([n; 16]), Timestamp::from_ms(2_000_000));
        for line in 0..180 {
            let client = 1_000 + u64::from(n) * 4 + line % 4;
            let seq = 1 + line / 4 * 2;
            sync(&mut guest, (client, seq), Intent::Set(named(line, 10), 2), 2_000_000, limits);
            sync(&mut guest, (client, seq + 1), Intent::Add(named(line, 10), 1), 2_000_000, limits);
        }
        guest.seal(account.id);
        let (session, at) = (SessionId::from_bytes([n; 16]), Timestamp::from_ms(3_000_000));
        let asked = Merge { guest: &guest, policy: MergePolicy::Sum, author: session, at };
        assert!(account.merge_with(&asked, limits, &mut Leftovers::new()).unwrap());
        judge(&account, limits);
    }
    account
}

/// Each part by itself is bounded, and all at once is over the whole: 400 lines and 256 tombstones, 52 KB without their
/// texts; those, 32 KB; 1,024 adds, 27 KB, and with where they came from 67 KB; 2,048 op ids of 32 clients, 28 KB; 256
/// changes of 1,024 pieces, 37 KB; the registers of merged guests, 27 KB. These two carts take 122 and 151 KB.
#[test]
fn all_that_is_allowed_at_once_would_take_more_than_100_kib() {
    let cart = worst(&without_a_whole(), |n| named(n, 70));
    assert_eq!(cart.shown().count(), 200);
    assert_eq!(cart.clients.iter().filter(|client| client.recent.len() == 64).count(), 32);
    assert_eq!(cart.departed.len(), 256);
    assert_eq!(cart.ring.len(), 256);
    assert!(cart.lines.iter().map(|line| line.adds.len()).sum::<usize>() > 800);
    let sizes = [&cart, &worst_merged(&without_a_whole())].map(stored);
    assert!(sizes[0] > 110 << 10 && sizes[1] > 140 << 10, "{sizes:?} bytes");
}

/// The estimate is the bound, so what is stored is well below it: 63 to 78 KB here.
#[test]
fn no_client_makes_a_record_of_over_100_kib() {
    let limits = Limits::default();
    assert_eq!(limits.bytes, 100 << 10);
    let carts = [worst(&limits, |n| named(n, 70)), worst(&limits, wordy), worst_merged(&limits)];
    for cart in &carts {
        assert!(stored(cart) <= 100 << 10, "{} bytes", stored(cart));
        assert!(cart.shown().count() + cart.shown_saved().count() > 350, "lines stay");
    }
    assert!(carts[..2].iter().all(|cart| cart.clients.len() == 32), "no client was dropped for it");
}

/// What is let go of is no unit of a line.
#[test]
fn a_cart_that_lets_go_of_bytes_keeps_every_unit() {
    let units = |cart: &Cart| -> Vec<_> {
        let lines = cart.shown().chain(cart.shown_saved());
        let mut units: Vec<_> = lines.map(|line| (line.id.to_string(), line.quantity())).collect();
        units.sort();
        units
    };
    let line = |n| named(n, 40);
    assert_eq!(units(&worst(&Limits::default(), line)), units(&worst(&without_a_whole(), line)));
}

#[test]
fn an_add_to_a_large_cart_is_a_small_change() {
    let before = worst(&Limits::default(), |n| named(n, 70));
    let mut after = before.clone();
    call(&mut after, Intent::Add(named(5, 70), 1), 3_000_000);
    let bytes = delta(&record(&before), &record(&after)).unwrap().len();
    assert!(bytes < 600, "{bytes} bytes");

    let mut before = cart();
    (0..3).for_each(|n| call(&mut before, Intent::Add(named(n, 8), 1), 2_000_000 + n));
    let mut after = before.clone();
    call(&mut after, Intent::Add(named(1, 8), 1), 3_000_000);
    let bytes = delta(&record(&before), &record(&after)).unwrap().len();
    assert!(bytes < 200, "{bytes} bytes");
}

#[test]
fn a_full_ledger_changes_by_one_entry() {
    let mut ledger = Ledger::new(SessionId::from_bytes([1; 16]));
    let entry = |n: u64| {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&n.to_be_bytes());
        let answer = LedgerAnswer { status: 200, code: None, about: None };
        LedgerEntry { key, request: key, at: Timestamp::from_ms(n), answer }
    };
    (0..KEYS_MAX as u64).for_each(|n| ledger.keep(entry(n)));
    let before = Record::Ledger(Arc::new(ledger.clone()));
    ledger.keep(entry(1_000));
    let bytes = delta(&before, &Record::Ledger(Arc::new(ledger))).unwrap().len();
    assert!(bytes < 60, "{bytes} bytes");
}
