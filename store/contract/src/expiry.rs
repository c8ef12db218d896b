//! Which sessions are named as expired, and when.

use std::sync::Arc;

use trolley_core::time::Timestamp;
use trolley_store::port::{Store, Write};
use trolley_store::records::Key;

use crate::make::{cart_key, first, next, session_id};

fn session(n: u8) -> Key {
    Key::Session(session_id(n))
}

async fn create(store: &Arc<dyn Store>, n: u8, expires_ms: Option<u64>) {
    store.commit(vec![Write::create(first(session(n)), expires_ms.map(Timestamp::from_ms))]).await.unwrap();
}

async fn expired(store: &Arc<dyn Store>, now_ms: u64, most: usize) -> Vec<Key> {
    store.expired(Timestamp::from_ms(now_ms), most).await.unwrap()
}

pub async fn records_are_named_from_their_millisecond_on(store: Arc<dyn Store>) {
    create(&store, 1, Some(1_000)).await;
    create(&store, 2, None).await;
    store.commit(vec![Write::create(first(cart_key(1)), Some(Timestamp::from_ms(1)))]).await.unwrap();
    assert_eq!(expired(&store, 0, 10).await, []);
    assert_eq!(expired(&store, 999, 10).await, [cart_key(1)], "any kind");
    assert_eq!(expired(&store, 1_000, 10).await, [cart_key(1), session(1)]);
    assert_eq!(expired(&store, u64::MAX, 10).await, [cart_key(1), session(1)], "none that never expires");
    assert!(store.load(session(1)).await.unwrap().is_some(), "expiry hides nothing");
}

pub async fn the_soonest_come_first_and_no_more_than_asked_for(store: Arc<dyn Store>) {
    for n in 1..=9 {
        create(&store, n, Some(1_000 - u64::from(n))).await;
        if n == 5 {
            while store.upkeep().await.unwrap() {}
            while store.upkeep().await.unwrap() {}
        }
    }
    assert_eq!(expired(&store, 2_000, 3).await, [9, 8, 7].map(session));
    assert_eq!(expired(&store, 996, 100).await, [9, 8, 7, 6, 5, 4].map(session));
    store.commit(vec![Write::delete(session(9), 1)]).await.unwrap();
    store.commit(vec![Write::delete(session(4), 1)]).await.unwrap();
    assert_eq!(expired(&store, 996, 100).await, [8, 7, 6, 5].map(session));
}

pub async fn a_later_expiry_takes_the_place_of_the_earlier(store: Arc<dyn Store>) {
    let key = session(1);
    create(&store, 1, Some(1_000)).await;
    let (two, three) = (next(&first(key)), next(&next(&first(key))));
    store.commit(vec![Write::swap(1, two, Some(Timestamp::from_ms(2_000)))]).await.unwrap();
    assert_eq!(expired(&store, 1_999, 10).await, []);
    assert_eq!(expired(&store, 2_000, 10).await, [session(1)]);
    store.commit(vec![Write::swap(2, three, None)]).await.unwrap();
    assert_eq!(expired(&store, u64::MAX, 10).await, []);
}

pub async fn what_is_folded_expires_too(store: Arc<dyn Store>) {
    let key = session(1);
    let fold = async || {
        // The first time somebody wrote since; the second time nobody did.
        while store.upkeep().await.unwrap() {}
        while store.upkeep().await.unwrap() {}
    };
    create(&store, 1, Some(1_000)).await;
    fold().await;
    assert_eq!(expired(&store, 999, 10).await, []);
    assert_eq!(expired(&store, 1_000, 10).await, [session(1)]);
    store.commit(vec![Write::swap(1, next(&first(key)), Some(Timestamp::from_ms(3_000)))]).await.unwrap();
    assert_eq!(expired(&store, 2_999, 10).await, [], "the table still has the earlier time");
    fold().await;
    assert_eq!(expired(&store, 3_000, 10).await, [session(1)]);
    store.commit(vec![Write::delete(key, 2)]).await.unwrap();
    assert_eq!(expired(&store, 3_000, 10).await, []);
    fold().await;
    assert_eq!(expired(&store, 3_000, 10).await, []);
}

pub async fn who_goes_on_behind_what_was_named_is_named_each_once(store: Arc<dyn Store>) {
    for n in 1..=20 {
        // Four share each millisecond, of different kinds.
        let at = Some(Timestamp::from_ms(1_000 + u64::from(n) / 4));
        let record = if n % 2 == 0 { first(session(n)) } else { first(cart_key(n)) };
        store.commit(vec![Write::create(record, at)]).await.unwrap();
        if n == 10 {
            while store.upkeep().await.unwrap() {}
            while store.upkeep().await.unwrap() {}
        }
    }
    let all = store.due(Timestamp::from_ms(1_004), None, 100).await.unwrap();
    assert_eq!(all.len(), 19, "the twentieth is not over yet");
    assert!(all.is_sorted(), "the soonest first, those of one time by kind and id");
    for most in [1, 3, 7] {
        let mut named = Vec::new();
        loop {
            let some = store.due(Timestamp::from_ms(1_004), named.last().copied(), most).await.unwrap();
            assert!(some.len() <= most);
            if some.is_empty() {
                break;
            }
            named.extend(some);
        }
        assert_eq!(named, all, "by {most}");
    }
}
