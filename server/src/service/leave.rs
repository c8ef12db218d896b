//! How sessions end before their time: sign-out, a device ended from another one, everywhere, a new password. Each is one
//! commit, of the account's record and of all that leaves with it.

use std::sync::Arc;

use trolley_core::account::audit::{Row, What};
use trolley_core::account::sessions::{AccountSessions, Left, Series};
use trolley_core::ids::{AccountId, SeriesId, SessionId, TokenDigest};
use trolley_core::session::Session;
use trolley_core::time::Timestamp;
use trolley_store::kind::{Key, Record, Remember, Token as TokenRecord};

use super::Service;
use super::claim::Claim;
use super::desk::Desk;
use super::failure::{Failure, unless_damaged};
use super::session::Visit;
use super::token::RETIRED_FOR;

/// What becomes of the tokens of a session that leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tokens {
    /// They are remembered for a while, so that a late write under one is refused and begins no guest.
    Retire,
    /// They count as never issued.
    Forget,
}

/// Which sessions of an account end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
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
    /// Who is signed out is whoever the visit's browser is by now: a sign-in, a new password or a renewal may have been faster. This
    /// session is over, a guest's with its cart. One that is gone already is no fault.
    pub async fn sign_out(&self, visit: &Visit) -> Result<(), Failure> {
        let mut tries = self.settings.bounds.commit_tries;
        while tries > 0 {
            let id = self.led_to(visit).await?;
            let Some(Record::Session(session)) = self.store.load(Key::Session(id)).await? else {
                return Ok(());
            };
            let _turn = match session.account() {
                Some(account) => Some(self.turns.of(account).await),
                None => None,
            };
            let mut desk = Desk::default();
            desk.know(Record::Session(Arc::clone(&session)));
            let whole = match session.account() {
                Some(account) => {
                    let row = Row::new(self.now(), What::SignedOut).within(id);
                    self.end_noted_on(&mut desk, account, Ends::Session(id), row).await?;
                    true
                }
                None => self.take_out_on(&mut desk, id, Tokens::Retire).await?,
            };
            match (self.commit_desk(desk).await?, whole) {
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
        Err(Failure::Busy)
    }

    /// The session that the visit's token leads to: its own, or the one that took its place.
    async fn led_to(&self, visit: &Visit) -> Result<SessionId, Failure> {
        let named = self.store.load(Key::Token(visit.token)).await.map_err(Failure::from);
        Ok(match unless_damaged(named)? {
            Some(Some(Record::Token(named))) => named.session,
            _ => visit.session.id,
        })
    }

    /// Ends sessions of an account in one commit, and says how many sessions and remembered devices that were.
    pub async fn end(&self, account: AccountId, ends: Ends, row: Row) -> Result<usize, Failure> {
        self.end_for(None, account, ends, row).await
    }

    /// The same for who may do so by a session of the account, as long as that lasts.
    pub async fn end_by(
        &self,
        claim: &Claim,
        account: AccountId,
        ends: Ends,
        row: Row,
    ) -> Result<usize, Failure> {
        self.end_for(Some(claim), account, ends, row).await
    }

    async fn end_for(
        &self,
        claim: Option<&Claim>,
        account: AccountId,
        ends: Ends,
        row: Row,
    ) -> Result<usize, Failure> {
        let _turn = self.turns.of(account).await;
        for _ in 0..self.settings.bounds.commit_tries {
            let mut desk = Desk::default();
            if let Some(claim) = claim {
                self.rest_on(&mut desk, claim).await?;
            }
            let ended = self.end_noted_on(&mut desk, account, ends, row.clone()).await?;
            if self.commit_desk(desk).await? {
                return Ok(ended);
            }
        }
        Err(Failure::Busy)
    }

    async fn end_noted_on(
        &self,
        desk: &mut Desk,
        account: AccountId,
        ends: Ends,
        row: Row,
    ) -> Result<usize, Failure> {
        let ended = self.end_on(desk, account, ends, Tokens::Retire).await?;
        if ended > 0 {
            self.note(desk, account, row).await?;
        }
        Ok(ended)
    }

    /// Lays on the desk what [`Service::end`] commits.
    pub(super) async fn end_on(
        &self,
        desk: &mut Desk,
        account: AccountId,
        ends: Ends,
        tokens: Tokens,
    ) -> Result<usize, Failure> {
        let mut sessions = self.sessions_on(desk, account).await?;
        let left = match ends {
            Ends::Session(session) if sessions.holds(session) => sessions.leave(session),
            Ends::Series(series) if sessions.series(series).is_some() => sessions.leave_series(series),
            Ends::Session(_) | Ends::Series(_) => return Ok(0),
            Ends::Others(session) => sessions.keep_only(session),
            Ends::All => sessions.leave_all(),
        };
        put_sessions(desk, sessions);
        self.left_on(desk, account, &left, tokens).await?;
        Ok(left.sessions.len() + left.series.len())
    }

    /// The sessions of an account, as they lie on the desk.
    pub(super) async fn sessions_on(
        &self,
        desk: &mut Desk,
        account: AccountId,
    ) -> Result<AccountSessions, Failure> {
        let key = Key::AccountSessions(account);
        desk.lay_out(&*self.store, key).await?;
        Ok(match desk.get(&key) {
            Some(Record::AccountSessions(sessions)) => (**sessions).clone(),
            _ => AccountSessions::new(account),
        })
    }

    /// Takes out, on the desk, the records of what left an account.
    pub(super) async fn left_on(
        &self,
        desk: &mut Desk,
        account: AccountId,
        left: &Left,
        tokens: Tokens,
    ) -> Result<(), Failure> {
        for session in &left.sessions {
            // One that is damaged stays as it is: it opened nothing without its account's record, where it stands no more.
            unless_damaged(self.take_out_on(desk, *session, tokens).await)?;
        }
        for series in &left.series {
            forget_series(desk, account, series);
        }
        Ok(())
    }

    /// Takes out a session with its tokens, its ledger and its data, and a guest's with its cart and the links to its orders.
    /// False where there are more of those links than one commit should hold: the session leaves with the last of them.
    pub(super) async fn take_out_on(
        &self,
        desk: &mut Desk,
        id: SessionId,
        tokens: Tokens,
    ) -> Result<bool, Failure> {
        desk.lay_out(&*self.store, Key::Session(id)).await?;
        let Some(Record::Session(session)) = desk.get(&Key::Session(id)) else { return Ok(true) };
        let session = Arc::clone(session);
        let guest_cart = session.cart.filter(|_| session.sign_in.is_none());
        let mut gone = vec![Key::Ledger(id), Key::Data(id)];
        if let Some(cart) = guest_cart {
            let most = self.settings.bounds.sweep_batch;
            let links = self.links_of(cart, most).await?;
            let whole = links.len() < most;
            gone.extend(links.into_iter().map(|write| write.key));
            if !whole {
                self.remove_all(desk, &gone[2..]).await?;
                return Ok(false);
            }
            gone.push(Key::Cart(cart));
        }
        self.close_tokens(desk, &session, tokens, self.now());
        self.remove_all(desk, &gone).await?;
        desk.remove(&Key::Session(id));
        self.seen.forget(id);
        Ok(true)
    }

    async fn remove_all(&self, desk: &mut Desk, keys: &[Key]) -> Result<(), Failure> {
        for key in keys {
            // One that is damaged stays, and holds nothing else up.
            let laid_out = desk.lay_out(&*self.store, *key).await.map_err(Failure::from);
            if unless_damaged(laid_out)?.is_some() {
                desk.remove(key);
            }
        }
        Ok(())
    }

    /// Takes the session's tokens out of use.
    pub(super) fn close_tokens(&self, desk: &mut Desk, session: &Session, tokens: Tokens, now: Timestamp) {
        let in_use: Vec<TokenDigest> = match tokens {
            Tokens::Retire => session.tokens.in_use(self.settings.policy.grace, now).collect(),
            Tokens::Forget => Vec::new(),
        };
        for digest in session.tokens.tokens() {
            let stood = TokenRecord { digest, session: session.id, retired_at: None };
            desk.know(Record::Token(Arc::new(stood)));
            if in_use.contains(&digest) {
                let retired = TokenRecord { retired_at: Some(now), ..stood };
                desk.put(Record::Token(Arc::new(retired)), Some(now + RETIRED_FOR));
            } else {
                desk.remove(&Key::Token(digest));
            }
        }
    }
}

/// Lays down the account's sessions as they are from now on.
pub(super) fn put_sessions(desk: &mut Desk, sessions: AccountSessions) {
    desk.put(Record::AccountSessions(Arc::new(sessions)), None);
}

/// Takes out the tokens of a remembered device.
pub(super) fn forget_series(desk: &mut Desk, account: AccountId, series: &Series) {
    for digest in series.tokens.tokens() {
        // All of them are there: a chain changes in one commit with the records of its tokens.
        desk.know(Record::Remember(Arc::new(Remember { digest, account, series: series.id })));
        desk.remove(&Key::Remember(digest));
    }
}
