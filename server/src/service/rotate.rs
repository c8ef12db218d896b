//! What a new password does to the account's sessions: all others end, and the one that changed it gets a new token.

use std::sync::Arc;

use trolley_core::chain::Chain;
use trolley_core::ids::{AccountId, SessionId};
use trolley_core::session::Session;
use trolley_store::kind::{Key, Record, Token as TokenRecord};

use super::Service;
use super::desk::Desk;
use super::enter::{Entered, Remembering};
use super::failure::Failure;
use super::leave::{Tokens, put_sessions};
use super::token::Token;

impl Service {
    /// What a new password does where the password is not ours: the shop's own login tells that it changed one.
    pub async fn password_changed(
        &self,
        account: AccountId,
        by: Option<SessionId>,
    ) -> Result<Option<Entered>, Failure> {
        let _turn = self.turns.of(account).await;
        for _ in 0..self.settings.bounds.commit_tries {
            let mut desk = Desk::default();
            let entered = self.password_changed_on(&mut desk, account, by).await?;
            if self.commit_desk(desk).await? {
                return Ok(entered);
            }
        }
        Err(Failure::Busy)
    }

    /// Lays on the desk what a new password does: beside the account's own record, in the same commit. With `by` that session
    /// stays, under a new token, and its device is remembered anew if it was; without it every session ends.
    pub(super) async fn password_changed_on(
        &self,
        desk: &mut Desk,
        account: AccountId,
        by: Option<SessionId>,
    ) -> Result<Option<Entered>, Failure> {
        let mut sessions = self.sessions_on(desk, account).await?;
        if by.is_some_and(|session| !sessions.holds(session)) {
            return Err(Failure::SessionEnded);
        }
        let left = sessions.password_changed(by);
        self.left_on(desk, account, &left, Tokens::Retire).await?;
        let Some(session) = by else {
            put_sessions(desk, sessions);
            return Ok(None);
        };
        let (session, token) = self.renamed(desk, session).await?;
        let now = self.now();
        let remembered = sessions.series_of(session.id).map(|series| (series.id, series.device.clone()));
        let remember = match remembered {
            Some((series, device)) => {
                let left = sessions.forget(series);
                self.left_on(desk, account, &left, Tokens::Forget).await?;
                let (remember, series) = self.new_series(desk, account, &device, session.id, now);
                sessions.remember(series, self.settings.policy.cap);
                remember
            }
            None => Remembering::Same,
        };
        put_sessions(desk, sessions);
        let visit = self.visit(session, token.digest(), now).ok_or(Failure::SessionEnded)?;
        Ok(Some(Entered { visit, token, remember, known_by: None }))
    }

    /// The session under a new token; the ones before are dead.
    async fn renamed(&self, desk: &mut Desk, id: SessionId) -> Result<(Arc<Session>, Token), Failure> {
        desk.lay_out(&*self.store, Key::Session(id)).await?;
        let Some(Record::Session(session)) = desk.get(&Key::Session(id)) else {
            return Err(Failure::SessionEnded);
        };
        let (session, now) = (Arc::clone(session), self.now());
        self.close_tokens(desk, &session, Tokens::Retire, now);
        let token = Token::mint(&*self.random);
        let mut renamed = self.seen_at(&session, now);
        renamed.tokens = Chain::new(token.digest(), now);
        let renamed = Arc::new(renamed);
        self.put_session(desk, Arc::clone(&renamed));
        let opens = TokenRecord { digest: token.digest(), session: id, retired_at: None };
        desk.put(Record::Token(Arc::new(opens)), None);
        Ok((renamed, token))
    }
}
