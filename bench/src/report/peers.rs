//! The result of `bench peers`.

use serde::{Deserialize, Serialize};

use crate::host::machine::{Machine, day};

use super::numbers::{Spread, count, micros};

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
    /// What it is, with its versions.
    pub(crate) name: String,
    /// What a power cut takes of what was acknowledged.
    pub(crate) durability: String,
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
        let mut text = format!("{}\n{}\n", self.how, self.machine.in_words());
        for row in &self.rows {
            let PeerRow { name, durability, read, add, one_cart } = row;
            let speed = |speed: &Speed| {
                format!("{}/s (p99 {})", count(speed.rate.median), micros(speed.p99_us.median))
            };
            text += &format!(
                "\n{name}\n  read {}, add {}; a power cut takes {durability}\n",
                speed(read),
                speed(add)
            );
            text += &format!("  {}\n", one_cart.in_words());
        }
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

    fn in_words(&self) -> String {
        let OneCart { asked, acknowledged, refused, there, lines } = self;
        let percent = self.kept() * 100.0;
        format!(
            "{asked} adds to one cart at once: {there} there ({percent:.0} %) in {lines} lines; {acknowledged} acknowledged, {refused} refused"
        )
    }
}
