//! An account's devices, as its owner sees them: the sessions that are signed in, and what is remembered without one.

use trolley_core::ids::{AccountId, SeriesId, SessionId};
use trolley_core::session::{Device, LastSeen};
use trolley_core::time::Timestamp;
use trolley_store::kind::{Key, Record};

use crate::service::Service;
use crate::service::error::{ServiceError, unless_damaged};
use crate::service::session::recognise::Visit;
use crate::service::transaction::Transaction;

/// One of an account's devices.
#[derive(Clone, Debug)]
pub struct DeviceRow {
    /// By which it can be ended.
    pub id: DeviceId,
    /// What it calls itself, and from where it signed in.
    pub device: Device,
    /// When it signed in first.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
}

/// What stands for a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceId {
    /// A session.
    Session(SessionId),
    /// A remembered device that has none now.
    Series(SeriesId),
}

impl Service {
    /// All devices of an account, the one seen last first.
    pub async fn devices(&self, account: AccountId) -> Result<Vec<DeviceRow>, ServiceError> {
        let now = self.now();
        let sessions = self.sessions_in(&mut Transaction::default(), account).await?;
        let mut rows = Vec::with_capacity(sessions.entries.len() + sessions.series.len());
        for entry in &sessions.entries {
            let loaded = self.store.load(Key::Session(entry.session)).await.map_err(ServiceError::from);
            let Some(Some(Record::Session(session))) = unless_damaged(loaded)? else { continue };
            let lives = self.lease(&session, now).is_ok();
            let Some(sign_in) = session.sign_in.as_ref().filter(|_| lives) else { continue };
            let remembered = sessions.series_of(entry.session);
            rows.push(DeviceRow {
                id: DeviceId::Session(entry.session),
                device: sign_in.device.clone(),
                first_seen: remembered.map_or(sign_in.at, |series| series.first_seen.min(sign_in.at)),
                last_seen: match self.seen_of(&session, now) {
                    LastSeen::Exactly(at) | LastSeen::AtLeast(at) => at,
                },
            });
        }
        let has_session = |id: SessionId| rows.iter().any(|row| row.id == DeviceId::Session(id));
        let alone: Vec<DeviceRow> = sessions
            .series
            .iter()
            .filter(|series| now < series.expires_at && !series.session.is_some_and(has_session))
            .map(|series| DeviceRow {
                id: DeviceId::Series(series.id),
                device: series.device.clone(),
                first_seen: series.first_seen,
                last_seen: series.last_seen,
            })
            .collect();
        rows.extend(alone);
        rows.sort_by_key(|row| std::cmp::Reverse(row.last_seen));
        Ok(rows)
    }

    /// The live session of that public id, for who may name one: the shop itself.
    pub async fn visit_named(&self, id: SessionId) -> Result<Option<Visit>, ServiceError> {
        let now = self.now();
        let Some(Record::Session(session)) = self.store.load(Key::Session(id)).await? else {
            return Ok(None);
        };
        let lives = self.lease(&session, now).is_ok();
        let stands = lives && self.stands(&session).await?;
        let token = session.tokens.present;
        Ok(if stands { self.visit(session, token, now) } else { None })
    }
}
