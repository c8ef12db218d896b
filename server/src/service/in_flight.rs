//! What is under way by itself, so that the end can wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Counts it.
#[derive(Default)]
pub(crate) struct InFlight {
    running: AtomicUsize,
    idle: Notify,
}

/// One thing that is under way until this is dropped.
pub(crate) struct InFlightGuard(Arc<InFlight>);

impl InFlight {
    /// One more begins.
    pub(crate) fn begin(self: &Arc<Self>) -> InFlightGuard {
        self.running.fetch_add(1, Ordering::AcqRel);
        InFlightGuard(Arc::clone(self))
    }

    /// How many there are.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::Acquire)
    }

    /// Waits until there is none.
    pub(crate) async fn idle(&self) {
        loop {
            let idle = self.idle.notified();
            if self.running() == 0 {
                return;
            }
            idle.await;
        }
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}
