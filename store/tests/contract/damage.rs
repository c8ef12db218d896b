//! What a folder's store does with a file that is not what it wrote.

use std::sync::Arc;

use rusqlite::Connection;
use trolley_core::ids::SessionId;
use trolley_core::ledger::Ledger;
use trolley_core::time::Timestamp;
use trolley_store::open::{back_up, export, import, restore};
use trolley_store::port::{CommitError, Direction, Due, Listing, StoreError, Write};
use trolley_store::records::{Key, Record};

use crate::place::FilePlace;
use crate::runtime;
use trolley_store_contract::make::{cart_key, first, next, session_id};

/// A store with a cart and a session: in the table where `folded`, in the journal alone where not.
fn filled(folded: bool) -> FilePlace {
    let place = FilePlace::new();
    runtime().block_on(async {
        let store = place.open();
        for key in [cart_key(1), Key::Session(session_id(1))] {
            store.commit(vec![Write::create(first(key), Some(Timestamp::from_ms(5)))]).await.unwrap();
            store.commit(vec![Write::swap(1, next(&first(key)), None)]).await.unwrap();
        }
        while folded && store.upkeep().await.unwrap() {}
        while folded && store.upkeep().await.unwrap() {}
        store.close().await.unwrap();
    });
    place
}

fn change(place: &FilePlace, sql: &str) {
    let connection = Connection::open(place.database()).unwrap();
    connection.execute_batch(sql).unwrap();
}

fn refused(place: &FilePlace) -> String {
    place.try_open().err().expect("it does not open")
}

#[test]
fn a_row_of_the_journal_that_is_missing_refuses_the_start() {
    let place = filled(false);
    change(&place, "DELETE FROM journal WHERE seq = 2");
    assert!(refused(&place).contains("row 2 of its journal is missing"), "{}", refused(&place));
}

#[test]
fn a_row_of_the_journal_that_was_changed_refuses_the_start() {
    let place = filled(false);
    change(&place, "UPDATE journal SET row = (SELECT row FROM journal WHERE seq = 3) WHERE seq = 4");
    assert!(refused(&place).contains("row 4 of its journal: its checksum is wrong"), "{}", refused(&place));
}

#[test]
fn a_damaged_record_is_an_error_that_names_it_and_others_are_read() {
    let place = filled(true);
    change(
        &place,
        "UPDATE records SET image = CAST(substr(image, 1, 20) || x'ff' || substr(image, 22) AS BLOB) WHERE kind = 1",
    );
    runtime().block_on(async {
        let store = place.open();
        let (cart, session) = (cart_key(1), Key::Session(session_id(1)));
        assert!(matches!(store.load(cart).await, Err(StoreError::Damaged { key, .. }) if key == cart));
        let over = store.commit(vec![Write::swap(2, next(&next(&first(cart))), None)]).await;
        assert!(over.is_err(), "nothing is written over it");
        assert_eq!(store.load(session).await, Ok(Some(next(&first(session)))));
    });
}

/// A store whose records of these sessions expire at the first millisecond, folded; then those of `damaged` are.
fn expiring(sessions: std::ops::Range<u8>, damaged: std::ops::Range<u8>) -> FilePlace {
    let place = FilePlace::new();
    runtime().block_on(async {
        let store = place.open();
        let create = |n| Write::create(first(Key::Session(session_id(n))), Some(Timestamp::from_ms(1)));
        store.commit(sessions.map(create).collect()).await.unwrap();
        while store.upkeep().await.unwrap() {}
        while store.upkeep().await.unwrap() {}
        store.close().await.unwrap();
    });
    for n in damaged {
        spoil(&place, &format!("kind = 2 AND id = x'{}'", format!("{n:02x}").repeat(16)));
    }
    place
}

fn spoil(place: &FilePlace, which: &str) {
    change(place, &format!("UPDATE records SET image = CAST(image || x'00' AS BLOB) WHERE {which}"));
}

fn sessions(of: impl Iterator<Item = u8>) -> Vec<Key> {
    of.map(|n| Key::Session(session_id(n))).collect()
}

