//! How an owner ends devices: one that is named, all others, or all. A call under an idempotency key has its outcome in the session's
//! ledger, by the same commit, so that a retry ends nothing that signed in since.

use trolley_core::account::audit::{AuditEntry, EventKind};
use trolley_core::ids::{AccountId, SeriesId, SessionId};
use trolley_core::ledger::LedgerAnswer;

use crate::service::Service;
use crate::service::account::credentials::ClientDevice;
use crate::service::account::revoke::Revocation;
use crate::service::cart::preconditions::IdempotencyKey;
use crate::service::error::ServiceError;
use crate::service::limits::quotas::QuotaRequest;
use crate::service::session::claim::Claim;
use crate::service::transaction::Transaction;

/// Which devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Devices {
    /// The one of that public id.
    Named([u8; 16]),
    /// All but the caller's.
    Others,
    /// All.
    All,
}

/// A call that ends devices.
#[derive(Clone, Debug)]
pub struct EndRequest {
    /// The caller's session, which has to last until it is done.
    pub claim: Claim,
    /// Whose devices.
    pub account: AccountId,
    /// Which.
    pub devices: Devices,
    /// From where it is asked.
    pub from: ClientDevice,
    /// The caller's key for a retry, if it sent one.
    pub keyed: Option<IdempotencyKey>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is done, of the caller's session too or not.
    Done {
        /// Whether the caller is signed out by it.
        this: bool,
    },
    /// It was done before, under the same key.
    Before,
    /// The account has no such device.
    Unknown,
}

impl Service {
    /// Ends devices of an account in one commit.
    pub async fn end_devices(&self, wanted: &EndRequest) -> Result<Ended, ServiceError> {
        let _turn = self.turns.of(wanted.account).await;
        for _ in 0..self.settings.bounds.commit_tries {
            let (mut tx, session) = (Transaction::default(), wanted.claim.session);
            self.require_claim_in(&mut tx, &wanted.claim).await?;
            if wanted.keyed.is_some() {
                self.read_ledger(&mut tx, session).await?;
                if self.found(&tx, session, wanted.keyed)?.is_some() {
                    return Ok(Ended::Before);
                }
            }
            let Some(ends) = self.meant_in(&mut tx, wanted).await? else { return Ok(Ended::Unknown) };
            let this = matches!(ends, Revocation::All) || ends == Revocation::Session(session);
            let mut tab = self.tab();
            let keyed = wanted.keyed.map(|_| session);
            tab.admit(QuotaRequest { keyed, ..QuotaRequest::default() })?;
            self.end_noted_in(&mut tx, wanted.account, ends, self.row_of(wanted, ends)).await?;
            // A session that is over by this call takes its keys along.
            if let Some(keyed) = wanted.keyed.filter(|_| !this) {
                let answer = LedgerAnswer { status: 204, code: None, about: None };
                self.keep_in_ledger(&mut tx, session, keyed, answer);
            }
            if self.commit_desk(tx).await? {
                tab.keep();
                return Ok(Ended::Done { this });
            }
        }
        Err(ServiceError::Busy)
    }

    /// What ends the devices that are meant, as the account's sessions lie in the transaction.
    async fn meant_in(
        &self,
        tx: &mut Transaction,
        wanted: &EndRequest,
    ) -> Result<Option<Revocation>, ServiceError> {
        let id = match wanted.devices {
            Devices::Others => return Ok(Some(Revocation::Others(wanted.claim.session))),
            Devices::All => return Ok(Some(Revocation::All)),
            Devices::Named(id) => id,
        };
        let sessions = self.sessions_in(tx, wanted.account).await?;
        let (session, series) = (SessionId::from_bytes(id), SeriesId::from_bytes(id));
        Ok(match sessions.holds(session) {
            true => Some(Revocation::Session(session)),
            false => sessions.series(series).map(|_| Revocation::Series(series)),
        })
    }

    fn row_of(&self, wanted: &EndRequest, ends: Revocation) -> AuditEntry {
        let (now, this) = (self.now(), wanted.claim.session);
        match (wanted.devices, ends) {
            (Devices::Named(_), Revocation::Session(session)) if session == this => {
                AuditEntry::new(now, EventKind::SignedOut).within(this)
            }
            (Devices::Named(id), _) => {
                wanted.from.row(now, EventKind::SessionRevoked).within(SessionId::from_bytes(id))
            }
            _ => wanted.from.row(now, EventKind::SessionsRevoked).within(this),
        }
    }
}
