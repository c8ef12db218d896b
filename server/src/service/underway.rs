//! What is under way by itself, so that the end can wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Counts it.
#[derive(Default)]
pub(super) struct Underway {
    running: AtomicUsize,
    idle: Notify,
}

/// One thing that is under way until this is dropped.
pub(super) struct Begun(Arc<Underway>);

impl Underway {
    /// One more begins.
    pub(super) fn begin(self: &Arc<Self>) -> Begun {
        self.running.fetch_add(1, Ordering::AcqRel);
        Begun(Arc::clone(self))
    }

    /// How many there are.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::Acquire)
    }

    /// Waits until there is none.
    pub(super) async fn idle(&self) {
        loop {
            let idle = self.idle.notified();
            if self.running() == 0 {
                return;
            }
            idle.await;
        }
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}
