//! The result of `bench batch`.

use serde::{Deserialize, Serialize};

use crate::host::machine::Machine;

use super::numbers::{Spread, count, micros};

/// What a number of changes cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// By the clock, on the client's side.
    pub(crate) wall_ms: f64,
    /// Of the server's processor time, in the program and in the kernel.
    pub(crate) cpu_ms: f64,
}

/// Both, in turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Round {
    /// All in one call.
    pub(crate) batch: Cost,
    /// Each in a call of its own.
    pub(crate) single: Cost,
}

/// The whole result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BatchReport {
    /// `batch`.
    pub(crate) what: String,
    /// When it ended.
    pub(crate) at: String,
    /// Where.
    pub(crate) machine: Machine,
    /// The command, so that it can be repeated.
    pub(crate) command: String,
    /// How, in words.
    pub(crate) how: String,
    /// One call, by the clock.
    pub(crate) batch_wall_ms: Spread,
    /// The single calls, by the clock.
    pub(crate) single_wall_ms: Spread,
    /// One call, the server's processor time.
    pub(crate) batch_cpu_ms: Spread,
    /// The single calls, the server's processor time.
    pub(crate) single_cpu_ms: Spread,
    /// How many times less one call takes by the clock, over the rounds.
    pub(crate) wall_ratio: Spread,
    /// How many times less processor time it takes, over the rounds that are long enough for that to be told.
    pub(crate) cpu_ratio: Spread,
    /// The rounds, in order.
    pub(crate) rounds: Vec<Round>,
    /// Units whose adding was acknowledged.
    pub(crate) acknowledged: u64,
    /// Units that are in the cart.
    pub(crate) there: u64,
}

impl BatchReport {
    /// Of these rounds.
    pub(crate) fn new(
        at: String,
        machine: Machine,
        command: String,
        how: String,
        rounds: Vec<Round>,
        acknowledged: u64,
        there: u64,
    ) -> BatchReport {
        let over =
            |of: fn(&Round) -> f64| Spread::of(rounds.iter().map(of).filter(|value| value.is_finite()));
        BatchReport {
            what: "batch".into(),
            at,
            machine,
            command,
            how,
            batch_wall_ms: over(|round| round.batch.wall_ms),
            single_wall_ms: over(|round| round.single.wall_ms),
            batch_cpu_ms: over(|round| round.batch.cpu_ms),
            single_cpu_ms: over(|round| round.single.cpu_ms),
            wall_ratio: over(|round| round.single.wall_ms / round.batch.wall_ms),
            cpu_ratio: over(|round| round.single.cpu_ms / round.batch.cpu_ms),
            rounds,
            acknowledged,
            there,
        }
    }

    /// Whether everything that was acknowledged is there, once.
    pub(crate) fn holds(&self) -> bool {
        self.acknowledged == self.there
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n{}\n", self.how, self.machine.in_words());
        let time = |ms: f64| micros(ms * 1000.0);
        for (name, batch, single, ratio) in [
            ("by the clock", self.batch_wall_ms, self.single_wall_ms, self.wall_ratio),
            ("server's processor", self.batch_cpu_ms, self.single_cpu_ms, self.cpu_ratio),
        ] {
            text += &format!(
                "{name:<20} one call {:>9}   single calls {:>9}   {:.1} times less ({:.1} to {:.1})\n",
                time(batch.median),
                time(single.median),
                ratio.median,
                ratio.least,
                ratio.most
            );
        }
        let (acknowledged, there) = (count(self.acknowledged as f64), count(self.there as f64));
        let found = if self.holds() { "all there, once".to_owned() } else { format!("{there} ARE THERE") };
        text + &format!("{acknowledged} units acknowledged: {found}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_the_median_over_rounds_and_leaves_out_those_too_short_to_tell() {
        let round = |batch, single| Round {
            batch: Cost { wall_ms: batch, cpu_ms: batch - 1.0 },
            single: Cost { wall_ms: single, cpu_ms: single },
        };
        let rounds = vec![round(2.0, 80.0), round(1.0, 50.0), round(2.0, 120.0)];
        let report =
            BatchReport::new(String::new(), Machine::default(), String::new(), String::new(), rounds, 10, 9);
        assert_eq!((report.wall_ratio.median, report.wall_ratio.most), (50.0, 60.0));
        assert_eq!((report.cpu_ratio.least, report.cpu_ratio.most), (80.0, 120.0));
        assert!(!report.holds() && report.text().contains("9 ARE THERE"), "{}", report.text());
    }
}
