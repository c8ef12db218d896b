//! A session's ledger within a transaction: what was answered under an idempotency key is kept by the commit that did it.

use std::sync::Arc;

use trolley_core::ids::SessionId;
use trolley_core::ledger::{Ledger, LedgerAnswer, LedgerEntry, LedgerLookup};
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::cart::preconditions::IdempotencyKey;
use crate::service::error::ServiceError;
use crate::service::transaction::Transaction;

impl Service {
    /// Lays the session's ledger in the transaction.
    pub(crate) async fn read_ledger(
        &self,
        tx: &mut Transaction,
        session: SessionId,
    ) -> Result<(), ServiceError> {
        tx.read(&*self.store, Key::Ledger(session)).await?;
        Ok(())
    }

    /// What the same request was answered under its key; none where it is new.
    pub(crate) fn found(
        &self,
        tx: &Transaction,
        session: SessionId,
        keyed: Option<IdempotencyKey>,
    ) -> Result<Option<LedgerAnswer>, ServiceError> {
        let (Some(keyed), Some(Record::Ledger(ledger))) = (keyed, tx.get(&Key::Ledger(session))) else {
            return Ok(None);
        };
        match ledger.find(&keyed.key, &keyed.request, self.now()) {
            LedgerLookup::New => Ok(None),
            LedgerLookup::Answered(answer) => Ok(Some(answer)),
            LedgerLookup::Reused => Err(ServiceError::KeyReused),
        }
    }

    /// Keeps what is answered now.
    pub(crate) fn keep_in_ledger(
        &self,
        tx: &mut Transaction,
        session: SessionId,
        keyed: IdempotencyKey,
        answer: LedgerAnswer,
    ) {
        let mut ledger = match tx.get(&Key::Ledger(session)) {
            Some(Record::Ledger(ledger)) => Ledger::clone(ledger),
            _ => Ledger::new(session),
        };
        ledger.keep(LedgerEntry { key: keyed.key, request: keyed.request, at: self.now(), answer });
        tx.put(Record::Ledger(Arc::new(ledger)), None);
    }
}
