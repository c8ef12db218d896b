//! What becomes of a session as time passes: a policy, a session, a token and a time give a verdict (SESSION.md).

mod judge;

use crate::chain::{Renewal, TokenChain};
use crate::ids::{AccountId, CartId, SessionId};
use crate::time::{Span, Timestamp};

/// One browser's (or app's) relation with the shop, as it is kept. It holds no token: only digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its public name. It stays through sign-in and renewal.
    pub id: SessionId,
    /// Counts its changes: the version that a store compares.
    pub version: u64,
    /// The token that opens it, and those before.
    pub tokens: TokenChain,
    /// How its token travels.
    pub transport: Transport,
    /// The cart it opens: the guest's own, or once signed in the account's.
    pub cart: Option<CartId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last seen, as far as is written down.
    pub last_seen: Timestamp,
    /// Whether its token ever came back.
    pub presented: bool,
    /// Whether it began with a change of its cart: whether it holds one, as long as its token never came back.
    pub began_with_cart: bool,
    /// The account that is attached to it; none is a guest.
    pub sign_in: Option<Box<SignIn>>,
}

/// An account attached to a session. Alone it proves nothing: the session must stand in the account's own record too
/// ([`crate::account::sessions`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Whose.
    pub account: AccountId,
    /// When: the absolute limit counts from here.
    pub at: Timestamp,
    /// From where.
    pub device: Device,
}

/// A session as its owner tells it from others. Both texts are cut to [`Device::TEXT_MAX`] bytes by who makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What it calls itself, made readable: `Firefox on Linux`.
    pub name: Box<str>,
    /// The address it came from.
    pub address: Box<str>,
}

impl Device {
    /// Bytes of a name or an address.
    pub const TEXT_MAX: usize = 64;
}

/// How a session's token travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In a cookie.
    Cookie,
    /// In the Authorization header.
    Bearer,
}

/// How long sessions live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    /// A guest unseen for this long is gone.
    pub guest_idle: Span,
    /// A guest is gone this long after it was made, whatever it did.
    pub guest_absolute: Span,
    /// A guest whose token never came back, and who holds no cart, is gone after this. None gives way to others earlier.
    pub unpresented: Span,
    /// A guest whose token never came back, and who holds a cart, is gone after this.
    pub guest_unproven: Span,
    /// A signed-in session unseen for this long is over.
    pub idle: Span,
    /// A signed-in session is over this long after its sign-in, whatever it did.
    pub absolute: Span,
    /// The token of a signed-in session is renewed when it has been in use for this long.
    pub renew_after: Span,
    /// How long a replaced token is still good once its successor was presented. Shorter than `renew_after`.
    pub grace: Span,
    /// A device that is to be remembered is, for this long after the password.
    pub remember_for: Span,
    /// Sessions that an account may have signed in, and devices it may have remembered.
    pub cap: usize,
}

impl Default for SessionPolicy {
    fn default() -> SessionPolicy {
        SessionPolicy {
            guest_idle: Span::from_days(30),
            guest_absolute: Span::from_days(180),
            unpresented: Span::from_hours(24),
            guest_unproven: Span::from_days(14),
            idle: Span::from_hours(2),
            absolute: Span::from_hours(24),
            renew_after: Span::from_hours(1),
            grace: Span::from_s(120),
            remember_for: Span::from_days(30),
            cap: 20,
        }
    }
}

/// How exactly the time a session was last seen is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastSeen {
    /// From memory: to the millisecond.
    Exactly(Timestamp),
    /// From the store: it may have been seen up to a twentieth of the idle limit later than that.
    AtLeast(Timestamp),
}

/// How long a session that lives still does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// When it ends if it is not seen again.
    pub expires_at: Timestamp,
    /// When it ends whatever happens.
    pub absolute_expires_at: Timestamp,
}

/// What a session is to who presents a token of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It lives.
    Live(Lease),
    /// It lives, and the token's successor is to be handed out.
    Renew(Lease, Renewal),
    /// It lives, and the token is the successor, presented for the first time.
    Arrived(Lease),
    /// It is over.
    Ended(EndReason),
    /// The token was replaced and its grace is over: somebody has a copy.
    Theft,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// It was not seen for too long.
    Idle,
    /// It is too old.
    Absolute,
    /// Its token never came back.
    NeverPresented,
    /// The token is none of its own.
    UnknownToken,
}

impl Session {
    /// The account that is attached to it.
    pub fn account(&self) -> Option<AccountId> {
        self.sign_in.as_ref().map(|sign_in| sign_in.account)
    }

    /// Whether it is a guest's whose token never came back: nobody knows whether there is a shopper behind it.
    pub fn is_unproven(&self) -> bool {
        !self.presented && self.sign_in.is_none()
    }
}
