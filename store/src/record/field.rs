//! How each part of a record is written and read. A struct's fields are listed once, for both ways; one that is not listed does
//! not compile.

use std::collections::VecDeque;
use std::sync::Arc;

use trolley_core::account::email::Email;
use trolley_core::account::password::PasswordHash;
use trolley_core::ids::{
    AccountId, ApiKeyId, CartId, ClientId, EmailDigest, EventId, KeyId, LeftoverId, OrderId, SeriesId,
    SessionId, TokenDigest,
};
use trolley_core::item::{Item, LineId};
use trolley_core::money::Currency;
use trolley_core::order::{OrderLink, SealingLink};
use trolley_core::time::Timestamp;

use super::bytes::{DecodeError, Reader, put_bytes, put_u64};

/// What can be put into bytes and taken out again.
pub(super) trait Field: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// A struct: its fields in this order.
macro_rules! fields {
    ($($of:ty as $name:ident { $($field:ident),* $(,)? })*) => {$(
        impl Field for $of {
            fn put(&self, out: &mut Vec<u8>) {
                let $name { $($field),* } = self;
                $($field.put(out);)*
            }
            fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                $(let $field = Field::take(from)?;)*
                Ok($name { $($field),* })
            }
        }
    )*};
}
pub(super) use fields;

/// An enum without contents: a number for each, never given to another one.
macro_rules! numbered {
    ($($of:ident { $($number:literal $variant:ident),* $(,)? })*) => {$(
        impl Field for $of {
            fn put(&self, out: &mut Vec<u8>) {
                out.push(match self { $($of::$variant => $number),* });
            }
            fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match from.u8()? {
                    $($number => Ok($of::$variant),)*
                    _ => Err(DecodeError(concat!("an unknown ", stringify!($of)))),
                }
            }
        }
    )*};
}
pub(super) use numbered;

/// An enum of which each variant holds one thing.
macro_rules! tagged {
    ($($of:ident { $($number:literal $variant:ident),* $(,)? })*) => {$(
        impl Field for $of {
            fn put(&self, out: &mut Vec<u8>) {
                match self { $($of::$variant(held) => { out.push($number); held.put(out) }),* }
            }
            fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match from.u8()? {
                    $($number => Ok($of::$variant(Field::take(from)?)),)*
                    _ => Err(DecodeError(concat!("an unknown ", stringify!($of)))),
                }
            }
        }
    )*};
}
pub(super) use tagged;

/// What is some bytes with a name.
macro_rules! named_bytes {
    ($($of:ident),*) => {$(
        impl Field for $of {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.bytes());
            }
            fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok($of::from_bytes(Field::take(from)?))
            }
        }
    )*};
}
named_bytes!(
    ApiKeyId,
    CartId,
    SessionId,
    ClientId,
    OrderId,
    LeftoverId,
    OrderLink,
    SealingLink,
    TokenDigest,
    AccountId,
    SeriesId,
    KeyId,
    EventId,
    EmailDigest
);

impl Field for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        put_u64(out, *self);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        from.u64()
    }
}

macro_rules! smaller {
    ($($of:ident),*) => {$(
        impl Field for $of {
            fn put(&self, out: &mut Vec<u8>) {
                put_u64(out, u64::from(*self));
            }
            fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                $of::try_from(from.u64()?).map_err(|_| DecodeError("a number is too large"))
            }
        }
    )*};
}
smaller!(u16, u32);

impl Field for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match from.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError("neither yes nor no")),
        }
    }
}

impl<const N: usize> Field for [u8; N] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        from.take(N)?.try_into().map_err(|_| DecodeError("it ends too early"))
    }
}

impl Field for Timestamp {
    fn put(&self, out: &mut Vec<u8>) {
        put_u64(out, self.as_ms());
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        from.u64().map(Timestamp::from_ms)
    }
}

impl Field for Box<str> {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.as_bytes());
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        text(from).map(Box::from)
    }
}

/// What is a text with a name, and was judged when it came in.
macro_rules! named_texts {
    ($($of:ident),*) => {$(
        impl Field for $of {
            fn put(&self, out: &mut Vec<u8>) {
                put_bytes(out, self.as_str().as_bytes());
            }
            fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok($of::kept(Field::take(from)?))
            }
        }
    )*};
}
named_texts!(Email, PasswordHash);

fn text<'a>(from: &mut Reader<'a>) -> Result<&'a str, DecodeError> {
    std::str::from_utf8(from.bytes()?).map_err(|_| DecodeError("a text is not UTF-8"))
}

impl Field for LineId {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_str().as_bytes());
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let text = std::str::from_utf8(from.take(22)?).ok();
        text.and_then(LineId::parse).ok_or(DecodeError("not a line's id"))
    }
}

impl Field for Currency {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_str().as_bytes());
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let code = std::str::from_utf8(from.take(3)?).ok();
        code.and_then(Currency::parse).ok_or(DecodeError("not a currency"))
    }
}

impl Field for Item {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.sku().as_bytes());
        put_u64(out, self.options().len() as u64);
        for (name, value) in self.options() {
            put_bytes(out, name.as_bytes());
            put_bytes(out, value.as_bytes());
        }
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let sku = text(from)?;
        let count = from.len()?;
        let options = (0..count).map(|_| Ok((text(from)?.to_owned(), text(from)?.to_owned())));
        let options = options.collect::<Result<_, _>>()?;
        Item::new(sku, options).map_err(|_| DecodeError("an item over its bounds"))
    }
}

impl<T: Field> Field for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(held) = self {
            held.put(out);
        }
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        bool::take(from)?.then(|| T::take(from)).transpose()
    }
}

macro_rules! pointers {
    ($($pointer:ident),*) => {$(
        impl<T: Field> Field for $pointer<T> {
            fn put(&self, out: &mut Vec<u8>) {
                (**self).put(out);
            }
            fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                T::take(from).map($pointer::new)
            }
        }
    )*};
}
pointers!(Arc, Box);

macro_rules! lists {
    ($($list:ident),*) => {$(
        impl<T: Field> Field for $list<T> {
            fn put(&self, out: &mut Vec<u8>) {
                put_u64(out, self.len() as u64);
                for element in self {
                    element.put(out);
                }
            }
            fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                (0..from.len()?).map(|_| T::take(from)).collect()
            }
        }
    )*};
}
lists!(Vec, VecDeque);

impl<A: Field, B: Field> Field for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::take(from)?, B::take(from)?))
    }
}
