//! What a session is at a given time to who presents a token: its policy's judgement.

use crate::chain::TokenStanding;
use crate::ids::TokenDigest;
use crate::session::{EndReason, LastSeen, Lease, Session, SessionPolicy, Verdict};
use crate::time::{Span, Timestamp};

/// Last-seen is written down once in this part of the idle limit.
const TOUCH_PART: u64 = 20;

impl SessionPolicy {
    /// What `session` is at `now` to who presents `token`, when it was last seen as `seen` says. A guest's token is not renewed.
    pub fn judge(&self, session: &Session, token: &TokenDigest, seen: LastSeen, now: Timestamp) -> Verdict {
        let lease = match self.lease(session, seen, now) {
            Ok(lease) => lease,
            Err(why) => return Verdict::Ended(why),
        };
        if session.sign_in.is_none() {
            let own = session.tokens.present == *token;
            return if own { Verdict::Live(lease) } else { Verdict::Ended(EndReason::UnknownToken) };
        }
        match session.tokens.standing(token, self.renew_after, self.grace, now) {
            TokenStanding::Good => Verdict::Live(lease),
            TokenStanding::Due(renewal) => Verdict::Renew(lease, renewal),
            TokenStanding::Arrived => Verdict::Arrived(lease),
            TokenStanding::Stolen => Verdict::Theft,
            TokenStanding::Unknown => Verdict::Ended(EndReason::UnknownToken),
        }
    }

    /// How long `session` lives by the time alone, or why it does not.
    pub fn lease(&self, session: &Session, seen: LastSeen, now: Timestamp) -> Result<Lease, EndReason> {
        let absolute_expires_at = self.absolute_expires_at(session);
        let idle_expires_at = self.idle_expires_at(session, seen);
        if now >= absolute_expires_at {
            return Err(EndReason::Absolute);
        }
        if now >= idle_expires_at {
            return Err(if session.is_unproven() { EndReason::NeverPresented } else { EndReason::Idle });
        }
        Ok(Lease { expires_at: idle_expires_at.min(absolute_expires_at), absolute_expires_at })
    }

    /// Until when a token that was found good at `now` stays so by the time alone. A replaced one has the rest of its grace; any
    /// other may be replaced from now on, and has all of it.
    pub fn good_until(
        &self,
        session: &Session,
        token: &TokenDigest,
        lease: &Lease,
        now: Timestamp,
    ) -> Timestamp {
        if session.sign_in.is_none() {
            return lease.expires_at;
        }
        let is_replaced = session.tokens.replaced.first() == Some(token);
        let grace_from = if is_replaced { session.tokens.since } else { now };
        lease.expires_at.min(grace_from + self.grace)
    }

    /// The latest time at which the session can still live, as the store knows it: after it, it may be swept.
    pub fn swept_after(&self, session: &Session) -> Timestamp {
        self.idle_expires_at(session, LastSeen::AtLeast(session.last_seen))
            .min(self.absolute_expires_at(session))
    }

    /// Whether a session seen at `now` should be written down, so that a restart forgets at most a twentieth of the idle limit.
    pub fn touch_due(&self, session: &Session, now: Timestamp) -> bool {
        let part = self.idle_of(session).part(TOUCH_PART);
        // What a clock that ran ahead wrote down would keep the session alive until it comes there once more.
        let ahead = session.last_seen.since(now) >= part;
        session.is_unproven() || ahead || now.since(session.last_seen) >= part
    }

    /// Whether the session may leave before its time because there are too many that were never seen again: a day is anybody's.
    pub fn may_give_way(&self, session: &Session, now: Timestamp) -> bool {
        session.is_unproven() && now >= session.created_at + self.unpresented
    }

    /// When the session ends whatever happens.
    pub fn absolute_expires_at(&self, session: &Session) -> Timestamp {
        match &session.sign_in {
            Some(sign_in) => sign_in.at + self.absolute,
            None => session.created_at + self.guest_absolute,
        }
    }

    fn idle_of(&self, session: &Session) -> Span {
        if session.sign_in.is_some() { self.idle } else { self.guest_idle }
    }

