//! The result of `bench scale`.

use serde::{Deserialize, Serialize};

use crate::host::machine::{Machine, day};
use crate::mix::exact::Exact;

use super::load::{Footprint, in_words};
use super::numbers::{Spread, bytes, count, micros};
use super::table::Table;

/// What was measured at one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Point {
    /// The size: carts, connections or lines.
    pub(crate) size: u64,
    /// Reading a cart.
    pub(crate) read: ScaleCost,
    /// Adding a unit under a key.
    pub(crate) add: ScaleCost,
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
pub(crate) struct ScaleCost {
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
            text += &format!("\n{}", table(name, points).text());
        }
        let inexact = || self.points().filter(|point| !point.exact.holds());
        for point in inexact() {
            text += &format!("\nat {}: {}\n", count(point.size as f64), in_words(&point.exact));
        }
        if inexact().next().is_none() {
            text += "\nEvery unit whose adding was acknowledged is there, once, at each size.\n";
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

/// `of the limit`: the share of what plain axum answers in the same minute.
fn table(name: &str, points: &[Point]) -> Table {
    let mut table = Table::new(&[
        name,
        "reads/s",
        "of the limit",
        "p99",
        "adds/s",
        "of the limit",
        "p99",
        "import",
        "ready",
        "memory",
        "after",
        "disk",
    ]);
    for Point { size, read, add, import_s, before, after, .. } in points {
        let mut cells = vec![count(*size as f64)];
        for cost in [read, add] {
            let (rate, p99) = (count(cost.rate.median), micros(cost.p99_us as f64));
            cells.extend([rate, format!("{:.2}", cost.share.median), p99]);
        }
        cells.extend([format!("{import_s:.1} s"), format!("{:.0} ms", before.ready_ms)]);
        cells.extend([before.memory, after.memory, before.disk].map(|size| bytes(size as f64)));
        table.row(cells);
    }
    table
}