#[test]
fn who_goes_through_the_expired_gets_past_more_damaged_ones_than_a_batch_holds() {
    let place = expiring(1..200, 1..150);
    runtime().block_on(async {
        let store = place.open();
        let (mut after, mut gone) = (None, Vec::new());
        loop {
            let due = store.due(Timestamp::from_ms(1), after, 100).await.unwrap();
            let Some(last) = due.last() else { break };
            after = Some(*last);
            for Due { key, .. } in due {
                match store.commit(vec![Write::delete(key, 1)]).await {
                    Ok(()) => gone.push(key),
                    Err(CommitError::Store(StoreError::Damaged { key: named, .. })) => assert_eq!(named, key),
                    Err(other) => panic!("{other}"),
                }
            }
        }
        assert_eq!(gone, sessions(150..200));
        assert_eq!(store.activity().damaged, sessions(1..150), "each is told");
        let named = store.expired(Timestamp::from_ms(1), 1_000).await.unwrap();
        assert_eq!(named, sessions(1..150), "they stay");
    });
}

#[test]
fn a_listing_leaves_damaged_records_out_and_tells_them() {
    let place = expiring(1..10, 3..6);
    runtime().block_on(async {
        let store = place.open();
        assert_eq!(store.activity().damaged, []);
        let all = Listing::all(trolley_store::records::Kind::Session);
        let keys = async |listing: Listing, most| {
            let listed = store.list(listing, most).await.unwrap();
            listed.iter().map(|listed| listed.record.key()).collect::<Vec<_>>()
        };
        assert_eq!(
            keys(all.clone(), 4).await,
            sessions([1, 2, 6, 7].into_iter()),
            "a page is full all the same"
        );
        let down = Listing { direction: Direction::Descending, ..all.clone() };
        assert_eq!(keys(down, 100).await, sessions([9, 8, 7, 6, 2, 1].into_iter()));
        let behind = Listing { after: Some(vec![2; 16]), ..all };
        assert_eq!(keys(behind, 1).await, sessions([6].into_iter()));
        assert_eq!(store.activity().damaged, sessions(3..6), "each once");
        let damaged = Key::Session(session_id(3));
        assert!(matches!(store.load(damaged).await, Err(StoreError::Damaged { key, .. }) if key == damaged));
    });
}

#[test]
fn what_the_journal_says_anew_is_whole_where_the_table_is_damaged() {
    let place = expiring(1..3, 1..1);
    let key = Key::Session(session_id(1));
    runtime().block_on(async {
        let store = place.open();
        store.commit(vec![Write::swap(1, next(&first(key)), None)]).await.unwrap();
        store.close().await.unwrap();
    });
    spoil(&place, "kind = 2");
    runtime().block_on(async {
        let store = place.open();
        let listed = store.list(Listing::all(trolley_store::records::Kind::Session), 10).await.unwrap();
        assert_eq!(listed.iter().map(|listed| &listed.record).collect::<Vec<_>>(), [&next(&first(key))]);
        while store.upkeep().await.unwrap() {}
        while store.upkeep().await.unwrap() {}
        store.close().await.unwrap();
        let store = place.open();
        assert_eq!(store.load(key).await, Ok(Some(next(&first(key)))), "a fold heals it");
        assert_eq!(store.activity().damaged, []);
    });
}

