//! An account's devices, as its owner sees them: the sessions that are signed in, and what is remembered without one.

use std::sync::Arc;

use trolley_core::ids::{AccountId, SeriesId, SessionId};
use trolley_core::session::{Device, LastSeen, Session, SignIn};
use trolley_core::time::Timestamp;
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::account::revoke::put_sessions;
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

    /// A session that the shop's back end signed in is called what its browser says on its first visit, and so is what that is remembered
    /// by. Where this cannot be written down the visit is served all the same, and the next one tries again.
    pub async fn name_device(&self, visit: &Visit, device: impl FnOnce() -> Device) {
        let Some(account) = nameless(&visit.session).map(|sign_in| sign_in.account) else { return };
        let _turn = self.turns.of(account).await;
        let (id, mut tx) = (visit.session.id, Transaction::default());
        let laid_down = async {
            tx.read(&*self.store, Key::Session(id)).await?;
            let Some(Record::Session(session)) = tx.get(&Key::Session(id)).cloned() else { return Ok(()) };
            let Some(sign_in) = nameless(&session).cloned() else { return Ok(()) };
            let device = device();
            let mut sessions = self.sessions_in(&mut tx, account).await?;
            let of_session = sessions.series_of(id).map(|series| series.id);
            if let Some(series) = of_session.and_then(|series| sessions.series_mut(series)) {
                series.device = device.clone();
                put_sessions(&mut tx, sessions);
            }
            let named = SignIn { device, ..sign_in };
            let version = session.version + 1;
            self.put_session(
                &mut tx,
                Arc::new(Session { version, sign_in: Some(Box::new(named)), ..Session::clone(&session) }),
            );
            self.commit_desk(tx).await.map(drop)
        };
        if let Err(failure) = laid_down.await {
            tracing::warn!(?failure, session = %id, "a device could not be named");
        }
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

/// The sign-in of a session whose device nobody has named yet: a browser's has an address at least.
fn nameless(session: &Session) -> Option<&SignIn> {
    session.sign_in.as_deref().filter(|sign_in| sign_in.device.address.is_empty())
}
