//! Who is calling: token -> session -> core's judgement. Warm, it costs no I/O and reads no store.

use std::sync::Arc;

use trolley_core::account::Account;
use trolley_core::ids::TokenDigest;
use trolley_core::session::{Device, EndReason, Lease, Session, Transport, Verdict};
use trolley_core::time::Timestamp;
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::error::ServiceError;
use crate::service::running::Running;
use crate::service::session::token::{RETIRED_FOR, Token};

/// What a request brings along to be recognised by.
#[derive(Clone, Debug)]
pub struct Presented {
    /// A session's token.
    pub token: Option<Token>,
    /// What a remembered device has besides.
    pub remember: Option<Remembered>,
    /// How the session's token came.
    pub transport: Transport,
    /// Whether renewed tokens reach who asked. Where they do not, none is handed out and remember-me is not used.
    pub renews: bool,
    /// Whether only an event stream is opened: that is no activity, or a page that nobody looks at would keep its session alive.
    pub watches: bool,
}

/// A device that was remembered, as it comes back.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// Its token.
    pub token: Token,
    /// What calls itself so now, and from where: its owner is told of that, and not of what once gave the password.
    pub device: Device,
}

/// Whom a request was recognised as.
#[derive(Clone, Debug)]
pub enum Recognition {
    /// Nobody: no token, or one that was never issued, is over, or came by another way than it was given.
    Nobody,
    /// Somebody whose token was taken out of use lately, or whose session ends by this very request. It may look around like
    /// anybody, but change nothing.
    Retired,
    /// A remembered device that began as many sessions as it may for now. It is served like anybody, and keeps what it has: later it is
    /// recognised again.
    Unrenewed,
    /// A live session.
    Known(Visit, RenewedTokens),
}

/// A caller with a live session.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The session.
    pub session: Arc<Session>,
    /// The token that came.
    pub token: TokenDigest,
    /// Until when that is good by the time alone ([`trolley_core::session::SessionPolicy::good_until`]).
    pub good_until: Running,
    /// When it ends if it is not seen again.
    pub expires_at: Timestamp,
    /// When it ends whatever happens.
    pub absolute_expires_at: Timestamp,
}

/// Tokens that take the place of those that came: each with the time until which it is good.
#[derive(Clone, Debug, Default)]
pub struct RenewedTokens {
    /// The session's.
    pub session: Option<(Token, Timestamp)>,
    /// The remembered device's.
    pub remember: Option<(Token, Timestamp)>,
}

/// What a token leads to.
enum Lookup {
    Nothing,
    Retired,
    Session(Arc<Session>),
}

/// What is done with a request once its token was judged.
pub(crate) enum Step {
    /// It is served, and handed this token where there is one.
    Serve(Option<Token>),
    /// Somebody else changed the session meanwhile: it is judged anew.
    Again,
    /// The session is over by this very request.
    Ended,
}

impl Service {
    /// Whom a request comes from. Being recognised counts as activity, but for a stream's.
    pub async fn recognise(&self, presented: &Presented) -> Result<Recognition, ServiceError> {
        let Some(token) = &presented.token else { return self.remembered(presented).await };
        let digest = token.digest();
        for _ in 0..self.settings.bounds.commit_tries {
            let session = match self.look_up(&digest).await? {
                Lookup::Session(session) if session.transport == presented.transport => session,
                Lookup::Session(_) => return Ok(Recognition::Nobody),
                Lookup::Retired => return Ok(Recognition::Retired),
                Lookup::Nothing => return self.remembered(presented).await,
            };
            let now = self.now();
            let step = match self.judge(&session, &digest, now) {
                Verdict::Live(_) => Step::Serve(None),
                Verdict::Renew(_, renewal) if presented.renews => {
                    self.renew(&session, token, renewal, presented.seen(&session, now)).await?
                }
                Verdict::Renew(..) => Step::Serve(None),
                Verdict::Arrived(_) => self.arrive(&session, now, presented.seen(&session, now)).await,
                Verdict::Theft => self.replayed(&session, now).await?,
                Verdict::Ended(EndReason::UnknownToken) => match self.gone(&digest).await? {
                    Lookup::Retired => return Ok(Recognition::Retired),
                    _ => return self.remembered(presented).await,
                },
                Verdict::Ended(_) => return self.remembered(presented).await,
            };
            match step {
                Step::Serve(handed) => return self.serve(session, presented, digest, handed, now).await,
                Step::Ended => return Ok(Recognition::Retired),
                Step::Again => {}
            }
        }
        Err(ServiceError::Busy)
    }

