//! Medians, spreads and percentiles, and how numbers are written for people.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The percentiles that a curve is drawn from.
const CURVE: [f64; 19] = [
    0.0, 10.0, 25.0, 50.0, 60.0, 70.0, 75.0, 80.0, 85.0, 90.0, 95.0, 97.5, 98.0, 99.0, 99.5, 99.9, 99.95,
    99.99, 100.0,
];

/// Several measurements of one thing: the middle one, and how far they are apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    /// The middle one.
    pub(crate) median: f64,
    /// The least.
    pub(crate) least: f64,
    /// The most.
    pub(crate) most: f64,
}

impl Spread {
    /// Of these measurements; all zero where there are none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Spread {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (Some(least), Some(most)) = (values.first(), values.last()) else { return Spread::default() };
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
        Spread { median, least: *least, most: *most }
    }
}

/// Latencies in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latency {
    /// Half were no slower.
    pub(crate) p50: u64,
    /// 9 of 10 were no slower.
    pub(crate) p90: u64,
    /// 99 of 100 were no slower.
    pub(crate) p99: u64,
    /// 999 of 1,000 were no slower.
    pub(crate) p99_9: u64,
    /// The slowest.
    pub(crate) max: u64,
    /// Percentile and microseconds, for a curve.
    pub(crate) curve: Vec<(f64, u64)>,
}

impl Latency {
    /// What a histogram says.
    pub(crate) fn of(histogram: &Histogram<u64>) -> Latency {
        let at = |percentile| histogram.value_at_percentile(percentile);
        Latency {
            p50: at(50.0),
            p90: at(90.0),
            p99: at(99.0),
            p99_9: at(99.9),
            max: histogram.max(),
            curve: CURVE.map(|percentile| (percentile, at(percentile))).into(),
        }
    }
}

/// A count with its thousands apart: `12,345`.
pub(crate) fn count(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0.0 { format!("-{text}") } else { text }
}

/// Microseconds as people read them: `85 µs`, `1.24 ms`, `3.1 s`.
pub(crate) fn micros(us: f64) -> String {
    match us {
        us if us < 1_000.0 => format!("{us:.0} µs"),
        us if us < 10_000.0 => format!("{:.2} ms", us / 1e3),
        us if us < 100_000.0 => format!("{:.1} ms", us / 1e3),
        us if us < 1_000_000.0 => format!("{:.0} ms", us / 1e3),
        us => format!("{:.1} s", us / 1e6),
    }
}

/// Microseconds at a mark of an axis, where numbers are round: `100 µs`, `2.5 ms`, `1 s`.
pub(crate) fn micros_marked(us: f64) -> String {
    match us {
        us if us <= 0.0 => "0".to_owned(),
        us if us < 1_000.0 => format!("{us} µs"),
        us if us < 1_000_000.0 => format!("{} ms", us / 1e3),
        us => format!("{} s", us / 1e6),
    }
}

/// Bytes as people read them: `12.3 MiB`.
pub(crate) fn bytes(bytes: f64) -> String {
    let (mut value, mut unit) = (bytes, "B");
    for larger in ["KiB", "MiB", "GiB"] {
        if value.abs() < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    if unit == "B" || value.abs() >= 100.0 {
        format!("{value:.0} {unit}")
    } else {
        format!("{value:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_one_whatever_the_order() {
        assert_eq!(Spread::of([5.0, 1.0, 3.0]), Spread { median: 3.0, least: 1.0, most: 5.0 });
        assert_eq!(Spread::of([4.0, 1.0]).median, 2.5);
        assert_eq!(Spread::of([]), Spread::default());
    }

    #[test]
    fn numbers_are_written_as_people_read_them() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,567"],
            [0.0, 999.0, 1000.0, 1_234_567.0].map(count).map(|s| s).each_ref().map(String::as_str)
        );
        assert_eq!(
            [micros(85.0), micros(1240.0), micros(31_000.0), micros(3.1e6)],
            ["85 µs", "1.24 ms", "31.0 ms", "3.1 s"]
        );
        assert_eq!(
            [0.0, 100.0, 2_500.0, 100_000.0, 1e6].map(micros_marked),
            ["0", "100 µs", "2.5 ms", "100 ms", "1 s"]
        );
        assert_eq!(
            [bytes(10.0), bytes(1536.0), bytes(200.0 * 1024.0 * 1024.0)],
            ["10 B", "1.5 KiB", "200 MiB"]
        );
    }
}
