//! How many bytes records take at the worst, and their changes as a rule.

use std::sync::Arc;

use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::{Call, Intent, LineRef, Op, Sync};
use trolley_core::cart::state::Cart;
use trolley_core::ids::{ClientId, SessionId};
use trolley_core::item::Item;
use trolley_core::ledger::{Answer, Entry, KEYS_MAX, Ledger};
use trolley_core::money::Money;
use trolley_core::time::{Span, Timestamp};
use trolley_store::kind::Record;
use trolley_store::record::{delta, encode};

use crate::history::{cart, price, record};

fn call(cart: &mut Cart, intent: Intent, at: u64) {
    let call =
        Call { session: SessionId::from_bytes([1; 16]), base: Some(0), at: Timestamp::from_ms(at), intent };
    cart.call(&call, &Limits::default()).unwrap();
}

fn named(n: u64, long: usize) -> LineRef {
    LineRef::Item(Arc::new(Item::new(&format!("{n}{}", "x".repeat(long)), vec![]).unwrap()))
}

/// 200 lines with all the text that is allowed, as many saved, 256 tombstones, 1,024 adds, 32 clients that each sent
/// 64 ops, 256 clients that left, and a ring full of changes.
fn worst() -> Cart {
    let (limits, mut cart, mut at) = (Limits::default(), cart(), 2_000_000);
    let mut sync = |cart: &mut Cart, client: u64, seq: u64, line: u64| {
        at += 1;
        let mut id = [7; 16];
        id[..8].copy_from_slice(&client.to_be_bytes());
        let op = Op {
            seq,
            op_id: u64::MAX - seq,
            cart: None,
            generation: None,
            base: 0,
            age: Span::from_ms(0),
            intent: Ok(Intent::Add(named(line, 70), 1)),
        };
        let sync = Sync { client: ClientId::from_bytes(id), at: Timestamp::from_ms(at), ops: vec![op] };
        let _ = cart.sync(&sync, &limits);
    };
    for n in 0..456 {
        call(&mut cart, Intent::Add(named(1_000 + n, 10), 1), 1_000_000 + n);
        let after =
            if n < 200 { Intent::Save(named(1_000 + n, 10)) } else { Intent::Remove(named(1_000 + n, 10)) };
        let seen = Call {
            session: SessionId::from_bytes([1; 16]),
            base: None,
            at: Timestamp::from_ms(1_000_000 + n),
            intent: after,
        };
        cart.call(&seen, &limits).unwrap();
    }
    for client in 0..288 {
        sync(&mut cart, client, 1, client % 200);
    }
    for seq in 2..=65 {
        for client in 256..288 {
            sync(&mut cart, client, seq, (seq * 32 + client) % 200);
        }
    }
    cart.remember_prices(|_| Some(price(Money::AMOUNT_MAX)));
    cart
}

#[test]
fn the_worst_cart_stays_near_100_kib() {
    let cart = worst();
    assert_eq!(cart.shown().count(), 200);
    assert_eq!(cart.clients.iter().filter(|client| client.recent.len() == 64).count(), 32);
    assert_eq!(cart.departed.len(), 256);
    assert_eq!(cart.ring.len(), 256);
    assert!(cart.lines.iter().map(|line| line.adds.len()).sum::<usize>() > 800);
    let bytes = encode(&record(&cart)).len();
    assert!((90 << 10..140 << 10).contains(&bytes), "{bytes} bytes");
}

#[test]
fn an_add_to_a_large_cart_is_a_small_change() {
    let before = worst();
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
        let answer = Answer { status: 200, code: None, about: None };
        Entry { key, request: key, at: Timestamp::from_ms(n), answer }
    };
    (0..KEYS_MAX as u64).for_each(|n| ledger.keep(entry(n)));
    let before = Record::Ledger(Arc::new(ledger.clone()));
    ledger.keep(entry(1_000));
    let bytes = delta(&before, &Record::Ledger(Arc::new(ledger))).unwrap().len();
    assert!(bytes < 60, "{bytes} bytes");
}
