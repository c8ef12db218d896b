//! The result of `bench soak`.

use serde::{Deserialize, Serialize};

use crate::host::machine::{Machine, day};
use crate::mix::exact::Exact;

use super::load::in_words;
use super::numbers::{bytes, count, micros};

/// How it stood at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Seconds since the beginning.
    pub(crate) at_s: f64,
    /// Answers a second since the sample before.
    pub(crate) rate: f64,
    /// Half were no slower, since the sample before.
    pub(crate) p50_us: u64,
    /// 99 of 100 were no slower, since the sample before.
    pub(crate) p99_us: u64,
    /// Bytes of memory in use.
    pub(crate) memory: u64,
    /// Bytes of its folder.
    pub(crate) disk: u64,
}

/// How a number goes on: a straight line through the samples of the last three quarters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trend {
    /// In the middle of them.
    pub(crate) level: f64,
    /// What it gains in an hour.
    pub(crate) an_hour: f64,
}

impl Trend {
    /// By least squares.
    pub(crate) fn of(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> Trend {
        let late = &samples[samples.len() / 4..];
        let many = late.len() as f64;
        if late.len() < 2 {
            return Trend { level: late.first().map_or(0.0, of), an_hour: 0.0 };
        }
        let middle = |of: &dyn Fn(&Sample) -> f64| late.iter().map(of).sum::<f64>() / many;
        let (x, y) = (middle(&|sample| sample.at_s), middle(&of));
        let above: f64 = late.iter().map(|sample| (sample.at_s - x) * (of(sample) - y)).sum();
        let below: f64 = late.iter().map(|sample| (sample.at_s - x).powi(2)).sum();
        Trend { level: y, an_hour: if below > 0.0 { above / below * 3600.0 } else { 0.0 } }
    }
}

/// The whole result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SoakReport {
    /// `soak`.
    pub(crate) what: String,
    /// When it ended.
    pub(crate) at: String,
    /// Where.
    pub(crate) machine: Machine,
    /// The command, so that it can be repeated.
    pub(crate) command: String,
    /// How, in words.
    pub(crate) how: String,
    /// The samples, in order.
    pub(crate) samples: Vec<Sample>,
    /// Memory in bytes.
    pub(crate) memory: Trend,
    /// Disk in bytes.
    pub(crate) disk: Trend,
    /// The 99th percentile in microseconds.
    pub(crate) p99_us: Trend,
    /// Answers altogether.
    pub(crate) answers: u64,
    /// Orders that were made: each is kept for good.
    pub(crate) orders: u64,
    /// Refused, lost and not begun in time.
    pub(crate) failures: u64,
    /// Whether everything that was acknowledged is there, once.
    pub(crate) exact: Exact,
}

impl SoakReport {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n{}\n", self.how, self.machine.in_words());
        let row = |name: &str, trend: Trend, write: fn(f64) -> String| {
            let (level, sign) = (write(trend.level), if trend.an_hour < 0.0 { "-" } else { "+" });
            format!("{name:<8} {level:>10}, {sign}{} an hour\n", write(trend.an_hour.abs()))
        };
        text += &row("memory", self.memory, bytes);
        text += &row("disk", self.disk, bytes);
        text += &row("p99", self.p99_us, micros);
        let seconds = self.samples.last().map_or(0.0, |sample| sample.at_s);
        if self.orders > 0 && seconds > 0.0 {
            let an_hour = self.orders as f64 / seconds * 3600.0;
            let each = bytes((self.disk.an_hour / an_hour).max(0.0));
            text +=
                &format!("{} orders, which are kept: {each} of disk for each\n", count(self.orders as f64));
        }
        let (answers, failures) = (count(self.answers as f64), count(self.failures as f64));
        text += &format!("{answers} answers, {failures} refused, lost or late\n");
        text + &in_words(&self.exact)
    }

    /// Under a chart.
    pub(crate) fn caption(&self) -> String {
        format!("{}. {}.", day(&self.at), self.machine.in_words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_found_and_the_beginning_does_not_count() {
        let sample = |at: u64| Sample {
            at_s: at as f64,
            memory: if at < 10 { 999 } else { 100 + at },
            ..Sample::default()
        };
        let samples: Vec<_> = (0..40).map(sample).collect();
        let trend = Trend::of(&samples, |sample| sample.memory as f64);
        assert!((trend.an_hour - 3600.0).abs() < 1e-6 && (trend.level - 124.5).abs() < 1e-6, "{trend:?}");
        assert_eq!(
            Trend::of(&samples[..1], |sample| sample.memory as f64),
            Trend { level: 999.0, an_hour: 0.0 }
        );
    }
}
