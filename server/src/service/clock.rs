//! The server's clock: the system's, or for integrators' own tests one that can be turned ahead. It has two parts: the wall
//! clock, by which things are stored and shown, and one that only goes on, by which spans are measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(target_os = "linux")]
use rustix::time::{ClockId, clock_gettime};
use trolley_core::time::{Span, Timestamp};
use trolley_store::port::{CommitError, Store, StoreError, Write};
use trolley_store::records::own::Clock as Turned;
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::error::ServiceError;
use crate::service::running::Running;

/// What tells the time.
#[derive(Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// The system's clock and so many milliseconds more; the number is kept in the store, so that a restart keeps it.
    Test(AtomicU64),
    /// A day in 2026 and so many milliseconds more: it stands still but for being turned, for tests that count milliseconds.
    Still(AtomicU64),
    /// Both parts are set by hand, for tests of what a wall clock does that is set.
    Set(Arc<Hands>),
}

/// A clock's two parts, moved apart.
#[derive(Debug)]
pub struct Hands {
    wall_ms: AtomicU64,
    running_ms: AtomicU64,
}

impl Default for Hands {
    fn default() -> Hands {
        Hands { wall_ms: AtomicU64::new(STILL_MS), running_ms: AtomicU64::new(BEGAN_MS) }
    }
}

impl Hands {
    /// Time passes.
    pub fn pass(&self, by: Span) {
        self.running_ms.fetch_add(by.as_ms(), Ordering::Relaxed);
        self.wall_ms.fetch_add(by.as_ms(), Ordering::Relaxed);
    }

    /// The wall clock is set ahead, or back; no time passes.
    pub fn set(&self, by_ms: i64) {
        let wall_ms = self.wall_ms.load(Ordering::Relaxed).saturating_add_signed(by_ms);
        self.wall_ms.store(wall_ms, Ordering::Relaxed);
    }

    /// Another process begins: its clock that only goes on begins anew.
    pub fn restart(&self) {
        self.running_ms.store(BEGAN_MS, Ordering::Relaxed);
    }
}

/// 2026-11-23T00:00:00Z.
const STILL_MS: u64 = 1_795_392_000_000;
/// Where the clock that only goes on begins: ten years after its zero, so that what never was is long ago.
const BEGAN_MS: u64 = Span::from_days(3_650).as_ms();

impl Clock {
    /// A clock that can be turned, as far ahead as the store says it was.
    pub async fn turned(store: &dyn Store) -> Result<Clock, StoreError> {
        let ahead_ms = match store.load(Key::CLOCK).await? {
            Some(Record::Clock(clock)) => clock.ahead_ms,
            Some(_) | None => 0,
        };
        Ok(Clock::Test(AtomicU64::new(ahead_ms)))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.read().0
    }

    /// The time by the part that only goes on.
    pub fn running(&self) -> Running {
        self.read().1
    }

    /// Both parts at once: to turn the clock between two looks would seem to be a step.
    pub fn read(&self) -> (Timestamp, Running) {
        let ahead = |ahead_ms: &AtomicU64| Span::from_ms(ahead_ms.load(Ordering::Relaxed));
        let (began, by) = match self {
            Clock::System => ((system(), goes_on()), Span::default()),
            Clock::Test(ahead_ms) => ((system(), goes_on()), ahead(ahead_ms)),
            Clock::Still(ahead_ms) => {
                ((Timestamp::from_ms(STILL_MS), Running::from_ms(BEGAN_MS)), ahead(ahead_ms))
            }
            Clock::Set(hands) => {
                let at = |hand: &AtomicU64| hand.load(Ordering::Relaxed);
                let wall = Timestamp::from_ms(at(&hands.wall_ms));
                ((wall, Running::from_ms(at(&hands.running_ms))), Span::default())
            }
        };
        (began.0 + by, began.1 + by)
    }
}

fn goes_on() -> Running {
    Running::from_ms(BEGAN_MS) + Span::from_ms(u64::try_from(since_boot().as_millis()).unwrap_or(u64::MAX))
}

/// The time in which the machine slept counts: it is no step of the wall clock, and whoever was idle was so then too.
#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    static STARTED: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    STARTED.elapsed()
}

fn system() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

impl Service {
    /// Turns a test clock ahead, for good: it is stored first. Then everything that has expired by the new time leaves.
    /// None where the clock is the system's.
    pub async fn turn_clock(&self, by: Span) -> Result<Option<Timestamp>, ServiceError> {
        match &self.clock {
            Clock::System => return Ok(None),
            Clock::Test(ahead_ms) | Clock::Still(ahead_ms) => {
                let turned = self.store_turn(by).await?;
                ahead_ms.fetch_max(turned, Ordering::Relaxed);
            }
            Clock::Set(hands) => hands.pass(by),
        }
        while self.sweep().await? {}
        self.judge_streams().await;
        Ok(Some(self.now()))
    }

    async fn store_turn(&self, by: Span) -> Result<u64, ServiceError> {
        for _ in 0..self.settings.bounds.commit_tries {
            let before = match self.store.load(Key::CLOCK).await? {
                Some(Record::Clock(clock)) => Some(clock),
                Some(_) | None => None,
            };
            let ahead_ms = before.as_ref().map_or(0, |clock| clock.ahead_ms).saturating_add(by.as_ms());
            let version = before.as_ref().map_or(0, |clock| clock.version) + 1;
            let record = Record::from(Turned { version, ahead_ms });
            let write = match before {
                Some(clock) => Write::swap(clock.version, record, None),
                None => Write::create(record, None),
            };
            match self.commit(vec![write]).await {
                Ok(()) => return Ok(ahead_ms),
                Err(CommitError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(ServiceError::Busy)
    }
}
