//! What has expired leaves in bounded batches: a session with its tokens, its ledger and its guest cart in one commit.

use std::sync::Arc;

use trolley_core::account::audit::{Row, What};
use trolley_core::account::sessions::AccountSessions;
use trolley_core::ids::{SessionId, TokenDigest};
use trolley_core::session::Session;
use trolley_store::kind::{Key, Record};

use super::Service;
use super::desk::Desk;
use super::failure::Failure;
use super::leave::{Tokens, put_sessions};

impl Service {
    /// One batch. True where another may be waiting.
    pub async fn sweep(&self) -> Result<bool, Failure> {
        let most = self.settings.bounds.sweep_batch;
        let named = self.store.expired(self.now(), most).await?;
        let done = self.expire(&named).await?;
        self.tally.swept(done);
        // Where none could be done the rest waits for the next turn, so that nobody goes round in a circle.
        Ok(named.len() == most && done > 0)
    }

    /// All in one commit; where one was changed meanwhile, each in its own, and that one waits for the next sweep.
    async fn expire(&self, named: &[Key]) -> Result<usize, Failure> {
        let mut desk = Desk::default();
        for key in named {
            self.expire_on(&mut desk, *key).await?;
        }
        if self.commit_desk(desk).await? {
            return Ok(named.len());
        }
        let mut done = 0;
        for key in named {
            let mut desk = Desk::default();
            self.expire_on(&mut desk, *key).await?;
            done += usize::from(self.commit_desk(desk).await?);
        }
        Ok(done)
    }

    async fn expire_on(&self, desk: &mut Desk, key: Key) -> Result<(), Failure> {
        match key {
            Key::Session(session) => self.expire_session_on(desk, session).await,
            Key::Remember(token) => self.expire_series_on(desk, token).await,
            Key::Audit(event) => self.expire_event_on(desk, event).await,
            Key::Trail(account) => self.expire_trail_on(desk, account).await,
            // A retired token, a reset token: nothing that comes back to life under its key.
            other => {
                desk.lay_out(&*self.store, other).await?;
                desk.remove(&other);
                Ok(())
            }
        }
    }

    /// Takes a session out, if core says that it is over. The store names sessions by what was written down; where memory or a
    /// longer policy knows better, that is written down instead, and the store names it later.
    async fn expire_session_on(&self, desk: &mut Desk, id: SessionId) -> Result<(), Failure> {
        desk.lay_out(&*self.store, Key::Session(id)).await?;
        let Some(Record::Session(session)) = desk.get(&Key::Session(id)) else { return Ok(()) };
        let (session, now) = (Arc::clone(session), self.now());
        let why = match self.lease(&session, now) {
            Ok(lease) => {
                let seen = self.seen.at(id).map_or(session.last_seen, |at| self.wall_of(at, now));
                let last_seen = seen.max(session.last_seen.min(now));
                let living = Session { version: session.version + 1, last_seen, ..(*session).clone() };
                // Where the wall clock was set ahead, what is written down says that it is over long before it is.
                let swept_after = self.settings.policy.swept_after(&living).max(lease.expires_at);
                desk.put(Record::Session(Arc::new(living)), Some(swept_after));
                return Ok(());
            }
            Err(why) => why,
        };
        if let Some(account) = session.account() {
            let mut sessions = self.sessions_on(desk, account).await?;
            if sessions.expire(id) {
                put_sessions(desk, sessions);
                self.note(desk, account, Row::new(now, What::SessionExpired).within(id)).await?;
            }
        }
        if self.take_out_on(desk, id, Tokens::Forget).await? {
            tracing::info!(session = %id, ?why, "a session expires");
        }
        Ok(())
    }

    /// A remembered device whose time is over is forgotten; a session that it began lives on.
    async fn expire_series_on(&self, desk: &mut Desk, token: TokenDigest) -> Result<(), Failure> {
        let key = Key::Remember(token);
        desk.lay_out(&*self.store, key).await?;
        let Some(Record::Remember(named)) = desk.get(&key) else { return Ok(()) };
        let (account, series) = (named.account, named.series);
        let mut sessions: AccountSessions = self.sessions_on(desk, account).await?;
        if sessions.series(series).is_none_or(|series| self.now() < series.expires_at) {
            // One that is not the series' any more, or of a series that lives: the token alone goes.
            desk.remove(&key);
            return Ok(());
        }
        let left = sessions.forget(series);
        put_sessions(desk, sessions);
        self.left_on(desk, account, &left, Tokens::Forget).await
    }
}
