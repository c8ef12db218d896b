//! How sessions end before their time: sign-out, a device ended from another one, everywhere, a new password. Each is one
//! commit, of the account's record and of all that leaves with it.

use std::sync::Arc;

use trolley_core::account::audit::{AuditEntry, EventKind};
use trolley_core::account::sessions::{AccountSessions, Revoked, Series};
use trolley_core::ids::{AccountId, SeriesId, SessionId, TokenDigest};
use trolley_core::session::Session;
use trolley_core::time::Timestamp;
use trolley_store::records::own::{Remember, Token as TokenRecord};
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::account::successor::FOLLOWED_MAX;
use crate::service::error::{ServiceError, unless_damaged};
use crate::service::session::recognise::Visit;
use crate::service::session::token::{RETIRED_FOR, Token};
use crate::service::transaction::Transaction;

/// What becomes of the tokens of a session that leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tokens {
    /// They are remembered for a while, so that a late write under one is refused and begins no guest.
    Retire,
    /// They count as never issued.
    Forget,
}

/// Which sessions of an account end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// This one, with the device that it belongs to.
    Session(SessionId),
    /// This remembered device, with its session.
    Series(SeriesId),
    /// All but this one.
    Others(SessionId),
    /// All.
    All,
}

impl Service {
    /// Who is signed out is whoever the visit's browser is by now: sign-ins, a new password or a renewal may have been faster. This session
    /// is over, a guest's with its cart, and every one that the browser had after it. Those that are gone already are no fault.
    pub async fn sign_out(&self, visit: &Visit) -> Result<(), ServiceError> {
        let (mut ended, mut next) = (Vec::new(), Some(visit.session.id));
        while let Some(id) = next.filter(|id| ended.len() < FOLLOWED_MAX && !ended.contains(id)) {
            self.sign_out_of(id).await?;
            ended.push(id);
            next = self.successor_of(id).await?;
        }
        Ok(())
    }

    async fn sign_out_of(&self, id: SessionId) -> Result<(), ServiceError> {
        let mut tries = self.settings.bounds.commit_tries;
        while tries > 0 {
            let Some(Record::Session(session)) = self.store.load(Key::Session(id)).await? else {
                return Ok(());
            };
            let _turn = match session.account() {
                Some(account) => Some(self.turns.of(account).await),
                None => None,
            };
            let mut tx = Transaction::default();
            tx.know(Record::Session(Arc::clone(&session)));
            let whole = match session.account() {
                Some(account) => {
                    let row = AuditEntry::new(self.now(), EventKind::SignedOut).within(id);
                    self.end_noted_in(&mut tx, account, Revocation::Session(id), row).await?;
                    true
                }
                None => self.take_out_in(&mut tx, id, Tokens::Retire).await?,
            };
            match (self.commit_desk(tx).await?, whole) {
                (true, true) => {
                    if session.account().is_none() {
                        tracing::info!(session = %id, "a guest leaves");
                    }
                    return Ok(());
                }
                // A guest of many orders leaves bit by bit.
                (true, false) => {}
                (false, _) => tries -= 1,
            }
        }
        Err(ServiceError::Busy)
    }

    /// Whether that is the token of a remembered device, or was.
    pub async fn remembers(&self, remember: &Token) -> Result<bool, ServiceError> {
        let Some(Record::Remember(named)) = self.store.load(Key::Remember(remember.digest())).await? else {
            return Ok(false);
        };
        let sessions = self.sessions_in(&mut Transaction::default(), named.account).await?;
        Ok(sessions.series(named.series).is_some())
    }

    /// A sign-out from a remembered device: it is forgotten, with the session that it has by now. No other one begins for that.
    pub async fn forget_device(&self, remember: &Token) -> Result<(), ServiceError> {
        for _ in 0..self.settings.bounds.commit_tries {
            let found = self.store.load(Key::Remember(remember.digest())).await?;
            let Some(Record::Remember(named)) = found else { return Ok(()) };
            let _turn = self.turns.of(named.account).await;
            let mut tx = Transaction::default();
            let sessions = self.sessions_in(&mut tx, named.account).await?;
            let Some(series) = sessions.series(named.series) else { return Ok(()) };
            let mut row = AuditEntry::new(self.now(), EventKind::SignedOut);
            row.session = series.session;
            self.end_noted_in(&mut tx, named.account, Revocation::Series(named.series), row).await?;
            if self.commit_desk(tx).await? {
                return Ok(());
            }
        }
        Err(ServiceError::Busy)
    }

    /// Ends sessions of an account in one commit, and says how many sessions and remembered devices that were.
    pub async fn end(
        &self,
        account: AccountId,
        ends: Revocation,
        row: AuditEntry,
    ) -> Result<usize, ServiceError> {
        let _turn = self.turns.of(account).await;
        for _ in 0..self.settings.bounds.commit_tries {
            let mut tx = Transaction::default();
            let ended = self.end_noted_in(&mut tx, account, ends, row.clone()).await?;
            if self.commit_desk(tx).await? {
                return Ok(ended);
            }
        }
        Err(ServiceError::Busy)
    }

    pub(crate) async fn end_noted_in(
        &self,
        tx: &mut Transaction,
        account: AccountId,
        ends: Revocation,
        row: AuditEntry,
    ) -> Result<usize, ServiceError> {
        let ended = self.end_in(tx, account, ends, Tokens::Retire).await?;
        if ended > 0 {
            self.note(tx, account, row).await?;
        }
        Ok(ended)
    }

