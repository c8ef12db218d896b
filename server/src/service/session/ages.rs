//! How old what was written down is, also where the wall clock was set meanwhile (SESSION.md, S38): what is judged here is
//! judged as if it had not been. What is stored and shown is wall time.

use std::borrow::Cow;

use trolley_core::ids::TokenDigest;
use trolley_core::session::{EndReason, LastSeen, Lease, Session, Verdict};
use trolley_core::time::{Span, Timestamp};

use crate::service::Service;
use crate::service::running::Running;

impl Service {
    /// The time by the server's clock, turned or not: for what is stored and shown.
    pub fn now(&self) -> Timestamp {
        let (now, running) = self.clock.read();
        self.steps.look(now, running);
        now
    }

    /// The time by the clock that only goes on: for limits, breakers, caches, and whoever else measures how long it was.
    pub fn running(&self) -> Running {
        self.clock.running()
    }

    /// When that was, by the wall clock as it goes now.
    pub(crate) fn wall_of(&self, at: Running, now: Timestamp) -> Timestamp {
        now - self.running().since(at)
    }

    /// How long ago that was; none where it lies ahead and nobody knows why, as after a restart with the clock set back.
    pub(crate) fn age(&self, at: Timestamp, now: Timestamp) -> Option<Span> {
        self.steps.translate(at, now).map(|at| now.since(at))
    }

    /// The present time by the clock as it went when `at` was written: what a rule is given that measures from there.
    pub(crate) fn now_from(&self, at: Timestamp, now: Timestamp) -> Timestamp {
        at + self.age(at, now).unwrap_or_default()
    }

    /// What a session is to who presents `token`.
    pub(crate) fn judge(&self, session: &Session, token: &TokenDigest, now: Timestamp) -> Verdict {
        let seen = self.seen_of(session, now);
        self.settings.policy.judge(&self.as_of(session, now), token, seen, now)
    }

    /// How long a session lives, or why it does not.
    pub(crate) fn lease(&self, session: &Session, now: Timestamp) -> Result<Lease, EndReason> {
        let seen = self.seen_of(session, now);
        self.settings.policy.lease(&self.as_of(session, now), seen, now)
    }

    /// The same of one that is seen right now.
    pub(crate) fn lease_of_seen(&self, session: &Session, now: Timestamp) -> Result<Lease, EndReason> {
        self.settings.policy.lease(&self.as_of(session, now), LastSeen::Exactly(now), now)
    }

    /// Until when a token that was found good just now stays so by the time alone, by the clock that only goes on.
    pub(crate) fn good_until(
        &self,
        session: &Session,
        token: &TokenDigest,
        lease: &Lease,
        now: Timestamp,
    ) -> Running {
        let good_until = self.settings.policy.good_until(&self.as_of(session, now), token, lease, now);
        self.running() + good_until.since(now)
    }

    /// When a session was last seen, as exactly as is known.
    pub(crate) fn seen_of(&self, session: &Session, now: Timestamp) -> LastSeen {
        let written = self.moment(session.last_seen, now);
        match self.seen.at(session.id) {
            // After a step memory alone is exact: what was written may be of hours that came twice.
            Some(at) if self.steps.any() => LastSeen::Exactly(self.wall_of(at, now)),
            Some(at) => LastSeen::Exactly(self.wall_of(at, now).max(written)),
            None => LastSeen::AtLeast(written),
        }
    }

    /// The session with its times by the wall clock as it goes now. It is for judging alone: written down, they would be
    /// translated twice.
    fn as_of<'a>(&self, session: &'a Session, now: Timestamp) -> Cow<'a, Session> {
        let moments = |session: &Session| {
            [session.created_at, session.tokens.since, session.sign_in.as_ref().map_or(now, |of| of.at)]
        };
        let moved = moments(session).map(|at| self.moment(at, now));
        if moved == moments(session) {
            return Cow::Borrowed(session);
        }
        let mut session = session.clone();
        [session.created_at, session.tokens.since, _] = moved;
        if let Some(sign_in) = &mut session.sign_in {
            sign_in.at = moved[2];
        }
        Cow::Owned(session)
    }

    /// What lies ahead for a reason that nobody knows counts as now.
    fn moment(&self, at: Timestamp, now: Timestamp) -> Timestamp {
        self.steps.translate(at, now).unwrap_or(now)
    }
}
