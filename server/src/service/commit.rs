//! The one way by which changes reach the store: whatever changes a session leaves memory before the commit begins, and the
//! streams of a token that it takes out of use end before anybody is told of it.

use std::panic::resume_unwind;
use std::sync::Arc;

use trolley_core::account::audit::AuditEvent;
use trolley_core::cart::state::Cart;
use trolley_core::ids::{AccountId, SessionId, TokenDigest};
use trolley_store::port::{Action, CommitError, Expect, StoreError, Write};
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::account::audit;
use crate::service::error::ServiceError;
use crate::service::feed::Minted;
use crate::service::transaction::Transaction;

/// How many locks share the accounts: two sign-ins of different accounts seldom wait for each other.
const TURNS: usize = 1_024;

/// Who changes the sessions of one account, or the data of one session, takes turns on this node, so that many at once need not
/// try again and again. Correctness is the commit's: other nodes take no turns here.
pub(crate) struct AccountLocks(Vec<tokio::sync::Mutex<()>>);

impl AccountLocks {
    pub(crate) fn new() -> AccountLocks {
        AccountLocks((0..TURNS).map(|_| tokio::sync::Mutex::new(())).collect())
    }

    /// Until it is our turn; it is over when this is dropped. Nobody takes a second one meanwhile.
    pub(crate) async fn of(&self, account: AccountId) -> tokio::sync::MutexGuard<'_, ()> {
        self.at(account.bytes()).await
    }

    /// The same for a session's data.
    pub(crate) async fn of_data(&self, session: SessionId) -> tokio::sync::MutexGuard<'_, ()> {
        self.at(session.bytes()).await
    }

    async fn at(&self, id: &[u8; 16]) -> tokio::sync::MutexGuard<'_, ()> {
        let [.., high, low] = *id;
        self.0[usize::from(u16::from_be_bytes([high, low])) % TURNS].lock().await
    }
}

impl Service {
    /// Commits, in a task of its own: once begun it is finished, and what follows from it happens, even where the caller goes
    /// away.
    pub(crate) async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        self.commit_holding(writes, Arc::default()).await
    }

    /// The same of what stands in a feed under the ids that are `held`.
    async fn commit_holding(&self, writes: Vec<Write>, held: Arc<Vec<Minted>>) -> Result<(), CommitError> {
        let stopping = || CommitError::Unknown("the server is stopping".to_owned());
        let service = self.own.upgrade().ok_or_else(stopping)?;
        let begun = self.commits.begin();
        let committed = tokio::spawn(async move {
            let _over_with_it = (begun, held);
            service.commit_here(writes).await
        });
        committed.await.unwrap_or_else(|gone| match gone.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(stopping()),
        })
    }

    /// The same for a lane, whose task no caller can end. Until it is over nothing that was read earlier of a session that it
    /// changes may come back into memory.
    pub(crate) async fn commit_here(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        let news = News::of(&writes);
        let changing = self.warm.change(&news.sessions);
        self.store.commit(writes).await?;
        // Before anything else is told: nothing of what comes is theirs.
        self.events.end_tokens(&news.sessions, &news.retired);
        drop(changing);
        for session in news.begun {
            self.tally.begun();
            tracing::info!(%session, "a guest begins");
        }
        for event in news.events {
            audit::log(&event);
            self.tally.happened(event.row.what);
        }
        self.tell(news.carts).await;
        Ok(())
    }

    /// Commits what lies in the transaction. False where something else changed it meanwhile: it is to be decided anew.
    pub(crate) async fn commit_desk(&self, mut tx: Transaction) -> Result<bool, ServiceError> {
        let held = Arc::new(tx.take_held());
        let mut writes = tx.writes();
        while !writes.is_empty() {
            match self.commit_holding(writes.clone(), Arc::clone(&held)).await {
                Ok(()) => return Ok(true),
                Err(CommitError::Conflict(_)) => return Ok(false),
                Err(CommitError::Store(StoreError::Damaged { key, .. })) if can_stay(&writes, &key) => {
                    writes.retain(|write| write.key != key);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }
}

/// Whether a damaged record may stay as it is while the rest of the commit happens: it was to go, or to be taken out of use. As
/// it is it opens nothing, and for one of them nobody could ever sign out.
fn can_stay(writes: &[Write], key: &Key) -> bool {
    writes.iter().filter(|write| write.key == *key).any(|write| {
        matches!((&write.action, key), (Action::Delete, _) | (Action::Put { .. }, Key::Token(_)))
    })
}

/// What there is to tell of a commit once it is done.
#[derive(Default)]
struct News {
    /// The carts as they are then.
    carts: Vec<Arc<Cart>>,
    /// The sessions that it changes or takes out. One that is new was never in memory, and nobody watches by it.
    sessions: Vec<SessionId>,
    /// Tokens that it takes out of use, of sessions that it changes.
    retired: Vec<TokenDigest>,
    /// Guests that begin.
    begun: Vec<SessionId>,
    /// What the audit says.
    events: Vec<Arc<AuditEvent>>,
}

impl News {
    fn of(writes: &[Write]) -> News {
        let mut news = News::default();
        for write in writes {
            match (&write.key, &write.action) {
                (_, Action::Keep) => {}
                (Key::Session(session), _) if write.expect != Expect::Absent => news.sessions.push(*session),
                (Key::Token(digest), Action::Delete) => news.retired.push(*digest),
                (_, Action::Put { record: Record::Token(token), .. }) if token.retired_at.is_some() => {
                    news.retired.push(token.digest);
                }
                (_, Action::Put { record: Record::Session(new), .. }) if new.sign_in.is_none() => {
                    news.begun.push(new.id);
                }
                (_, Action::Put { record: Record::Cart(cart), .. }) => news.carts.push(Arc::clone(cart)),
                // One that stood already only loses its address: it happened before.
                (_, Action::Put { record: Record::Audit(event), .. }) if write.expect == Expect::Absent => {
                    news.events.push(Arc::clone(event));
                }
                _ => {}
            }
        }
        news
    }
}
