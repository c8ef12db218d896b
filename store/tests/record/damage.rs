//! Bytes that are not what was written: an error that names the record, never a panic, never another record.

use std::sync::Arc;

use proptest::prelude::*;
use trolley_core::ids::CartId;
use trolley_core::ledger::Ledger;
use trolley_store::port::StoreError;
use trolley_store::record::{apply, decode, delta, encode};
use trolley_store::records::{Key, Record};

use crate::golden::samples;
use crate::history::{cart, change, record};

fn is_damaged(result: &Result<Record, StoreError>, key: Key) -> bool {
    matches!(result, Err(StoreError::Damaged { key: of, .. }) if *of == key)
}

#[test]
fn every_flipped_bit_and_every_missing_end_is_noticed() {
    for (name, sample) in samples() {
        let (key, image) = (sample.key(), encode(&sample));
        for bit in 0..image.len() * 8 {
            let mut flipped = image.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(is_damaged(&decode(key, &flipped), key), "{name}, bit {bit}");
        }
        for length in 0..image.len() {
            assert!(is_damaged(&decode(key, &image[..length]), key), "{name}, {length} bytes");
        }
    }
}

#[test]
fn an_image_under_another_key_is_noticed() {
    let sample = record(&cart());
    let other = Key::Cart(CartId::from_bytes([1; 16]));
    assert!(is_damaged(&decode(other, &encode(&sample)), other));
}

#[test]
fn a_delta_of_another_state_or_kind_is_noticed() {
    let (mut cart, mut states) = (cart(), Vec::new());
    for step in 0..3 {
        states.push(record(&cart));
        change(&mut cart, step * 11, 2_000_000 + step);
    }
    let made = delta(&states[0], &states[1]).unwrap();
    assert!(is_damaged(&apply(&states[1], &made), states[1].key()));
    let ledger = Record::Ledger(Arc::new(Ledger::new(trolley_core::ids::SessionId::from_bytes([0; 16]))));
    assert!(apply(&ledger, &made).is_err());
    assert_eq!(delta(&ledger, &states[0]), None);
}

#[test]
fn a_newer_format_says_so_and_is_not_called_damage() {
    let mut image = encode(&record(&cart()));
    image[0] = 99;
    let body = image.len() - 4;
    let key = record(&cart()).key();
    let head = crc32c::crc32c_append(crc32c::crc32c(&[key.kind() as u8]), key.id());
    let sum = crc32c::crc32c_append(head, &image[..body]);
    image[body..].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(decode(key, &image), Err(StoreError::NewerFormat { key, format: 99 }));
    let mut made = delta(&record(&cart()), &record(&cart())).unwrap();
    made[0] = 99;
    let refused = apply(&record(&cart()), &made).unwrap_err().to_string();
    assert!(refused.contains("a newer trolley wrote"), "{refused}");
}

proptest! {
    #[test]
    fn changed_deltas_never_panic(place in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
        let mut after = cart();
        (0..30).for_each(|step| change(&mut after, step * 0x9e37_79b9, 2_000_000 + step * 1_000));
        let before = record(&cart());
        let mut made = delta(&before, &record(&after)).unwrap();
        let at = place.index(made.len());
        made[at] = byte;
        let _ = apply(&before, &made);
        let _ = apply(&before, &made[..cut.index(made.len())]);
    }

    #[test]
    fn anything_at_all_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let before = record(&cart());
        let _ = decode(before.key(), &bytes);
        let mut made = delta(&before, &before).unwrap();
        made.truncate(2);
        made.extend(bytes);
        let _ = apply(&before, &made);
    }
}
