//! What becomes of a session as time passes: a policy, a session and a time give a verdict (SESSION.md).

use crate::ids::{CartId, SessionId, TokenDigest};
use crate::time::{Span, Timestamp};

/// One browser's (or app's) relation with the shop, as it is kept. It holds no token: only its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its public name.
    pub id: SessionId,
    /// Counts its changes: the version that a store compares.
    pub version: u64,
    /// SHA-256 of the token that opens it.
    pub token: TokenDigest,
    /// How its token travels.
    pub transport: Transport,
    /// The guest cart it owns, once it has one.
    pub cart: Option<CartId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last seen, as far as is written down.
    pub last_seen: Timestamp,
    /// Whether its token ever came back.
    pub presented: bool,
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
pub struct Policy {
    /// A guest unseen for this long is gone.
    pub guest_idle: Span,
    /// A guest is gone this long after it was made, whatever it did.
    pub guest_absolute: Span,
    /// A session whose token never came back is gone after this.
    pub unpresented: Span,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            guest_idle: Span::from_days(30),
            guest_absolute: Span::from_days(180),
            unpresented: Span::from_hours(24),
        }
    }
}

/// How exactly the time a session was last seen is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// From memory: to the millisecond.
    Exactly(Timestamp),
    /// From the store: it may have been seen up to a twentieth of the idle limit later than that.
    AtLeast(Timestamp),
}

/// What a session is at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It lives.
    Live {
        /// When it ends if it is not seen again.
        expires_at: Timestamp,
        /// When it ends whatever happens.
        absolute_expires_at: Timestamp,
    },
    /// It is over.
    Ended(Why),
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It was not seen for too long.
    Idle,
    /// It is too old.
    Absolute,
    /// Its token never came back.
    NeverPresented,
}

/// Last-seen is written down once in this part of the idle limit.
const TOUCH_PART: u64 = 20;

impl Policy {
    /// What `session` is at `now`, when it was last seen as `seen` says.
    pub fn judge(&self, session: &Session, seen: Seen, now: Timestamp) -> Verdict {
        let absolute_expires_at = session.created_at + self.guest_absolute;
        let idle_expires_at = self.idle_expires_at(session, seen);
        if now >= absolute_expires_at {
            return Verdict::Ended(Why::Absolute);
        }
        if now >= idle_expires_at {
            return Verdict::Ended(if session.presented { Why::Idle } else { Why::NeverPresented });
        }
        Verdict::Live { expires_at: idle_expires_at.min(absolute_expires_at), absolute_expires_at }
    }

    /// The latest time at which the session can still live, as the store knows it: after it, it may be swept.
    pub fn swept_after(&self, session: &Session) -> Timestamp {
        self.idle_expires_at(session, Seen::AtLeast(session.last_seen))
            .min(session.created_at + self.guest_absolute)
    }

    /// Whether a session seen at `now` should be written down, so that a restart forgets at most a twentieth of the idle limit.
    pub fn touch_due(&self, session: &Session, now: Timestamp) -> bool {
        !session.presented || now.since(session.last_seen) >= self.guest_idle.part(TOUCH_PART)
    }

    fn idle_expires_at(&self, session: &Session, seen: Seen) -> Timestamp {
        if !session.presented {
            return session.created_at + self.unpresented.min(self.guest_idle);
        }
        match seen {
            Seen::Exactly(seen) => seen + self.guest_idle,
            Seen::AtLeast(seen) => seen + self.guest_idle + self.guest_idle.part(TOUCH_PART),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3_600_000;

    fn session(created: u64, seen: u64, presented: bool) -> Session {
        Session {
            id: SessionId::from_bytes([1; 16]),
            version: 1,
            token: TokenDigest::from_bytes([2; 32]),
            transport: Transport::Cookie,
            cart: None,
            created_at: Timestamp::from_ms(created),
            last_seen: Timestamp::from_ms(seen),
            presented,
        }
    }

    fn judged(session: &Session, exact: bool, now: u64) -> Verdict {
        let seen = if exact { Seen::Exactly(session.last_seen) } else { Seen::AtLeast(session.last_seen) };
        Policy::default().judge(session, seen, Timestamp::from_ms(now))
    }

    #[test]
    fn a_guest_ends_thirty_days_after_it_was_last_seen() {
        let guest = session(0, 5 * DAY, true);
        assert!(matches!(judged(&guest, true, 35 * DAY - 1), Verdict::Live { .. }));
        assert_eq!(judged(&guest, true, 35 * DAY), Verdict::Ended(Why::Idle));
    }

    #[test]
    fn what_the_store_knows_may_be_a_twentieth_late_and_is_never_early() {
        let guest = session(0, 5 * DAY, true);
        assert!(matches!(judged(&guest, false, 35 * DAY), Verdict::Live { .. }));
        assert!(matches!(judged(&guest, false, 36 * DAY + DAY / 2 - 1), Verdict::Live { .. }));
        assert_eq!(judged(&guest, false, 36 * DAY + DAY / 2), Verdict::Ended(Why::Idle));
    }

    #[test]
    fn a_guest_ends_after_180_days_whatever_it_did() {
        let guest = session(0, 180 * DAY - 1, true);
        assert!(matches!(judged(&guest, true, 180 * DAY - 1), Verdict::Live { .. }));
        assert_eq!(judged(&guest, true, 180 * DAY), Verdict::Ended(Why::Absolute));
    }

    #[test]
    fn a_session_whose_token_never_came_back_ends_after_a_day() {
        let guest = session(0, 0, false);
        assert!(matches!(judged(&guest, true, DAY - 1), Verdict::Live { .. }));
        assert_eq!(judged(&guest, true, DAY), Verdict::Ended(Why::NeverPresented));
    }

    #[test]
    fn last_seen_is_due_to_be_written_once_in_a_twentieth_of_the_idle_limit() {
        let policy = Policy::default();
        let guest = session(0, 0, true);
        assert!(!policy.touch_due(&guest, Timestamp::from_ms(DAY * 3 / 2 - 1)));
        assert!(policy.touch_due(&guest, Timestamp::from_ms(DAY * 3 / 2)));
        assert!(policy.touch_due(&session(0, 0, false), Timestamp::from_ms(1)));
    }
}
