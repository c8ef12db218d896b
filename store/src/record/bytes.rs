//! Numbers and lengths as bytes: unsigned LEB128, and a length before whatever varies.

use std::ops::{Deref, DerefMut};

/// What bytes are not what they should be. It names what is wrong, never what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(pub &'static str);

const SHORT: DecodeError = DecodeError("it ends too early");

/// Appends a number: 1 byte for up to 127, 10 at the most.
pub fn put_u64(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a length and the bytes.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u64(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Where a record is written to, and in which format.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    format: u8,
}

impl Writer {
    /// Of this format, with nothing written yet.
    pub fn of_format(format: u8) -> Writer {
        Writer { bytes: Vec::with_capacity(256), format }
    }

    /// Whether the format that is written has what `since` brought.
    pub fn has(&self, since: u8) -> bool {
        self.format >= since
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl Deref for Writer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Writer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

/// Takes from the front of some bytes what was put there.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    format: u8,
}

impl<'a> Reader<'a> {
    /// Of these bytes, written in this format.
    pub fn of_format(format: u8, bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, format }
    }

    /// Of bytes that have no format of their own: numbers and lengths alone.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader::of_format(0, bytes)
    }

    /// Whether the format that is read has what `since` brought.
    pub fn has(&self, since: u8) -> bool {
        self.format >= since
    }

    /// Whether all was taken.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.bytes.split_first().ok_or(SHORT)?;
        self.bytes = rest;
        Ok(*first)
    }

    /// A number.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                break;
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(DecodeError("a number is too large"))
    }

    /// A length that what is left can hold, each element taking a byte at least.
    pub fn len(&mut self) -> Result<usize, DecodeError> {
        let length = usize::try_from(self.u64()?).map_err(|_| SHORT)?;
        if length > self.bytes.len() { Err(SHORT) } else { Ok(length) }
    }

    /// A length and so many bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.len()?;
        self.take(length)
    }

    /// So many bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(SHORT)?;
        self.bytes = rest;
        Ok(taken)
    }
}
