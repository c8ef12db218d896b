//! Who is calling: token -> digest -> session -> core's judgement. Warm, it costs no I/O.

use std::sync::Arc;

use trolley_core::session::{Lease, Seen, Session, Transport, Verdict};
use trolley_core::time::Timestamp;
use trolley_store::kind::{Key, Record, Token as TokenRecord};
use trolley_store::port::CommitError;

use super::Service;
use super::failure::Failure;
use super::token::Token;

/// A caller with a live guest session.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The session.
    pub session: Arc<Session>,
    /// When it ends if it is not seen again.
    pub expires_at: Timestamp,
    /// When it ends whatever happens.
    pub absolute_expires_at: Timestamp,
}

impl Service {
    /// The guest whom `token` names; none where it was never issued, is over, or came by another way than it was given.
    /// Being recognised counts as activity.
    pub async fn recognise(&self, token: &Token, transport: Transport) -> Result<Option<Guest>, Failure> {
        let digest = token.digest();
        let Some(Record::Token(named)) = self.store.load(Key::Token(digest)).await? else { return Ok(None) };
        let TokenRecord { session, .. } = *named;
        let Some(Record::Session(session)) = self.store.load(Key::Session(session)).await? else {
            return Ok(None);
        };
        if session.transport != transport {
            return Ok(None);
        }
        let now = self.now();
        let seen = match self.seen.at(session.id) {
            Some(at) => Seen::Exactly(at.max(session.last_seen)),
            None => Seen::AtLeast(session.last_seen),
        };
        let verdict = self.settings.policy.judge(&session, &digest, seen, now);
        if matches!(verdict, Verdict::Ended(_) | Verdict::Theft) {
            return Ok(None);
        }
        let session = if session.presented { session } else { self.present(session, now).await };
        self.see(&session, now);
        Ok(self.guest(session, now))
    }

    /// The token came back for the first time: from now on the idle limit counts, so this is written down before the
    /// answer. Where that fails the caller is served all the same, and the next request tries again.
    async fn present(&self, session: Arc<Session>, now: Timestamp) -> Arc<Session> {
        let (presented, write) = self.touched(&session, now);
        match self.store.commit(vec![write]).await {
            Ok(()) | Err(CommitError::Conflict(_)) => {}
            Err(error) => {
                tracing::warn!(%error, session = %session.id, "a first visit could not be written down");
            }
        }
        presented
    }

    /// A session that is seen now, as its owner is told of it.
    pub(super) fn guest(&self, session: Arc<Session>, now: Timestamp) -> Option<Guest> {
        let lease = self.settings.policy.lease(&session, Seen::Exactly(now), now).ok()?;
        let Lease { expires_at, absolute_expires_at } = lease;
        Some(Guest { session, expires_at, absolute_expires_at })
    }
}
