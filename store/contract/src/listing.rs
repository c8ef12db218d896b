//! Which records a listing gives, and in which order.

use std::sync::Arc;

use trolley_core::ids::{CartId, OrderId};
use trolley_core::order::OrderLink;
use trolley_core::time::Timestamp;
use trolley_store::port::{Direction, Listed, Listing, Store, Write};
use trolley_store::records::{Key, Kind};

use crate::make::{cart_key, first, next, session_id};

fn session(n: u8) -> Key {
    Key::Session(session_id(n))
}

async fn create(store: &Arc<dyn Store>, n: u8) {
    store
        .commit(vec![Write::create(first(session(n)), Some(Timestamp::from_ms(u64::from(n))))])
        .await
        .unwrap();
}

async fn keys(store: &Arc<dyn Store>, listing: Listing, most: usize) -> Vec<Key> {
    let listed = store.list(listing, most).await.unwrap();
    listed.iter().map(|listed| listed.record.key()).collect()
}

fn all() -> Listing {
    Listing::all(Kind::Session)
}

async fn fold(store: &Arc<dyn Store>) {
    // The first time somebody wrote since; the second time nobody did.
    while store.upkeep().await.unwrap() {}
    while store.upkeep().await.unwrap() {}
}

pub async fn a_listing_is_in_the_order_of_ids(store: Arc<dyn Store>) {
    assert_eq!(keys(&store, all(), 10).await, []);
    for n in [3, 1, 255, 2] {
        create(&store, n).await;
    }
    store.commit(vec![Write::create(first(cart_key(2)), None)]).await.unwrap();
    assert_eq!(keys(&store, all(), 10).await, [1, 2, 3, 255].map(session), "no other kind");
    let down = Listing { direction: Direction::Descending, ..all() };
    assert_eq!(keys(&store, down, 3).await, [255, 3, 2].map(session));
    let under = Listing { prefix: vec![3, 3], ..all() };
    assert_eq!(keys(&store, under, 10).await, [session(3)]);
    let under = Listing { prefix: vec![255; 16], direction: Direction::Descending, ..all() };
    assert_eq!(keys(&store, under, 10).await, [session(255)]);
}

pub async fn a_listing_goes_on_behind_what_it_gave(store: Arc<dyn Store>) {
    for n in 1..=5 {
        create(&store, n).await;
        if n == 3 {
            fold(&store).await;
        }
    }
    let behind = |n: u8, direction| Listing { after: Some(vec![n; 16]), direction, ..all() };
    assert_eq!(keys(&store, behind(2, Direction::Ascending), 2).await, [3, 4].map(session));
    assert_eq!(keys(&store, behind(5, Direction::Ascending), 2).await, []);
    assert_eq!(keys(&store, behind(4, Direction::Descending), 2).await, [3, 2].map(session));
    assert_eq!(keys(&store, behind(1, Direction::Descending), 2).await, []);
    assert_eq!(keys(&store, all(), 0).await, []);
}

pub async fn a_listing_sees_what_is_folded_and_what_is_not(store: Arc<dyn Store>) {
    for n in 1..=6 {
        create(&store, n).await;
    }
    fold(&store).await;
    let changed = next(&first(session(2)));
    store.commit(vec![Write::swap(1, changed.clone(), None)]).await.unwrap();
    store.commit(vec![Write::delete(session(3), 1), Write::delete(session(6), 1)]).await.unwrap();
    create(&store, 7).await;
    let listed = store.list(all(), 3).await.unwrap();
    let first =
        |n: u8| Listed { record: first(session(n)), expires_at: Some(Timestamp::from_ms(u64::from(n))) };
    assert_eq!(listed, [first(1), Listed { record: changed, expires_at: None }, first(4)]);
    let down = Listing { direction: Direction::Descending, ..all() };
    assert_eq!(keys(&store, down.clone(), 10).await, [7, 5, 4, 2, 1].map(session));
    fold(&store).await;
    assert_eq!(keys(&store, down, 10).await, [7, 5, 4, 2, 1].map(session));
}

pub async fn what_begins_alike_is_listed_together_and_nothing_beside_it(store: Arc<dyn Store>) {
    let cart = |n: u8| CartId::from_bytes([n; 16]);
    let link = |of: u8, n: u8| Key::OrderLink(OrderLink::new(cart(of), OrderId::from_bytes([n; 16])));
    for n in 1..=8 {
        for of in [0, 6, 7, 8, 255] {
            store.commit(vec![Write::create(first(link(of, n)), None)]).await.unwrap();
        }
        if n == 4 {
            fold(&store).await;
            store.commit(vec![Write::delete(link(7, 2), 1)]).await.unwrap();
        }
    }
    store.commit(vec![Write::delete(link(7, 6), 1)]).await.unwrap();
    let all = |of: u8| Listing { prefix: vec![of; 16], ..Listing::all(Kind::OrderLink) };
    let behind = |of: u8, n: u8| Some([[of; 16], [n; 16]].concat());
    for _ in 0..2 {
        let left = [1, 3, 4, 5, 7, 8].map(|n| link(7, n));
        assert_eq!(keys(&store, all(7), 100).await, left);
        let down = Listing { direction: Direction::Descending, ..all(7) };
        assert_eq!(keys(&store, down.clone(), 100).await, left.iter().copied().rev().collect::<Vec<_>>());
        let after = Listing { after: behind(7, 4), ..all(7) };
        assert_eq!(keys(&store, after, 2).await, left[3..5]);
        let before = Listing { after: behind(7, 6), ..down.clone() };
        assert_eq!(keys(&store, before, 2).await, [link(7, 5), link(7, 4)]);
        let before = Listing { after: behind(7, 0), ..down };
        assert_eq!(keys(&store, before, 2).await, []);
        for of in [0, 255] {
            assert_eq!(keys(&store, all(of), 100).await.len(), 8, "at the ends of all ids");
        }
        assert_eq!(keys(&store, all(9), 100).await, []);
        fold(&store).await;
    }
}
