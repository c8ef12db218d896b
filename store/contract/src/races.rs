//! Many callers at once.

use std::sync::Arc;

use tokio::task::JoinSet;
use trolley_store::port::{CommitError, Store, Write};
use trolley_store::records::{Key, Record};

use crate::make::{cart_key, first, next, session_id};

const CALLERS: u8 = 64;

async fn version(store: &Arc<dyn Store>, key: Key) -> u64 {
    store.load(key).await.unwrap().as_ref().map_or(0, Record::version)
}

/// Advances every record of `keys` by one version in one commit, as often as it takes.
async fn advance(store: Arc<dyn Store>, keys: Vec<Key>) {
    loop {
        let mut writes = Vec::new();
        for key in &keys {
            let record = store.load(*key).await.unwrap().unwrap();
            writes.push(Write::swap(record.version(), next(&record), None));
        }
        match store.commit(writes).await {
            Ok(()) => return,
            Err(CommitError::Conflict(key)) => assert!(keys.contains(&key)),
            Err(other) => panic!("{other}"),
        }
    }
}

pub async fn every_increment_counts_once(store: Arc<dyn Store>) {
    let key = cart_key(1);
    store.commit(vec![Write::create(first(key), None)]).await.unwrap();
    let mut callers: JoinSet<()> = (0..CALLERS).map(|_| advance(Arc::clone(&store), vec![key])).collect();
    while !callers.is_empty() {
        store.upkeep().await.unwrap();
        callers.join_next().await.unwrap().unwrap();
    }
    assert_eq!(version(&store, key).await, 1 + u64::from(CALLERS));
}

pub async fn only_one_creates(store: Arc<dyn Store>) {
    for n in 1..=5 {
        let key = Key::Session(session_id(n));
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let store = Arc::clone(&store);
            callers.spawn(async move { store.commit(vec![Write::create(first(key), None)]).await });
        }
        let results = callers.join_all().await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        assert!(results.iter().all(|result| matches!(result, Ok(()) | Err(CommitError::Conflict(_)))));
    }
    assert_eq!(store.count().await.unwrap().sessions(), 5);
}

/// Each commit advances two neighbours in a ring of records: at the end each was advanced by its two sides.
pub async fn two_keys_change_together(store: Arc<dyn Store>) {
    let ring: Vec<Key> = (1..=8).map(cart_key).collect();
    let creates = ring.iter().map(|key| Write::create(first(*key), None)).collect();
    store.commit(creates).await.unwrap();
    let mut callers = JoinSet::new();
    for caller in 0..usize::from(CALLERS) {
        let pair = vec![ring[caller % 8], ring[(caller + 1) % 8]];
        callers.spawn(advance(Arc::clone(&store), pair));
    }
    while !callers.is_empty() {
        // Between the two loads both may have moved on, so the second is never behind what the first allows.
        let before = version(&store, ring[0]).await;
        store.upkeep().await.unwrap();
        assert!(version(&store, ring[0]).await >= before);
        callers.join_next().await.unwrap().unwrap();
    }
    for key in ring {
        assert_eq!(version(&store, key).await, 1 + u64::from(CALLERS) / 4);
    }
}

pub async fn a_commit_whose_caller_left_is_whole(store: Arc<dyn Store>) {
    for n in 1..=60 {
        let (cart, ledger) = (cart_key(n), Key::Ledger(session_id(n)));
        let commit = store.commit(vec![Write::create(first(cart), None), Write::create(first(ledger), None)]);
        // Driven once, perhaps: then it is with the store and nobody waits for it.
        let left = tokio::select! {
            biased;
            done = commit => done.is_ok(),
            () = async { if n % 2 == 0 { tokio::task::yield_now().await } } => false,
        };
        // Whoever commits after it sees all of it or nothing.
        store.commit(vec![Write::create(first(Key::Session(session_id(n))), None)]).await.unwrap();
        let (cart, ledger) = (version(&store, cart).await, version(&store, ledger).await);
        assert_eq!(cart, ledger);
        assert!(!left || cart == 1);
    }
}
