//! Axes: from a value to a place between 0 and 1, with marks at numbers that people like.

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    /// Equal steps for equal differences.
    Linear,
    /// Equal steps for equal factors.
    Log,
    /// Percentiles: equal steps for each nine.
    Nines,
}

/// An axis.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    scale: Scale,
    from: f64,
    to: f64,
    /// Marks and what stands at them.
    pub(crate) marks: Vec<(f64, String)>,
    /// What it measures.
    pub(crate) label: String,
}

impl Axis {
    /// From zero to a round number at or above `most`.
    pub(crate) fn linear(most: f64, label: &str, write: fn(f64) -> String) -> Axis {
        let most = if most > 0.0 && most.is_finite() { most } else { 1.0 };
        let rough = most / 4.0;
        let power = 10f64.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 2.5, 5.0, 10.0].map(|n| n * power).into_iter().find(|step| *step >= rough * 0.999);
        let step = step.unwrap_or(rough);
        let to = (most / step).ceil() * step;
        let marks =
            (0..=(to / step).round() as u64).map(|n| n as f64 * step).map(|at| (at, write(at))).collect();
        Axis { scale: Scale::Linear, from: 0.0, to, marks, label: label.to_owned() }
    }

    /// From a power of ten at or below `least` to one at or above `most`.
    pub(crate) fn log(least: f64, most: f64, label: &str, write: fn(f64) -> String) -> Axis {
        let from = least.max(1e-3).log10().floor();
        let to = most.max(1e-3).log10().ceil().max(from + 1.0);
        let marks =
            (from as i32..=to as i32).map(|power| 10f64.powi(power)).map(|at| (at, write(at))).collect();
        Axis { scale: Scale::Log, from: 10f64.powf(from), to: 10f64.powf(to), marks, label: label.to_owned() }
    }

    /// Equal steps for equal factors, with a mark at each of `values`.
    pub(crate) fn steps(values: &[f64], label: &str, write: fn(f64) -> String) -> Axis {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min).max(1e-3);
        let most = values.iter().copied().fold(least, f64::max).max(least * 1.001);
        let marks = values.iter().map(|at| (*at, write(*at))).collect();
        Axis { scale: Scale::Log, from: least, to: most, marks, label: label.to_owned() }
    }

    /// Percentiles from 0 to 99.99.
    pub(crate) fn percentiles() -> Axis {
        let marks = [0.0, 50.0, 90.0, 99.0, 99.9, 99.99].map(|at| (at, format!("{at}"))).into();
        Axis { scale: Scale::Nines, from: 0.0, to: 99.99, marks, label: "percentile".to_owned() }
    }

    /// Where a value is, from 0 to 1; what is outside stands at the edge.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let onto = |value: f64| match self.scale {
            Scale::Linear => value,
            Scale::Log => value.max(1e-9).log10(),
            Scale::Nines => -(1.0 - (value / 100.0).min(0.999_999)).log10(),
        };
        ((onto(value) - onto(self.from)) / (onto(self.to) - onto(self.from))).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(value: f64) -> String {
        format!("{value}")
    }

    #[test]
    fn marks_are_round_numbers_and_the_axis_reaches_over_the_most() {
        let marks =
            |most| Axis::linear(most, "", plain).marks.into_iter().map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(marks(53_000.0), [0.0, 20_000.0, 40_000.0, 60_000.0]);
        assert_eq!(marks(100.0), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(marks(0.0).first(), Some(&0.0));
    }

    #[test]
    fn each_nine_is_as_wide_as_the_one_before() {
        let axis = Axis::percentiles();
        let places = [0.0, 90.0, 99.0, 99.9, 99.99].map(|at| axis.place(at));
        for (place, expected) in places.into_iter().zip([0.0, 0.25, 0.5, 0.75, 1.0]) {
            assert!((place - expected).abs() < 1e-6, "{place} {expected}");
        }
    }

    #[test]
    fn factors_are_equal_steps() {
        let axis = Axis::log(12.0, 9_000.0, "", plain);
        assert_eq!((axis.place(10.0), axis.place(10_000.0)), (0.0, 1.0));
        assert!((axis.place(100.0) - 1.0 / 3.0).abs() < 1e-9);
    }
}