    /// Lays in the transaction what [`Service::end`] commits.
    pub(crate) async fn end_in(
        &self,
        tx: &mut Transaction,
        account: AccountId,
        ends: Revocation,
        tokens: Tokens,
    ) -> Result<usize, ServiceError> {
        let mut sessions = self.sessions_in(tx, account).await?;
        let left = match ends {
            Revocation::Session(session) if sessions.holds(session) => sessions.leave(session),
            Revocation::Series(series) if sessions.series(series).is_some() => sessions.leave_series(series),
            Revocation::Session(_) | Revocation::Series(_) => return Ok(0),
            Revocation::Others(session) => sessions.keep_only(session),
            Revocation::All => sessions.leave_all(),
        };
        put_sessions(tx, sessions);
        self.left_in(tx, account, &left, tokens).await?;
        Ok(left.sessions.len() + left.series.len())
    }

    /// The sessions of an account, as they lie in the transaction.
    pub(crate) async fn sessions_in(
        &self,
        tx: &mut Transaction,
        account: AccountId,
    ) -> Result<AccountSessions, ServiceError> {
        let key = Key::AccountSessions(account);
        tx.read(&*self.store, key).await?;
        Ok(match tx.get(&key) {
            Some(Record::AccountSessions(sessions)) => (**sessions).clone(),
            _ => AccountSessions::new(account),
        })
    }

    /// Takes out, in the transaction, the records of what left an account.
    pub(crate) async fn left_in(
        &self,
        tx: &mut Transaction,
        account: AccountId,
        left: &Revoked,
        tokens: Tokens,
    ) -> Result<(), ServiceError> {
        for session in &left.sessions {
            // One that is damaged stays as it is: it opened nothing without its account's record, where it stands no more.
            unless_damaged(self.take_out_in(tx, *session, tokens).await)?;
        }
        for series in &left.series {
            forget_series(tx, account, series);
        }
        Ok(())
    }

    /// Takes out a session with its tokens, its ledger and its data, and a guest's with its cart and the links to its orders.
    /// False where there are more of those links than one commit should hold: the session leaves with the last of them.
    pub(crate) async fn take_out_in(
        &self,
        tx: &mut Transaction,
        id: SessionId,
        tokens: Tokens,
    ) -> Result<bool, ServiceError> {
        tx.read(&*self.store, Key::Session(id)).await?;
        let Some(Record::Session(session)) = tx.get(&Key::Session(id)) else { return Ok(true) };
        let session = Arc::clone(session);
        let guest_cart = session.cart.filter(|_| session.sign_in.is_none());
        let mut gone = vec![Key::Ledger(id), Key::Data(id)];
        if let Some(cart) = guest_cart {
            let most = self.settings.bounds.sweep_batch;
            let links = self.links_of(cart, most).await?;
            let whole = links.len() < most;
            gone.extend(links.into_iter().map(|write| write.key));
            if !whole {
                self.remove_all(tx, &gone[2..]).await?;
                return Ok(false);
            }
            gone.push(Key::Cart(cart));
        }
        self.close_tokens(tx, &session, tokens, self.now());
        self.remove_all(tx, &gone).await?;
        tx.remove(&Key::Session(id));
        self.seen.forget(id);
        Ok(true)
    }

    async fn remove_all(&self, tx: &mut Transaction, keys: &[Key]) -> Result<(), ServiceError> {
        for key in keys {
            // One that is damaged stays, and holds nothing else up.
            let laid_out = tx.read(&*self.store, *key).await.map_err(ServiceError::from);
            if unless_damaged(laid_out)?.is_some() {
                tx.remove(key);
            }
        }
        Ok(())
    }

    /// Takes the session's tokens out of use.
    pub(crate) fn close_tokens(
        &self,
        tx: &mut Transaction,
        session: &Session,
        tokens: Tokens,
        now: Timestamp,
    ) {
        let in_use: Vec<TokenDigest> = match tokens {
            Tokens::Retire => session.tokens.in_use(self.settings.policy.grace, now).collect(),
            Tokens::Forget => Vec::new(),
        };
        for digest in session.tokens.tokens() {
            let stood = TokenRecord { digest, session: session.id, retired_at: None };
            tx.know(Record::Token(Arc::new(stood)));
            if in_use.contains(&digest) {
                let retired = TokenRecord { retired_at: Some(now), ..stood };
                tx.put(Record::Token(Arc::new(retired)), Some(now + RETIRED_FOR));
            } else {
                tx.remove(&Key::Token(digest));
            }
        }
    }
}

/// Lays down the account's sessions as they are from now on.
pub(crate) fn put_sessions(tx: &mut Transaction, sessions: AccountSessions) {
    tx.put(Record::AccountSessions(Arc::new(sessions)), None);
}

/// Takes out the tokens of a remembered device.
pub(crate) fn forget_series(tx: &mut Transaction, account: AccountId, series: &Series) {
    for digest in series.tokens.tokens() {
        // All of them are there: a chain changes in one commit with the records of its tokens.
        tx.know(Record::Remember(Arc::new(Remember { digest, account, series: series.id })));
        tx.remove(&Key::Remember(digest));
    }
}
