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

use crate::record::bytes::{DecodeError, Reader, Writer, put_bytes, put_u64};

/// What can be put into bytes and taken out again.
pub(super) trait Field: Sized {
    fn put(&self, out: &mut Writer);
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// A struct: its fields in this order, and behind them those that a later format brought, each with the number of that format:
/// `since 3 leftovers`. In a record of an earlier format such a field is not there, and reads as its default; a node that is
/// told to write an earlier format leaves it out.
macro_rules! fields {
    ($($of:ty as $name:ident { $($field:ident),* $(,)? $(; $(since $format:literal $new:ident),* $(,)?)? })*) => {$(
        impl Field for $of {
            fn put(&self, out: &mut Writer) {
                let $name { $($field,)* $($($new,)*)? } = self;
                $($field.put(out);)*
                $($(if out.has($format) {
                    $new.put(out);
                })*)?
            }
            fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                $(let $field = Field::take(from)?;)*
                $($(let $new = if from.has($format) { Field::take(from)? } else { Default::default() };)*)?
                Ok($name { $($field,)* $($($new,)*)? })
            }
        }
    )*};
}
pub(super) use fields;

/// An enum without contents: a number for each, never given to another one.
macro_rules! numbered {
    ($($of:ident { $($number:literal $variant:ident),* $(,)? })*) => {$(
        impl Field for $of {
            fn put(&self, out: &mut Writer) {
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
            fn put(&self, out: &mut Writer) {
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
            fn put(&self, out: &mut Writer) {
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
    fn put(&self, out: &mut Writer) {
        put_u64(out, *self);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        from.u64()
    }
}

macro_rules! smaller {
    ($($of:ident),*) => {$(
        impl Field for $of {
            fn put(&self, out: &mut Writer) {
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
    fn put(&self, out: &mut Writer) {
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
    fn put(&self, out: &mut Writer) {
        out.extend_from_slice(self);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        from.take(N)?.try_into().map_err(|_| DecodeError("it ends too early"))
    }
}

impl Field for Timestamp {
    fn put(&self, out: &mut Writer) {
        put_u64(out, self.as_ms());
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        from.u64().map(Timestamp::from_ms)
    }
}

impl Field for Box<str> {
    fn put(&self, out: &mut Writer) {
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
            fn put(&self, out: &mut Writer) {
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
    fn put(&self, out: &mut Writer) {
        out.extend_from_slice(self.as_str().as_bytes());
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let text = std::str::from_utf8(from.take(22)?).ok();
        text.and_then(LineId::parse).ok_or(DecodeError("not a line's id"))
    }
}

impl Field for Currency {
    fn put(&self, out: &mut Writer) {
        out.extend_from_slice(self.as_str().as_bytes());
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let code = std::str::from_utf8(from.take(3)?).ok();
        code.and_then(Currency::parse).ok_or(DecodeError("not a currency"))
    }
}

impl Field for Item {
    fn put(&self, out: &mut Writer) {
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
    fn put(&self, out: &mut Writer) {
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
            fn put(&self, out: &mut Writer) {
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
            fn put(&self, out: &mut Writer) {
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
    fn put(&self, out: &mut Writer) {
        self.0.put(out);
        self.1.put(out);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::take(from)?, B::take(from)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Inner {
        n: u64,
        note: Option<Box<str>>,
    }

    #[derive(Debug, PartialEq)]
    struct Outer {
        list: Vec<Inner>,
        last: u64,
        name: Vec<u64>,
    }

    fields! {
        Inner as Inner { n; since 3 note }
        Outer as Outer { list, last; since 2 name }
    }

    fn sample() -> Outer {
        let inner = |n| Inner { n, note: Some(format!("note {n}").into()) };
        Outer { list: vec![inner(1), inner(2)], last: 7, name: vec![1, 2] }
    }

    fn written(format: u8) -> Vec<u8> {
        let mut out = Writer::of_format(format);
        sample().put(&mut out);
        out.into_bytes()
    }

    fn read(format: u8) -> Outer {
        let bytes = written(format);
        let mut from = Reader::of_format(format, &bytes);
        let read = Outer::take(&mut from).unwrap();
        assert!(from.is_empty(), "format {format} leaves bytes behind");
        read
    }

    #[test]
    fn what_a_later_format_brought_is_its_default_in_records_of_an_earlier_one_however_deep_it_lies() {
        let without_notes =
            |list: Vec<Inner>| list.into_iter().map(|it| Inner { note: None, ..it }).collect();
        assert_eq!(read(3), sample());
        assert_eq!(read(2), Outer { list: without_notes(sample().list), ..sample() });
        assert_eq!(read(1), Outer { list: without_notes(sample().list), name: Vec::new(), ..sample() });
        assert!(written(1).len() < written(2).len() && written(2).len() < written(3).len());
    }
}
