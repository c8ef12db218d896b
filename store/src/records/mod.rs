//! What is kept: the kinds of records, the keys they stand under, and what a record of each kind holds. All of it follows from
//! the one table.

pub mod counts;
pub mod own;
pub(crate) mod table;

use std::fmt;
use std::sync::Arc;

use trolley_core::account::Account;
use trolley_core::account::audit::{AuditEvent, Trail};
use trolley_core::account::sessions::AccountSessions;
use trolley_core::cart::state::Cart;
use trolley_core::ids::{AccountId, CartId, EmailDigest, EventId, OrderId, SessionId, TokenDigest};
use trolley_core::ledger::Ledger;
use trolley_core::order::{Order, OrderLink, SealedOrders, Sealing, SealingLink};
use trolley_core::session::Session;

use crate::records::own::{ApiKey, Clock, Data, EmailOwner, Remember, ResetToken, Token};
use crate::records::table::table;

/// What a key names a record by: some bytes of fixed length, by which records of a kind are ordered.
pub trait RecordId: Copy + Eq + Ord + fmt::Debug {
    /// The bytes.
    fn as_bytes(&self) -> &[u8];
    /// The id of these bytes; none where they cannot be one.
    fn of(bytes: &[u8]) -> Option<Self>;
}

macro_rules! ids {
    ($($id:ty),*) => {$(
        impl RecordId for $id {
            fn as_bytes(&self) -> &[u8] {
                self.bytes()
            }
            fn of(bytes: &[u8]) -> Option<Self> {
                Some(<$id>::from_bytes(bytes.try_into().ok()?))
            }
        }
    )*};
}
ids!(AccountId, CartId, EmailDigest, EventId, OrderId, OrderLink, SealingLink, SessionId, TokenDigest);

/// The id of a kind of which there is one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Singleton;

impl RecordId for Singleton {
    fn as_bytes(&self) -> &[u8] {
        &[]
    }
    fn of(bytes: &[u8]) -> Option<Self> {
        bytes.is_empty().then_some(Singleton)
    }
}

/// What a record of a kind holds: by its type alone it can be read, written and told from all others.
pub trait Stored: Sized + Send + Sync + 'static {
    /// What it stands under.
    type Id: RecordId;
    /// Which kind it is.
    const KIND: Kind;
    /// The key of this id.
    fn key_of(id: Self::Id) -> Key;
    /// What the record holds, if it is of this kind.
    fn of(record: Record) -> Option<Arc<Self>>;
    /// The same, to be looked at.
    fn of_ref(record: &Record) -> Option<&Arc<Self>>;
}

macro_rules! define {
    ($($(#[$doc:meta])* $number:literal $name:ident($id:ty) holds $holds:ty, id |$it:ident| $of_id:expr, version $version:expr;)*) => {
        /// The name of a record. Keys are ordered by kind and then by the bytes of their id.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key {
            $($(#[$doc])* $name($id),)*
        }

        /// What sort of record a key names. The numbers are stored.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Kind {
            $($(#[$doc])* $name = $number,)*
        }

        /// What stands under a key. A record always belongs under [`Record::key`].
        #[derive(Clone, Debug, PartialEq)]
        pub enum Record {
            $($(#[$doc])* $name(Arc<$holds>),)*
        }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &[Kind] = &[$(Kind::$name),*];
        }

        impl Key {
            /// What sort of record it names.
            pub fn kind(&self) -> Kind {
                match self {
                    $(Key::$name(_) => Kind::$name,)*
                }
            }

            /// The bytes of its id.
            pub fn id(&self) -> &[u8] {
                match self {
                    $(Key::$name(id) => id.as_bytes(),)*
                }
            }

            /// The key of a kind's number and the bytes of an id; none where there is no such kind, or it has no such ids.
            pub fn of_parts(kind: u8, id: &[u8]) -> Option<Key> {
                match kind {
                    $($number => RecordId::of(id).map(Key::$name),)*
                    _ => None,
                }
            }
        }

        impl Record {
            /// The key it belongs under.
            #[expect(unused_variables, reason = "not every row of the table asks what the record holds")]
            pub fn key(&self) -> Key {
                match self {
                    $(Record::$name($it) => Key::$name($of_id),)*
                }
            }

            /// What compare-and-set compares.
            #[expect(unused_variables, reason = "not every row of the table asks what the record holds")]
            pub fn version(&self) -> u64 {
                match self {
                    $(Record::$name($it) => $version,)*
                }
            }
        }

        $(
            impl Stored for $holds {
                type Id = $id;
                const KIND: Kind = Kind::$name;
                fn key_of(id: $id) -> Key {
                    Key::$name(id)
                }
                fn of(record: Record) -> Option<Arc<Self>> {
                    if let Record::$name(held) = record { Some(held) } else { None }
                }
                fn of_ref(record: &Record) -> Option<&Arc<Self>> {
                    if let Record::$name(held) = record { Some(held) } else { None }
                }
            }

            impl From<$holds> for Record {
                fn from(held: $holds) -> Record {
                    Record::$name(Arc::new(held))
                }
            }

            impl From<Arc<$holds>> for Record {
                fn from(held: Arc<$holds>) -> Record {
                    Record::$name(held)
                }
            }
        )*
    };
}
table!(define);

impl Key {
    /// The key of the turned test clock.
    pub const CLOCK: Key = Key::Clock(Singleton);
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ordered_as_the_numbers_of_their_kinds_are() {
        let numbers: Vec<u8> = Kind::ALL.iter().map(|kind| *kind as u8).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    }

    #[test]
    fn a_key_is_its_number_and_its_id() {
        let key = Key::Cart(CartId::from_bytes([7; 16]));
        assert_eq!(Key::of_parts(key.kind() as u8, key.id()), Some(key));
        assert_eq!(Key::of_parts(Key::CLOCK.kind() as u8, Key::CLOCK.id()), Some(Key::CLOCK));
        assert_eq!(Key::of_parts(1, &[7; 15]), None);
        assert_eq!(Key::of_parts(16, &[7; 16]), None);
    }
}
