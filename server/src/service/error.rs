//! Why a use case did not do what was asked: expected refusals are values, and a broken world is told apart from them.

use trolley_core::cart::op::{Refusal, SyncRefusal};
use trolley_store::port::{CommitError, StoreError};

use crate::service::catalogue::shown::PricedCart;
use crate::service::limits::limiter::QuotaState;

/// Why nothing was changed (or, for [`ServiceError::StoreDown`], why it is not known).
#[derive(Clone, Debug)]
pub enum ServiceError {
    /// Core says no.
    Refused(Refusal),
    /// Core says no to a device's whole delivery.
    SyncRefused(SyncRefusal),
    /// The caller asked to be refused where the cart had changed, and it had: this is the cart.
    Stale(PricedCart),
    /// Nothing was ordered; this is the cart.
    CheckoutRefused(CheckoutRefusal, PricedCart),
    /// A session's data is not what the caller had seen.
    DataChanged,
    /// More than is kept with a session.
    DataTooLarge,
    /// The idempotency key was used for another request.
    KeyReused,
    /// So many streams are open already as whoever asks may have.
    TooManyStreams {
        /// The limit.
        most: usize,
        /// Whose it is.
        of: &'static str,
    },
    /// The session went while the request ran.
    SessionEnded,
    /// Too often: this quota is used up.
    Limited(QuotaState),
    /// Only an account's owner may do that, and the caller is not signed in.
    NotSignedIn,
    /// Address and password are not those of an account, or the password is not this one's.
    InvalidCredentials,
    /// Another account has the address.
    EmailTaken,
    /// The account has no password: the shop signs its owner in.
    NoPassword,
    /// There is no such account.
    NoSuchAccount,
    /// There is no such session, or it is not the account's.
    NoSuchSession,
    /// The token sets no password: it was used, replaced, is too old, or was never issued.
    InvalidResetToken,
    /// The account's sessions were ended, or its password changed, after this sign-in had read them.
    Overtaken,
    /// Too many passwords wait to be hashed.
    Overloaded,
    /// Too many of the caller's address do.
    TooManyAtOnce,
    /// Too many wait for the same cart, or other nodes changed it again and again.
    Busy,
    /// The store has no space for it.
    StoreFull,
    /// The cart would be larger than the store takes.
    TooBig,
    /// The store does not answer; the text is for the log.
    StoreDown(String),
    /// Something that was written cannot be read; the text is for the log. The store has named it there once.
    Damaged(String),
    /// One of our own bugs, or something that cannot be; the text is for the log.
    Broken(String),
}

/// For who goes through many records: what is damaged is passed by, and the others are done.
pub(crate) fn unless_damaged<T>(done: Result<T, ServiceError>) -> Result<Option<T>, ServiceError> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(ServiceError::Damaged(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> ServiceError {
        match error {
            StoreError::Down(_) => ServiceError::StoreDown(error.to_string()),
            StoreError::Damaged { .. } | StoreError::NewerFormat { .. } => {
                ServiceError::Damaged(error.to_string())
            }
        }
    }
}

impl From<CommitError> for ServiceError {
    fn from(error: CommitError) -> ServiceError {
        match error {
            CommitError::Conflict(_) => ServiceError::Busy,
            CommitError::Full => ServiceError::StoreFull,
            CommitError::TooBig { .. } => ServiceError::TooBig,
            CommitError::Store(error) => error.into(),
            CommitError::Unknown(_) => ServiceError::StoreDown(error.to_string()),
        }
    }
}

/// Why nothing was ordered; the cart is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckoutRefusal {
    /// There is nothing in it.
    CartEmpty,
    /// It is not what the shopper saw.
    CartChanged,
    /// Nobody can tell what a line costs.
    PriceUnknown,
    /// It costs something else than the shopper saw.
    PriceChanged,
    /// There are fewer units than the shopper wants.
    ShortStock,
}

impl CheckoutRefusal {
    /// The stable name that answers carry as `code`.
    pub fn as_str(self) -> &'static str {
        match self {
            CheckoutRefusal::CartEmpty => "cart_empty",
            CheckoutRefusal::CartChanged => "cart_changed",
            CheckoutRefusal::PriceUnknown => "price_unknown",
            CheckoutRefusal::PriceChanged => "price_changed",
            CheckoutRefusal::ShortStock => "short_stock",
        }
    }
}
