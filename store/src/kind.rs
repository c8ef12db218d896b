//! What is kept: the kinds of records, the keys they stand under, and what a record of each kind holds.

use std::fmt;
use std::sync::Arc;

use trolley_core::access::Scope;
use trolley_core::account::Account;
use trolley_core::account::audit::{AuditEvent, Trail};
use trolley_core::account::sessions::AccountSessions;
use trolley_core::cart::state::Cart;
use trolley_core::ids::{
    AccountId, ApiKeyId, CartId, EmailDigest, EventId, OrderId, SeriesId, SessionId, TokenDigest,
};
use trolley_core::ledger::Ledger;
use trolley_core::order::{Order, OrderLink, SealedOrders, Sealing, SealingLink};
use trolley_core::session::Session;
use trolley_core::time::Timestamp;

/// The name of a record. Keys are ordered by kind and then by the bytes of their id: new kinds go last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A cart.
    Cart(CartId),
    /// A session.
    Session(SessionId),
    /// Which session a token opens.
    Token(TokenDigest),
    /// The keyed calls of a session.
    Ledger(SessionId),
    /// How far the test clock was turned.
    Clock,
    /// An order draft.
    Order(OrderId),
    /// That an order came from a cart.
    OrderLink(OrderLink),
    /// What the shop keeps with a session.
    Data(SessionId),
    /// What a key of the shop's own systems opens.
    ApiKey(TokenDigest),
    /// Something that happened, among all that did.
    Audit(EventId),
    /// What happened to an account.
    Trail(AccountId),
    /// An account.
    Account(AccountId),
    /// Which account an e-mail address belongs to.
    Email(EmailDigest),
    /// The sessions and remembered devices of an account.
    AccountSessions(AccountId),
    /// Which account a reset token opens, once.
    Reset(TokenDigest),
    /// Which remembered device a token belongs to.
    Remember(TokenDigest),
    /// Which account's cart a guest's cart went into that had made orders.
    Sealing(CartId),
    /// The same, to be found by the account's cart.
    SealingLink(SealingLink),
}

/// What sort of record a key names. The numbers are stored: none is ever given to another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// [`Key::Cart`].
    Cart = 1,
    /// [`Key::Session`].
    Session = 2,
    /// [`Key::Token`].
    Token = 3,
    /// [`Key::Ledger`].
    Ledger = 4,
    /// [`Key::Clock`].
    Clock = 5,
    /// [`Key::Order`].
    Order = 6,
    /// [`Key::OrderLink`].
    OrderLink = 7,
    /// [`Key::Data`].
    Data = 8,
    /// [`Key::ApiKey`].
    ApiKey = 9,
    /// [`Key::Audit`].
    Audit = 10,
    /// [`Key::Trail`].
    Trail = 11,
    /// [`Key::Account`].
    Account = 12,
    /// [`Key::Email`].
    Email = 13,
    /// [`Key::AccountSessions`].
    AccountSessions = 14,
    /// [`Key::Reset`].
    Reset = 15,
    /// [`Key::Remember`].
    Remember = 17,
    /// [`Key::Sealing`].
    Sealing = 18,
    /// [`Key::SealingLink`].
    SealingLink = 19,
}

impl Kind {
    /// Every kind there is.
    pub const ALL: &[Kind] = &[
        Kind::Cart,
        Kind::Session,
        Kind::Token,
        Kind::Ledger,
        Kind::Clock,
        Kind::Order,
        Kind::OrderLink,
        Kind::Data,
        Kind::ApiKey,
        Kind::Audit,
        Kind::Trail,
        Kind::Account,
        Kind::Email,
        Kind::AccountSessions,
        Kind::Reset,
        Kind::Remember,
        Kind::Sealing,
        Kind::SealingLink,
    ];
}

