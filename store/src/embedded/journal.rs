//! One row of the journal: what one commit of the engine changed, in order, under a checksum of its own.

use trolley_core::time::Timestamp;

use crate::record::bytes::{DecodeError, Reader, put_bytes, put_u64};
use crate::records::Key;
use crate::records::counts::Counts;

/// The newest form of a row, its first byte.
const FORMAT: u8 = 1;

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// Which.
    pub(super) key: Key,
    /// Its new state.
    pub(super) state: State<'a>,
}

/// A record's new state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State<'a> {
    /// It is gone.
    Gone,
    /// All of it.
    Image(&'a [u8], Option<Timestamp>),
    /// What changed since the entry before it in the journal, which is there.
    Delta(&'a [u8], Option<Timestamp>),
}

const GONE: u64 = 0;
const IMAGE: u64 = 1;
const DELTA: u64 = 2;

/// Appends an entry to the entries of a row.
pub(super) fn put_entry(entries: &mut Vec<u8>, key: &Key, state: &State<'_>) {
    let (kind, id) = (key.kind() as u8, key.id());
    entries.push(kind);
    put_bytes(entries, id);
    let (tag, bytes, expires_at) = match state {
        State::Gone => return put_u64(entries, GONE),
        State::Image(bytes, expires_at) => (IMAGE, bytes, expires_at),
        State::Delta(bytes, expires_at) => (DELTA, bytes, expires_at),
    };
    put_u64(entries, tag);
    put_u64(entries, expires_at.map_or(0, |at| at.as_ms().saturating_add(1)));
    put_bytes(entries, bytes);
}

/// The row of number `seq`: how many records there are after it, and its entries.
pub(super) fn seal(seq: u64, counts: Counts, entries: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(entries.len() + 24);
    row.push(FORMAT);
    for (_, count) in counts.each() {
        put_u64(&mut row, count);
    }
    row.extend_from_slice(entries);
    let sum = checksum(seq, &row);
    row.extend_from_slice(&sum.to_le_bytes());
    row
}

/// The counts and entries of the row of number `seq`, or what is wrong with it.
pub(super) fn unseal(seq: u64, row: &[u8]) -> Result<(Counts, Vec<Entry<'_>>), String> {
    let (body, sum) = row.split_last_chunk::<4>().ok_or("it is too short")?;
    if u32::from_le_bytes(*sum) != checksum(seq, body) {
        return Err("its checksum is wrong".into());
    }
    let (format, rest) = body.split_first().ok_or("it is too short")?;
    if *format != FORMAT {
        return Err(format!("its form is {format}, this release knows up to {FORMAT}"));
    }
    entries(rest).map_err(|malformed| malformed.to_string())
}

fn entries(bytes: &[u8]) -> Result<(Counts, Vec<Entry<'_>>), DecodeError> {
    let mut reader = Reader::new(bytes);
    let mut counts = Counts::default();
    for (_, count) in counts.each_mut() {
        *count = reader.u64()?;
    }
    let mut entries = Vec::new();
    while !reader.is_empty() {
        let kind = reader.u8()?;
        let key = Key::of_parts(kind, reader.bytes()?).ok_or(DecodeError("an unknown kind of record"))?;
        let tag = reader.u64()?;
        let state = if tag == GONE {
            State::Gone
        } else {
            let expires_at = reader.u64()?.checked_sub(1).map(Timestamp::from_ms);
            match tag {
                IMAGE => State::Image(reader.bytes()?, expires_at),
                DELTA => State::Delta(reader.bytes()?, expires_at),
                _ => return Err(DecodeError("an unknown kind of entry")),
            }
        };
        entries.push(Entry { key, state });
    }
    Ok((counts, entries))
}

/// Over the number too, so that a row in another's place is noticed.
fn checksum(seq: u64, row: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&seq.to_le_bytes()), row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trolley_core::ids::{CartId, SessionId};

    #[test]
    fn a_row_reads_back_and_a_changed_bit_is_seen() {
        let cart = Key::Cart(CartId::from_bytes([1; 16]));
        let session = Key::Session(SessionId::from_bytes([2; 16]));
        let written = [
            Entry { key: cart, state: State::Image(b"image", None) },
            Entry { key: session, state: State::Delta(b"", Some(Timestamp::from_ms(0))) },
            Entry { key: Key::CLOCK, state: State::Gone },
        ];
        let mut bytes = Vec::new();
        for entry in &written {
            put_entry(&mut bytes, &entry.key, &entry.state);
        }
        let counts = Counts {
            guest_carts: 300,
            account_carts: 20,
            merged_carts: 1,
            guest_sessions: 200,
            account_sessions: 7,
            unproven_guests: 150,
        };
        let row = seal(9, counts, &bytes);
        assert_eq!(unseal(9, &row), Ok((counts, written.to_vec())));
        assert!(unseal(8, &row).is_err(), "a row in another's place");
        for bit in 0..row.len() * 8 {
            let mut flipped = row.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(unseal(9, &flipped).is_err(), "bit {bit}");
        }
    }
}