    /// The session is seen, and served with what it is handed.
    async fn serve(
        &self,
        session: Arc<Session>,
        presented: &Presented,
        token: TokenDigest,
        handed: Option<Token>,
        now: Timestamp,
    ) -> Result<Recognition, ServiceError> {
        let seen = presented.seen(&session, now);
        // A remembered device's session waits for the visit that brings its remember-me token along: what a proxy asks, and a
        // stream that comes back, do not.
        let waits = session.account().is_some() && presented.remember.is_none();
        let session = if session.presented || waits {
            session
        } else {
            self.present(session, presented.remember_token(), seen, now).await
        };
        if !presented.watches {
            self.see(&session, now);
        }
        let Some(visit) = self.visit(session, token, now) else { return Ok(Recognition::Nobody) };
        let session = handed.map(|token| (token, visit.absolute_expires_at));
        Ok(Recognition::Known(visit, RenewedTokens { session, remember: None }))
    }

    /// Nobody by the session's token: a remembered device may have another one.
    async fn remembered(&self, presented: &Presented) -> Result<Recognition, ServiceError> {
        match &presented.remember {
            Some(remember) if presented.renews => self.use_remember(remember).await,
            _ => Ok(Recognition::Nobody),
        }
    }

    async fn look_up(&self, digest: &TokenDigest) -> Result<Lookup, ServiceError> {
        if let Some(session) = self.warm.opened_by(digest) {
            return Ok(Lookup::Session(session));
        }
        let Some(Record::Token(named)) = self.store.load(Key::Token(*digest)).await? else {
            return Ok(Lookup::Nothing);
        };
        if named.retired_at.is_some() {
            return Ok(self.retired(named.retired_at));
        }
        let began = self.warm.begin(named.session);
        let Some(Record::Session(session)) = self.store.load(Key::Session(named.session)).await? else {
            return self.gone(digest).await;
        };
        if !self.stands(&session).await? {
            return self.gone(digest).await;
        }
        self.warm.keep(*digest, &session, began);
        Ok(Lookup::Session(session))
    }

    /// Whether a signed-in session stands in its account's record: its own alone proves nothing.
    pub(crate) async fn stands(&self, session: &Session) -> Result<bool, ServiceError> {
        let Some(account) = session.account() else { return Ok(true) };
        Ok(match self.store.load(Key::AccountSessions(account)).await? {
            Some(Record::AccountSessions(sessions)) => sessions.holds(session.id),
            _ => false,
        })
    }

    /// What is left of a token whose session was there a moment ago.
    async fn gone(&self, digest: &TokenDigest) -> Result<Lookup, ServiceError> {
        Ok(match self.store.load(Key::Token(*digest)).await? {
            Some(Record::Token(named)) => self.retired(named.retired_at),
            _ => Lookup::Nothing,
        })
    }

    fn retired(&self, at: Option<Timestamp>) -> Lookup {
        let age = at.and_then(|at| self.age(at, self.now()));
        if age.is_some_and(|age| age < RETIRED_FOR) { Lookup::Retired } else { Lookup::Nothing }
    }

    /// The account of a signed-in session, which the shop and its owner know by more than its id.
    pub async fn owner(&self, visit: &Visit) -> Result<Option<Arc<Account>>, ServiceError> {
        let Some(account) = visit.session.account() else { return Ok(None) };
        Ok(match self.store.load(Key::Account(account)).await? {
            Some(Record::Account(account)) => Some(account),
            _ => None,
        })
    }

    /// A session that is seen now by this token, as its owner is told of it.
    pub(crate) fn visit(&self, session: Arc<Session>, token: TokenDigest, now: Timestamp) -> Option<Visit> {
        let lease = self.lease_of_seen(&session, now).ok()?;
        let good_until = self.good_until(&session, &token, &lease, now);
        let Lease { expires_at, absolute_expires_at } = lease;
        Some(Visit { session, token, good_until, expires_at, absolute_expires_at })
    }
}

impl Presented {
    /// The token that a remembered device has besides.
    pub fn remember_token(&self) -> Option<&Token> {
        self.remember.as_ref().map(|remembered| &remembered.token)
    }

    /// When the session counts as last seen by this.
    fn seen(&self, session: &Session, now: Timestamp) -> Timestamp {
        if self.watches { session.last_seen } else { now }
    }
}
