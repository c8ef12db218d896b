//! Runs in turns: the limit server, the server, the limit server again, so that what the machine does besides hits both.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::engine::actor::Actor;
use crate::engine::pace::Pace;
use crate::engine::tally::Tally;
use crate::engine::{self, Workload};
use crate::mix::shopper::{Errand, Shopper};
use crate::mix::step::Step;
use crate::mix::tongue::Tongue;
use crate::mix::visit::{Visit, share};
use crate::report::numbers::count;

use super::asked::Runs;
use super::progress::Progress;

/// What each run does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// How the server is spoken to.
    pub(crate) tongue: Tongue,
    /// The steps.
    pub(crate) steps: &'static [Step],
    /// Adds go round so many lines.
    pub(crate) items: u64,
    /// How requests follow each other.
    pub(crate) pace: Pace,
}

/// A server and the sessions that speak to it.
#[derive(Debug)]
pub(crate) struct Side {
    /// Its name in the report.
    pub(crate) name: &'static str,
    /// Where it is.
    pub(crate) address: SocketAddr,
    /// The sessions, shared out to connections; each keeps its account from run to run.
    pub(crate) shares: Vec<Vec<Visit>>,
    /// What each run counted.
    pub(crate) tallies: Vec<Tally>,
    /// How many runs began: no two have an idempotency key in common, also where tallies are taken away.
    begun: u64,
}

impl Side {
    /// A side over these sessions.
    pub(crate) fn new(
        name: &'static str,
        address: SocketAddr,
        sessions: &[Visit],
        connections: usize,
    ) -> Side {
        Side { name, address, shares: share(sessions, connections), tallies: Vec::new(), begun: 0 }
    }

    /// One run. `left` bounds the number of requests.
    pub(crate) fn run(
        &mut self,
        work: &Work,
        runs: &Runs,
        left: Option<u64>,
        progress: &mut Progress,
    ) -> io::Result<()> {
        self.begun += 1;
        let errand = Errand {
            tongue: work.tongue,
            host: self.address.to_string(),
            steps: work.steps,
            items: work.items.max(1),
            left: left.map(|left| Arc::new(AtomicU64::new(left))),
            // Its own in every run, also of another process.
            keys: format!("{:x}-{}", started_at(), self.begun),
        };
        let mut shoppers: Vec<Shopper> = std::mem::take(&mut self.shares)
            .into_iter()
            .enumerate()
            .map(|(number, visits)| Shopper::new(errand.clone(), number, visits))
            .collect();
        let load = Workload {
            address: self.address,
            threads: runs.threads as usize,
            pace: work.pace,
            warm_up: runs.warm_up,
            length: runs.length,
        };
        let mut told = (0.0, 0);
        let (name, run) = (self.name, self.begun);
        let tally = {
            let mut actors: Vec<&mut dyn Actor> =
                shoppers.iter_mut().map(|shopper| shopper as &mut dyn Actor).collect();
            engine::run(&load, &mut actors, |part, answers| {
                progress.within(part);
                if part - told.0 >= 0.05 {
                    let seconds = (part - told.0) * (load.warm_up + load.length).as_secs_f64();
                    let rate = (answers - told.1) as f64 / seconds;
                    progress.says(format!("{name}, run {run}: {}/s", count(rate)));
                    told = (part, answers);
                }
            })?
        };
        progress.next();
        self.shares = shoppers.into_iter().map(Shopper::into_visits).collect();
        self.tallies.push(tally);
        Ok(())
    }

    /// All its visits, with their accounts.
    pub(crate) fn visits(&self) -> impl Iterator<Item = &Visit> {
        self.shares.iter().flatten()
    }
}

/// Nanoseconds of the clock when this was first asked: tells processes apart.
fn started_at() -> u64 {
    use std::sync::OnceLock;
    use std::time::{SystemTime, UNIX_EPOCH};
    static AT: OnceLock<u64> = OnceLock::new();
    *AT.get_or_init(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_nanos() as u64 ^ u64::from(std::process::id())
    })
}
