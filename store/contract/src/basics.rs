//! One caller at a time: what is absent, written, swapped, deleted, refused.

use std::sync::Arc;

use trolley_core::ids::TokenDigest;
use trolley_core::ledger::{Ledger, LedgerAnswer, LedgerEntry};
use trolley_core::time::Timestamp;
use trolley_store::port::{Action, CommitError, Expect, Store, StoreError, Write};
use trolley_store::records::counts::Counts;
use trolley_store::records::{Key, Record};

use crate::make::{cart_key, first, next, of_account, sealed, session_id, signed_in};

fn one_of_each() -> [Key; 6] {
    let session = session_id(3);
    [
        cart_key(1),
        Key::Session(session),
        Key::Token(TokenDigest::from_bytes([3; 32])),
        Key::Ledger(session),
        Key::CLOCK,
        Key::ApiKey(TokenDigest::from_bytes([4; 32])),
    ]
}

pub async fn what_was_never_written_is_absent(store: Arc<dyn Store>) {
    for key in one_of_each() {
        assert_eq!(store.load(key).await, Ok(None));
    }
    assert_eq!(store.expired(Timestamp::from_ms(u64::MAX), 10).await, Ok(vec![]));
    assert_eq!(store.count().await, Ok(Counts::default()));
}

pub async fn what_was_written_is_read(store: Arc<dyn Store>) {
    for key in one_of_each() {
        let mut record = first(key);
        store.commit(vec![Write::create(record.clone(), None)]).await.unwrap();
        assert_eq!(store.load(key).await, Ok(Some(record.clone())));
        for _ in 0..3 {
            let version = record.version();
            record = next(&record);
            store.commit(vec![Write::swap(version, record.clone(), None)]).await.unwrap();
            assert_eq!(store.load(key).await, Ok(Some(record.clone())));
        }
    }
}

pub async fn a_swap_needs_the_version_that_stands_there(store: Arc<dyn Store>) {
    let key = cart_key(1);
    let (one, two) = (first(key), next(&first(key)));
    let swap = |expected| store.commit(vec![Write::swap(expected, two.clone(), None)]);
    assert_eq!(swap(1).await, Err(CommitError::Conflict(key)), "nothing is there");
    store.commit(vec![Write::create(one.clone(), None)]).await.unwrap();
    for wrong in [0, 2, u64::MAX] {
        assert_eq!(swap(wrong).await, Err(CommitError::Conflict(key)));
        assert_eq!(store.load(key).await, Ok(Some(one.clone())));
    }
    swap(1).await.unwrap();
    assert_eq!(swap(1).await, Err(CommitError::Conflict(key)), "it moved on");
    assert_eq!(store.load(key).await, Ok(Some(two.clone())));
}

pub async fn a_creation_needs_an_empty_place(store: Arc<dyn Store>) {
    for key in one_of_each() {
        store.commit(vec![Write::create(first(key), None)]).await.unwrap();
        let again = store.commit(vec![Write::create(next(&first(key)), None)]).await;
        assert_eq!(again, Err(CommitError::Conflict(key)));
        assert_eq!(store.load(key).await, Ok(Some(first(key))));
    }
}

pub async fn a_deletion_needs_its_version(store: Arc<dyn Store>) {
    let key = Key::Session(session_id(1));
    store.commit(vec![Write::create(first(key), None)]).await.unwrap();
    assert_eq!(store.commit(vec![Write::delete(key, 2)]).await, Err(CommitError::Conflict(key)));
    store.commit(vec![Write::delete(key, 1)]).await.unwrap();
    assert_eq!(store.load(key).await, Ok(None));
    assert_eq!(store.commit(vec![Write::delete(key, 1)]).await, Err(CommitError::Conflict(key)));
}

pub async fn present_means_any_version_and_not_none(store: Arc<dyn Store>) {
    let key = Key::Session(session_id(1));
    let delete = || Write { key, expect: Expect::Present, action: Action::Delete };
    assert_eq!(store.commit(vec![Write::keep(key)]).await, Err(CommitError::Conflict(key)));
    assert_eq!(store.commit(vec![delete()]).await, Err(CommitError::Conflict(key)));
    store.commit(vec![Write::create(next(&first(key)), None)]).await.unwrap();
    store.commit(vec![Write::keep(key)]).await.unwrap();
    assert_eq!(store.load(key).await, Ok(Some(next(&first(key)))), "keeping changes nothing");
    store.commit(vec![delete()]).await.unwrap();
    assert_eq!(store.load(key).await, Ok(None));
}

pub async fn a_commit_happens_as_a_whole_or_not_at_all(store: Arc<dyn Store>) {
    let (cart, session, ledger) = (cart_key(1), Key::Session(session_id(1)), Key::Ledger(session_id(1)));
    store.commit(vec![Write::create(first(cart), None)]).await.unwrap();
    let writes = || {
        vec![
            Write::swap(1, next(&first(cart)), None),
            Write::create(first(ledger), None),
            Write::keep(session),
        ]
    };
    assert_eq!(store.commit(writes()).await, Err(CommitError::Conflict(session)));
    assert_eq!(store.load(cart).await, Ok(Some(first(cart))));
    assert_eq!(store.load(ledger).await, Ok(None));
    assert_eq!(store.count().await, Ok(Counts { guest_carts: 1, ..Counts::default() }));
    store.commit(vec![Write::create(first(session), None)]).await.unwrap();
    store.commit(writes()).await.unwrap();
    assert_eq!(store.load(cart).await, Ok(Some(next(&first(cart)))));
    assert_eq!(store.load(ledger).await, Ok(Some(first(ledger))));
}

