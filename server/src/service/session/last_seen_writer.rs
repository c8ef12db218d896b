//! Writing down when sessions were last seen: seldom, many at once, and never in the way of a request.
//!
//! A touch may be lost (a crash, a store that is down): the session then lives up to a twentieth of its idle limit longer.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use trolley_core::ids::SessionId;
use trolley_core::session::Session;
use trolley_core::time::Timestamp;
use trolley_store::port::{CommitError, StoreError, Write};
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::error::{ServiceError, unless_damaged};
use crate::service::running::Running;

/// Sessions that may wait to be written down; one more is tried again when it is next seen.
const WAITING_MAX: usize = 8_192;

/// A session that waits to be written down, with when it was seen where the book does not remember that any more.
type Touch = (SessionId, Option<Running>);

/// Sessions that wait to be written down.
pub(crate) struct LastSeenQueue {
    sender: mpsc::Sender<Touch>,
    /// Taken by the task that writes.
    receiver: Mutex<Option<mpsc::Receiver<Touch>>>,
}

impl LastSeenQueue {
    pub(crate) fn new() -> LastSeenQueue {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        LastSeenQueue { sender, receiver: Mutex::new(Some(receiver)) }
    }
}

impl Service {
    /// The session is seen now: remembered at once, written down later where that is due.
    pub(crate) fn see(&self, session: &Session, now: Timestamp) {
        let noted = self.seen.note(session.id, self.running());
        if noted.unqueued && self.settings.policy.touch_due(session, now) {
            let queued = self.touches.sender.try_send((session.id, None)).is_ok();
            self.seen.set_queued(session.id, queued);
        }
        for (left, at) in noted.left {
            // Where the queue is full this is lost, and the session lives a little longer.
            let _ = self.touches.sender.try_send((left, Some(at)));
        }
    }

    /// Writes down what is queued, for as long as the service lives.
    pub(crate) async fn write_touches(self: Arc<Self>) {
        let Some(mut receiver) = self.touches.receiver.lock().take() else { return };
        let most = self.settings.bounds.sweep_batch;
        let mut batch = Vec::with_capacity(most);
        while receiver.recv_many(&mut batch, most).await > 0 {
            if let Err(failure) = self.touch(&batch).await {
                tracing::warn!(?failure, sessions = batch.len(), "last-seen could not be written down");
            }
            for (session, _) in batch.drain(..) {
                self.seen.set_queued(session, false);
            }
        }
    }

    /// Writes down all that memory knows better than the store: what SIGTERM does last.
    pub async fn flush_touches(&self) -> Result<(), ServiceError> {
        let all: Vec<Touch> = self.seen.sessions().into_iter().map(|session| (session, None)).collect();
        for batch in all.chunks(self.settings.bounds.sweep_batch) {
            self.touch(batch).await?;
        }
        Ok(())
    }

    /// One commit for the batch; where one of them was changed meanwhile, one a session, and that one is let be.
    async fn touch(&self, batch: &[Touch]) -> Result<(), ServiceError> {
        let mut writes = Vec::with_capacity(batch.len());
        for (session, at) in batch {
            // One that is damaged is not written down; the others are.
            writes.extend(unless_damaged(self.touch_of(*session, *at).await)?.flatten());
        }
        writes.sort_by_key(|write| write.key);
        writes.dedup_by_key(|write| write.key);
        if writes.is_empty() {
            return Ok(());
        }
        match self.commit(writes.clone()).await {
            Err(CommitError::Conflict(_) | CommitError::Store(StoreError::Damaged { .. })) => {}
            done => return Ok(done?),
        }
        for write in writes {
            match self.commit(vec![write]).await {
                Ok(()) | Err(CommitError::Conflict(_) | CommitError::Store(StoreError::Damaged { .. })) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn touch_of(&self, id: SessionId, at: Option<Running>) -> Result<Option<Write>, ServiceError> {
        let Some(Record::Session(session)) = self.store.load(Key::Session(id)).await? else {
            self.seen.forget(id);
            return Ok(None);
        };
        let now = self.now();
        let seen = self.seen.at(id).max(at).map_or(session.last_seen, |at| self.wall_of(at, now));
        if session.presented && seen <= session.last_seen && session.last_seen <= now {
            return Ok(None);
        }
        Ok(Some(self.touched(&session, seen, now).1))
    }

    /// The session as seen at `seen`, and the write that keeps it. What was written down by a clock that ran ahead is put right:
    /// it would keep the session alive until the clock comes there once more.
    pub(crate) fn touched(
        &self,
        session: &Session,
        seen: Timestamp,
        now: Timestamp,
    ) -> (Arc<Session>, Write) {
        let touched = Arc::new(Session {
            version: session.version + 1,
            last_seen: session.last_seen.min(now).max(seen.min(now)),
            // What a remembered device's session counts as its first visit is for `present` to say.
            presented: session.presented || session.sign_in.is_none(),
            ..session.clone()
        });
        let expires_at = Some(self.settings.policy.swept_after(&touched));
        let write = Write::swap(session.version, Record::Session(touched.clone()), expires_at);
        (touched, write)
    }
}
