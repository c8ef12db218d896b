//! A remembered device begins a session by itself: N requests that carry one remember-me token at once are handed one
//! successor of it, and one session.

use std::sync::Arc;

use trolley_core::account::audit::{AuditEntry, EventKind};
use trolley_core::account::sessions::{AccountSessions, Series, SignedInEntry};
use trolley_core::chain::{Renewal, Successor, TokenChain, TokenStanding};
use trolley_core::ids::{AccountId, CartId, SessionId, TokenDigest};
use trolley_core::session::{Device, Session, SignIn, Transport};
use trolley_core::time::{Span, Timestamp};
use trolley_store::records::own::{Remember, Token as TokenRecord};
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::account::attach::put_remember;
use crate::service::account::revoke::{Revocation, Tokens, put_sessions};
use crate::service::error::ServiceError;
use crate::service::secret::Purpose;
use crate::service::session::recognise::{Recognition, Remembered, RenewedTokens};
use crate::service::session::token::Token;
use crate::service::transaction::Transaction;

/// A remember-me token in use: what the device holds now, and what it is handed.
struct Use {
    /// The token in whose name sessions are made: the present one of the series.
    head: Token,
    /// What the device gets to hold; none where the key of the secret is gone, and it keeps what it has.
    next: Option<Token>,
}

impl Service {
    /// Begins the session of the device that `remember` belongs to, or finds the one that another request just began.
    pub(crate) async fn use_remember(&self, remember: &Remembered) -> Result<Recognition, ServiceError> {
        let digest = remember.token.digest();
        for _ in 0..self.settings.bounds.commit_tries {
            let Some(Record::Remember(named)) = self.store.load(Key::Remember(digest)).await? else {
                return Ok(Recognition::Nobody);
            };
            let _turn = self.turns.of(named.account).await;
            let mut tx = Transaction::default();
            let sessions = self.sessions_in(&mut tx, named.account).await?;
            let now = self.now();
            let series = sessions.series(named.series).filter(|series| now < series.expires_at).cloned();
            let Some(series) = series else { return Ok(Recognition::Nobody) };
            let grace = self.settings.policy.grace;
            let in_its_time = self.now_from(series.tokens.since, now);
            match series.tokens.standing(&digest, Span::default(), grace, in_its_time) {
                TokenStanding::Unknown => return Ok(Recognition::Nobody),
                TokenStanding::Stolen => {
                    if self.remember_replayed(tx, &named, &series, now).await? {
                        return Ok(Recognition::Retired);
                    }
                }
                standing => {
                    if let Some(used) =
                        self.begin_remembered(tx, sessions, series, remember, standing).await?
                    {
                        return Ok(used);
                    }
                }
            }
        }
        Err(ServiceError::Busy)
    }

    /// None where somebody else changed the account meanwhile.
    async fn begin_remembered(
        &self,
        mut tx: Transaction,
        mut sessions: AccountSessions,
        series: Series,
        Remembered { token: remember, device }: &Remembered,
        standing: TokenStanding,
    ) -> Result<Option<Recognition>, ServiceError> {
        let (account, now, id) = (sessions.account, self.now(), series.id);
        let before = sessions.version;
        let Some(used) = self.rotate(&mut tx, &mut sessions, &series, remember, standing, now) else {
            return Ok(Some(Recognition::Nobody));
        };
        let found = self.found_session(&series, [remember, &used.head], now).await?;
        let (session, token) = match found {
            Some(found) => found,
            None => {
                if let Some(other) = series.session {
                    self.replaced_in(&mut tx, &mut sessions, other, device, now).await?;
                }
                self.new_session(&mut tx, &mut sessions, &series, &used.head, device, now).await?
            }
        };
        let mut tab = self.tab();
        if sessions.version != before {
            // A chain of uses would else begin sessions without end. Nobody else's use of the account counts, nor does this for others.
            if !tab.remembered(id) {
                return Ok(Some(Recognition::Unrenewed));
            }
            let row = AuditEntry::new(now, EventKind::Remembered).within(session.id);
            self.note(&mut tx, account, by(row, device)).await?;
            put_sessions(&mut tx, sessions);
        }
        if !self.commit_desk(tx).await? {
            return Ok(None);
        }
        tab.keep();
        self.see(&session, now);
        let Some(visit) = self.visit(session, token.digest(), now) else {
            return Ok(Some(Recognition::Nobody));
        };
        tracing::debug!(session = %visit.session.id, series = %id, "a remembered device is recognised");
        let handed = RenewedTokens {
            session: Some((token, visit.absolute_expires_at)),
            remember: used.next.map(|token| (token, series.expires_at)),
        };
        Ok(Some(Recognition::Known(visit, handed)))
    }