#[test]
fn an_export_a_backup_and_its_way_back_go_on_past_damaged_records_and_say_which() {
    let place = expiring(1..10, 3..6);
    let at = |place: &FilePlace| format!("file:{}", place.database().parent().unwrap().display());
    let mut given = Vec::new();
    let mut each = |key: &Key, _: &[u8], _: Option<Timestamp>| {
        given.push(*key);
        Ok(())
    };
    let exported = export(&at(&place), &mut each).unwrap();
    assert_eq!((given, exported.records), (sessions([1, 2, 6, 7, 8, 9].into_iter()), 6));
    assert_eq!((exported.damaged.count, &exported.damaged.keys), (3, &sessions(3..6)));
    let (copy, again) = (FilePlace::new(), FilePlace::new());
    let backed_up = back_up(&at(&place), copy.database().parent().unwrap()).unwrap();
    assert_eq!((backed_up.counts.sessions(), &backed_up.damaged), (6, &exported.damaged));
    assert_eq!(
        backed_up.damaged.to_string().split(", ").next(),
        Some("3 records are damaged: Session(SessionId(03030303-0303-0303-0303-030303030303))")
    );
    let restored = restore(copy.database().parent().unwrap(), &at(&again)).unwrap();
    assert_eq!(restored.damaged, exported.damaged);
    runtime().block_on(async {
        let store = again.open();
        assert_eq!(
            store.load(Key::Session(session_id(9))).await,
            Ok(Some(first(Key::Session(session_id(9)))))
        );
        assert!(store.load(Key::Session(session_id(3))).await.is_err(), "it is as damaged as it was");
        assert_eq!(store.count().await.unwrap().sessions(), 9);
    });
}

#[test]
fn a_row_whose_name_is_damaged_is_told_and_passed_by_everywhere() {
    for name in [
        "kind = -126",
        "kind = 66",
        "kind = 300",
        "id = x'0011'",
        "id = x''",
        "id = CAST(id || x'00' AS BLOB)",
    ] {
        let place = expiring(1..10, 1..1);
        change(&place, &format!("UPDATE records SET {name} WHERE id = x'{}'", "01".repeat(16)));
        runtime().block_on(async {
            let store = place.open();
            let due = store.due(Timestamp::from_ms(1), None, 100).await.unwrap();
            assert_eq!(due.iter().map(|due| due.key).collect::<Vec<_>>(), sessions(2..10), "{name}");
            let all = Listing::all(trolley_store::records::Kind::Session);
            assert_eq!(store.list(all, 100).await.unwrap().len(), 8, "{name}");
            assert_eq!((store.activity().strays, store.activity().damaged), (1, vec![]), "{name}");
            store.close().await.unwrap();
        });
        let at = |place: &FilePlace| format!("file:{}", place.database().parent().unwrap().display());
        let exported = export(&at(&place), &mut |_, _, _| Ok(())).unwrap();
        assert_eq!((exported.records, exported.damaged.strays.0), (8, 1), "{name}");
        let (copy, again) = (FilePlace::new(), FilePlace::new());
        let backed_up = back_up(&at(&place), copy.database().parent().unwrap()).unwrap();
        assert_eq!(backed_up.damaged, exported.damaged, "{name}");
        let told = backed_up.damaged.to_string();
        assert!(told.starts_with("1 record is damaged: a row that is no record's (kind "), "{told}");
        assert_eq!(
            restore(copy.database().parent().unwrap(), &at(&again)).unwrap().damaged,
            exported.damaged
        );
    }
}

#[test]
fn a_mark_of_what_is_folded_that_cannot_be_right_refuses_the_start() {
    for mark in ["5", "50", "9223372036854775807"] {
        let place = filled(false);
        change(&place, &format!("UPDATE meta SET value = {mark} WHERE name = 'folded'"));
        let why = refused(&place);
        assert!(why.contains("is damaged: it says that its tables have the journal up to row"), "{why}");
        assert!(why.contains("row 4 is there without it"), "{why}");
    }
}

#[test]
fn an_import_takes_in_no_damaged_record() {
    let place = FilePlace::new();
    let mut import = import(&format!("file:{}", place.database().parent().unwrap().display())).unwrap();
    let key = Key::Session(session_id(1));
    let mut image = trolley_store::record::encode(&first(key));
    image[5] ^= 1;
    let refused = import.put_image(key, &image, None).unwrap_err();
    assert!(refused.to_string().contains("checksum is wrong"), "{refused}");
    drop(import);
    assert!(!place.database().exists(), "all of it or nothing");
}

