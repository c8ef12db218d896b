//! What the service counts for those who watch it.

use std::sync::atomic::{AtomicU64, Ordering};

use trolley_core::account::audit::EventKind;
use trolley_store::activity::Activity;
use trolley_store::records::counts::Counts;

use crate::service::Service;
use crate::service::error::ServiceError;

/// The counters.
#[derive(Default)]
pub(crate) struct Counters {
    begun: AtomicU64,
    sweeps: AtomicU64,
    swept: AtomicU64,
    happened: [AtomicU64; EventKind::ALL.len()],
}

impl Counters {
    /// A guest has begun.
    pub(crate) fn begun(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Something happened to an account.
    pub(crate) fn happened(&self, what: EventKind) {
        if let Some(place) = EventKind::ALL.iter().position(|known| *known == what) {
            self.happened[place].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A batch of a sweep took out, or put off, so many records.
    pub(crate) fn swept(&self, records: usize) {
        self.sweeps.fetch_add(1, Ordering::Relaxed);
        self.swept.fetch_add(records as u64, Ordering::Relaxed);
    }
}

/// What the service has done since it started, and what there is now.
#[derive(Clone, Debug)]
pub struct CounterReport {
    /// Guests that have begun.
    pub begun: u64,
    /// Batches of sweeps.
    pub sweeps: u64,
    /// Records that those took out or put off.
    pub swept: u64,
    /// What happened to accounts, and how often.
    pub happened: Vec<(EventKind, u64)>,
    /// Carts that are being changed, now.
    pub lanes: u64,
    /// Event streams that are open, now.
    pub streams: u64,
    /// Records of each counted kind, now.
    pub counts: Counts,
    /// What the store says of itself.
    pub store: Activity,
}

impl Service {
    /// The report.
    pub async fn report(&self) -> Result<CounterReport, ServiceError> {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Ok(CounterReport {
            begun: read(&self.tally.begun),
            sweeps: read(&self.tally.sweeps),
            swept: read(&self.tally.swept),
            happened: EventKind::ALL.into_iter().zip(self.tally.happened.iter().map(read)).collect(),
            lanes: self.lanes.running() as u64,
            streams: self.events().open() as u64,
            counts: self.store.count().await?,
            store: self.store.activity(),
        })
    }
}
