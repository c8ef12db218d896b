//! The result of `bench scale`.

use serde::{Deserialize, Serialize};

use crate::host::machine::{Machine, day};
use crate::mix::exact::Exact;

use super::load::{Footprint, in_words};
use super::numbers::{Spread, bytes, count, micros};

/// What was measured at one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Point {
    /// The size: carts, connections or lines.
    pub(crate) size: u64,
    /// Reading a cart.
    pub(crate) read: Cost,
    /// Adding a unit under a key.
    pub(crate) add: Cost,
    /// What the import of the store took.
    pub(crate) import_s: f64,
    /// What the server takes up before the runs.
    pub(crate) before: Footprint,
    /// What it takes up after them.
    pub(crate) after: Footprint,
    /// Whether everything that was acknowledged is there, once.
    pub(crate) exact: Exact,
}

/// What one kind of request costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Answers a second.
    pub(crate) rate: Spread,
    /// The limit server's, in turns with it.
    pub(crate) limit: Spread,
    /// The share of the limit, over the pairs of runs.
    pub(crate) share: Spread,
    /// The 99th percentile of all runs, in microseconds.
    pub(crate) p99_us: u64,
}

/// The whole result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScaleReport {
    /// `scale`.
    pub(crate) what: String,
    /// When it ended.
    pub(crate) at: String,
    /// Where.
    pub(crate) machine: Machine,
    /// The command, so that it can be repeated.
    pub(crate) command: String,
    /// How, in words.
    pub(crate) how: String,
    /// More and more carts at rest.
    pub(crate) carts: Vec<Point>,
    /// More and more connections.
    pub(crate) connections: Vec<Point>,
    /// More and more lines in each cart.
    pub(crate) lines: Vec<Point>,
}

impl ScaleReport {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n{}\n", self.how, self.machine.in_words());
        for (name, points) in
            [("carts", &self.carts), ("connections", &self.connections), ("lines", &self.lines)]
        {
            for point in points {
                text += &point.in_words(name);
            }
        }
        text.trim_end().to_owned()
    }

    /// Under a chart.
    pub(crate) fn caption(&self) -> String {
        format!("{}. {}.", day(&self.at), self.machine.in_words())
    }

    /// Every point.
    pub(crate) fn points(&self) -> impl Iterator<Item = &Point> {
        self.carts.iter().chain(&self.connections).chain(&self.lines)
    }
}

impl Point {
    fn in_words(&self, name: &str) -> String {
        let cost = |cost: &Cost| {
            let (rate, p99) = (count(cost.rate.median), micros(cost.p99_us as f64));
            format!("{rate}/s ({:.2} of the limit), p99 {p99}", cost.share.median)
        };
        let (size, read, add) = (count(self.size as f64), cost(&self.read), cost(&self.add));
        let (ready, before, after) = (self.before.ready_ms, self.before, self.after);
        let memory = format!("{} to {}", bytes(before.memory as f64), bytes(after.memory as f64));
        let disk = bytes(before.disk as f64);
        let imported = self.import_s;
        format!(
            "{size:>10} {name}: read {read}; add {add}\n           imported in {imported:.1} s, ready after {ready:.0} ms, memory {memory}, disk {disk}; {}\n",
            in_words(&self.exact)
        )
    }
}
