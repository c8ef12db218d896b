//! What a write rests on: a session, and the token of it that came with the request. It was judged when the request came, and
//! is judged again by the commit: what a token was good for ends with it, however long the request takes.

use std::sync::Arc;

use trolley_core::ids::{SessionId, TokenDigest};
use trolley_core::session::Verdict;
use trolley_store::port::Write;
use trolley_store::records::own::Token as TokenRecord;
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::error::ServiceError;
use crate::service::running::Running;
use crate::service::session::recognise::Visit;
use crate::service::transaction::Transaction;

/// What a write rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose it is.
    pub session: SessionId,
    /// What came with it.
    pub token: TokenDigest,
    /// Until when the token is good by the time alone. Before that only a change of privilege, or the end of its session, can
    /// take it out of use; both change its record, and the commit sees that.
    pub good_until: Running,
}

impl Visit {
    /// What a write of this visit rests on.
    pub fn claim(&self) -> Claim {
        Claim { session: self.session.id, token: self.token, good_until: self.good_until }
    }
}

impl Claim {
    /// The token's record, as it stands for as long as the token is in use.
    fn in_use(&self) -> TokenRecord {
        TokenRecord { digest: self.token, session: self.session, retired_at: None }
    }

    /// The commit happens only where the token is in use: a comparison, without a look before.
    pub(crate) fn expected(&self) -> Write {
        let record = Record::Token(Arc::new(self.in_use()));
        Write::unchanged(record.key(), record.version())
    }
}

impl Service {
    /// Whether what a write rests on still is, by what the last commit left and by the time.
    pub async fn holds(&self, claim: &Claim) -> Result<bool, ServiceError> {
        let Some(Record::Token(token)) = self.store.load(Key::Token(claim.token)).await? else {
            return Ok(false);
        };
        if token.retired_at.is_some() || self.running() < claim.good_until {
            return Ok(token.retired_at.is_none());
        }
        let Some(Record::Session(session)) = self.store.load(Key::Session(token.session)).await? else {
            return Ok(false);
        };
        match self.judge(&session, &claim.token, self.now()) {
            Verdict::Live(_) | Verdict::Renew(..) | Verdict::Arrived(_) => self.stands(&session).await,
            Verdict::Ended(_) | Verdict::Theft => Ok(false),
        }
    }

    /// The same, as a refusal.
    pub async fn require(&self, claim: &Claim) -> Result<(), ServiceError> {
        if self.holds(claim).await? { Ok(()) } else { Err(ServiceError::SessionEnded) }
    }

    /// Refuses what rests on nothing any more, and has the commit of the transaction ask once more.
    pub(crate) async fn require_claim_in(
        &self,
        tx: &mut Transaction,
        claim: &Claim,
    ) -> Result<(), ServiceError> {
        self.require(claim).await?;
        tx.expect(Record::Token(Arc::new(claim.in_use())));
        Ok(())
    }
}
