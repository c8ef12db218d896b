//! Records as bytes at rest: an image is all of a record, a delta is what changed since an earlier state of it.
//!
//! Each begins with its format number. An image ends with a CRC-32C over it and over the key it stands under; a delta is
//! always part of something that has a checksum of its own. Domain types know nothing of this.
//!
//! A new format gets the next number: `encode` and `delta` write it from then on, `decode` and `apply` go on reading the
//! older ones by the number they begin with, and `tests/golden` keeps the bytes of every format that was ever released.

pub mod bytes;
mod delta;
mod field;
mod form;

use std::sync::Arc;

use trolley_core::ids::{AccountId, CartId, EmailDigest, EventId, OrderId, SessionId, TokenDigest};
use trolley_core::order::{OrderLink, SealingLink};

use crate::kind::{Key, Kind, Record};
use crate::port::StoreError;

use self::bytes::{DecodeError, Reader, put_u64};
use self::field::Field;

pub use self::form::weight;

/// The newest format, the first byte of every image and delta.
pub const FORMAT: u8 = 1;

/// The image of a record: all of it.
pub fn encode(record: &Record) -> Vec<u8> {
    let mut image = Vec::with_capacity(256);
    image.push(FORMAT);
    record.put(&mut image);
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
    let read = |body| {
        let mut reader = known_format(body)?;
        let record = Record::take(&mut reader)?;
        end(&reader)?;
        Ok(record)
    };
    let record = read(body).map_err(|malformed: DecodeError| damaged(malformed.0))?;
    if record.key() == key { Ok(record) } else { Err(damaged("it is the record of another key")) }
}

/// What makes `after` of `before`, a record of the same key; none where it would be no shorter than an image.
pub fn delta(before: &Record, after: &Record) -> Option<Vec<u8>> {
    let mut delta = Vec::with_capacity(256);
    delta.push(FORMAT);
    put_u64(&mut delta, before.version());
    match (before, after) {
        (Record::Cart(before), Record::Cart(after)) => delta::of_carts(before, after, &mut delta),
        (Record::Ledger(before), Record::Ledger(after)) => delta::of_ledgers(before, after, &mut delta),
        _ => return None,
    }
    Some(delta)
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
    read().map_err(|malformed| StoreError::Damaged { key: before.key(), what: malformed.0.to_owned() })
}

/// A key as its kind's number and the bytes of its id.
pub fn key_parts(key: &Key) -> (u8, &[u8]) {
    let id: &[u8] = match key {
        Key::Cart(id) => id.bytes(),
        Key::Session(id) | Key::Ledger(id) | Key::Data(id) => id.bytes(),
        Key::Token(digest) | Key::Reset(digest) | Key::Remember(digest) | Key::ApiKey(digest) => {
            digest.bytes()
        }
        Key::Clock => &[],
        Key::Order(id) => id.bytes(),
        Key::OrderLink(link) => link.bytes(),
        Key::Sealing(id) => id.bytes(),
        Key::SealingLink(link) => link.bytes(),
        Key::Audit(id) => id.bytes(),
        Key::Account(id) | Key::Trail(id) | Key::AccountSessions(id) => id.bytes(),
        Key::Email(digest) => digest.bytes(),
    };
    (key.kind() as u8, id)
}

/// The key of these parts.
pub fn key_from(kind: u8, id: &[u8]) -> Option<Key> {
    Some(match Kind::ALL.iter().find(|known| **known as u8 == kind)? {
        Kind::Cart => Key::Cart(CartId::from_bytes(id.try_into().ok()?)),
        Kind::Session => Key::Session(SessionId::from_bytes(id.try_into().ok()?)),
        Kind::Token => Key::Token(TokenDigest::from_bytes(id.try_into().ok()?)),
        Kind::Ledger => Key::Ledger(SessionId::from_bytes(id.try_into().ok()?)),
        Kind::Clock => id.is_empty().then_some(Key::Clock)?,
        Kind::ApiKey => Key::ApiKey(TokenDigest::from_bytes(id.try_into().ok()?)),
        Kind::AccountSessions => Key::AccountSessions(AccountId::from_bytes(id.try_into().ok()?)),
        Kind::Remember => Key::Remember(TokenDigest::from_bytes(id.try_into().ok()?)),
        Kind::Audit => Key::Audit(EventId::from_bytes(id.try_into().ok()?)),
        Kind::Trail => Key::Trail(AccountId::from_bytes(id.try_into().ok()?)),
        Kind::Account => Key::Account(AccountId::from_bytes(id.try_into().ok()?)),
        Kind::Email => Key::Email(EmailDigest::from_bytes(id.try_into().ok()?)),
        Kind::Reset => Key::Reset(TokenDigest::from_bytes(id.try_into().ok()?)),
        Kind::Order => Key::Order(OrderId::from_bytes(id.try_into().ok()?)),
        Kind::OrderLink => Key::OrderLink(OrderLink::from_bytes(id.try_into().ok()?)),
        Kind::Sealing => Key::Sealing(CartId::from_bytes(id.try_into().ok()?)),
        Kind::SealingLink => Key::SealingLink(SealingLink::from_bytes(id.try_into().ok()?)),
        Kind::Data => Key::Data(SessionId::from_bytes(id.try_into().ok()?)),
    })
}

fn known_format(bytes: &[u8]) -> Result<Reader<'_>, DecodeError> {
    match bytes.split_first() {
        Some((&FORMAT, rest)) => Ok(Reader::new(rest)),
        Some(_) => Err(DecodeError("a newer trolley wrote it")),
        None => Err(DecodeError("it is empty")),
    }
}

fn end(reader: &Reader<'_>) -> Result<(), DecodeError> {
    if reader.is_empty() { Ok(()) } else { Err(DecodeError("it goes on where it should end")) }
}

fn checksum(key: &Key, image: &[u8]) -> u32 {
    let (kind, id) = key_parts(key);
    crc32c::crc32c_append(crc32c::crc32c_append(crc32c::crc32c(&[kind]), id), image)
}
