//! Signing up and in: a password, or the shop's word for it, attaches an account to a session, and the guest's cart comes
//! along. One commit does all of it: the token is another one, the cart is there, or nothing happened.

use std::sync::Arc;

use trolley_core::account::Account;
use trolley_core::account::audit::EventKind;
use trolley_core::account::email::Email;
use trolley_core::account::password::{Password, PasswordHash};
use trolley_core::cart::op::MergePolicy;
use trolley_core::ids::{AccountId, CartId, SessionId, TokenDigest, uuid_v7};
use trolley_core::session::Transport;
use trolley_core::time::Timestamp;
use trolley_store::records::own::EmailOwner;
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::account::attach::{AttachRequest, Attached};
use crate::service::account::credentials::{ClientDevice, Verified};
use crate::service::cart::merge::MergeReport;
use crate::service::catalogue::shown::PricedCart;
use crate::service::error::ServiceError;
use crate::service::limits::addresses::Payer;
use crate::service::limits::quotas::{ACCOUNT, SIGN_IN};
use crate::service::session::recognise::Visit;
use crate::service::transaction::Transaction;

/// Somebody who signs in.
#[derive(Clone, Debug)]
pub struct SignInRequest {
    /// The caller's session, if it has one.
    pub visit: Option<Visit>,
    /// The token that came along, where it is out of use already: it tells which browser this is, and nothing else is taken from it.
    pub retired: Option<TokenDigest>,
    /// How a new session's token travels.
    pub transport: Transport,
    /// Whether the device is to be remembered.
    pub remember: bool,
    /// How the guest's cart comes in; the setting where it does not say.
    pub merge: Option<MergePolicy>,
    /// From where.
    pub from: ClientDevice,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session and its secrets.
    pub entered: Attached,
    /// Who.
    pub account: Arc<Account>,
    /// The account's cart, as it is shown.
    pub cart: PricedCart,
    /// What came into it with this sign-in.
    pub merged: Option<MergeReport>,
}

/// As whom.
enum Who {
    /// A new account.
    New(Account),
    /// Whoever knew the password, with a hash of today's cost where the kept one is of another.
    Knew(Verified, Option<PasswordHash>),
    /// Somebody for whom the shop vouches; the account is made where it is not there.
    Vouched(Account),
}

impl Who {
    fn account(&self) -> &Account {
        match self {
            Who::New(account) | Who::Vouched(account) => account,
            Who::Knew(verified, _) => &verified.account,
        }
    }
}

impl Service {
    /// Makes an account and signs it in.
    pub async fn sign_up(
        self: &Arc<Self>,
        email: Email,
        password: Password,
        arrival: &SignInRequest,
    ) -> Result<SignedIn, ServiceError> {
        self.admit_sign_up(&arrival.from)?;
        let _place = self.hashing_for(&arrival.from)?;
        if self.owner_of(&email).await?.is_some() {
            return Err(ServiceError::EmailTaken);
        }
        let hash = self.hash(password).await?;
        let now = self.now();
        let id = AccountId::from_bytes(uuid_v7(now, self.ten_random_bytes()));
        let account = self.new_account(id, Some(email), now);
        let account = Account { password: Some(hash), ..account };
        let signed_in = self.admit(Who::New(account), 0, arrival).await?;
        self.brought(Some(Payer::Account(id)), ACCOUNT);
        Ok(signed_in)
    }

