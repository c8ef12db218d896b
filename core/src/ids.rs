//! Names of things: newtypes that cannot be mixed up. Public ids are UUIDs; a token's digest is never shown whole.

use std::fmt;
use std::str::FromStr;

/// A text that is not a UUID in its hyphenated form of 36 characters (RFC 9562, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")]
pub struct ParseUuidError;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// From its 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> $name {
                $name(bytes)
            }

            /// Its 16 bytes.
            pub const fn bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(std::str::from_utf8(&hyphenated(&self.0)).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = ParseUuidError;
            fn from_str(text: &str) -> Result<$name, ParseUuidError> {
                parse_uuid(text).map($name).ok_or(ParseUuidError)
            }
        }
    };
}

uuid_id!(
    /// A cart, guest's or account's.
    CartId
);
uuid_id!(
    /// A session as its owner and the logs name it. It opens nothing: the token does.
    SessionId
);
uuid_id!(
    /// One queue of one device, made by the device itself (CART.md, *Names*).
    ClientId
);
uuid_id!(
    /// An order draft.
    OrderId
);
uuid_id!(
    /// A leftover: units that a cart is owed and has no room for.
    LeftoverId
);
uuid_id!(
    /// A key of the shop's own systems, as lists and logs name it. It opens nothing: the key itself does.
    ApiKeyId
);
uuid_id!(
/// An account, with a password here or of the shop's own login.
    AccountId
);
uuid_id!(
    /// What keeps a device remembered: a row of remember-me tokens, each made of the one before (SESSION.md).
    SeriesId
);
uuid_id!(
    /// Something that was written down in the audit.
    EventId
);

/// The 16 bytes of a fresh UUIDv7 (RFC 9562, section 5.7) from a time and ten random bytes.
pub fn uuid_v7(now: crate::time::Timestamp, random: [u8; 10]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&now.as_ms().to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&random);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    bytes
}

/// What a UUIDv7's order hangs on first: its milliseconds, and the twelve bits that follow them.
pub fn uuid_v7_head(id: &[u8; 16]) -> u64 {
    let [a, b, c, d, e, f, high, low, ..] = *id;
    let ms = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    ms << 12 | u64::from(high & 0x0f) << 8 | u64::from(low)
}

/// The UUIDv7 with this head: of ever higher heads come ever higher ids (RFC 9562, section 6.2).
pub fn uuid_v7_with_head(head: u64, mut random: [u8; 10]) -> [u8; 16] {
    let [.., high, low] = head.to_be_bytes();
    (random[0], random[1]) = (high, low);
    uuid_v7(crate::time::Timestamp::from_ms(head >> 12), random)
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn hyphenated(bytes: &[u8; 16]) -> [u8; 36] {
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    text
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let text = text.as_bytes();
    if text.len() != 36 {
        return None;
    }
    let mut bytes = [0; 16];
    let mut at = 0;
    for (i, byte) in bytes.iter_mut().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            if text[at] != b'-' {
                return None;
            }
            at += 1;
        }
        let high = char::from(text[at]).to_digit(16)?;
        let low = char::from(text[at + 1]).to_digit(16)?;
        *byte = (high << 4 | low) as u8;
        at += 2;
    }
    Some(bytes)
}

/// SHA-256 of a token: all that the server keeps of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// From its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> TokenDigest {
        TokenDigest(bytes)
    }

    /// Its 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenDigest({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// Names a key of the server's secret: the first bytes of a digest of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// From its 8 bytes.
    pub const fn from_bytes(bytes: [u8; 8]) -> KeyId {
        KeyId(bytes)
    }

    /// Its 8 bytes.
    pub const fn bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

/// SHA-256 of an e-mail address in the form in which addresses are compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailDigest([u8; 32]);

impl EmailDigest {
    /// From its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> EmailDigest {
        EmailDigest(bytes)
    }

    /// Its 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for EmailDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailDigest({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// A cart's count of the ops it took in; the first op has revision 1, an empty new cart 0.
pub type Revision = u64;

/// A cart's count of its checkouts.
pub type Generation = u64;

/// The number of an op in its client's queue, from 1 without gaps.
pub type Seq = u64;

/// A random number of an op, by which a forked queue is told (CART.md).
pub type OpId = u64;

/// Units of a line. The largest the API takes is a setting (9,999); inside, sums are checked against it.
pub type Quantity = u32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn a_uuid_reads_back_and_a_broken_one_does_not() {
        let id = CartId::from_bytes(uuid_v7(Timestamp::from_ms(1_700_000_000_123), [0xff; 10]));
        assert_eq!(id.to_string(), "018bcfe5-687b-7fff-bfff-ffffffffffff");
        assert_eq!(id.to_string().parse(), Ok(id));
        for broken in ["", "018bcfe5687b7fffbfffffffffffffff", "018bcfe5-687b-7fff-bfff-fffffffffffg", "é"] {
            assert_eq!(broken.parse::<CartId>(), Err(ParseUuidError), "{broken}");
        }
    }

    #[test]
    fn of_ever_higher_heads_come_ever_higher_ids() {
        let plain = uuid_v7(Timestamp::from_ms(1_700_000_000_123), [0xab; 10]);
        let head = uuid_v7_head(&plain);
        assert_eq!(uuid_v7_with_head(head, [0xab; 10]), plain);
        let mut before = uuid_v7_with_head(head - 1, [0xff; 10]);
        for more in 0..10_000 {
            let id = uuid_v7_with_head(head + more, [(255 - more % 256) as u8; 10]);
            assert!(id > before, "{more}");
            assert_eq!((uuid_v7_head(&id), id[6] >> 4, id[8] >> 6), (head + more, 7, 2), "a UUIDv7");
            before = id;
        }
    }

    #[test]
    fn a_digest_is_not_printed_whole() {
        assert_eq!(format!("{:?}", TokenDigest::from_bytes([7; 32])), "TokenDigest(0707…)");
    }
}
