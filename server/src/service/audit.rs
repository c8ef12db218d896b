//! What happened to accounts and sessions is written down in the commit that did it: a row of the account's trail, an event
//! among those of all, and once it is committed a line in the log.

use std::sync::Arc;

use trolley_core::account::audit::{Event, Row, Trail};
use trolley_core::ids::{AccountId, EventId};
use trolley_core::time::Timestamp;
use trolley_store::kind::{Key, Kind, Record};
use trolley_store::port::Listing;

use super::Service;
use super::desk::Desk;
use super::failure::Failure;
use super::settings::AuditFor;

impl Service {
    /// Writes down on the desk what happens to an account.
    pub(super) async fn note(&self, desk: &mut Desk, account: AccountId, row: Row) -> Result<(), Failure> {
        let key = Key::Trail(account);
        desk.lay_out(&*self.store, key).await?;
        let mut trail = match desk.get(&key) {
            Some(Record::Trail(trail)) => (**trail).clone(),
            _ => Trail::new(account),
        };
        trail.note(row.clone());
        let expires_at = self.settings.audit.trail_until(&trail);
        desk.put(Record::Trail(Arc::new(trail)), expires_at);
        self.note_event(desk, Some(account), row).await
    }

    /// The same of an account that is not there, or will not be: only among the events of all.
    pub(super) async fn note_event(
        &self,
        desk: &mut Desk,
        account: Option<AccountId>,
        row: Row,
    ) -> Result<(), Failure> {
        let (id, minted) = self.event_feed().await?.mint(row.at, self.ten_random_bytes());
        desk.hold(minted);
        let id = EventId::from_bytes(id);
        let event = Arc::new(Event { id, version: 1, account, row });
        let expires_at = Some(self.settings.audit.event_until(&event));
        desk.put(Record::Audit(event), expires_at);
        Ok(())
    }

    /// Writes down what happened to an account, by itself; none is an address that no account has. What cannot be written
    /// is in the log at least: no answer waits for a store that is down.
    pub(super) async fn write_down(&self, account: Option<AccountId>, row: Row) {
        let _turn = match account {
            Some(account) => Some(self.turns.of(account).await),
            None => None,
        };
        for _ in 0..self.settings.bounds.commit_tries {
            let mut desk = Desk::default();
            let noted = match account {
                Some(account) => {
                    desk.keep(Key::Account(account));
                    self.note(&mut desk, account, row.clone()).await
                }
                None => self.note_event(&mut desk, None, row.clone()).await,
            };
            match self.outcome(noted, desk).await {
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

    async fn outcome(&self, noted: Result<(), Failure>, desk: Desk) -> Result<bool, Failure> {
        noted?;
        self.commit_desk(desk).await
    }

    /// An account's trail, the newest row first, without the addresses whose time is over.
    pub async fn trail(&self, account: AccountId) -> Result<Vec<Row>, Failure> {
        let Some(Record::Trail(trail)) = self.store.load(Key::Trail(account)).await? else {
            return Ok(Vec::new());
        };
        let mut trail = (*trail).clone();
        trail.forget_addresses(self.settings.audit.addresses_since(self.now()));
        Ok(trail.rows.into_iter().rev().collect())
    }

    /// Up to `most` events behind `after`, the oldest first. None ever comes up behind one that was given.
    pub async fn audit_after(&self, after: Option<EventId>, most: usize) -> Result<Vec<Arc<Event>>, Failure> {
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

    /// What becomes, on the desk, of an event whose time is over: its address goes first, then all of it.
    pub(super) async fn expire_event_on(&self, desk: &mut Desk, id: EventId) -> Result<(), Failure> {
        let key = Key::Audit(id);
        desk.lay_out(&*self.store, key).await?;
        let Some(Record::Audit(event)) = desk.get(&key) else { return Ok(()) };
        if event.row.address.is_none() || self.now() >= event.row.at + self.settings.audit.events {
            desk.remove(&key);
            return Ok(());
        }
        let row = Row { address: None, ..event.row.clone() };
        let without = Arc::new(Event { version: event.version + 1, row, ..(**event).clone() });
        let expires_at = Some(self.settings.audit.event_until(&without));
        desk.put(Record::Audit(without), expires_at);
        Ok(())
    }

    /// What becomes, on the desk, of a trail that has addresses whose time is over.
    pub(super) async fn expire_trail_on(&self, desk: &mut Desk, account: AccountId) -> Result<(), Failure> {
        let key = Key::Trail(account);
        desk.lay_out(&*self.store, key).await?;
        let Some(Record::Trail(trail)) = desk.get(&key) else { return Ok(()) };
        let mut without = (**trail).clone();
        // Where none is over after all (a longer setting), it is written down until when: it would be named again and again.
        if !without.forget_addresses(self.settings.audit.addresses_since(self.now())) {
            without.version += 1;
        }
        let expires_at = self.settings.audit.trail_until(&without);
        desk.put(Record::Trail(Arc::new(without)), expires_at);
        Ok(())
    }
}

impl AuditFor {
    /// When something is to be done about an event.
    fn event_until(&self, event: &Event) -> Timestamp {
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
pub(super) fn log(event: &Event) {
    let Row { what, session, address, device, .. } = &event.row;
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
