//! What has expired leaves in bounded batches: a session with its tokens, its ledger and its guest cart in one commit.

use std::collections::HashSet;
use std::sync::Arc;

use trolley_core::account::audit::{AuditEntry, EventKind};
use trolley_core::account::sessions::AccountSessions;
use trolley_core::ids::{SessionId, TokenDigest};
use trolley_core::session::Session;
use trolley_store::damage::MET_MAX;
use trolley_store::port::Due;
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::account::revoke::{Tokens, put_sessions};
use crate::service::error::{ServiceError, unless_damaged};
use crate::service::transaction::Transaction;

/// Where the present pass over all that has expired stands.
#[derive(Default)]
pub(crate) struct Pass {
    /// What the last batch ended with; none where the next one begins a pass.
    after: Option<Due>,
    /// Of something that was done there is more.
    again: bool,
    /// What could not be done because a record is damaged: it is not tried once a pass.
    damaged: HashSet<Key>,
}

impl Service {
    /// One batch of a pass over all that has expired. True where the pass goes on, or the next one has something to do at once.
    ///
    /// What cannot be done is passed by, and waits for the next pass: one that is damaged, one that somebody changes just now. However
    /// many of these there are, the pass comes to its end.
    pub async fn sweep(&self) -> Result<bool, ServiceError> {
        let mut pass = self.pass.lock().await;
        let most = self.settings.bounds.sweep_batch;
        let due = self.store.due(self.now(), pass.after, most).await?;
        pass.after = due.last().copied().filter(|_| due.len() == most);
        let mut named: Vec<Key> = due.into_iter().map(|due| due.key).collect();
        named.retain(|key| !pass.damaged.contains(key));
        self.expire(&mut pass, named).await?;
        if pass.after.is_some() || std::mem::take(&mut pass.again) {
            return Ok(true);
        }
        drop(pass);
        self.let_go().await
    }

    /// All in one commit; where one was changed meanwhile, or is damaged, each in its own.
    async fn expire(&self, pass: &mut Pass, named: Vec<Key>) -> Result<(), ServiceError> {
        if let Some(Some(whole)) = unless_damaged(self.expire_together(&named).await)? {
            pass.again |= !whole;
            self.tally.swept(named.len());
            return Ok(());
        }
        let mut done = 0;
        for key in named {
            match unless_damaged(self.expire_together(&[key]).await)? {
                Some(Some(whole)) => {
                    pass.again |= !whole;
                    done += 1;
                }
                Some(None) => {}
                None if pass.damaged.len() < MET_MAX => drop(pass.damaged.insert(key)),
                None => {}
            }
        }
        self.tally.swept(done);
        Ok(())
    }

    /// All in one commit: whether there is no more to do about them. None where one was changed meanwhile.
    async fn expire_together(&self, named: &[Key]) -> Result<Option<bool>, ServiceError> {
        let (mut tx, mut whole) = (Transaction::default(), true);
        for key in named {
            whole &= self.expire_in(&mut tx, *key).await?;
        }
        Ok(self.commit_desk(tx).await?.then_some(whole))
    }

    /// False where there is more about it than one commit should hold.
    async fn expire_in(&self, tx: &mut Transaction, key: Key) -> Result<bool, ServiceError> {
        match key {
            Key::Session(session) => return self.expire_session_in(tx, session).await,
            Key::Remember(token) => self.expire_series_in(tx, token).await?,
            Key::Audit(event) => self.expire_event_in(tx, event).await?,
            Key::Trail(account) => self.expire_trail_in(tx, account).await?,
            Key::Sealing(cart) => self.expire_sealing_in(tx, cart).await?,
            // A retired token, a reset token: nothing that comes back to life under its key.
            other => {
                tx.read(&*self.store, other).await?;
                tx.remove(&other);
            }
        }
        Ok(true)
    }

    /// Takes a session out, if core says that it is over. The store names sessions by what was written down; where memory or a
    /// longer policy knows better, that is written down instead, and the store names it later.
    async fn expire_session_in(&self, tx: &mut Transaction, id: SessionId) -> Result<bool, ServiceError> {
        tx.read(&*self.store, Key::Session(id)).await?;
        let Some(Record::Session(session)) = tx.get(&Key::Session(id)) else { return Ok(true) };
        let (session, now) = (Arc::clone(session), self.now());
        let why = match self.lease(&session, now) {
            Ok(lease) => {
                let seen = self.seen.at(id).map_or(session.last_seen, |at| self.wall_of(at, now));
                let last_seen = seen.max(session.last_seen.min(now));
                let living = Session { version: session.version + 1, last_seen, ..(*session).clone() };
                // Where the wall clock was set ahead, what is written down says that it is over long before it is.
                let swept_after = self.settings.policy.swept_after(&living).max(lease.expires_at);
                tx.put(Record::Session(Arc::new(living)), Some(swept_after));
                return Ok(true);
            }
            Err(why) => why,
        };
        if let Some(account) = session.account() {
            let mut sessions = self.sessions_in(tx, account).await?;
            if sessions.expire(id) {
                put_sessions(tx, sessions);
                self.note(tx, account, AuditEntry::new(now, EventKind::SessionExpired).within(id)).await?;
            }
        }
        let whole = self.take_out_in(tx, id, Tokens::Forget).await?;
        if whole {
            tracing::info!(session = %id, ?why, "a session expires");
        }
        Ok(whole)
    }

    /// A remembered device whose time is over is forgotten; a session that it began lives on.
    async fn expire_series_in(&self, tx: &mut Transaction, token: TokenDigest) -> Result<(), ServiceError> {
        let key = Key::Remember(token);
        tx.read(&*self.store, key).await?;
        let Some(Record::Remember(named)) = tx.get(&key) else { return Ok(()) };
        let (account, series) = (named.account, named.series);
        let mut sessions: AccountSessions = self.sessions_in(tx, account).await?;
        if sessions.series(series).is_none_or(|series| self.now() < series.expires_at) {
            // One that is not the series' any more, or of a series that lives: the token alone goes.
            tx.remove(&key);
            return Ok(());
        }
        let left = sessions.forget(series);
        put_sessions(tx, sessions);
        self.left_in(tx, account, &left, Tokens::Forget).await
    }
}