    /// Signs in whoever knows the password.
    pub async fn sign_in(
        self: &Arc<Self>,
        email: Option<&Email>,
        password: Option<Password>,
        arrival: &SignInRequest,
    ) -> Result<SignedIn, ServiceError> {
        let owner = match email {
            Some(email) => self.owner_of(email).await?,
            None => None,
        };
        let place = self.hashing_for(&arrival.from)?;
        let attempt = self.attempt_sign_in(owner, email, &arrival.from).await?;
        let verified = self.verify(owner, password.clone()).await;
        if !matches!(verified, Ok(None)) {
            self.was_right(&attempt);
        }
        let Some(verified) = verified? else {
            self.write_down(owner, arrival.from.row(self.now(), EventKind::SignInFailed)).await;
            return Err(ServiceError::InvalidCredentials);
        };
        // Only whoever knows the password takes a place and is told that there is none left: a stranger neither uses up the owner's
        // nor learns by it that there is an account.
        let id = verified.account.id;
        let mut tab = self.tab();
        tab.sign_in(id)?;
        let outdated = verified.account.password.as_ref().is_some_and(|kept| self.hashers.is_outdated(kept));
        let renewed = match password.filter(|_| outdated) {
            // Where too many wait, the next sign-in renews it.
            Some(password) => self.hash(password).await.ok(),
            None => None,
        };
        drop(place);
        let epoch = verified.epoch;
        let signed_in = self.admit(Who::Knew(verified, renewed), epoch, arrival).await?;
        // It counts, and is never refused for what the account brought today.
        tab.bring(Some(Payer::Account(id)), SIGN_IN);
        tab.keep();
        Ok(signed_in)
    }

    /// Signs in an account that the shop itself vouches for, by the id that the shop has for it.
    pub async fn vouch(
        self: &Arc<Self>,
        shop_id: &str,
        email: Option<Email>,
        arrival: &SignInRequest,
    ) -> Result<SignedIn, ServiceError> {
        let id = account_named(shop_id);
        let epoch = self.epoch(id).await?;
        let account = self.new_account(id, email, self.now());
        let shop_id = (id.to_string() != shop_id).then(|| shop_id.into());
        self.admit(Who::Vouched(Account { shop_id, ..account }), epoch, arrival).await
    }

    fn new_account(&self, id: AccountId, email: Option<Email>, now: Timestamp) -> Account {
        Account {
            id,
            version: 1,
            shop_id: None,
            email,
            password: None,
            cart: self.new_cart_id(now),
            reset: None,
            created_at: now,
            password_at: now,
        }
    }

    /// Decides and commits, anew where something else changed meanwhile. The lanes of both carts are held, so that a
    /// sign-in need not compete with every add.
    async fn admit(
        self: &Arc<Self>,
        who: Who,
        epoch: u64,
        arrival: &SignInRequest,
    ) -> Result<SignedIn, ServiceError> {
        let guests = arrival.visit.as_ref().and_then(guests_cart);
        let id = who.account().id;
        let _guests = match guests {
            Some(cart) => Some(self.hold_lane(cart).await?),
            None => None,
        };
        let cart = self.account(id).await?.map_or(who.account().cart, |account| account.cart);
        let _accounts = self.hold_lane(cart).await?;
        let _turn = self.turns.of(id).await;
        for _ in 0..self.settings.bounds.commit_tries {
            let mut tx = Transaction::default();
            let signed_in = self.admit_in(&mut tx, &who, epoch, arrival, guests).await?;
            if self.commit_desk(tx).await? {
                return Ok(signed_in);
            }
        }
        Err(ServiceError::Busy)
    }

    async fn admit_in(
        &self,
        tx: &mut Transaction,
        who: &Who,
        epoch: u64,
        arrival: &SignInRequest,
        guests: Option<CartId>,
    ) -> Result<SignedIn, ServiceError> {
        let now = self.now();
        let visit = self.still_there(tx, arrival.visit.as_ref()).await?;
        // A session that is gone, or another's by now, brings no cart along either.
        let guests = guests.filter(|_| visit.is_some());
        let follows = match (&arrival.visit, arrival.retired) {
            (Some(gone), _) if visit.is_none() => Some(gone.session.id),
            (None, Some(retired)) => self.session_of_retired(tx, retired).await?,
            _ => None,
        };
        let account = self.account_of(tx, who, now).await?;
        let entering = AttachRequest {
            session: visit,
            follows,
            account: account.id,
            cart: account.cart,
            epoch,
            remember: arrival.remember,
            transport: arrival.transport,
            device: arrival.from.device.clone(),
            known_by: arrival.from.known_by.clone(),
        };
        let entered = self.enter_in(tx, &entering).await?;
        let session = entered.visit.session.id;
        if matches!(who, Who::New(_)) {
            let row = arrival.from.row(now, EventKind::AccountCreated).within(session);
            self.note(tx, account.id, row).await?;
        }
        self.note(tx, account.id, arrival.from.row(now, EventKind::SignedIn).within(session)).await?;
        let policy = arrival.merge.unwrap_or(self.settings.merge);
        let (cart, merged) = self.merge_in(tx, guests, account.cart, policy, session, now).await?;
        if merged.is_some() {
            self.note(tx, account.id, arrival.from.row(now, EventKind::CartsMerged).within(session)).await?;
        }
        Ok(SignedIn { entered, account, cart: self.shown(cart).await, merged })
    }

