//! What happened to accounts and sessions is written down in the commit that did it: a row of the account's trail, an event
//! among those of all, and a line in the log.

use std::sync::Arc;

use trolley_core::account::audit::{Event, Row, Trail};
use trolley_core::ids::{AccountId, EventId, uuid_v7};
use trolley_store::kind::{Key, Record};

use super::Service;
use super::desk::Desk;
use super::failure::Failure;

impl Service {
    /// Writes down on the desk what happens to an account.
    pub(super) async fn note(&self, desk: &mut Desk, account: AccountId, row: Row) -> Result<(), Failure> {
        tracing::info!(%account, session = row.session.map(tracing::field::display), what = row.what.as_str(), "audit");
        let key = Key::Trail(account);
        desk.lay_out(&*self.store, key).await?;
        let mut trail = match desk.get(&key) {
            Some(Record::Trail(trail)) => (**trail).clone(),
            _ => Trail::new(account),
        };
        trail.note(row.clone());
        desk.put(Record::Trail(Arc::new(trail)), None);
        let id = EventId::from_bytes(uuid_v7(row.at, self.ten_random_bytes()));
        desk.put(Record::Audit(Arc::new(Event { id, version: 1, account: Some(account), row })), None);
        Ok(())
    }
}