    /// The series' next step in the transaction, if there is one to take: one that was taken already is told and not repeated.
    fn rotate(
        &self,
        tx: &mut Transaction,
        sessions: &mut AccountSessions,
        series: &Series,
        remember: &Token,
        standing: TokenStanding,
        now: Timestamp,
    ) -> Option<Use> {
        let derive = |key, number| self.secret.derive(key, Purpose::Remember, remember, number);
        match standing {
            TokenStanding::Due(Renewal { number, key: Some(key) }) => {
                let next = derive(key, number);
                let is_present = series.tokens.present == remember.digest();
                let head = if is_present { remember.clone() } else { next.clone()? };
                Some(Use { head, next })
            }
            TokenStanding::Due(_) | TokenStanding::Arrived => {
                let key = self.secret.newest();
                let changed = sessions.series_mut(series.id)?;
                if standing == TokenStanding::Arrived
                    && let Some(forgotten) = changed.tokens.advance(now)
                {
                    forget_remember(tx, sessions, series, forgotten);
                }
                let changed = sessions.series_mut(series.id)?;
                let next = derive(key, changed.tokens.renewals)?;
                changed.tokens.hand_out(Successor { digest: next.digest(), key });
                changed.last_seen = now;
                put_remember(tx, sessions.account, series, next.digest());
                Some(Use { head: remember.clone(), next: Some(next) })
            }
            _ => None,
        }
    }

    /// The session that the series' last use made, where it lives and one of these tokens leads to what opens it.
    async fn found_session(
        &self,
        series: &Series,
        heads: [&Token; 2],
        now: Timestamp,
    ) -> Result<Option<(Arc<Session>, Token)>, ServiceError> {
        let (Some(id), Some(key)) = (series.session, series.made_by) else { return Ok(None) };
        let Some(Record::Session(session)) = self.store.load(Key::Session(id)).await? else {
            return Ok(None);
        };
        if self.lease(&session, now).is_err() {
            return Ok(None);
        }
        let number = series.uses.saturating_sub(1);
        let opens = |head: &Token| {
            let token = self.secret.derive(key, Purpose::Remembered, head, number)?;
            (session.tokens.present == token.digest()).then_some(token)
        };
        Ok(heads.into_iter().find_map(opens).map(|token| (session, token)))
    }

    /// The series' last session gives way to the one that begins, in the transaction: the device lost what opened it, and no other
    /// one may go on using it. One that lived is told by whom it was ended.
    async fn replaced_in(
        &self,
        tx: &mut Transaction,
        sessions: &mut AccountSessions,
        other: SessionId,
        device: &Device,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        tx.read(&*self.store, Key::Session(other)).await?;
        let lived = match tx.get(&Key::Session(other)) {
            Some(Record::Session(session)) => self.lease(session, now).is_ok(),
            _ => false,
        };
        if sessions.expire(other) {
            let row = match lived {
                true => by(AuditEntry::new(now, EventKind::SessionRevoked), device),
                false => AuditEntry::new(now, EventKind::SessionExpired),
            };
            self.note(tx, sessions.account, row.within(other)).await?;
        }
        self.take_out_in(tx, other, Tokens::Forget).await?;
        Ok(())
    }

    /// A fresh session of the series, in the transaction.
    async fn new_session(
        &self,
        tx: &mut Transaction,
        sessions: &mut AccountSessions,
        series: &Series,
        head: &Token,
        device: &Device,
        now: Timestamp,
    ) -> Result<(Arc<Session>, Token), ServiceError> {
        let (account, cap) = (sessions.account, self.settings.policy.cap);
        let cart = self.cart_of_account(tx, account).await?;
        let (id, key) = (self.new_session_id(now), self.secret.newest());
        let token = self.secret.derive(key, Purpose::Remembered, head, series.uses);
        let token = token.ok_or_else(|| ServiceError::Broken("the newest key is gone".to_owned()))?;
        let entry = SignedInEntry { session: id, signed_in_at: now };
        let over = sessions.enter(entry, sessions.epoch, cap).map_err(|_| ServiceError::Overtaken)?;
        for session in over.sessions {
            self.take_out_in(tx, session, Tokens::Forget).await?;
            self.note(tx, account, AuditEntry::new(now, EventKind::SessionRevoked).within(session)).await?;
        }
        if let Some(series) = sessions.series_mut(series.id) {
            (series.session, series.made_by, series.uses) = (Some(id), Some(key), series.uses + 1);
            (series.last_seen, series.device) = (now, device.clone());
        }
        let session = Arc::new(Session {
            id,
            version: 1,
            tokens: TokenChain::new(token.digest(), now),
            transport: Transport::Cookie,
            cart: Some(cart),
            created_at: now,
            last_seen: now,
            presented: false,
            began_with_cart: false,
            sign_in: Some(Box::new(SignIn { account, at: now, device: device.clone() })),
        });
        self.put_session(tx, Arc::clone(&session));
        let opens = TokenRecord { digest: token.digest(), session: id, retired_at: None };
        tx.put(Record::Token(Arc::new(opens)), None);
        Ok((session, token))
    }