#[test]
fn a_record_in_the_place_of_another_is_damaged() {
    let place = filled(true);
    change(
        &place,
        "INSERT INTO records SELECT kind, x'02020202020202020202020202020202', image, NULL FROM records WHERE kind = 1",
    );
    runtime().block_on(async {
        let store = place.open();
        assert!(matches!(store.load(cart_key(2)).await, Err(StoreError::Damaged { .. })));
    });
}

#[test]
fn a_store_that_a_newer_release_wrote_is_refused_and_left_alone() {
    let place = filled(true);
    change(&place, "PRAGMA user_version = 99");
    let before = std::fs::read(place.database()).unwrap();
    assert!(refused(&place).contains("newer trolley"), "{}", refused(&place));
    assert_eq!(std::fs::read(place.database()).unwrap(), before);
}

#[test]
fn another_programs_file_is_refused_and_left_alone() {
    let place = filled(true);
    change(&place, "PRAGMA application_id = 7");
    assert!(refused(&place).contains("is not a trolley store"), "{}", refused(&place));
    std::fs::write(place.database(), "a shopping list, in plain text, by hand\n".repeat(50)).unwrap();
    assert!(refused(&place).contains("is not a trolley store"), "{}", refused(&place));
}

#[test]
fn a_folder_has_one_store_at_a_time() {
    let place = filled(false);
    let store = place.open();
    assert!(refused(&place).contains("in use by another trolley"), "{}", refused(&place));
    drop(store);
    place.open();
}

#[test]
fn a_power_cut_at_any_step_of_a_fold_loses_nothing() {
    let place = FilePlace::new();
    let keys: Vec<Key> = (0..1_000).map(numbered).collect();
    runtime().block_on(async {
        let store = place.open();
        let mut versions = 0;
        for _ in 0..2 {
            // In small commits: a large one makes for a large slice.
            for some in keys.chunks(100) {
                let writes = some.iter().map(|key| match versions {
                    0 => Write::create(first(*key), None),
                    _ => Write::swap(1, next(&first(*key)), None),
                });
                store.commit(writes.collect()).await.unwrap();
            }
            versions += 1;
            for _ in 0..2 {
                while store.upkeep().await.unwrap() {
                    let copy = place.copy();
                    let cut = copy.open();
                    for key in keys.iter().step_by(99) {
                        assert_eq!(cut.load(*key).await.unwrap().unwrap().version(), versions);
                    }
                }
            }
        }
    });
}

fn numbered(n: u32) -> Key {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    Key::Ledger(SessionId::from_bytes(bytes))
}

#[test]
fn space_comes_back_when_most_records_are_gone() {
    let place = FilePlace::new();
    let size = || std::fs::metadata(place.database()).unwrap().len();
    runtime().block_on(async {
        let store = place.open();
        let wide = |key| (0..200).fold(first(key), |record, _| next(&record));
        let version = wide(numbered(0)).version();
        for batch in 0..10 {
            let keys = (0..300).map(|n| numbered(batch * 300 + n));
            let image = wide(numbered(batch));
            let writes = keys.map(|key| Write::create(moved(&image, key), None)).collect();
            store.commit(writes).await.unwrap();
        }
        while store.upkeep().await.unwrap() {}
        while store.upkeep().await.unwrap() {}
        let full = size();
        assert!(full > 25 << 20, "{full} bytes");
        for batch in 0..10 {
            let keys = (0..300).map(|n| numbered(batch * 300 + n));
            store.commit(keys.map(|key| Write::delete(key, version)).collect()).await.unwrap();
        }
        while store.upkeep().await.unwrap() {}
        while store.upkeep().await.unwrap() {}
        store.close().await.unwrap();
        assert!(size() <= (18 << 20), "{} of {full} bytes are left", size());
    });
}

/// The same ledger of another session.
fn moved(record: &Record, key: Key) -> Record {
    match (record, key) {
        (Record::Ledger(ledger), Key::Ledger(session)) => {
            let ledger = Ledger { session, ..(**ledger).clone() };
            Record::Ledger(Arc::new(ledger))
        }
        _ => unreachable!("only ledgers are moved"),
    }
}
