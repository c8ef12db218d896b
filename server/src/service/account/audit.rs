//! What happened to accounts and sessions is written down in the commit that did it: a row of the account's trail, an event
//! among those of all, and once it is committed a line in the log.

use std::sync::Arc;

use trolley_core::account::audit::{AuditEntry, AuditEvent, Trail};
use trolley_core::ids::{AccountId, EventId};
use trolley_core::time::Timestamp;
use trolley_store::port::Listing;
use trolley_store::records::{Key, Kind, Record};

use crate::service::Service;
use crate::service::error::ServiceError;
use crate::service::settings::AuditFor;
use crate::service::transaction::Transaction;

impl Service {
    /// Writes down in the transaction what happens to an account.
    pub(crate) async fn note(
        &self,
        tx: &mut Transaction,
        account: AccountId,
        row: AuditEntry,
    ) -> Result<(), ServiceError> {
        let key = Key::Trail(account);
        tx.read(&*self.store, key).await?;
        let mut trail = match tx.get(&key) {
            Some(Record::Trail(trail)) => (**trail).clone(),
            _ => Trail::new(account),
        };
        trail.note(row.clone());
        let expires_at = self.settings.audit.trail_until(&trail);
        tx.put(Record::Trail(Arc::new(trail)), expires_at);
        self.note_event(tx, Some(account), row).await
    }

    /// The same of an account that is not there, or will not be: only among the events of all.
    pub(crate) async fn note_event(
        &self,
        tx: &mut Transaction,
        account: Option<AccountId>,
        row: AuditEntry,
    ) -> Result<(), ServiceError> {
        let (id, minted) = self.event_feed().await?.mint(row.at, self.ten_random_bytes());
        tx.hold(minted);
        let id = EventId::from_bytes(id);
        let event = Arc::new(AuditEvent { id, version: 1, account, row });
        let expires_at = Some(self.settings.audit.event_until(&event));
        tx.put(Record::Audit(event), expires_at);
        Ok(())
    }

    /// Writes down what happened to an account, by itself; none is an address that no account has. What cannot be written
    /// is in the log at least: no answer waits for a store that is down.
    pub(crate) async fn write_down(&self, account: Option<AccountId>, row: AuditEntry) {
        let _turn = match account {
            Some(account) => Some(self.turns.of(account).await),
            None => None,
        };
        for _ in 0..self.settings.bounds.commit_tries {
            let mut tx = Transaction::default();
            let noted = match account {
                Some(account) => {
                    tx.keep(Key::Account(account));
                    self.note(&mut tx, account, row.clone()).await
                }
                None => self.note_event(&mut tx, None, row.clone()).await,
            };
            match self.outcome(noted, tx).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(failure) => {
                    tracing::warn!(?failure, what = row.what.as_str(), "the audit could not be written");
                    return;
                }
            }
        }
        tracing::warn!(what = row.what.as_str(), "the audit could not be written: others were faster");
    }

    async fn outcome(&self, noted: Result<(), ServiceError>, tx: Transaction) -> Result<bool, ServiceError> {
        noted?;
        self.commit_desk(tx).await
    }

    /// An account's trail, the newest row first, without the addresses whose time is over.
    pub async fn trail(&self, account: AccountId) -> Result<Vec<AuditEntry>, ServiceError> {
        let Some(Record::Trail(trail)) = self.store.load(Key::Trail(account)).await? else {
            return Ok(Vec::new());
        };
        let mut trail = (*trail).clone();
        trail.forget_addresses(self.settings.audit.addresses_since(self.now()));
        Ok(trail.rows.into_iter().rev().collect())
    }

    /// Up to `most` events behind `after`, the oldest first. None ever comes up behind one that was given.
    pub async fn audit_after(
        &self,
        after: Option<EventId>,
        most: usize,
    ) -> Result<Vec<Arc<AuditEvent>>, ServiceError> {
        let settled = self.event_feed().await?.settled(self.now());
        let after = after.map(|id| id.bytes().to_vec());
        let listed = self.store.list(Listing { after, ..Listing::all(Kind::Audit) }, most).await?;
        Ok(listed
            .into_iter()
            .filter_map(|listed| match listed.record {
                Record::Audit(event) => Some(event),
                _ => None,
            })
            .take_while(|event| settled.holds(event.id.bytes()))
            .collect())
    }

    /// What becomes, in the transaction, of an event whose time is over: its address goes first, then all of it.
    pub(crate) async fn expire_event_in(
        &self,
        tx: &mut Transaction,
        id: EventId,
    ) -> Result<(), ServiceError> {
        let key = Key::Audit(id);
        tx.read(&*self.store, key).await?;
        let Some(Record::Audit(event)) = tx.get(&key) else { return Ok(()) };
        if event.row.address.is_none() || self.now() >= event.row.at + self.settings.audit.events {
            tx.remove(&key);
            return Ok(());
        }
        let row = AuditEntry { address: None, ..event.row.clone() };
        let without = Arc::new(AuditEvent { version: event.version + 1, row, ..(**event).clone() });
        let expires_at = Some(self.settings.audit.event_until(&without));
        tx.put(Record::Audit(without), expires_at);
        Ok(())
    }

    /// What becomes, in the transaction, of a trail that has addresses whose time is over.
    pub(crate) async fn expire_trail_in(
        &self,
        tx: &mut Transaction,
        account: AccountId,
    ) -> Result<(), ServiceError> {
        let key = Key::Trail(account);
        tx.read(&*self.store, key).await?;
        let Some(Record::Trail(trail)) = tx.get(&key) else { return Ok(()) };
        let mut without = (**trail).clone();
        // Where none is over after all (a longer setting), it is written down until when: it would be named again and again.
        if !without.forget_addresses(self.settings.audit.addresses_since(self.now())) {
            without.version += 1;
        }
        let expires_at = self.settings.audit.trail_until(&without);
        tx.put(Record::Trail(Arc::new(without)), expires_at);
        Ok(())
    }
}

impl AuditFor {
    /// When something is to be done about an event.
    fn event_until(&self, event: &AuditEvent) -> Timestamp {
        let keeps = if event.row.address.is_some() { self.addresses.min(self.events) } else { self.events };
        event.row.at + keeps
    }

    /// When something is to be done about a trail.
    fn trail_until(&self, trail: &Trail) -> Option<Timestamp> {
        trail.oldest_address().map(|at| at + self.addresses)
    }

    /// Rows before this keep no address any more.
    fn addresses_since(&self, now: Timestamp) -> Timestamp {
        let past = now.as_ms().saturating_sub(self.addresses.as_ms());
        // The row of this very moment is over too: an hour is over at its end.
        Timestamp::from_ms(past.saturating_add(1))
    }
}

/// The line in the log, once it is so.
pub(crate) fn log(event: &AuditEvent) {
    let AuditEntry { what, session, address, device, .. } = &event.row;
    tracing::info!(
        target: "trolley::audit",
        what = what.as_str(),
        account = event.account.map(tracing::field::display),
        session = session.map(tracing::field::display),
        address = address.as_deref(),
        device = device.as_deref(),
        "audit"
    );
}
