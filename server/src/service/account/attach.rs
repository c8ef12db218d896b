//! How an account is attached to a session: the same for a password, a sign-up, and the shop's own login. One commit rotates
//! the token, enters the session into the account's record, and lets those over the cap leave.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use trolley_core::account::audit::{AuditEntry, EventKind};
use trolley_core::account::sessions::{AccountSessions, Series, SignedInEntry};
use trolley_core::chain::TokenChain;
use trolley_core::ids::{AccountId, CartId, SeriesId, SessionId, TokenDigest, uuid_v7};
use trolley_core::session::{Device, Session, SignIn, Transport};
use trolley_core::time::Timestamp;
use trolley_store::records::own::{Remember, Token as TokenRecord};
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::account::revoke::{Revocation, Tokens, forget_series, put_sessions};
use crate::service::error::{ServiceError, unless_damaged};
use crate::service::session::recognise::Visit;
use crate::service::session::token::Token;
use crate::service::transaction::Transaction;

/// An account that comes in.
#[derive(Clone, Debug)]
pub struct AttachRequest {
    /// The caller's session, a guest's or one that is signed in; none begins a new one.
    pub session: Option<SessionId>,
    /// The session that the caller's browser had before, where that takes nothing on: one whose token is out of use by now.
    pub follows: Option<SessionId>,
    /// Who.
    pub account: AccountId,
    /// The account's cart.
    pub cart: CartId,
    /// The epoch of the account's sessions, read *before* the password's hash ([`Service::epoch`]).
    pub epoch: u64,
    /// Whether the device is to be remembered.
    pub remember: bool,
    /// How a new session's token travels.
    pub transport: Transport,
    /// From where.
    pub device: Device,
    /// The cookie by which the device is known, where it sent one.
    pub known_by: Option<Token>,
}

/// What came of it. The tokens are handed out once and are nowhere else.
#[derive(Clone, Debug)]
pub struct Attached {
    /// The session, signed in.
    pub visit: Visit,
    /// What opens it; the token before is dead.
    pub token: Token,
    /// What the device is remembered by.
    pub remember: RememberCookie,
    /// What the device is known by from now on, where it is new to us.
    pub known_by: Option<Token>,
}

/// What becomes of the remember-me cookie.
#[derive(Clone, Debug)]
pub enum RememberCookie {
    /// The device has none, or keeps the one that it has.
    Same,
    /// It gets this one, good until then.
    New(Token, Timestamp),
    /// It is told to drop the one that it had.
    Dropped,
}

impl Service {
    /// The epoch of an account's sessions. Who signs in reads it first, then the password's hash, so that a password which
    /// was changed in between does not open the account any more.
    pub async fn epoch(&self, account: AccountId) -> Result<u64, ServiceError> {
        Ok(self.sessions_in(&mut Transaction::default(), account).await?.epoch)
    }

    /// Attaches an account to a session, or to a new one.
    pub async fn attach(&self, entering: &AttachRequest) -> Result<Attached, ServiceError> {
        let _turn = self.turns.of(entering.account).await;
        for _ in 0..self.settings.bounds.commit_tries {
            let mut tx = Transaction::default();
            let entered = self.enter_in(&mut tx, entering).await?;
            if self.commit_desk(tx).await? {
                return Ok(entered);
            }
        }
        Err(ServiceError::Busy)
    }

    /// Lays in the transaction all that the commit of a sign-in needs but for the carts.
    pub(crate) async fn enter_in(
        &self,
        tx: &mut Transaction,
        entering: &AttachRequest,
    ) -> Result<Attached, ServiceError> {
        let now = self.now();
        let (before, left) = self.entering_session(tx, entering).await?;
        let id = before.as_ref().map_or_else(|| self.new_session_id(now), |session| session.id);
        let token = Token::mint(&*self.random);
        let follows = match (left, &entering.known_by) {
            (Some(left), _) => Some(left),
            (None, _) if entering.follows.is_some() => entering.follows,
            (None, Some(device)) => self.left_on_in(tx, device).await?,
            (None, None) => None,
        };
        if let Some(follows) = follows {
            self.succeed_in(tx, follows, id, now).await?;
        }
        let session = self.signed_in(tx, entering, before.as_deref(), id, &token, now);
        let mut sessions = self.sessions_in(tx, entering.account).await?;
        let forgotten = sessions.series_of(id).map(|series| series.id);
        let forgotten = forgotten.map(|series| sessions.forget(series));
        let entry = SignedInEntry { session: id, signed_in_at: now };
        let over = sessions.enter(entry, entering.epoch, self.settings.policy.cap);
        let over = over.map_err(|_| ServiceError::Overtaken)?;
        for left in forgotten.iter().flat_map(|left| &left.series) {
            forget_series(tx, entering.account, left);
        }
        let remember = match entering.remember {
            true => {
                let series = self.new_series(tx, entering.account, &entering.device, id, now);
                let left = sessions.remember(series.1, self.settings.policy.cap);
                self.left_in(tx, entering.account, &left, Tokens::Forget).await?;
                series.0
            }
            false if forgotten.is_some() => RememberCookie::Dropped,
            false => RememberCookie::Same,
        };
        let known_by = match entering.transport {
            Transport::Cookie => self.note_device(&mut sessions, entering.known_by.as_ref(), now),
            Transport::Bearer => None,
        };
        put_sessions(tx, sessions);
        if let Some(device) = known_by.as_ref().or(entering.known_by.as_ref())
            && entering.transport == Transport::Cookie
        {
            self.note_last_in(tx, device, id, now).await?;
        }
        for session in &over.sessions {
            unless_damaged(self.take_out_in(tx, *session, Tokens::Forget).await)?;
            let row = AuditEntry::new(now, EventKind::SessionRevoked).within(*session);
            self.note(tx, entering.account, row).await?;
        }
        // Memory knows of it at once, also where the shop signed in a session that was not seen for long.
        self.see(&session, now);
        let visit = self.visit(session, token.digest(), now);
        let visit = visit.ok_or_else(|| ServiceError::Broken("a new session is over".to_owned()))?;
        Ok(Attached { visit, token, remember, known_by })
    }

