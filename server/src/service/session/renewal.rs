//! A signed-in token's renewal, its successor's arrival, and what a replaced one tells that comes back too late.

use std::sync::Arc;

use trolley_core::account::audit::{AuditEntry, EventKind};
use trolley_core::chain::{Renewal, Successor};
use trolley_core::session::Session;
use trolley_core::time::Timestamp;
use trolley_store::records::own::Token as TokenRecord;
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::account::revoke::{Revocation, Tokens};
use crate::service::error::ServiceError;
use crate::service::secret::Purpose;
use crate::service::session::recognise::Step;
use crate::service::session::token::Token;
use crate::service::transaction::Transaction;

impl Service {
    /// Hands out the token's successor: the same one to all who come with it. The first to come writes down that it waits;
    /// where that fails the old token is good as before, and the next request tries again.
    pub(crate) async fn renew(
        &self,
        session: &Arc<Session>,
        token: &Token,
        renewal: Renewal,
        seen: Timestamp,
    ) -> Result<Step, ServiceError> {
        if let Some(key) = renewal.key {
            // Where the key is gone from the secret the old token stays good for as long as the session lives.
            return Ok(Step::Serve(self.secret.derive(key, Purpose::Session, token, renewal.number)));
        }
        let key = self.secret.newest();
        let Some(next) = self.secret.derive(key, Purpose::Session, token, renewal.number) else {
            return Ok(Step::Serve(None));
        };
        let mut tx = Transaction::default();
        tx.know(Record::Session(Arc::clone(session)));
        let mut waiting = self.seen_at(session, seen);
        waiting.tokens.hand_out(Successor { digest: next.digest(), key });
        self.put_session(&mut tx, Arc::new(waiting));
        let opens = TokenRecord { digest: next.digest(), session: session.id, retired_at: None };
        tx.put(Record::Token(Arc::new(opens)), None);
        match self.commit_desk(tx).await {
            Ok(true) => Ok(Step::Serve(Some(next))),
            Ok(false) => Ok(Step::Again),
            Err(failure) => {
                tracing::warn!(?failure, session = %session.id, "a token could not be renewed");
                Ok(Step::Serve(None))
            }
        }
    }

    /// The successor came back for the first time: the old token's grace begins. Where that cannot be written down the
    /// caller is served all the same, and the next request tries again.
    pub(crate) async fn arrive(&self, session: &Arc<Session>, now: Timestamp, seen: Timestamp) -> Step {
        match self.write_arrival(session, now, seen).await {
            Ok(_) => Step::Again,
            Err(failure) => {
                tracing::warn!(?failure, session = %session.id, "a renewal could not be written down");
                Step::Serve(None)
            }
        }
    }

    async fn write_arrival(
        &self,
        session: &Arc<Session>,
        now: Timestamp,
        seen: Timestamp,
    ) -> Result<bool, ServiceError> {
        let mut tx = Transaction::default();
        tx.know(Record::Session(Arc::clone(session)));
        let mut arrived = self.seen_at(session, seen);
        if let Some(forgotten) = arrived.tokens.advance(now) {
            let stood = TokenRecord { digest: forgotten, session: session.id, retired_at: None };
            tx.know(Record::Token(Arc::new(stood)));
            tx.remove(&Key::Token(forgotten));
        }
        if let Some(account) = session.account() {
            self.note(&mut tx, account, AuditEntry::new(now, EventKind::SessionRenewed).within(session.id))
                .await?;
        }
        self.put_session(&mut tx, Arc::new(arrived));
        self.commit_desk(tx).await
    }

    /// A token that had been replaced came back after its grace: one of two who hold the chain is not who it was given to,
    /// and nobody can tell which. The session ends, with the device that it belongs to.
    pub(crate) async fn replayed(
        &self,
        session: &Arc<Session>,
        now: Timestamp,
    ) -> Result<Step, ServiceError> {
        let Some(account) = session.account() else { return Ok(Step::Ended) };
        let _turn = self.turns.of(account).await;
        let mut tx = Transaction::default();
        let key = Key::Session(session.id);
        tx.read(&*self.store, key).await?;
        match tx.get(&key) {
            Some(Record::Session(found)) if found.version == session.version => {}
            _ => return Ok(Step::Again),
        }
        self.end_in(&mut tx, account, Revocation::Session(session.id), Tokens::Forget).await?;
        self.note(&mut tx, account, AuditEntry::new(now, EventKind::TokenReplayed).within(session.id))
            .await?;
        tracing::warn!(%account, session = %session.id, "a replaced token came back: the session ends");
        Ok(if self.commit_desk(tx).await? { Step::Ended } else { Step::Again })
    }

    /// The session's next state, as seen then. What a remembered device's session counts as its first visit is for
    /// [`Service::present`] to say.
    pub(crate) fn seen_at(&self, session: &Session, seen: Timestamp) -> Session {
        let presented = session.presented || session.sign_in.is_none();
        Session { version: session.version + 1, last_seen: seen, presented, ..session.clone() }
    }
}
