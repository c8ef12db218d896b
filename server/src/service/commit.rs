//! The one way by which changes reach the store: whatever changes a session leaves memory before the commit begins.

use std::panic::resume_unwind;
use std::sync::Arc;

use trolley_core::account::audit::Event;
use trolley_core::cart::state::Cart;
use trolley_core::ids::{AccountId, SessionId};
use trolley_store::kind::{Key, Record};
use trolley_store::port::{Action, CommitError, Expect, Write};

use super::Service;
use super::audit;
use super::desk::Desk;
use super::failure::Failure;

/// How many locks share the accounts: two sign-ins of different accounts seldom wait for each other.
const TURNS: usize = 1_024;

/// Who changes the sessions of one account, or the data of one session, takes turns on this node, so that many at once need not
/// try again and again. Correctness is the commit's: other nodes take no turns here.
pub(super) struct Turns(Vec<tokio::sync::Mutex<()>>);

impl Turns {
    pub(super) fn new() -> Turns {
        Turns((0..TURNS).map(|_| tokio::sync::Mutex::new(())).collect())
    }

    /// Until it is our turn; it is over when this is dropped. Nobody takes a second one meanwhile.
    pub(super) async fn of(&self, account: AccountId) -> tokio::sync::MutexGuard<'_, ()> {
        self.at(account.bytes()).await
    }

    /// The same for a session's data.
    pub(super) async fn of_data(&self, session: SessionId) -> tokio::sync::MutexGuard<'_, ()> {
        self.at(session.bytes()).await
    }

    async fn at(&self, id: &[u8; 16]) -> tokio::sync::MutexGuard<'_, ()> {
        let [.., high, low] = *id;
        self.0[usize::from(u16::from_be_bytes([high, low])) % TURNS].lock().await
    }
}

impl Service {
    /// Commits. A commit that changes sessions is finished even where the caller goes away: until it is over nothing that was
    /// read earlier may come back into memory.
    pub(super) async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        let changed: Vec<SessionId> = writes.iter().filter_map(changed_session).collect();
        let carts = writes.iter().filter_map(written_cart).collect();
        let committed = self.commit_all(writes, changed.clone()).await;
        if committed.is_ok() {
            self.tell(carts, &changed).await;
        }
        committed
    }

    async fn commit_all(&self, writes: Vec<Write>, changed: Vec<SessionId>) -> Result<(), CommitError> {
        if changed.is_empty() {
            return self.store.commit(writes).await;
        }
        let (store, warm) = (Arc::clone(&self.store), Arc::clone(&self.warm));
        let committed = tokio::spawn(async move {
            let _changing = warm.change(changed);
            store.commit(writes).await
        });
        match committed.await {
            Ok(committed) => committed,
            Err(gone) => match gone.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => Err(CommitError::Unknown("the server is stopping".to_owned())),
            },
        }
    }

    /// Commits what lies on the desk. False where something else changed it meanwhile: it is to be decided anew.
    pub(super) async fn commit_desk(&self, desk: Desk) -> Result<bool, Failure> {
        let writes = desk.writes();
        if writes.is_empty() {
            return Ok(true);
        }
        let events: Vec<_> = writes.iter().filter_map(written_event).collect();
        match self.commit(writes).await {
            Ok(()) => {
                for event in &events {
                    audit::log(event);
                    self.tally.happened(event.row.what);
                }
                Ok(true)
            }
            Err(CommitError::Conflict(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// The cart that a write puts.
fn written_cart(write: &Write) -> Option<Arc<Cart>> {
    match &write.action {
        Action::Put { record: Record::Cart(cart), .. } => Some(Arc::clone(cart)),
        _ => None,
    }
}

/// What a write tells of in the audit.
fn written_event(write: &Write) -> Option<Arc<Event>> {
    match &write.action {
        Action::Put { record: Record::Audit(event), .. } => Some(Arc::clone(event)),
        _ => None,
    }
}

/// The session that a write changes or takes out. One that is new was never in memory.
fn changed_session(write: &Write) -> Option<SessionId> {
    match (&write.key, &write.action) {
        (Key::Session(session), Action::Put { .. } | Action::Delete) if write.expect != Expect::Absent => {
            Some(*session)
        }
        _ => None,
    }
}