    /// The account knows the device from now on: by the cookie that it sent, or by this one, which it is to be handed.
    fn note_device(
        &self,
        sessions: &mut AccountSessions,
        known_by: Option<&Token>,
        now: Timestamp,
    ) -> Option<Token> {
        let token = known_by.cloned().unwrap_or_else(|| Token::mint(&*self.random));
        sessions.note_device(known_digest(sessions.account, &token), now);
        known_by.is_none().then_some(token)
    }

    /// The same in the transaction, for the device from which a new password is set: nobody locks the owner out of that one.
    pub(crate) async fn note_device_in(
        &self,
        tx: &mut Transaction,
        account: AccountId,
        known_by: Option<&Token>,
    ) -> Result<Option<Token>, ServiceError> {
        let mut sessions = self.sessions_in(tx, account).await?;
        let handed = self.note_device(&mut sessions, known_by, self.now());
        put_sessions(tx, sessions);
        Ok(handed)
    }

    /// Whether the owner of the account once signed in from the device that sends this cookie.
    pub async fn knows_device(&self, account: AccountId, known_by: &Token) -> Result<bool, ServiceError> {
        let sessions = self.sessions_in(&mut Transaction::default(), account).await?;
        Ok(sessions.knows(&known_digest(account, known_by), self.now()))
    }

    /// The caller's own session, which takes the account on. One that is signed in to another account leaves that one whole: it
    /// is no session of the new account's owner, and given second.
    async fn entering_session(
        &self,
        tx: &mut Transaction,
        entering: &AttachRequest,
    ) -> Result<(Option<Arc<Session>>, Option<SessionId>), ServiceError> {
        let Some(id) = entering.session else { return Ok((None, None)) };
        tx.read(&*self.store, Key::Session(id)).await?;
        let Some(Record::Session(session)) = tx.get(&Key::Session(id)) else {
            return Err(ServiceError::SessionEnded);
        };
        let session = Arc::clone(session);
        match session.account() {
            Some(other) if other != entering.account => {
                self.end_in(tx, other, Revocation::Session(id), Tokens::Retire).await?;
                let row = AuditEntry::new(self.now(), EventKind::SignedOut).within(id);
                self.note(tx, other, row).await?;
                Ok((None, Some(id)))
            }
            _ => Ok((Some(session), None)),
        }
    }

    /// The session with the account attached and a new token, in the transaction.
    fn signed_in(
        &self,
        tx: &mut Transaction,
        entering: &AttachRequest,
        before: Option<&Session>,
        id: SessionId,
        token: &Token,
        now: Timestamp,
    ) -> Arc<Session> {
        if let Some(before) = before {
            self.close_tokens(tx, before, Tokens::Retire, now);
        }
        let sign_in = SignIn { account: entering.account, at: now, device: entering.device.clone() };
        let session = Arc::new(Session {
            id,
            version: before.map_or(1, |before| before.version + 1),
            tokens: TokenChain::new(token.digest(), now),
            transport: before.map_or(entering.transport, |before| before.transport),
            cart: Some(entering.cart),
            created_at: before.map_or(now, |before| before.created_at),
            last_seen: now,
            presented: true,
            began_with_cart: false,
            sign_in: Some(sign_in.into()),
        });
        self.put_session(tx, Arc::clone(&session));
        let opens = TokenRecord { digest: token.digest(), session: id, retired_at: None };
        tx.put(Record::Token(Arc::new(opens)), None);
        session
    }

    /// Lays a session down, to be swept when its time is over.
    pub(crate) fn put_session(&self, tx: &mut Transaction, session: Arc<Session>) {
        let expires_at = Some(self.settings.policy.swept_after(&session));
        tx.put(Record::Session(session), expires_at);
    }

    /// A device that is remembered from now on, and its first token.
    pub(crate) fn new_series(
        &self,
        tx: &mut Transaction,
        account: AccountId,
        device: &Device,
        session: SessionId,
        now: Timestamp,
    ) -> (RememberCookie, Series) {
        let token = Token::mint(&*self.random);
        let series = Series {
            id: SeriesId::from_bytes(uuid_v7(now, self.ten_random_bytes())),
            session: Some(session),
            tokens: TokenChain::new(token.digest(), now),
            uses: 0,
            made_by: None,
            expires_at: now + self.settings.policy.remember_for,
            device: device.clone(),
            first_seen: now,
            last_seen: now,
        };
        put_remember(tx, account, &series, token.digest());
        (RememberCookie::New(token, series.expires_at), series)
    }
}

/// Lays down which device a remember-me token belongs to.
pub(crate) fn put_remember(tx: &mut Transaction, account: AccountId, series: &Series, digest: TokenDigest) {
    let record = Remember { digest, account, series: series.id };
    tx.put(Record::Remember(Arc::new(record)), Some(series.expires_at));
}

/// What an account keeps of a device's cookie: of no use with another account.
fn known_digest(account: AccountId, known_by: &Token) -> TokenDigest {
    let digest = Sha256::new().chain_update(b"trolley known device\0").chain_update(account.bytes());
    TokenDigest::from_bytes(digest.chain_update(known_by.expose()).finalize().into())
}
