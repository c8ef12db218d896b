//! What folding costs those who write meanwhile, where records are large.

use std::sync::Arc;

use trolley_core::ledger::{KEYS_MAX, Ledger, LedgerAnswer, LedgerEntry};
use trolley_core::time::Timestamp;
use trolley_store::port::{Store, Write};
use trolley_store::records::Record;

use crate::place::FilePlace;
use crate::runtime;
use trolley_store_contract::make::{next, session_id};

const LEDGERS: u8 = 100;
const ROUNDS: u8 = 10;

/// One of about 90 KB.
fn large(n: u8) -> Record {
    let mut ledger = Ledger::new(session_id(n));
    for key in 0..KEYS_MAX as u64 {
        let mut digest = [n; 16];
        digest[..8].copy_from_slice(&key.to_be_bytes());
        let answer = LedgerAnswer { status: 200, code: Some("long ".repeat(60).into()), about: None };
        ledger.keep(LedgerEntry { key: digest, request: digest, at: Timestamp::from_ms(1), answer });
    }
    Record::Ledger(Arc::new(ledger))
}

async fn change(store: &dyn Store, record: &mut Record) {
    let after = next(record);
    let Record::Ledger(before) = &*record else { panic!("{record:?} is no ledger") };
    store.commit(vec![Write::swap(before.version, after.clone(), None)]).await.unwrap();
    *record = after;
}

#[test]
fn large_records_are_folded_a_few_at_a_time() {
    let place = FilePlace::new();
    runtime().block_on(async {
        let store = place.open();
        for n in 0..LEDGERS {
            store.commit(vec![Write::create(large(n), None)]).await.unwrap();
        }
        let mut pieces = 0;
        while store.activity().folds == 0 {
            store.upkeep().await.unwrap();
            pieces += 1;
        }
        assert!(pieces >= 10, "9 MB in {pieces} pieces");
    });
}

#[test]
fn large_records_that_change_again_and_again_are_seldom_written_whole() {
    let place = FilePlace::new();
    runtime().block_on(async {
        let store = place.open();
        let mut records: Vec<_> = (0..LEDGERS).map(large).collect();
        for record in &records {
            store.commit(vec![Write::create(record.clone(), None)]).await.unwrap();
        }
        while store.upkeep().await.unwrap() {}
        let whole = store.activity().journal_written_bytes;
        for _ in 0..ROUNDS {
            for record in &mut records {
                change(&*store, record).await;
            }
            store.upkeep().await.unwrap();
        }
        let changes = store.activity().journal_written_bytes - whole;
        assert!(changes < 2 * whole, "{ROUNDS} changes each: {changes} bytes, all of them whole: {whole}");
    });
}
