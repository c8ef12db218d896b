//! What the service keeps to: core's policy and limits, and the bounds of its own queues.

use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::Policy as MergePolicy;
use trolley_core::session::Policy;
use trolley_core::time::Span;

use super::hashing::Cost;

/// Everything the service was told.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How long sessions live.
    pub policy: Policy,
    /// How large carts grow.
    pub limits: Limits,
    /// What one address may do is limited.
    pub rate_limits: bool,
    /// How long queues grow.
    pub bounds: Bounds,
    /// How a guest's cart comes into an account's, where the sign-in does not say.
    pub merge: MergePolicy,
    /// How long it is told what happened.
    pub audit: AuditFor,
    /// What the hash of a password costs.
    pub hashing: Cost,
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
