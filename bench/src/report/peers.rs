//! The result of `bench peers`.

use serde::{Deserialize, Serialize};

use crate::host::machine::{Machine, day};

use super::numbers::{Spread, count, micros};
use super::table::Table;

/// What one kind of request reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Speed {
    /// Answers a second.
    pub(crate) rate: Spread,
    /// The 99th percentile, over the runs, in microseconds.
    pub(crate) p99_us: Spread,
}

/// Many adds of one unit to one cart, at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OneCart {
    /// How many were asked for.
    pub(crate) asked: u64,
    /// How many were answered as done.
    pub(crate) acknowledged: u64,
    /// How many were refused, or failed.
    pub(crate) refused: u64,
    /// How many units of them are there.
    pub(crate) there: u64,
    /// In how many lines: one would be right.
    pub(crate) lines: u64,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PeerRow {
    /// What it is, with its version.
    pub(crate) name: String,
    /// What it stands on, with versions.
    pub(crate) with: String,
    /// What a power cut takes of what was acknowledged.
    pub(crate) loses: String,
    /// Reading a cart.
    pub(crate) read: Speed,
    /// Adding a unit.
    pub(crate) add: Speed,
    /// The exactness.
    pub(crate) one_cart: OneCart,
}

/// A peer that could not be measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Missing {
    /// Which.
    pub(crate) name: String,
    /// Why.
    pub(crate) why: String,
}

/// The whole result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PeersReport {
    /// `peers`.
    pub(crate) what: String,
    /// When it ended.
    pub(crate) at: String,
    /// Where.
    pub(crate) machine: Machine,
    /// The command, so that it can be repeated.
    pub(crate) command: String,
    /// How, in words.
    pub(crate) how: String,
    /// Trolley first.
    pub(crate) rows: Vec<PeerRow>,
    /// What could not be measured.
    pub(crate) missing: Vec<Missing>,
}

impl PeersReport {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n{}\n\n", self.how, self.machine.in_words());
        let mut speeds = Table::new(&["", "adds/s", "p99", "reads/s", "p99", "a power cut takes"]);
        for row in &self.rows {
            let PeerRow { name, with, loses, read, add, .. } = row;
            let [(adds, adds_p99), (reads, reads_p99)] =
                [add, read].map(|speed| (count(speed.rate.median), micros(speed.p99_us.median)));
            speeds.row([format!("{name} ({with})"), adds, adds_p99, reads, reads_p99, loses.clone()]);
        }
        text += &speeds.text();
        let asked = self.rows.first().map_or(0, |row| row.one_cart.asked);
        text += &format!("\n{} adds to one cart:\n", count(asked as f64));
        let mut carts = Table::new(&["", "there", "", "lines", "acknowledged", "refused or lost"]);
        for PeerRow { name, with, one_cart, .. } in &self.rows {
            let OneCart { acknowledged, refused, there, lines, .. } = *one_cart;
            let [there, lines, acknowledged, refused] =
                [there, lines, acknowledged, refused].map(|number| count(number as f64));
            let percent = format!("{:.1} %", one_cart.kept() * 100.0);
            carts.row([format!("{name} ({with})"), there, percent, lines, acknowledged, refused]);
        }
        text += &carts.text();
        for Missing { name, why } in &self.missing {
            text += &format!("\n{name}: not measured: {why}\n");
        }
        text.trim_end().to_owned()
    }

    /// Under a chart.
    pub(crate) fn caption(&self) -> String {
        format!("{}. {}.", day(&self.at), self.machine.in_words())
    }
}

impl OneCart {
    /// How much of what was asked for is there, from 0 to 1 (and above, where some came twice).
    pub(crate) fn kept(&self) -> f64 {
        self.there as f64 / self.asked.max(1) as f64
    }

    /// Whether what was acknowledged is there in one line, and nothing else but what may have been lost on its way back.
    pub(crate) fn is_exact(&self) -> bool {
        self.lines == 1 && (self.acknowledged..=self.acknowledged + self.refused).contains(&self.there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cart_is_exact_where_what_was_acknowledged_is_there_in_one_line() {
        let cart = |acknowledged, there, lines| {
            let refused = 10 - acknowledged;
            OneCart { asked: 10, acknowledged, refused, there, lines }
        };
        assert!(cart(10, 10, 1).is_exact() && cart(9, 9, 1).is_exact() && cart(9, 10, 1).is_exact());
        assert!(!cart(10, 9, 1).is_exact() && !cart(10, 11, 1).is_exact() && !cart(10, 10, 2).is_exact());
    }
}