pub async fn after_a_deletion_a_record_begins_anew(store: Arc<dyn Store>) {
    let key = cart_key(1);
    for _ in 0..3 {
        store.commit(vec![Write::create(first(key), None)]).await.unwrap();
        store.commit(vec![Write::swap(1, next(&first(key)), None)]).await.unwrap();
        while store.upkeep().await.unwrap() {}
        store.commit(vec![Write::delete(key, 2)]).await.unwrap();
        assert_eq!(store.load(key).await, Ok(None));
    }
}

pub async fn records_are_counted_by_who_holds_them(store: Arc<dyn Store>) {
    for n in 1..=3 {
        let keys = [cart_key(n), Key::Session(session_id(n)), Key::Ledger(session_id(n))];
        store.commit(keys.map(|key| Write::create(first(key), None)).to_vec()).await.unwrap();
    }
    let mut counts = Counts { guest_carts: 3, guest_sessions: 3, unproven_guests: 3, ..Counts::default() };
    assert_eq!(store.count().await, Ok(counts));
    store.commit(vec![Write::swap(1, next(&first(cart_key(1))), None)]).await.unwrap();
    store
        .commit(vec![Write::delete(cart_key(2), 1), Write::delete(Key::Ledger(session_id(2)), 1)])
        .await
        .unwrap();
    counts.guest_carts = 2;
    assert_eq!(store.count().await, Ok(counts));
    // It came back.
    let proven = Key::Session(session_id(1));
    store.commit(vec![Write::swap(1, next(&first(proven)), None)]).await.unwrap();
    counts.unproven_guests = 2;
    assert_eq!(store.count().await, Ok(counts));
    let signs_in = |n| {
        vec![
            Write::swap(1, signed_in(&first(Key::Session(session_id(n)))), None),
            Write::swap(1, sealed(&first(cart_key(n))), None),
            Write::create(of_account(&first(cart_key(n + 10))), None),
        ]
    };
    while store.upkeep().await.unwrap() {}
    store.commit(signs_in(3)).await.unwrap();
    let refused = store.commit(signs_in(3)).await;
    assert!(matches!(refused, Err(CommitError::Conflict(_))), "{refused:?}");
    let counts = Counts {
        guest_carts: 1,
        account_carts: 1,
        merged_carts: 1,
        guest_sessions: 2,
        account_sessions: 1,
        unproven_guests: 1,
    };
    assert_eq!(store.count().await, Ok(counts));
    while store.upkeep().await.unwrap() {}
    assert_eq!(store.count().await, Ok(counts));
    store
        .commit(vec![
            Write::delete(Key::Session(session_id(3)), 2),
            Write::delete(cart_key(3), 2),
            Write::delete(cart_key(13), 1),
        ])
        .await
        .unwrap();
    let counts = Counts { guest_carts: 1, guest_sessions: 2, unproven_guests: 1, ..Counts::default() };
    assert_eq!(store.count().await, Ok(counts));
}

/// The memory store takes any size; whoever has a bound names it and changes nothing.
pub async fn a_record_that_is_too_big_changes_nothing(store: Arc<dyn Store>) {
    let key = Key::Ledger(session_id(1));
    let mut ledger = Ledger::new(session_id(1));
    ledger.keep(LedgerEntry {
        key: [0; 16],
        request: [0; 16],
        at: Timestamp::from_ms(0),
        answer: LedgerAnswer { status: 200, code: Some("x".repeat(3 << 20).into()), about: None },
    });
    let small = cart_key(1);
    let huge = Write::create(Record::Ledger(Arc::new(ledger)), None);
    match store.commit(vec![Write::create(first(small), None), huge]).await {
        Err(CommitError::TooBig { bytes, most }) => {
            assert!(bytes > most);
            assert_eq!(store.load(key).await, Ok(None));
            assert_eq!(store.load(small).await, Ok(None));
            assert_eq!(store.count().await, Ok(Counts::default()));
        }
        other => assert_eq!(other, Ok(())),
    }
    store.commit(vec![Write::create(first(cart_key(2)), None)]).await.unwrap();
}

pub async fn upkeep_changes_nothing_that_shows(store: Arc<dyn Store>) {
    let keys: Vec<Key> = (1..=40).map(cart_key).collect();
    for key in &keys {
        store.commit(vec![Write::create(first(*key), None)]).await.unwrap();
    }
    for round in 1..6 {
        for key in &keys {
            let record = store.load(*key).await.unwrap().unwrap();
            assert_eq!(record.version(), round);
            store.commit(vec![Write::swap(round, next(&record), None)]).await.unwrap();
            store.upkeep().await.unwrap();
        }
        while store.upkeep().await.unwrap() {}
        while store.upkeep().await.unwrap() {}
    }
    let mut expected = first(keys[0]);
    (1..6).for_each(|_| expected = next(&expected));
    assert_eq!(store.load(keys[0]).await, Ok(Some(expected)));
}

pub async fn a_closed_store_refuses(store: Arc<dyn Store>) {
    let key = cart_key(1);
    store.commit(vec![Write::create(first(key), None)]).await.unwrap();
    store.close().await.unwrap();
    assert!(matches!(store.load(key).await, Err(StoreError::Down(_))));
    let committed = store.commit(vec![Write::swap(1, next(&first(key)), None)]).await;
    assert!(matches!(committed, Err(CommitError::Store(StoreError::Down(_)))));
    assert!(matches!(store.expired(Timestamp::from_ms(0), 1).await, Err(StoreError::Down(_))));
    assert!(matches!(store.upkeep().await, Err(StoreError::Down(_))));
    assert!(matches!(store.count().await, Err(StoreError::Down(_))));
    assert!(matches!(store.close().await, Err(StoreError::Down(_))));
}
