//! An account: who somebody is to the shop, as it is kept. It holds no password, only a hash of one.

pub mod audit;
pub mod common;
pub mod email;
pub mod password;
pub mod sessions;

use crate::ids::{AccountId, CartId, TokenDigest};
use crate::time::Timestamp;

use self::email::Email;
use self::password::PasswordHash;

/// Characters of the id that a shop has for an account of its own, at most.
pub const SHOP_ID_CHARS_MAX: usize = 128;

/// Somebody's account. Its sessions are a record of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name inside.
    pub id: AccountId,
    /// Counts its changes: the version that a store compares.
    pub version: u64,
    /// The id that the shop has for it, where the shop signs people in by itself.
    pub shop_id: Option<Box<str>>,
    /// The address, as it was typed.
    pub email: Option<Email>,
    /// What a password is verified against; none where the shop signs people in by itself.
    pub password: Option<PasswordHash>,
    /// The cart that all its devices share.
    pub cart: CartId,
    /// The one reset token that is out, if any.
    pub reset: Option<TokenDigest>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its password was last set.
    pub password_at: Timestamp,
}

impl Account {
    /// The id by which the shop knows it.
    pub fn name(&self) -> String {
        self.shop_id.as_deref().map_or_else(|| self.id.to_string(), str::to_owned)
    }

    /// The next state of it, for compare-and-set on this one.
    pub fn next(&self) -> Account {
        Account { version: self.version + 1, ..self.clone() }
    }
}
