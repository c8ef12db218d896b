//! Accounts: how they are found, and what becomes of their passwords. Each change is one commit.

use std::sync::Arc;

use trolley_core::account::Account;
use trolley_core::account::audit::{AuditEntry, EventKind};
use trolley_core::account::email::Email;
use trolley_core::account::password::{Password, PasswordHash};
use trolley_core::ids::{AccountId, SessionId, TokenDigest};
use trolley_core::session::{Device, Transport};
use trolley_core::time::{Span, Timestamp};
use trolley_store::records::own::ResetToken;
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::account::attach::Attached;
use crate::service::error::ServiceError;
use crate::service::limits::addresses::Payer;
use crate::service::limits::quotas::{SIGN_IN, WRITE};
use crate::service::session::recognise::Visit;
use crate::service::session::token::Token;
use crate::service::transaction::Transaction;

/// How long a reset token can be used: as long as a mail may take, and no longer than a mailbox is left open.
pub const RESET_FOR: Span = Span::from_hours(1);

/// Where a request comes from.
#[derive(Clone, Debug)]
pub struct ClientDevice {
    /// The device, with the address.
    pub device: Device,
    /// The cookie by which the device is known, where it sent one.
    pub known_by: Option<Token>,
}

impl ClientDevice {
    /// A row of the audit about something that comes from here.
    pub fn row(&self, at: Timestamp, what: EventKind) -> AuditEntry {
        AuditEntry::new(at, what).from(Some(&self.device.address), Some(&self.device.name))
    }
}

/// A password that was right, and what it was verified against.
#[derive(Clone, Debug)]
pub(crate) struct Verified {
    pub(crate) account: Arc<Account>,
    /// The epoch of the account's sessions, read before the hash.
    pub(crate) epoch: u64,
}

impl Verified {
    /// The account as it stands in the transaction, where its password is still the one that was verified.
    pub(crate) async fn stands(
        &self,
        service: &Service,
        tx: &mut Transaction,
    ) -> Result<Arc<Account>, ServiceError> {
        let stood = service.account_in(tx, self.account.id).await?.ok_or(ServiceError::Overtaken)?;
        if stood.password == self.account.password { Ok(stood) } else { Err(ServiceError::Overtaken) }
    }
}

impl Service {
    /// The account of that id.
    pub async fn account(&self, id: AccountId) -> Result<Option<Arc<Account>>, ServiceError> {
        self.account_in(&mut Transaction::default(), id).await
    }

    /// The account of that address.
    pub async fn owner_of(&self, email: &Email) -> Result<Option<AccountId>, ServiceError> {
        match self.store.load(Key::Email(email.digest())).await? {
            Some(Record::Email(owner)) => Ok(Some(owner.account)),
            _ => Ok(None),
        }
    }

    pub(crate) async fn account_in(
        &self,
        tx: &mut Transaction,
        id: AccountId,
    ) -> Result<Option<Arc<Account>>, ServiceError> {
        let key = Key::Account(id);
        tx.read(&*self.store, key).await?;
        match tx.get(&key) {
            Some(Record::Account(account)) => Ok(Some(Arc::clone(account))),
            _ => Ok(None),
        }
    }

    /// Whether that is the password of the account. What is not there is verified all the same, against nobody's hash:
    /// neither the answer nor the time it takes tells which accounts there are.
    pub(crate) async fn verify(
        &self,
        id: Option<AccountId>,
        password: Option<Password>,
    ) -> Result<Option<Verified>, ServiceError> {
        let Some(password) = password else { return Ok(None) };
        // Somebody who has no account is looked up as often as who has one.
        let id = id.unwrap_or(AccountId::from_bytes([0; 16]));
        let epoch = self.epoch(id).await?;
        let account = self.account(id).await?;
        let kept = account.as_ref().and_then(|account| account.password.clone());
        let is_it = self.hashers.verify(password, kept).await?;
        Ok(account.filter(|_| is_it).map(|account| Verified { account, epoch }))
    }

    /// Whether whoever is signed in knows the password, too.
    pub(crate) async fn confirm(
        &self,
        visit: &Visit,
        password: Option<Password>,
        from: &ClientDevice,
    ) -> Result<Verified, ServiceError> {
        let (id, session) = (visit.session.account().ok_or(ServiceError::NotSignedIn)?, visit.session.id);
        // What it writes counts, and nobody is held up for it: who is signed in can always sign in anew.
        let payer = Some(Payer::Account(id));
        let _place = self.hashing_for(from)?;
        let attempt = self.attempt_within(id, session)?;
        let verified = self.verify(Some(id), password).await;
        if !matches!(verified, Ok(None)) {
            self.was_right(&attempt);
        }
        if let Some(verified) = verified? {
            // What follows writes a row, and for another password a token and the sessions that end.
            self.brought(payer, SIGN_IN);
            return Ok(verified);
        }
        // Who may not ask any more is not told whether it was right, and nothing is written down of it.
        self.require(&visit.claim()).await?;
        self.write_down(Some(id), from.row(self.now(), EventKind::PasswordChangeFailed).within(session))
            .await;
        self.brought(payer, WRITE);
        Err(ServiceError::InvalidCredentials)
    }

    pub(crate) async fn hash(&self, password: Password) -> Result<PasswordHash, ServiceError> {
        let mut salt = [0; 16];
        self.random.fill(&mut salt);
        self.hashers.hash(password, salt).await
    }

