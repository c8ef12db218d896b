//! Records as bytes at rest: an image is all of a record, a delta is what changed since an earlier state of it.
//!
//! Each begins with its format number. An image ends with a CRC-32C over it and over the key it stands under; a delta is
//! always part of something that has a checksum of its own. Domain types know nothing of this.
//!
//! A new field is one word in `form`: `since 3 leftovers`, where 3 is the next format, and [`FORMAT`] becomes 3. What was
//! written before reads as if the field had its default; `tests/golden` keeps the bytes of every format that was ever released.

pub mod bytes;
mod delta;
mod field;
mod form;
mod weight;

use std::sync::Arc;

use crate::port::StoreError;
use crate::record::bytes::{DecodeError, Reader, Writer, put_u64};
use crate::record::field::Field;
use crate::records::{Key, Record};

pub use crate::record::weight::weight;

/// The newest format, the first byte of every image and delta.
pub const FORMAT: u8 = 2;
/// The oldest format that is still read. Format 1 was written before anything was released.
pub const OLDEST_FORMAT: u8 = 2;

/// The image of a record: all of it.
pub fn encode(record: &Record) -> Vec<u8> {
    encode_as(record, FORMAT)
}

/// The same in an older format, for as long as somebody who shares the store reads no newer one. What that format does not have
/// is left out.
pub fn encode_as(record: &Record, format: u8) -> Vec<u8> {
    let mut image = Writer::of_format(format);
    image.push(format);
    record.put(&mut image);
    let mut image = image.into_bytes();
    let sum = checksum(&record.key(), &image);
    image.extend_from_slice(&sum.to_le_bytes());
    image
}

/// The record whose image stands under `key`.
pub fn decode(key: Key, image: &[u8]) -> Result<Record, StoreError> {
    let damaged = |what: &str| StoreError::Damaged { key, what: what.to_owned() };
    let (body, sum) = image.split_last_chunk::<4>().ok_or_else(|| damaged("it is too short"))?;
    if u32::from_le_bytes(*sum) != checksum(&key, body) {
        return Err(damaged("its checksum is wrong"));
    }
    if let Some(format) = newer_format(body) {
        return Err(StoreError::NewerFormat { key, format });
    }
    let read = |body| {
        let mut reader = known_format(body)?;
        let record = Record::take(&mut reader)?;
        end(&reader)?;
        Ok(record)
    };
    let record = read(body).map_err(|wrong: DecodeError| damaged(wrong.0))?;
    if record.key() == key { Ok(record) } else { Err(damaged("it is the record of another key")) }
}

/// What makes `after` of `before`, a record of the same key; none where it would be no shorter than an image.
pub fn delta(before: &Record, after: &Record) -> Option<Vec<u8>> {
    let mut delta = Writer::of_format(FORMAT);
    delta.push(FORMAT);
    put_u64(&mut delta, before.version());
    match (before, after) {
        (Record::Cart(before), Record::Cart(after)) => delta::of_carts(before, after, &mut delta),
        (Record::Ledger(before), Record::Ledger(after)) => delta::of_ledgers(before, after, &mut delta),
        _ => return None,
    }
    Some(delta.into_bytes())
}

/// The record that `delta` makes of `before`, the state it was made from.
pub fn apply(before: &Record, delta: &[u8]) -> Result<Record, StoreError> {
    let read = || {
        let mut reader = known_format(delta)?;
        if reader.u64()? != before.version() {
            return Err(DecodeError("it changes another version"));
        }
        let after = match before {
            Record::Cart(cart) => Record::Cart(Arc::new(delta::to_cart(cart, &mut reader)?)),
            Record::Ledger(ledger) => Record::Ledger(Arc::new(delta::to_ledger(ledger, &mut reader)?)),
            _ => return Err(DecodeError("it changes what has no parts")),
        };
        end(&reader)?;
        Ok(after)
    };
    if let Some(format) = newer_format(delta) {
        return Err(StoreError::NewerFormat { key: before.key(), format });
    }
    read().map_err(|malformed| StoreError::Damaged { key: before.key(), what: malformed.0.to_owned() })
}

/// The format of what a newer release wrote.
fn newer_format(bytes: &[u8]) -> Option<u8> {
    bytes.first().copied().filter(|format| *format > FORMAT)
}

fn known_format(bytes: &[u8]) -> Result<Reader<'_>, DecodeError> {
    match bytes.split_first() {
        Some((&format @ OLDEST_FORMAT..=FORMAT, rest)) => Ok(Reader::of_format(format, rest)),
        Some((&format, _)) if format > FORMAT => Err(DecodeError("a newer trolley wrote it")),
        Some(_) => Err(DecodeError("a trolley from before the first release wrote it: begin a new store")),
        None => Err(DecodeError("it is empty")),
    }
}

fn end(reader: &Reader<'_>) -> Result<(), DecodeError> {
    if reader.is_empty() { Ok(()) } else { Err(DecodeError("it goes on where it should end")) }
}

fn checksum(key: &Key, image: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(crc32c::crc32c(&[key.kind() as u8]), key.id()), image)
}
