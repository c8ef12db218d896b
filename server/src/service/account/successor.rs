//! Which session of a browser came after which: what a sign-out follows that was under way meanwhile. Where a sign-in begins another
//! session, a record leads to it from the one before, for as long as tokens that went out of use are remembered. It is kept as such a
//! token is, under a digest that no token has, and opens nothing.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use trolley_core::ids::{SessionId, TokenDigest};
use trolley_core::time::Timestamp;
use trolley_store::records::own::Token as TokenRecord;
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::error::{ServiceError, unless_damaged};
use crate::service::session::token::{RETIRED_FOR, Token};
use crate::service::transaction::Transaction;

/// How many sessions of one browser are followed: no shopper signs in so often within the minutes that this is remembered.
pub(crate) const FOLLOWED_MAX: usize = 64;

impl Service {
    /// Lays in the transaction that the browser which had the session `before` has `after` besides from now on, behind whatever it had
    /// in between. A chain that is too long already is left as it is.
    pub(crate) async fn succeed_in(
        &self,
        tx: &mut Transaction,
        before: SessionId,
        after: SessionId,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let mut last = before;
        for _ in 0..FOLLOWED_MAX {
            if last == after {
                return Ok(());
            }
            match self.led_to_in(tx, of_session(last)).await? {
                Some(next) => last = next,
                None => {
                    lead(tx, of_session(last), after, now);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The session that the browser had after that one.
    pub(crate) async fn successor_of(&self, before: SessionId) -> Result<Option<SessionId>, ServiceError> {
        self.led_to_in(&mut Transaction::default(), of_session(before)).await
    }

    /// The session that a token belonged to which went out of use.
    pub(crate) async fn session_of_retired(
        &self,
        tx: &mut Transaction,
        token: TokenDigest,
    ) -> Result<Option<SessionId>, ServiceError> {
        self.led_to_in(tx, token).await
    }

    /// The session that a browser last signed in by, which it told by its device's cookie, where that is over: a sign-out took the
    /// cookie that would tell. One that lives is led to by nothing that opens nothing.
    pub(crate) async fn left_on_in(
        &self,
        tx: &mut Transaction,
        device: &Token,
    ) -> Result<Option<SessionId>, ServiceError> {
        let Some(last) = self.led_to_in(tx, of_device(device)).await? else { return Ok(None) };
        let stands = self.store.load(Key::Session(last)).await.map_err(ServiceError::from);
        Ok(unless_damaged(stands)?.is_some_and(|stands| stands.is_none()).then_some(last))
    }

    /// Lays in the transaction by which session a browser signed in last.
    pub(crate) async fn note_last_in(
        &self,
        tx: &mut Transaction,
        device: &Token,
        session: SessionId,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        self.led_to_in(tx, of_device(device)).await?;
        lead(tx, of_device(device), session, now);
        Ok(())
    }

    async fn led_to_in(
        &self,
        tx: &mut Transaction,
        from: TokenDigest,
    ) -> Result<Option<SessionId>, ServiceError> {
        let key = Key::Token(from);
        // A damaged record leads nowhere, and holds no sign-in up.
        unless_damaged(tx.read(&*self.store, key).await.map_err(ServiceError::from))?;
        Ok(match tx.get(&key) {
            Some(Record::Token(led)) if led.retired_at.is_some() => Some(led.session),
            _ => None,
        })
    }
}

fn lead(tx: &mut Transaction, from: TokenDigest, to: SessionId, now: Timestamp) {
    let leads = TokenRecord { digest: from, session: to, retired_at: Some(now) };
    tx.put(Record::Token(Arc::new(leads)), Some(now + RETIRED_FOR));
}

/// Of something that is no token: none is so long, and none begins so.
fn of_session(session: SessionId) -> TokenDigest {
    let digest = Sha256::new().chain_update(b"trolley session after session\0");
    TokenDigest::from_bytes(digest.chain_update(session.bytes()).finalize().into())
}

fn of_device(device: &Token) -> TokenDigest {
    let digest = Sha256::new().chain_update(b"trolley session last signed in by device\0");
    TokenDigest::from_bytes(digest.chain_update(device.expose()).finalize().into())
}
