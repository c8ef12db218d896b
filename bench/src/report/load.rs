//! The result of `bench load`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::tally::{STEP, Tally};
use crate::host::child::Server;
use crate::host::folder::bytes_in;
use crate::host::machine::{Machine, day};
use crate::mix::exact::Exact;

use super::numbers::{Latency, Spread, bytes, count, micros};

/// One run against one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    /// Answers a second.
    pub(crate) rate: f64,
    /// Answers.
    pub(crate) answers: u64,
    /// Answers by status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Answers that were not what was asked for.
    pub(crate) refused: u64,
    /// Requests without an answer.
    pub(crate) lost: u64,
    /// Requests that were due and could not begin in time.
    pub(crate) unsent: u64,
    /// From when each request should have begun.
    pub(crate) latency_us: Latency,
    /// Answers a second, one number a step.
    pub(crate) timeline: Vec<f64>,
}

impl Run {
    /// What a run of this length counted.
    pub(crate) fn new(tally: &Tally, length: Duration) -> Run {
        let per_second = 1.0 / STEP.as_secs_f64();
        Run {
            rate: tally.answers() as f64 / length.as_secs_f64(),
            answers: tally.answers(),
            statuses: tally.statuses.clone(),
            refused: tally.refused,
            lost: tally.lost,
            unsent: tally.unsent,
            latency_us: Latency::of(&tally.latency),
            timeline: tally.timeline.iter().map(|answers| *answers as f64 * per_second).collect(),
        }
    }
}

/// All runs against one server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Series {
    /// What it is.
    pub(crate) name: String,
    /// Answers a second.
    pub(crate) rate: Spread,
    /// The median latency, over the runs.
    pub(crate) p50_us: Spread,
    /// The 99th percentile, over the runs.
    pub(crate) p99_us: Spread,
    /// All runs' latencies together: percentiles are never averaged.
    pub(crate) latency_us: Latency,
    /// The runs, in their order.
    pub(crate) runs: Vec<Run>,
}

impl Series {
    /// Of these runs.
    pub(crate) fn new(name: &str, tallies: &[Tally], length: Duration) -> Series {
        let runs: Vec<Run> = tallies.iter().map(|tally| Run::new(tally, length)).collect();
        let mut together = Tally::new();
        tallies.iter().for_each(|tally| together.add(tally));
        Series {
            name: name.to_owned(),
            rate: Spread::of(runs.iter().map(|run| run.rate)),
            p50_us: Spread::of(runs.iter().map(|run| run.latency_us.p50 as f64)),
            p99_us: Spread::of(runs.iter().map(|run| run.latency_us.p99 as f64)),
            latency_us: Latency::of(&together.latency),
            runs,
        }
    }

    /// In one line.
    pub(crate) fn in_words(&self) -> String {
        let Spread { median, least, most } = self.rate;
        let mut line = format!(
            "{:<10} {:>9}/s ({} to {})   p50 {:>8}   p99 {:>8}   p99.9 {:>8}",
            self.name,
            count(median),
            count(least),
            count(most),
            micros(self.p50_us.median),
            micros(self.p99_us.median),
            micros(self.latency_us.p99_9 as f64),
        );
        let sum = |of: fn(&Run) -> u64| self.runs.iter().map(of).sum::<u64>();
        for (many, what) in [
            (sum(|run| run.refused), "refused"),
            (sum(|run| run.lost), "lost"),
            (sum(|run| run.unsent), "not begun in time"),
        ] {
            if many > 0 {
                line += &format!("   {} {what}", count(many as f64));
            }
        }
        line
    }
}

/// The whole result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LoadReport {
    /// `load`.
    pub(crate) what: String,
    /// When it ended.
    pub(crate) at: String,
    /// Where.
    pub(crate) machine: Machine,
    /// The command, so that it can be repeated.
    pub(crate) command: String,
    /// What was asked.
    pub(crate) mix: String,
    /// How: connections, sessions, lines, pace, seconds.
    pub(crate) how: String,
    /// The server.
    pub(crate) server: Series,
    /// The limit server, in turns with it.
    pub(crate) limit: Option<Series>,
    /// The server's rate as a share of the limit's: the median over the pairs of runs.
    pub(crate) share: Option<Spread>,
    /// Whether everything that was acknowledged is there, once.
    pub(crate) exact: Exact,
    /// What the server takes up after the runs, where we started it.
    pub(crate) server_after: Option<Footprint>,
}

/// What a server takes up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Footprint {
    /// From its start until it served.
    pub(crate) ready_ms: f64,
    /// Bytes of memory in use.
    pub(crate) memory: u64,
    /// Bytes of its folder.
    pub(crate) disk: u64,
}

impl Footprint {
    /// Of a server with its store in `folder`, now.
    pub(crate) fn of(server: &Server, folder: &Path) -> Footprint {
        let ready_ms = server.ready_after.as_secs_f64() * 1000.0;
        Footprint { ready_ms, memory: server.memory(), disk: bytes_in(folder) }
    }

    /// In one line.
    pub(crate) fn in_words(&self) -> String {
        let (memory, disk) = (bytes(self.memory as f64), bytes(self.disk as f64));
        format!("ready after {:.0} ms, memory {memory}, disk {disk}", self.ready_ms)
    }
}

impl LoadReport {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}: {}\n{}\n", self.mix, self.how, self.machine.in_words());
        for series in self.limit.iter().chain([&self.server]) {
            text += &format!("{}\n", series.in_words());
        }
        if let Some(Spread { median, least, most }) = self.share {
            text += &format!("share of the limit: {median:.2} ({least:.2} to {most:.2})\n");
        }
        text += &in_words(&self.exact);
        self.server_after.map_or(text.clone(), |after| text + "\n" + &after.in_words())
    }

    /// Under a chart.
    pub(crate) fn caption(&self) -> String {
        format!("{}. {}.", day(&self.at), self.machine.in_words())
    }
}

/// The account, in one line.
pub(crate) fn in_words(exact: &Exact) -> String {
    let number = |number: u64| count(number as f64);
    let ordered = if exact.ordered > 0 {
        format!(", {} left with orders", number(exact.ordered))
    } else {
        String::new()
    };
    let unknown =
        if exact.unknown > 0 { format!(", {} unanswered", number(exact.unknown)) } else { String::new() };
    let found = if exact.holds() {
        "all there, once".to_owned()
    } else {
        format!("{} MISSING, {} TOO MANY", number(exact.missing), number(exact.extra))
    };
    format!(
        "{} units acknowledged in {} carts{ordered}{unknown}: {found}",
        number(exact.acknowledged),
        number(exact.carts)
    )
}
