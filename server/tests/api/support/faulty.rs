//! A store that can be told to fail, to wait, and to forget that anything expires.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use trolley_core::ids::SessionId;
use trolley_core::time::Timestamp;
use trolley_store::activity::Activity;
use trolley_store::damage::Book;
use trolley_store::port::{Action, BoxFuture, CommitError, Due, Listed, Listing, Store, StoreError, Write};
use trolley_store::records::counts::Counts;
use trolley_store::records::{Key, Record};

/// What commits do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    Well,
    Full,
    Down,
    /// Done, but nobody is told.
    Unknown,
    /// One of our own bugs.
    Panics,
}

pub struct Faulty {
    inner: Arc<dyn Store>,
    mode: Mutex<Mode>,
    /// What commits do once so many more were done.
    later: Mutex<Option<(usize, Mode)>>,
    loads_fail: AtomicBool,
    nothing_expires: AtomicBool,
    gate: Semaphore,
    gated: AtomicBool,
    waiting: AtomicUsize,
    commits: AtomicUsize,
    loads: AtomicUsize,
    ahead_ms: AtomicU64,
    spoiled: Mutex<HashSet<Key>>,
    met: Book,
}

impl Faulty {
    pub fn over(inner: Arc<dyn Store>) -> Faulty {
        Faulty {
            inner,
            mode: Mutex::new(Mode::Well),
            later: Mutex::new(None),
            loads_fail: AtomicBool::new(false),
            nothing_expires: AtomicBool::new(false),
            gate: Semaphore::new(0),
            gated: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            commits: AtomicUsize::new(0),
            loads: AtomicUsize::new(0),
            ahead_ms: AtomicU64::new(0),
            spoiled: Mutex::default(),
            met: Book::default(),
        }
    }

    /// The same time over another store: what a restart finds.
    pub fn reopened(&self, inner: Arc<dyn Store>) -> Faulty {
        Faulty { ahead_ms: AtomicU64::new(self.ahead_ms()), ..Faulty::over(inner) }
    }

    pub fn set(&self, mode: Mode) {
        *self.later.lock() = None;
        *self.mode.lock() = mode;
    }

    /// From the commit on that follows so many others.
    pub fn set_later(&self, commits: usize, mode: Mode) {
        *self.later.lock() = Some((self.commits() + commits, mode));
    }

    pub fn fail_loads(&self, fail: bool) {
        self.loads_fail.store(fail, Ordering::SeqCst);
    }

    /// Sessions expire by judgement alone: nothing is swept.
    pub fn never_sweep(&self) {
        self.nothing_expires.store(true, Ordering::SeqCst);
    }

    pub fn sweep_again(&self) {
        self.nothing_expires.store(false, Ordering::SeqCst);
    }

    /// The record under this key cannot be read any more, as a folder's store has it.
    pub fn spoil(&self, key: Key) {
        self.spoiled.lock().insert(key);
    }

    fn whole(&self, key: Key) -> Result<(), StoreError> {
        if !self.spoiled.lock().contains(&key) {
            return Ok(());
        }
        let damaged = StoreError::Damaged { key, what: "its checksum is wrong".to_owned() };
        self.met.note(&damaged);
        Err(damaged)
    }

    /// The store itself, behind the service's back: what another node would use.
    pub fn beneath(&self) -> &dyn Store {
        &*self.inner
    }

    /// From now on commits wait for [`Faulty::open_gate`].
    pub fn shut_gate(&self) {
        self.gated.store(true, Ordering::SeqCst);
    }

    pub fn open_gate(&self) {
        self.gated.store(false, Ordering::SeqCst);
        self.gate.add_permits(1_000_000);
    }

    /// Those who stand before the gate stay there; who comes from now on goes by.
    pub fn let_others_by(&self) {
        self.gated.store(false, Ordering::SeqCst);
    }