impl Key {
    /// What sort of record it names.
    pub fn kind(&self) -> Kind {
        match self {
            Key::Cart(_) => Kind::Cart,
            Key::Session(_) => Kind::Session,
            Key::Token(_) => Kind::Token,
            Key::Ledger(_) => Kind::Ledger,
            Key::Clock => Kind::Clock,
            Key::ApiKey(_) => Kind::ApiKey,
            Key::Audit(_) => Kind::Audit,
            Key::Trail(_) => Kind::Trail,
            Key::Account(_) => Kind::Account,
            Key::Email(_) => Kind::Email,
            Key::AccountSessions(_) => Kind::AccountSessions,
            Key::Reset(_) => Kind::Reset,
            Key::Remember(_) => Kind::Remember,
            Key::Sealing(_) => Kind::Sealing,
            Key::SealingLink(_) => Kind::SealingLink,
            Key::Order(_) => Kind::Order,
            Key::OrderLink(_) => Kind::OrderLink,
            Key::Data(_) => Kind::Data,
        }
    }
}

/// What stands under a key. A record always belongs under [`Record::key`].
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A cart.
    Cart(Arc<Cart>),
    /// A session.
    Session(Arc<Session>),
    /// A token's digest and what it opens. It changes once, when it is retired: its version is 1, and then 2.
    Token(Arc<Token>),
    /// The keyed calls of a session.
    Ledger(Arc<Ledger>),
    /// How far the test clock was turned.
    Clock(Clock),
    /// A key of the shop's own systems; it never changes, so its version is 1.
    ApiKey(Arc<ApiKey>),
    /// Something that happened.
    Audit(Arc<AuditEvent>),
    /// What happened to an account.
    Trail(Arc<Trail>),
    /// An account.
    Account(Arc<Account>),
    /// Which account an e-mail address belongs to; it never changes, so its version is 1.
    Email(EmailOwner),
    /// The sessions and remembered devices of an account.
    AccountSessions(Arc<AccountSessions>),
    /// Which account a reset token opens; it never changes, so its version is 1.
    Reset(Arc<ResetToken>),
    /// A remember-me token's digest and what it belongs to; it never changes, so its version is 1.
    Remember(Arc<Remember>),
    /// An order draft.
    Order(Arc<Order>),
    /// That an order came from a cart; it never changes, so its version is 1.
    OrderLink(OrderLink),
    /// What the shop keeps with a session.
    Data(Arc<Data>),
    /// Which account's cart a guest's cart went into that had made orders.
    Sealing(Sealing),
    /// The same, to be found by the account's cart; it never changes, so its version is 1.
    SealingLink(SealedOrders),
}

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

impl Record {
    /// The key it belongs under.
    pub fn key(&self) -> Key {
        match self {
            Record::Cart(cart) => Key::Cart(cart.id),
            Record::Session(session) => Key::Session(session.id),
            Record::Token(token) => Key::Token(token.digest),
            Record::Ledger(ledger) => Key::Ledger(ledger.session),
            Record::Clock(_) => Key::Clock,
            Record::ApiKey(key) => Key::ApiKey(key.digest),
            Record::Audit(event) => Key::Audit(event.id),
            Record::Trail(trail) => Key::Trail(trail.account),
            Record::Account(account) => Key::Account(account.id),
            Record::Email(owner) => Key::Email(owner.digest),
            Record::AccountSessions(sessions) => Key::AccountSessions(sessions.account),
            Record::Reset(token) => Key::Reset(token.digest),
            Record::Remember(remember) => Key::Remember(remember.digest),
            Record::Order(order) => Key::Order(order.id),
            Record::OrderLink(link) => Key::OrderLink(*link),
            Record::Data(data) => Key::Data(data.session),
            Record::Sealing(sealing) => Key::Sealing(sealing.from),
            Record::SealingLink(sealed) => Key::SealingLink(sealed.link),
        }
    }

    /// What compare-and-set compares.
    pub fn version(&self) -> u64 {
        match self {
            Record::Cart(cart) => cart.version,
            Record::Session(session) => session.version,
            Record::Token(token) => 1 + u64::from(token.retired_at.is_some()),
            Record::Ledger(ledger) => ledger.version,
            Record::Clock(clock) => clock.version,
            Record::Audit(event) => event.version,
            Record::Trail(trail) => trail.version,
            Record::Account(account) => account.version,
            Record::AccountSessions(sessions) => sessions.version,
            Record::Email(_) | Record::Reset(_) | Record::Remember(_) => 1,
            Record::ApiKey(_) | Record::OrderLink(_) | Record::SealingLink(_) => 1,
            Record::Sealing(sealing) => sealing.version,
            Record::Order(order) => order.version,
            Record::Data(data) => data.version,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
