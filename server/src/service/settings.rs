//! What the service keeps to: core's policy and limits, and the bounds of its own queues.

use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::MergePolicy;
use trolley_core::session::SessionPolicy;
use trolley_core::time::Span;

use crate::service::account::hashing::Cost;

/// Everything the service was told.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How long sessions live.
    pub policy: SessionPolicy,
    /// How large carts grow.
    pub limits: Limits,
    /// What one address may do is limited.
    pub rate_limits: bool,
    /// What may be asked of the store, where it is.
    pub rates: Rates,
    /// How much is kept of what nobody asks for any more, and for how long.
    pub keeping: Keeping,
    /// How long queues grow.
    pub bounds: Bounds,
    /// How a guest's cart comes into an account's, where the sign-in does not say.
    pub merge: MergePolicy,
    /// How long it is told what happened.
    pub audit: AuditFor,
    /// What the hash of a password costs.
    pub hashing: Cost,
}

/// How often what makes the store grow may be done (SESSION.md, S39).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Orders of one cart in a minute.
    pub checkouts_per_minute: u32,
    /// Orders of one cart in a day.
    pub checkouts_per_day: u32,
    /// Writes under an idempotency key of one session in a minute.
    pub keyed_writes_per_minute: u32,
    /// Sign-ins of one account in an hour, with the right password.
    pub sign_ins_per_hour: u32,
    /// Sign-ups from one address in an hour.
    pub sign_ups_per_hour: u32,
    /// Megabytes that the guests of one address bring in a day.
    pub mb_per_day: u32,
    /// Megabytes that one account brings in a day.
    pub account_mb_per_day: u32,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates {
            checkouts_per_minute: 10,
            checkouts_per_day: 200,
            keyed_writes_per_minute: 600,
            sign_ins_per_hour: 30,
            sign_ups_per_hour: 20,
            mb_per_day: 1_024,
            account_mb_per_day: 16,
        }
    }
}

/// How much is kept of what nobody asks for any more, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// Guests that were never seen again; past it the oldest leave first, but none within its first day.
    pub guests_unproven: u64,
    /// Orders.
    pub orders: Span,
}

impl Default for Keeping {
    fn default() -> Keeping {
        Keeping { guests_unproven: 1_000_000, orders: Span::from_days(2 * 365) }
    }
}

/// How long it is kept what happened to accounts and sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditFor {
    /// The events of all accounts. A trail is bounded by its rows.
    pub events: Span,
    /// The addresses in both.
    pub addresses: Span,
}

impl Default for AuditFor {
    fn default() -> AuditFor {
        AuditFor { events: Span::from_days(90), addresses: Span::from_days(30) }
    }
}

/// The bounds of what the service holds in memory. A load test chose them; no shop needs to.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Changes of one cart that wait for their turn; one more is refused as busy.
    pub lane_waiting: usize,
    /// Changes of one cart within one commit.
    pub lane_batch: usize,
    /// How often a batch is decided anew because another node changed the cart, before it is refused as busy.
    pub commit_tries: usize,
    /// Event streams of one session.
    pub session_streams: usize,
    /// Event streams from one address, where the rate limits are on.
    pub address_streams: usize,
    /// Sessions whose last-seen is remembered to the millisecond.
    pub seen_sessions: usize,
    /// Sessions that are recognised without the store.
    pub warm_sessions: usize,
    /// Sessions that leave, or are written down as seen, within one commit.
    pub sweep_batch: usize,
    /// Passwords that wait to be hashed; one more is refused as overloaded.
    pub hashes_waiting: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            lane_waiting: 1_024,
            lane_batch: 256,
            commit_tries: 8,
            session_streams: 16,
            address_streams: 512,
            seen_sessions: 1 << 18,
            warm_sessions: 1 << 16,
            sweep_batch: 100,
            hashes_waiting: 64,
        }
    }
}