    /// Until so many commits stand before the gate.
    pub async fn until_waiting(&self, commits: usize) {
        until(|| self.waiting.load(Ordering::SeqCst) >= commits).await;
    }

    /// Until so many were done.
    pub async fn until_commits(&self, commits: usize) {
        until(|| self.commits() >= commits).await;
    }

    /// Takes a session out behind the service's back with its tokens, as another node would.
    pub async fn end_session(&self, session: SessionId) {
        let record = self.inner.load(Key::Session(session)).await.unwrap().unwrap();
        let mut writes = vec![Write::delete(Key::Session(session), record.version())];
        if let Record::Session(session) = record {
            writes.extend(session.tokens.tokens().map(|token| Write::delete(Key::Token(token), 1)));
        }
        self.inner.commit(writes).await.unwrap();
    }

    pub fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }

    pub fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }

    /// How far the test clock was turned.
    pub fn ahead_ms(&self) -> u64 {
        self.ahead_ms.load(Ordering::SeqCst)
    }
}

/// Lets other tasks run until it is so. What never becomes so fails the test and does not hang it.
async fn until(so: impl Fn() -> bool) {
    for _ in 0..10_000_000 {
        if so() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never happened");
}

impl Store for Faulty {
    fn load(&self, key: Key) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        if self.loads_fail.load(Ordering::SeqCst) {
            return Box::pin(async { Err(StoreError::Down("the secret address of the store".to_owned())) });
        }
        if let Err(damaged) = self.whole(key) {
            return Box::pin(async { Err(damaged) });
        }
        self.inner.load(key)
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(async move {
            if self.gated.load(Ordering::SeqCst) {
                self.waiting.fetch_add(1, Ordering::SeqCst);
                self.gate.acquire().await.unwrap().forget();
            }
            let later = self.later.lock().filter(|(commits, _)| self.commits() >= *commits);
            let mode = later.map_or(*self.mode.lock(), |(_, mode)| mode);
            match mode {
                Mode::Well => {}
                Mode::Panics => panic!("the secret address of the store"),
                Mode::Full => return Err(CommitError::Full),
                Mode::Down => {
                    return Err(StoreError::Down("the secret address of the store".to_owned()).into());
                }
                Mode::Unknown => {
                    self.inner.commit(writes).await?;
                    return Err(CommitError::Unknown("the secret address of the store".to_owned()));
                }
            }
            for write in &writes {
                self.whole(write.key)?;
            }
            self.commits.fetch_add(1, Ordering::SeqCst);
            for write in &writes {
                if let Action::Put { record: Record::Clock(clock), .. } = &write.action {
                    self.ahead_ms.store(clock.ahead_ms, Ordering::SeqCst);
                }
            }
            self.inner.commit(writes).await
        })
    }

    fn due(
        &self,
        now: Timestamp,
        after: Option<Due>,
        most: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, StoreError>> {
        if self.nothing_expires.load(Ordering::SeqCst) {
            return Box::pin(async { Ok(Vec::new()) });
        }
        self.inner.due(now, after, most)
    }

    fn list(&self, listing: Listing, most: usize) -> BoxFuture<'_, Result<Vec<Listed>, StoreError>> {
        Box::pin(async move {
            let (mut whole, mut listing) = (Vec::new(), listing);
            while whole.len() < most {
                let listed = self.inner.list(listing.clone(), most).await?;
                let Some(last) = listed.last().map(|listed| listed.record.key()) else { break };
                listing.after = Some(last.id().to_vec());
                whole.extend(listed.into_iter().filter(|listed| self.whole(listed.record.key()).is_ok()));
            }
            whole.truncate(most);
            Ok(whole)
        })
    }

    fn upkeep(&self) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.inner.upkeep()
    }

    fn count(&self) -> BoxFuture<'_, Result<Counts, StoreError>> {
        self.inner.count()
    }

    fn activity(&self) -> Activity {
        Activity { damaged: self.met.met(), ..self.inner.activity() }
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.close()
    }
}
