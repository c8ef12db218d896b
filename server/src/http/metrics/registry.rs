//! What HTTP counts for those who watch it: requests, how long they took and how large they were by route, and refusals by
//! code. No label tells of anybody: no address, no session, no path but the route's pattern.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::http::{Method, StatusCode};
use parking_lot::Mutex;

use crate::http::problem::code::Code;

/// The methods that are told apart; whatever else comes counts as the last.
pub const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];
/// The classes of statuses.
pub const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// Upper bounds of how long an answer took, in microseconds.
const BOUNDS_US: [u64; 14] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    10_000_000,
];
/// Upper bounds of how large a body was, in bytes.
const BOUNDS_BYTES: [u64; 6] = [256, 1_024, 4_096, 16_384, 65_536, 262_144];
/// Routes that are told apart. There are as many as the router has; the bound is for what nobody thought of.
const ROUTES_MAX: usize = 256;

/// The counters of one process.
pub struct Metrics {
    routes: Mutex<BTreeMap<Box<str>, Arc<RouteMetrics>>>,
    refusals: Vec<AtomicU64>,
}

/// What was counted of one route, by method.
#[derive(Default)]
pub struct RouteMetrics([OnceLock<Box<RouteCounters>>; METHODS.len()]);

/// What was counted of one method of a route.
pub struct RouteCounters {
    /// Answers by the class of their status.
    pub answers: [AtomicU64; CLASSES.len()],
    /// How long they took, in microseconds.
    pub us: Histogram,
    /// How large the requests' bodies were, where they said so.
    pub request_bytes: Histogram,
    /// How large the answers' bodies were; streams have no size.
    pub response_bytes: Histogram,
}

/// Values by size.
pub struct Histogram {
    /// Upper bounds, rising.
    pub bounds: &'static [u64],
    /// How many values were within each bound and above the one before; the last is above all.
    pub counts: Box<[AtomicU64]>,
    /// All values together.
    pub sum: AtomicU64,
}

impl Metrics {
    /// Nothing was counted yet.
    pub fn new() -> Metrics {
        Metrics { routes: Mutex::default(), refusals: Code::ALL.iter().map(|_| AtomicU64::new(0)).collect() }
    }

    /// The counters of the route of this pattern.
    pub fn route(&self, pattern: &str) -> Arc<RouteMetrics> {
        let mut routes = self.routes.lock();
        let pattern =
            if routes.len() < ROUTES_MAX || routes.contains_key(pattern) { pattern } else { "other" };
        Arc::clone(routes.entry(pattern.into()).or_default())
    }

    /// A request was refused with this code.
    pub fn refused(&self, code: Code) {
        if let Some(count) = self.refusals.get(code as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Every method of every route that was asked.
    pub fn tallies(&self, mut each: impl FnMut(&str, &'static str, &RouteCounters)) {
        for (pattern, route) in &*self.routes.lock() {
            for (method, tally) in METHODS.iter().zip(&route.0) {
                tally.get().into_iter().for_each(|tally| each(pattern, method, tally));
            }
        }
    }

    /// How often each code was the answer.
    pub fn refusals(&self) -> impl Iterator<Item = (Code, u64)> {
        Code::ALL.iter().copied().zip(self.refusals.iter().map(|count| count.load(Ordering::Relaxed)))
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

impl RouteMetrics {
    /// Counts an answer.
    pub fn count(&self, method: &Method, status: StatusCode, us: u64, sizes: (Option<u64>, Option<u64>)) {
        let tally = self.0[index(method)].get_or_init(Box::default);
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        tally.answers[class].fetch_add(1, Ordering::Relaxed);
        tally.us.add(us);
        sizes.0.into_iter().for_each(|bytes| tally.request_bytes.add(bytes));
        sizes.1.into_iter().for_each(|bytes| tally.response_bytes.add(bytes));
    }
}

fn index(method: &Method) -> usize {
    METHODS.iter().position(|known| *known == method.as_str()).unwrap_or(METHODS.len() - 1)
}

impl Default for RouteCounters {
    fn default() -> RouteCounters {
        RouteCounters {
            answers: Default::default(),
            us: Histogram::new(&BOUNDS_US),
            request_bytes: Histogram::new(&BOUNDS_BYTES),
            response_bytes: Histogram::new(&BOUNDS_BYTES),
        }
    }
}

impl Histogram {
    fn new(bounds: &'static [u64]) -> Histogram {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Histogram { bounds, counts, sum: AtomicU64::new(0) }
    }

    fn add(&self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        self.counts[place].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }
}
