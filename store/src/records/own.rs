//! The records that only the store and the service know: what a token opens, whose an address is, the turned test clock.

use trolley_core::access::Scope;
use trolley_core::ids::{AccountId, ApiKeyId, EmailDigest, SeriesId, SessionId, TokenDigest};
use trolley_core::time::Timestamp;

/// Which session a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// SHA-256 of the token.
    pub digest: TokenDigest,
    /// The session.
    pub session: SessionId,
    /// When sign-in, sign-out or a new password took it out of use: it opens nothing since, and is remembered for a while.
    pub retired_at: Option<Timestamp>,
}

/// Which remembered device a token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remember {
    /// SHA-256 of the token.
    pub digest: TokenDigest,
    /// Whose device.
    pub account: AccountId,
    /// Which.
    pub series: SeriesId,
}

/// Which account an e-mail address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmailOwner {
    /// SHA-256 of the address in the form in which addresses are compared.
    pub digest: EmailDigest,
    /// The account.
    pub account: AccountId,
}

/// Which account a reset token opens, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResetToken {
    /// SHA-256 of the token.
    pub digest: TokenDigest,
    /// The account.
    pub account: AccountId,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
}

/// How far the test clock was turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Counts the turns.
    pub version: u64,
    /// Milliseconds ahead of the system's clock.
    pub ahead_ms: u64,
}

/// A key of the shop's own systems. The key itself is nowhere: this is its digest, and what it opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// SHA-256 of the key.
    pub digest: TokenDigest,
    /// What lists and logs call it.
    pub id: ApiKeyId,
    /// What its owner calls it.
    pub name: Box<str>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What the shop keeps with a session: a JSON object, which nobody here looks into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// Whose.
    pub session: SessionId,
    /// Counts its changes.
    pub version: u64,
    /// The object, as text without spaces.
    pub json: Box<str>,
}
