//! What a new password does to the account's sessions: all others end, and the one that changed it gets a new token.

use std::sync::Arc;

use trolley_core::chain::TokenChain;
use trolley_core::ids::{AccountId, SessionId};
use trolley_core::session::Session;
use trolley_store::records::own::Token as TokenRecord;
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::account::attach::{Attached, RememberCookie};
use crate::service::account::revoke::{Tokens, put_sessions};
use crate::service::error::ServiceError;
use crate::service::session::token::Token;
use crate::service::transaction::Transaction;

impl Service {
    /// What a new password does where the password is not ours: the shop's own login tells that it changed one.
    pub async fn password_changed(
        &self,
        account: AccountId,
        by: Option<SessionId>,
    ) -> Result<Option<Attached>, ServiceError> {
        let _turn = self.turns.of(account).await;
        for _ in 0..self.settings.bounds.commit_tries {
            let mut tx = Transaction::default();
            let entered = self.password_changed_in(&mut tx, account, by).await?;
            if self.commit_desk(tx).await? {
                return Ok(entered);
            }
        }
        Err(ServiceError::Busy)
    }

    /// Lays in the transaction what a new password does: beside the account's own record, in the same commit. With `by` that session
    /// stays, under a new token, and its device is remembered anew if it was; without it every session ends.
    pub(crate) async fn password_changed_in(
        &self,
        tx: &mut Transaction,
        account: AccountId,
        by: Option<SessionId>,
    ) -> Result<Option<Attached>, ServiceError> {
        let mut sessions = self.sessions_in(tx, account).await?;
        if by.is_some_and(|session| !sessions.holds(session)) {
            return Err(ServiceError::SessionEnded);
        }
        let left = sessions.password_changed(by);
        self.left_in(tx, account, &left, Tokens::Retire).await?;
        let Some(session) = by else {
            put_sessions(tx, sessions);
            return Ok(None);
        };
        let (session, token) = self.renamed(tx, session).await?;
        let now = self.now();
        let remembered = sessions.series_of(session.id).map(|series| (series.id, series.device.clone()));
        let remember = match remembered {
            Some((series, device)) => {
                let left = sessions.forget(series);
                self.left_in(tx, account, &left, Tokens::Forget).await?;
                let (remember, series) = self.new_series(tx, account, &device, session.id, now);
                sessions.remember(series, self.settings.policy.cap);
                remember
            }
            None => RememberCookie::Same,
        };
        put_sessions(tx, sessions);
        let visit = self.visit(session, token.digest(), now).ok_or(ServiceError::SessionEnded)?;
        Ok(Some(Attached { visit, token, remember, known_by: None }))
    }

    /// The session under a new token; the ones before are dead.
    async fn renamed(
        &self,
        tx: &mut Transaction,
        id: SessionId,
    ) -> Result<(Arc<Session>, Token), ServiceError> {
        tx.read(&*self.store, Key::Session(id)).await?;
        let Some(Record::Session(session)) = tx.get(&Key::Session(id)) else {
            return Err(ServiceError::SessionEnded);
        };
        let (session, now) = (Arc::clone(session), self.now());
        self.close_tokens(tx, &session, Tokens::Retire, now);
        let token = Token::mint(&*self.random);
        let mut renamed = self.seen_at(&session, now);
        renamed.tokens = TokenChain::new(token.digest(), now);
        let renamed = Arc::new(renamed);
        self.put_session(tx, Arc::clone(&renamed));
        let opens = TokenRecord { digest: token.digest(), session: id, retired_at: None };
        tx.put(Record::Token(Arc::new(opens)), None);
        Ok((renamed, token))
    }
}