    /// The session that the caller came with. Its token may be out of use by now (another sign-in of the same browser was faster, a
    /// sign-out, a new password): what became of the session is not taken from it, and this sign-in begins a session of its own.
    async fn still_there(
        &self,
        tx: &mut Transaction,
        visit: Option<&Visit>,
    ) -> Result<Option<SessionId>, ServiceError> {
        let Some(visit) = visit else { return Ok(None) };
        match self.require_claim_in(tx, &visit.claim()).await {
            Ok(()) => {}
            Err(ServiceError::SessionEnded) => return Ok(None),
            Err(failure) => return Err(failure),
        }
        let key = Key::Session(visit.session.id);
        tx.read(&*self.store, key).await?;
        match tx.get(&key) {
            Some(Record::Session(session)) if session.sign_in == visit.session.sign_in => {
                Ok(Some(visit.session.id))
            }
            _ => Ok(None),
        }
    }

    /// The account in the transaction: as it stands, or as this commit makes it.
    async fn account_of(
        &self,
        tx: &mut Transaction,
        who: &Who,
        now: Timestamp,
    ) -> Result<Arc<Account>, ServiceError> {
        let made = match who {
            Who::Knew(verified, renewed) => {
                let stands = verified.stands(self, tx).await?;
                let Some(hash) = renewed else { return Ok(stands) };
                Account { password: Some(hash.clone()), ..stands.next() }
            }
            Who::New(account) => {
                let email = account.email.as_ref().ok_or(ServiceError::NoPassword)?;
                let owner = EmailOwner { digest: email.digest(), account: account.id };
                tx.read(&*self.store, Key::Email(owner.digest)).await?;
                if tx.get(&Key::Email(owner.digest)).is_some() {
                    return Err(ServiceError::EmailTaken);
                }
                tx.put(Record::from(owner), None);
                account.clone()
            }
            Who::Vouched(account) => match self.account_in(tx, account.id).await? {
                None => account.clone(),
                // The shop knows best what the address is; one that signs in by itself keeps its own.
                Some(stands)
                    if account.email.is_some()
                        && account.email != stands.email
                        && stands.password.is_none() =>
                {
                    Account { email: account.email.clone(), ..stands.next() }
                }
                Some(stands) => return Ok(stands),
            },
        };
        debug_assert!(made.created_at <= now, "an account is made before it is used");
        let made = Arc::new(made);
        tx.put(Record::Account(Arc::clone(&made)), None);
        Ok(made)
    }
}

/// The cart of a visit that is nobody's yet. One that is signed in brings nothing: its cart belongs to its account.
fn guests_cart(visit: &Visit) -> Option<CartId> {
    visit.session.cart.filter(|_| visit.session.sign_in.is_none())
}

/// The account that the shop means: by our own id, or by one of the shop's, from which ours is derived.
pub fn account_named(name: &str) -> AccountId {
    use sha2::{Digest as _, Sha256};
    if let Ok(id) = name.parse() {
        return id;
    }
    let digest = Sha256::new().chain_update(b"trolley shop account\0").chain_update(name).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // A UUID whose bits are the maker's own (RFC 9562, section 5.8).
    bytes[6] = 0x80 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    AccountId::from_bytes(bytes)
}