    fn idle_expires_at(&self, session: &Session, seen: LastSeen) -> Timestamp {
        let idle = self.idle_of(session);
        if session.is_unproven() {
            let most = if session.began_with_cart { self.guest_unproven } else { self.unpresented };
            return session.created_at + most.min(self.guest_unproven).min(idle);
        }
        match seen {
            LastSeen::Exactly(seen) => seen + idle,
            LastSeen::AtLeast(seen) => seen + idle + idle.part(TOUCH_PART),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{Successor, TokenChain};
    use crate::ids::{AccountId, KeyId, SessionId};
    use crate::session::{Device, SignIn, Transport};

    const HOUR: u64 = 3_600_000;
    const DAY: u64 = 24 * HOUR;
    const TOKEN: TokenDigest = TokenDigest::from_bytes([2; 32]);

    fn session(created: u64, seen: u64, presented: bool) -> Session {
        Session {
            id: SessionId::from_bytes([1; 16]),
            version: 1,
            tokens: TokenChain::new(TOKEN, Timestamp::from_ms(created)),
            transport: Transport::Cookie,
            cart: None,
            created_at: Timestamp::from_ms(created),
            last_seen: Timestamp::from_ms(seen),
            presented,
            began_with_cart: false,
            sign_in: None,
        }
    }

    /// Signed in at `at`, long after it began as a guest's.
    fn signed_in(at: u64, seen: u64) -> Session {
        let device = Device { name: "a browser".into(), address: "192.0.2.1".into() };
        let account = AccountId::from_bytes([3; 16]);
        let sign_in = SignIn { account, at: Timestamp::from_ms(at), device };
        Session {
            tokens: TokenChain::new(TOKEN, Timestamp::from_ms(at)),
            sign_in: Some(sign_in.into()),
            ..session(0, seen, true)
        }
    }

    fn judged(session: &Session, exact: bool, now: u64) -> Verdict {
        let seen =
            if exact { LastSeen::Exactly(session.last_seen) } else { LastSeen::AtLeast(session.last_seen) };
        SessionPolicy::default().judge(session, &TOKEN, seen, Timestamp::from_ms(now))
    }

    #[test]
    fn a_guest_ends_thirty_days_after_it_was_last_seen() {
        let guest = session(0, 5 * DAY, true);
        assert!(matches!(judged(&guest, true, 35 * DAY - 1), Verdict::Live(_)));
        assert_eq!(judged(&guest, true, 35 * DAY), Verdict::Ended(EndReason::Idle));
    }

    #[test]
    fn what_the_store_knows_may_be_a_twentieth_late_and_is_never_early() {
        let guest = session(0, 5 * DAY, true);
        assert!(matches!(judged(&guest, false, 35 * DAY), Verdict::Live(_)));
        assert!(matches!(judged(&guest, false, 36 * DAY + DAY / 2 - 1), Verdict::Live(_)));
        assert_eq!(judged(&guest, false, 36 * DAY + DAY / 2), Verdict::Ended(EndReason::Idle));
    }

    #[test]
    fn a_guest_ends_after_180_days_whatever_it_did() {
        let guest = session(0, 180 * DAY - 1, true);
        assert!(matches!(judged(&guest, true, 180 * DAY - 1), Verdict::Live(_)));
        assert_eq!(judged(&guest, true, 180 * DAY), Verdict::Ended(EndReason::Absolute));
    }

    #[test]
    fn a_session_whose_token_never_came_back_ends_after_a_day() {
        let guest = session(0, 0, false);
        assert!(matches!(judged(&guest, true, DAY - 1), Verdict::Live(_)));
        assert_eq!(judged(&guest, true, DAY), Verdict::Ended(EndReason::NeverPresented));
    }

    #[test]
    fn a_session_whose_token_never_came_back_ends_after_two_weeks_where_it_holds_a_cart() {
        let guest = Session { began_with_cart: true, ..session(0, 0, false) };
        assert!(matches!(judged(&guest, false, 14 * DAY - 1), Verdict::Live(_)));
        assert_eq!(judged(&guest, false, 14 * DAY), Verdict::Ended(EndReason::NeverPresented));
    }

    #[test]
    fn no_unproven_guest_outlives_the_idle_limit_and_none_without_a_cart_one_with_a_cart() {
        let (with, without) =
            (Session { began_with_cart: true, ..session(0, 0, false) }, session(0, 0, false));
        let lives = |policy: &SessionPolicy, session| policy.swept_after(session).as_ms() / HOUR;
        let short = SessionPolicy { guest_unproven: Span::from_hours(5), ..SessionPolicy::default() };
        assert_eq!((lives(&short, &with), lives(&short, &without)), (5, 5));
        let hasty = SessionPolicy { guest_idle: Span::from_hours(3), ..SessionPolicy::default() };
        assert_eq!((lives(&hasty, &with), lives(&hasty, &without)), (3, 3));
    }

    #[test]
    fn only_an_unproven_guest_gives_way_and_not_within_its_first_day() {
        let gives_way =
            |session: &Session, at| SessionPolicy::default().may_give_way(session, Timestamp::from_ms(at));
        let guest = Session { began_with_cart: true, ..session(0, 0, false) };
        assert!(!gives_way(&guest, DAY - 1) && gives_way(&guest, DAY));
        assert!(!gives_way(&session(0, 0, true), 9 * DAY) && !gives_way(&signed_in(0, 0), 9 * DAY));
    }

    #[test]
    fn last_seen_is_due_to_be_written_once_in_a_twentieth_of_the_idle_limit() {
        let policy = SessionPolicy::default();
        let guest = session(0, 0, true);
        assert!(!policy.touch_due(&guest, Timestamp::from_ms(DAY * 3 / 2 - 1)));
        assert!(policy.touch_due(&guest, Timestamp::from_ms(DAY * 3 / 2)));
        let ahead = session(0, 9 * DAY, true);
        assert!(policy.touch_due(&ahead, Timestamp::from_ms(0)), "written by a clock that ran ahead");
        assert!(!policy.touch_due(&ahead, Timestamp::from_ms(8 * DAY)));
        assert!(policy.touch_due(&session(0, 0, false), Timestamp::from_ms(1)));
    }

    #[test]
    fn a_signed_in_session_ends_two_hours_after_it_was_last_seen() {
        let session = signed_in(5 * DAY, 5 * DAY);
        assert!(matches!(judged(&session, true, 5 * DAY + HOUR - 1), Verdict::Live(_)));
        assert!(matches!(judged(&session, true, 5 * DAY + 2 * HOUR - 1), Verdict::Renew(..)));
        assert_eq!(judged(&session, true, 5 * DAY + 2 * HOUR), Verdict::Ended(EndReason::Idle));
        assert!(matches!(judged(&session, false, 5 * DAY + 2 * HOUR), Verdict::Renew(..)));
        assert_eq!(judged(&session, false, 5 * DAY + 2 * HOUR + HOUR / 10), Verdict::Ended(EndReason::Idle));
    }

    #[test]
    fn a_signed_in_session_ends_a_day_after_its_sign_in_whatever_it_did() {
        let session = signed_in(5 * DAY, 6 * DAY - 1);
        let Verdict::Renew(lease, _) = judged(&session, true, 6 * DAY - 1) else { panic!() };
        assert_eq!(lease.expires_at, Timestamp::from_ms(6 * DAY));
        assert_eq!(judged(&session, true, 6 * DAY), Verdict::Ended(EndReason::Absolute));
    }

    #[test]
    fn renewal_does_not_move_the_absolute_limit() {
        let mut session = signed_in(0, 2 * HOUR);
        let next = TokenDigest::from_bytes([4; 32]);
        session.tokens.hand_out(Successor { digest: next, key: KeyId::from_bytes([1; 8]) });
        let seen = LastSeen::Exactly(session.last_seen);
        let judged = |session: &Session, at| {
            SessionPolicy::default().judge(session, &next, seen, Timestamp::from_ms(at))
        };
        let Verdict::Arrived(before) = judged(&session, 2 * HOUR) else { panic!() };
        session.tokens.advance(Timestamp::from_ms(2 * HOUR));
        assert_eq!(judged(&session, 2 * HOUR), Verdict::Live(before));
        assert_eq!(before.absolute_expires_at, Timestamp::from_ms(DAY));
    }

    #[test]
    fn what_was_found_good_stays_so_until_its_session_may_end_or_its_grace_be_over() {
        let policy = SessionPolicy::default();
        let until = |session: &Session, token, now| {
            let (seen, now) = (LastSeen::Exactly(session.last_seen), Timestamp::from_ms(now));
            policy.good_until(session, token, &policy.lease(session, seen, now).unwrap(), now)
        };
        assert_eq!(until(&session(0, 5 * DAY, true), &TOKEN, 6 * DAY), Timestamp::from_ms(35 * DAY));
        let mut session = signed_in(0, HOUR);
        let next = TokenDigest::from_bytes([4; 32]);
        session.tokens.hand_out(Successor { digest: next, key: KeyId::from_bytes([1; 8]) });
        assert_eq!(until(&session, &TOKEN, 2 * HOUR), Timestamp::from_ms(2 * HOUR + 120_000));
        assert_eq!(until(&session, &TOKEN, 3 * HOUR - 1), Timestamp::from_ms(3 * HOUR));
        session.tokens.advance(Timestamp::from_ms(2 * HOUR));
        assert_eq!(until(&session, &TOKEN, 2 * HOUR + 100_000), Timestamp::from_ms(2 * HOUR + 120_000));
        assert_eq!(until(&session, &next, 2 * HOUR + 100_000), Timestamp::from_ms(2 * HOUR + 220_000));
    }

    #[test]
    fn time_is_judged_before_theft_and_a_guest_has_no_successor() {
        let mut session = signed_in(0, 0);
        session
            .tokens
            .hand_out(Successor { digest: TokenDigest::from_bytes([4; 32]), key: KeyId::from_bytes([1; 8]) });
        session.tokens.advance(Timestamp::from_ms(HOUR));
        assert_eq!(judged(&session, true, HOUR + 120_000), Verdict::Theft);
        assert_eq!(judged(&session, true, 2 * HOUR), Verdict::Ended(EndReason::Idle));
        session.sign_in = None;
        assert_eq!(judged(&session, true, HOUR + 120_000), Verdict::Ended(EndReason::UnknownToken));
        assert!(matches!(judged(&super::tests::session(0, 9 * DAY, true), true, 9 * DAY), Verdict::Live(_)));
    }
}
