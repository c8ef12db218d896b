//! What happened to an account and its sessions, as it is written down: events, and each account's own trail. No row
//! holds a token.

use std::collections::VecDeque;

use crate::ids::{AccountId, EventId, SessionId};
use crate::time::Timestamp;

/// Rows of a trail; the oldest goes first.
pub const ROWS_MAX: usize = 100;
/// Rows of a trail that tell of failed attempts: a stranger who hammers an account does not push its history out.
pub const FAILURES_MAX: usize = 40;
/// Bytes of an address as text (an IPv6 address with an IPv4 tail has 45 characters).
pub const ADDRESS_BYTES_MAX: usize = 45;
/// Bytes of a device's name.
pub const DEVICE_BYTES_MAX: usize = 64;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// An account was made.
    AccountCreated,
    /// An account was deleted.
    AccountDeleted,
    /// Somebody signed in with the password, or the shop vouched for somebody.
    SignedIn,
    /// A session began by remember-me.
    Remembered,
    /// A sign-in was refused.
    SignInFailed,
    /// Somebody signed out.
    SignedOut,
    /// A session's token was renewed.
    SessionRenewed,
    /// A session passed one of its limits.
    SessionExpired,
    /// A session was ended from elsewhere: another device, the cap, the shop.
    SessionRevoked,
    /// All other sessions were ended, or all of them.
    SessionsRevoked,
    /// A token came back that had been replaced: a copy is about, and the session was ended.
    TokenReplayed,
    /// The password was changed by who knew it.
    PasswordChanged,
    /// A change of the password was refused: the present one was wrong.
    PasswordChangeFailed,
    /// The shop asked for a reset token.
    ResetIssued,
    /// The password was set with a reset token.
    PasswordReset,
    /// A sign-in brought a guest's cart along.
    CartsMerged,
}

impl EventKind {
    /// All that is written down.
    pub const ALL: [EventKind; 16] = [
        EventKind::AccountCreated,
        EventKind::AccountDeleted,
        EventKind::SignedIn,
        EventKind::Remembered,
        EventKind::SignInFailed,
        EventKind::SignedOut,
        EventKind::SessionRenewed,
        EventKind::SessionExpired,
        EventKind::SessionRevoked,
        EventKind::SessionsRevoked,
        EventKind::TokenReplayed,
        EventKind::PasswordChanged,
        EventKind::PasswordChangeFailed,
        EventKind::ResetIssued,
        EventKind::PasswordReset,
        EventKind::CartsMerged,
    ];

    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::AccountCreated => "account_created",
            EventKind::AccountDeleted => "account_deleted",
            EventKind::SignedIn => "signed_in",
            EventKind::Remembered => "remembered",
            EventKind::SignInFailed => "sign_in_failed",
            EventKind::SignedOut => "signed_out",
            EventKind::SessionRenewed => "session_renewed",
            EventKind::SessionExpired => "session_expired",
            EventKind::SessionRevoked => "session_revoked",
            EventKind::SessionsRevoked => "sessions_revoked",
            EventKind::TokenReplayed => "token_replayed",
            EventKind::PasswordChanged => "password_changed",
            EventKind::PasswordChangeFailed => "password_change_failed",
            EventKind::ResetIssued => "reset_issued",
            EventKind::PasswordReset => "password_reset",
            EventKind::CartsMerged => "carts_merged",
        }
    }

    fn is_failure(self) -> bool {
        matches!(self, EventKind::SignInFailed | EventKind::PasswordChangeFailed)
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: EventKind,
    /// In which session, where it was in one.
    pub session: Option<SessionId>,
    /// From which address; none where it is not known or not kept any more.
    pub address: Option<Box<str>>,
    /// By which device, as its user agent names it.
    pub device: Option<Box<str>>,
}

/// One thing that happened, among those of all accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// Its name; a UUIDv7, so that events are ordered by time.
    pub id: EventId,
    /// Counts its changes: 1, and 2 once its address is gone.
    pub version: u64,
    /// To which account; none where there is none of that address.
    pub account: Option<AccountId>,
    /// What.
    pub row: AuditEntry,
}

/// An account's own trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    /// Whose.
    pub account: AccountId,
    /// Counts its changes: the version that a store compares.
    pub version: u64,
    /// Oldest first.
    pub rows: VecDeque<AuditEntry>,
}