    /// Sets another password: every other session ends, and this one goes on under a new token.
    pub async fn change_password(
        self: &Arc<Self>,
        visit: &Visit,
        current: Option<Password>,
        new: Password,
        from: &ClientDevice,
    ) -> Result<Attached, ServiceError> {
        let verified = self.confirm(visit, current, from).await?;
        let id = verified.account.id;
        let hash = self.hash(new).await?;
        let _turn = self.turns.of(id).await;
        for _ in 0..self.settings.bounds.commit_tries {
            let mut tx = Transaction::default();
            self.require_claim_in(&mut tx, &visit.claim()).await?;
            let session = visit.session.id;
            let entered = self.change_in(&mut tx, &verified, session, hash.clone(), from).await?;
            if self.commit_desk(tx).await? {
                return Ok(entered);
            }
        }
        Err(ServiceError::Busy)
    }

    async fn change_in(
        &self,
        tx: &mut Transaction,
        verified: &Verified,
        session: SessionId,
        hash: PasswordHash,
        from: &ClientDevice,
    ) -> Result<Attached, ServiceError> {
        let now = self.now();
        let account = verified.stands(self, tx).await?;
        let entered = self.password_changed_in(tx, account.id, Some(session)).await?;
        self.put_password(tx, &account, hash, now).await?;
        self.note(tx, account.id, from.row(now, EventKind::PasswordChanged).within(session)).await?;
        let mut entered = entered.ok_or(ServiceError::SessionEnded)?;
        if entered.visit.session.transport == Transport::Cookie {
            entered.known_by = self.note_device_in(tx, account.id, from.known_by.as_ref()).await?;
        }
        Ok(entered)
    }

    /// A new password, with which every reset token that is out ends.
    async fn put_password(
        &self,
        tx: &mut Transaction,
        account: &Account,
        hash: PasswordHash,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let mut next = account.next();
        next.password = Some(hash);
        next.password_at = now;
        if let Some(reset) = next.reset.take() {
            tx.read(&*self.store, Key::Reset(reset)).await?;
            tx.remove(&Key::Reset(reset));
        }
        tx.put(Record::Account(Arc::new(next)), None);
        Ok(())
    }

    /// A one-time token with which the account's password can be set. One that was out is void from now on.
    pub async fn issue_reset(&self, id: AccountId) -> Result<(Token, Timestamp), ServiceError> {
        let token = Token::mint(&*self.random);
        for _ in 0..self.settings.bounds.commit_tries {
            let (now, mut tx) = (self.now(), Transaction::default());
            let account = self.account_in(&mut tx, id).await?.ok_or(ServiceError::NoSuchAccount)?;
            if account.password.is_none() {
                return Err(ServiceError::NoPassword);
            }
            let mut next = account.next();
            if let Some(before) = next.reset.replace(token.digest()) {
                tx.read(&*self.store, Key::Reset(before)).await?;
                tx.remove(&Key::Reset(before));
            }
            let expires_at = now + RESET_FOR;
            let reset = ResetToken { digest: token.digest(), account: id, expires_at };
            tx.put(Record::Reset(Arc::new(reset)), Some(expires_at));
            tx.put(Record::Account(Arc::new(next)), None);
            self.note(&mut tx, id, AuditEntry::new(now, EventKind::ResetIssued)).await?;
            if self.commit_desk(tx).await? {
                return Ok((token, expires_at));
            }
        }
        Err(ServiceError::Busy)
    }

    /// Whose password the token may set.
    pub async fn resets(&self, token: &Token) -> Result<Arc<Account>, ServiceError> {
        let digest = token.digest();
        let Some(Record::Reset(reset)) = self.store.load(Key::Reset(digest)).await? else {
            return Err(ServiceError::InvalidResetToken);
        };
        let account = self.account(reset.account).await?.ok_or(ServiceError::InvalidResetToken)?;
        let is_out = account.reset == Some(digest) && self.resets_still(&reset, self.now());
        if is_out { Ok(account) } else { Err(ServiceError::InvalidResetToken) }
    }

    /// Its hour is an hour, whatever the wall clock did meanwhile.
    fn resets_still(&self, reset: &ResetToken, now: Timestamp) -> bool {
        self.age(reset.expires_at - RESET_FOR, now).unwrap_or_default() < RESET_FOR
    }

    /// Sets the password with a one-time token, which is void from then on. Every session ends. A browser is known to the account
    /// from then on: what it is to be handed for that, where it had nothing.
    pub async fn reset_password(
        &self,
        token: &Token,
        new: Password,
        from: &ClientDevice,
        transport: Transport,
    ) -> Result<Option<Token>, ServiceError> {
        let digest: TokenDigest = token.digest();
        let id = self.resets(token).await?.id;
        let hash = self.hash(new).await?;
        let _turn = self.turns.of(id).await;
        for _ in 0..self.settings.bounds.commit_tries {
            let (now, mut tx) = (self.now(), Transaction::default());
            tx.read(&*self.store, Key::Reset(digest)).await?;
            let account = self.account_in(&mut tx, id).await?.ok_or(ServiceError::InvalidResetToken)?;
            let still = match tx.get(&Key::Reset(digest)) {
                Some(Record::Reset(reset)) => self.resets_still(reset, now),
                _ => false,
            };
            if account.reset != Some(digest) || !still {
                return Err(ServiceError::InvalidResetToken);
            }
            self.password_changed_in(&mut tx, id, None).await?;
            self.put_password(&mut tx, &account, hash.clone(), now).await?;
            self.note(&mut tx, id, from.row(now, EventKind::PasswordReset)).await?;
            let handed = match transport {
                Transport::Cookie => self.note_device_in(&mut tx, id, from.known_by.as_ref()).await?,
                Transport::Bearer => None,
            };
            if self.commit_desk(tx).await? {
                return Ok(handed);
            }
        }
        Err(ServiceError::Busy)
    }
}