    /// The cart of an account, which must still be there when the session begins.
    async fn cart_of_account(
        &self,
        tx: &mut Transaction,
        account: AccountId,
    ) -> Result<CartId, ServiceError> {
        let key = Key::Account(account);
        tx.read(&*self.store, key).await?;
        let Some(Record::Account(found)) = tx.get(&key) else { return Err(ServiceError::SessionEnded) };
        let cart = found.cart;
        tx.keep(key);
        Ok(cart)
    }

    /// A replaced remember-me token came back after its grace: the device is forgotten, and its session ends.
    async fn remember_replayed(
        &self,
        mut tx: Transaction,
        named: &Remember,
        series: &Series,
        now: Timestamp,
    ) -> Result<bool, ServiceError> {
        self.end_in(&mut tx, named.account, Revocation::Series(series.id), Tokens::Forget).await?;
        let mut row = AuditEntry::new(now, EventKind::TokenReplayed);
        row.session = series.session;
        self.note(&mut tx, named.account, row).await?;
        tracing::warn!(account = %named.account, series = %series.id, "a replaced remember-me token came back");
        self.commit_desk(tx).await
    }

    /// The token of a session came back for the first time. From now on a guest's idle limit counts, so this is written down before
    /// the answer; where that fails the caller is served all the same, and the next request tries again. The session of a
    /// remembered device came back with the remember-me token that was handed out with it, which has arrived too; with an older one
    /// of a tab that was slow it did not yet.
    pub(crate) async fn present(
        &self,
        session: Arc<Session>,
        remember: Option<&Token>,
        seen: Timestamp,
        now: Timestamp,
    ) -> Arc<Session> {
        let presented = Arc::new(Session { presented: true, ..self.seen_at(&session, seen) });
        let written = async {
            let mut tx = Transaction::default();
            tx.know(Record::Session(Arc::clone(&session)));
            self.put_session(&mut tx, Arc::clone(&presented));
            if let (Some(account), Some(remember)) = (session.account(), remember) {
                let mut sessions = self.sessions_in(&mut tx, account).await?;
                match arrive_together(&mut tx, &mut sessions, session.id, remember.digest(), now) {
                    Arrival::Now => put_sessions(&mut tx, sessions),
                    Arrival::Nothing => {}
                    Arrival::NotYet => return Ok(Arc::clone(&session)),
                }
            }
            self.commit_desk(tx).await?;
            Ok::<_, ServiceError>(Arc::clone(&presented))
        };
        written.await.unwrap_or_else(|failure| {
            tracing::warn!(?failure, session = %session.id, "a first visit could not be written down");
            presented
        })
    }
}

fn by(row: AuditEntry, device: &Device) -> AuditEntry {
    row.from(Some(&device.address), Some(&device.name))
}

/// What a remember-me token that came with a session's is to the device that both belong to.
enum Arrival {
    /// It is what was handed out with the session.
    Now,
    /// It is an older one: what was handed out is still to come.
    NotYet,
    /// Nothing is waited for.
    Nothing,
}

/// The remember-me token was presented together with the session's token.
fn arrive_together(
    tx: &mut Transaction,
    sessions: &mut AccountSessions,
    session: SessionId,
    remember: TokenDigest,
    now: Timestamp,
) -> Arrival {
    let Some(series) = sessions.series_of(session).cloned() else { return Arrival::Nothing };
    let Some(waiting) = series.tokens.successor else { return Arrival::Nothing };
    if waiting.digest != remember {
        return Arrival::NotYet;
    }
    let Some(changed) = sessions.series_mut(series.id) else { return Arrival::Nothing };
    if let Some(forgotten) = changed.tokens.advance(now) {
        forget_remember(tx, sessions, &series, forgotten);
    }
    Arrival::Now
}

fn forget_remember(tx: &mut Transaction, sessions: &AccountSessions, series: &Series, digest: TokenDigest) {
    let stood = Remember { digest, account: sessions.account, series: series.id };
    tx.know(Record::Remember(Arc::new(stood)));
    tx.remove(&Key::Remember(digest));
}