impl AuditEntry {
    /// What happened, with what is known of where it came from, cut to its bounds.
    pub fn new(at: Timestamp, what: EventKind) -> AuditEntry {
        AuditEntry { at, what, session: None, address: None, device: None }
    }

    /// In this session.
    #[must_use]
    pub fn within(self, session: SessionId) -> AuditEntry {
        AuditEntry { session: Some(session), ..self }
    }

    /// From this address, by this device.
    #[must_use]
    pub fn from(self, address: Option<&str>, device: Option<&str>) -> AuditEntry {
        AuditEntry {
            address: address.map(|text| cut(text, ADDRESS_BYTES_MAX)),
            device: device.map(|text| cut(text, DEVICE_BYTES_MAX)),
            ..self
        }
    }
}

/// As many whole characters as fit.
fn cut(text: &str, bytes_max: usize) -> Box<str> {
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = ends.take_while(|end| *end <= bytes_max).last().unwrap_or(0);
    text[..end].into()
}

impl Trail {
    /// An empty one.
    pub fn new(account: AccountId) -> Trail {
        Trail { account, version: 0, rows: VecDeque::new() }
    }

    /// Writes one more row down, and lets go of what is too much.
    pub fn note(&mut self, row: AuditEntry) {
        self.rows.push_back(row);
        if self.rows.iter().filter(|row| row.what.is_failure()).count() > FAILURES_MAX
            && let Some(oldest) = self.rows.iter().position(|row| row.what.is_failure())
        {
            self.rows.remove(oldest);
        }
        self.rows.drain(..self.rows.len().saturating_sub(ROWS_MAX));
        self.version += 1;
    }

    /// Lets go of the addresses of rows before `then`. True where there were any.
    pub fn forget_addresses(&mut self, then: Timestamp) -> bool {
        let mut forgot = false;
        for row in self.rows.iter_mut().filter(|row| row.at < then) {
            forgot |= row.address.take().is_some();
        }
        self.version += u64::from(forgot);
        forgot
    }

    /// The time of the oldest row that still has its address.
    pub fn oldest_address(&self) -> Option<Timestamp> {
        self.rows.iter().find(|row| row.address.is_some()).map(|row| row.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: u64, what: EventKind) -> AuditEntry {
        AuditEntry::new(Timestamp::from_ms(at), what).from(Some("192.0.2.1"), Some("Firefox on Linux"))
    }

    fn trail() -> Trail {
        Trail::new(AccountId::from_bytes([1; 16]))
    }

    #[test]
    fn a_stranger_who_hammers_an_account_does_not_push_its_history_out() {
        let mut trail = trail();
        for at in 0..30 {
            trail.note(row(at, EventKind::SignedIn));
        }
        for at in 30..1_000 {
            trail.note(row(at, EventKind::SignInFailed));
        }
        let failures = trail.rows.iter().filter(|row| row.what == EventKind::SignInFailed).count();
        assert_eq!((failures, trail.rows.len()), (FAILURES_MAX, 30 + FAILURES_MAX));
        assert_eq!(trail.rows.back().unwrap().at, Timestamp::from_ms(999), "the newest stay");
        for at in 0..200 {
            trail.note(row(at, EventKind::SignedIn));
        }
        assert_eq!(trail.rows.len(), ROWS_MAX);
    }

    #[test]
    fn addresses_leave_after_their_time_and_the_rows_stay() {
        let mut trail = trail();
        (0..10).for_each(|at| trail.note(row(at, EventKind::SignedIn)));
        assert_eq!(trail.oldest_address(), Some(Timestamp::from_ms(0)));
        assert!(trail.forget_addresses(Timestamp::from_ms(7)));
        assert!(!trail.forget_addresses(Timestamp::from_ms(7)));
        assert_eq!((trail.rows.len(), trail.oldest_address()), (10, Some(Timestamp::from_ms(7))));
        assert_eq!(trail.version, 11);
    }

    #[test]
    fn what_a_caller_sent_is_cut_to_its_bounds() {
        let row = AuditEntry::new(Timestamp::from_ms(1), EventKind::SignedIn)
            .from(Some(&"1".repeat(99)), Some(&"é".repeat(99)));
        assert_eq!(
            (row.address.unwrap().len(), row.device.unwrap().len()),
            (ADDRESS_BYTES_MAX, DEVICE_BYTES_MAX)
        );
    }
}
