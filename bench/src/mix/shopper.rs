//! A shopper: one connection's row of steps over the visits that are its own, and the account of what was acknowledged.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::actor::{Actor, Times};
use crate::wire::answer::Answer;

use super::device::Settled;
use super::step::Step;
use super::tongue::Tongue;
use super::visit::Visit;

/// What all shoppers of a run have in common.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    /// How the server is spoken to.
    pub(crate) tongue: Tongue,
    /// The Host of each request.
    pub(crate) host: String,
    /// The steps.
    pub(crate) steps: &'static [Step],
    /// Adds go round so many lines.
    pub(crate) items: u64,
    /// How many requests all shoppers together may still begin; none: as many as there is time for.
    pub(crate) left: Option<Arc<AtomicU64>>,
    /// The beginning of every idempotency key of this run, its own.
    pub(crate) keys: String,
}

/// One connection's shopper.
pub(crate) struct Shopper {
    errand: Errand,
    /// Its number among the shoppers.
    number: usize,
    visits: Vec<Visit>,
    /// Which visit comes next.
    at: usize,
    asked: u64,
    key: String,
    /// What is under way: whose visit, and which step.
    under_way: (usize, Step),
}

impl Shopper {
    /// The shopper with this number, over `visits`.
    pub(crate) fn new(errand: Errand, number: usize, visits: Vec<Visit>) -> Shopper {
        Shopper { errand, number, visits, at: 0, asked: 0, key: String::new(), under_way: (0, Step::Read) }
    }

    /// Its visits, with what was acknowledged.
    pub(crate) fn into_visits(self) -> Vec<Visit> {
        self.visits
    }

    /// The session that it spoke for last.
    pub(crate) fn session(&self) -> usize {
        self.visits[self.under_way.0].session
    }

    fn may_begin(&self) -> bool {
        let Some(left) = &self.errand.left else { return true };
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

impl Actor for Shopper {
    fn ask(&mut self, out: &mut Vec<u8>) -> bool {
        if !self.may_begin() {
            return false;
        }
        let at = self.at;
        self.at = (at + 1) % self.visits.len();
        let visit = &mut self.visits[at];
        let step = self.errand.steps[visit.step % self.errand.steps.len()];
        visit.step += 1;
        self.asked += 1;
        self.key.clear();
        // A string takes everything.
        let _ = write!(self.key, "{}-{}-{}", self.errand.keys, self.number, self.asked);
        let item = visit.step as u64 % self.errand.items;
        self.errand.tongue.put(out, &self.errand.host, visit, step, item, &self.key);
        self.under_way = (at, step);
        true
    }

    fn take(&mut self, answer: &Answer<'_>, _times: Times) -> bool {
        let (at, step) = self.under_way;
        let visit = &mut self.visits[at];
        if step == Step::Badge || step == Step::Checkout {
            visit.etag = answer.header("etag").map(str::to_owned).or(visit.etag.take());
        }
        if step == Step::Sync {
            return synced(visit, answer);
        }
        if !self.errand.tongue.is_good(step, answer) {
            return false;
        }
        match step {
            Step::Badge | Step::Read | Step::Sync => true,
            Step::Add | Step::AddKeyed => {
                visit.acknowledged += step.units();
                true
            }
            Step::Checkout => {
                let ordered = answer.json().and_then(|body| body.pointer("/order/quantity")?.as_u64());
                visit.ordered += ordered.unwrap_or_default();
                ordered.is_some()
            }
        }
    }

    fn lose(&mut self) {
        let (at, step) = self.under_way;
        let visit = &mut self.visits[at];
        visit.unknown += if step == Step::Sync { visit.device.lose() } else { step.units() };
        visit.unsure |= step == Step::Checkout;
    }
}

/// Counts what a device's call did.
fn synced(visit: &mut Visit, answer: &Answer<'_>) -> bool {
    let Some(Settled { units, known }) = visit.device.take(answer) else { return false };
    visit.unknown -= known;
    visit.acknowledged += units;
    units == Step::Sync.units()
}
