//! Any sequence of calls, upkeep, ends and power cuts, beside a map that keeps everything in mind.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use trolley_core::ids::{OrderId, TokenDigest};
use trolley_core::time::Timestamp;
use trolley_store::port::{Action, CommitError, Expect, Listing, Store, Write};
use trolley_store::records::counts::Counts;
use trolley_store::records::{Key, Kind, Record};

use crate::make::{cart_key, first, next, of_account, sealed, session_id, signed_in};
use crate::place::Place;

type Map = HashMap<Key, (Record, Option<Timestamp>)>;

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(Key, Expected, Done)>),
    Expired { now: u64, most: usize },
    Upkeep,
    Close,
    Drop,
    PowerCut,
}

#[derive(Clone, Copy, Debug)]
enum Expected {
    Right,
    Absent,
    Version(u64),
    Present,
}

#[derive(Clone, Copy, Debug)]
enum Done {
    Keep,
    Put(Option<u64>),
    Delete,
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        4 => (1..4u8).prop_map(cart_key),
        3 => (1..4u8).prop_map(|n| Key::Session(session_id(n))),
        2 => (1..3u8).prop_map(|n| Key::Ledger(session_id(n))),
        1 => (1..3u8).prop_map(|n| Key::Token(TokenDigest::from_bytes([n; 32]))),
        1 => Just(Key::CLOCK),
        1 => (1..3u8).prop_map(|n| Key::Order(OrderId::from_bytes([n; 16]))),
        1 => (1..3u8).prop_map(|n| Key::Data(session_id(n))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let expected = prop_oneof![
        12 => Just(Expected::Right),
        1 => Just(Expected::Absent),
        1 => (0..4u64).prop_map(Expected::Version),
        1 => Just(Expected::Present),
    ];
    let done = prop_oneof![
        8 => proptest::option::of(0..50u64).prop_map(Done::Put),
        1 => Just(Done::Keep),
        1 => Just(Done::Delete),
    ];
    prop_oneof![
        20 => proptest::collection::vec((key(), expected, done), 1..4).prop_map(Step::Commit),
        2 => (0..60u64, 0..5usize).prop_map(|(now, most)| Step::Expired { now, most }),
        6 => Just(Step::Upkeep),
        1 => Just(Step::Close),
        1 => Just(Step::Drop),
        1 => Just(Step::PowerCut),
    ]
}

/// The first state of a record: every other cart is an account's.
fn begun(key: Key) -> Record {
    match key {
        Key::Cart(id) if id.bytes()[0].is_multiple_of(2) => of_account(&first(key)),
        _ => first(key),
    }
}

/// The state after `record`, which now and then is that of a sign-in.
fn moved_on(record: &Record) -> Record {
    match record {
        Record::Cart(cart) if cart.sealed.is_some() || cart.version.is_multiple_of(5) => sealed(record),
        Record::Session(session) if session.version.is_multiple_of(3) => signed_in(record),
        _ => next(record),
    }
}

/// The commit that a step describes, given what stands in the map.
fn writes(map: &Map, parts: &[(Key, Expected, Done)]) -> Vec<Write> {
    let mut writes: Vec<Write> = Vec::new();
    for (key, expected, done) in parts.iter().copied() {
        let stands = map.get(&key).map(|(record, _)| record);
        let right = stands.map_or(Expect::Absent, |record| Expect::Version(record.version()));
        let expect = match expected {
            Expected::Right => right,
            Expected::Absent => Expect::Absent,
            Expected::Version(version) => Expect::Version(version),
            Expected::Present if matches!(done, Done::Put(_)) => right,
            Expected::Present => Expect::Present,
        };
        let action = match done {
            Done::Keep => Action::Keep,
            Done::Delete => Action::Delete,
            Done::Put(expires) => Action::Put {
                record: stands.map_or_else(|| begun(key), moved_on),
                expires_at: expires.map(Timestamp::from_ms),
            },
        };
        if writes.iter().all(|write| write.key != key) {
            writes.push(Write { key, expect, action });
        }
    }
    writes
}

/// What the commit should do to the map.
fn expect(map: &mut Map, writes: &[Write]) -> Result<(), Key> {
    let unmet =
        writes.iter().find(|write| !write.expect.met_by(map.get(&write.key).map(|(record, _)| record)));
    if let Some(unmet) = unmet {
        return Err(unmet.key);
    }
    for write in writes {
        match &write.action {
            Action::Keep => {}
            Action::Delete => drop(map.remove(&write.key)),
            Action::Put { record, expires_at } => drop(map.insert(write.key, (record.clone(), *expires_at))),
        }
    }
    Ok(())
}

async fn same(store: &dyn Store, map: &Map) {
    let keys = (1..4).flat_map(|n| [cart_key(n), Key::Session(session_id(n)), Key::Ledger(session_id(n))]);
    let tokens = (1..3).map(|n| Key::Token(TokenDigest::from_bytes([n; 32])));
    for key in keys.chain(tokens).chain([Key::CLOCK]) {
        assert_eq!(store.load(key).await, Ok(map.get(&key).map(|(record, _)| record.clone())), "{key}");
    }
    let mut counts = Counts::default();
    for (record, _) in map.values() {
        counts.change(None, Some(record));
    }
    assert_eq!(store.count().await, Ok(counts));
    expired(store, map, 100, 100).await;
    for kind in Kind::ALL {
        let mut all: Vec<Key> = map.keys().copied().filter(|key| key.kind() == *kind).collect();
        all.sort_unstable();
        let listed = store.list(Listing::all(*kind), usize::MAX).await.unwrap();
        assert_eq!(listed.iter().map(|listed| listed.record.key()).collect::<Vec<_>>(), all);
    }
}

async fn expired(store: &dyn Store, map: &Map, now: u64, most: usize) {
    let now = Timestamp::from_ms(now);
    let found = store.expired(now, most).await.unwrap();
    let times: Vec<Option<Timestamp>> =
        found.iter().map(|key| map.get(key).and_then(|(_, at)| *at)).collect();
    let all = map.values().filter(|(_, at)| at.is_some_and(|at| at <= now));
    assert_eq!(found.len(), all.count().min(most));
    assert!(times.is_sorted() && times.iter().all(|at| at.is_some_and(|at| at <= now)), "{times:?}");
}

async fn runs<P: Place>(mut place: P, steps: Vec<Step>) {
    let mut store = place.open().await;
    let mut map = Map::new();
    for step in steps {
        match step {
            Step::Commit(parts) => {
                let writes = writes(&map, &parts);
                let expected = expect(&mut map, &writes).map_err(CommitError::Conflict);
                assert_eq!(store.commit(writes).await, expected);
            }
            Step::Expired { now, most } => expired(&*store, &map, now, most).await,
            Step::Upkeep => drop(store.upkeep().await.unwrap()),
            Step::Close | Step::Drop if !P::LASTS => {}
            Step::Close => {
                store.close().await.unwrap();
                store = place.open().await;
            }
            Step::Drop => {
                drop(store);
                store = place.open().await;
            }
            Step::PowerCut => {
                if let Some(left) = place.after_a_power_cut() {
                    store = left.open().await;
                    place = left;
                }
            }
        }
    }
    same(&*store, &map).await;
}

/// Random sequences of `steps` calls at the most, each over a fresh place.
pub fn a_store_keeps_what_a_map_would<P: Place>(place: impl Fn() -> P, steps: usize) {
    let config = ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    let sequences = proptest::collection::vec(step(), 1..steps);
    let done = runner.run(&sequences, |steps| {
        crate::runtime().block_on(runs(place(), steps));
        Ok(())
    });
    done.unwrap_or_else(|failed| panic!("{failed}"));
}
