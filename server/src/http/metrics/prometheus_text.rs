//! Prometheus' text format (version 0.0.4): families of samples, each with what it is, and its type.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use crate::http::metrics::registry::Histogram;

/// The content type.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page that is being written. Its labels' values are words of ours, none of which has to be escaped.
#[derive(Default)]
pub struct PrometheusText(String);

impl PrometheusText {
    /// A family begins: its samples follow at once.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A sample; `labels` as they stand between the braces, or empty.
    pub fn sample(&mut self, name: &str, labels: &str, value: u64) {
        let _ = match labels {
            "" => writeln!(self.0, "{name} {value}"),
            labels => writeln!(self.0, "{name}{{{labels}}} {value}"),
        };
    }

    /// A family of one sample without labels.
    pub fn single(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.family(name, kind, help);
        self.sample(name, "", value);
    }

    /// The samples of a histogram, of whose values `per` make one.
    pub fn histogram(&mut self, name: &str, labels: &str, histogram: &Histogram, per: f64) {
        let counts: Vec<u64> = histogram.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let sum = histogram.sum.load(Ordering::Relaxed) as f64 / per;
        let bounds = histogram.bounds.iter().map(|bound| *bound as f64 / per);
        self.buckets(name, labels, bounds, &counts, sum);
    }

    /// The samples of a histogram: counts between bounds become counts up to each of them.
    pub fn buckets(
        &mut self,
        name: &str,
        labels: &str,
        bounds: impl Iterator<Item = f64>,
        counts: &[u64],
        sum: f64,
    ) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut up_to = 0;
        let bounds = bounds.map(|bound| bound.to_string()).chain(["+Inf".to_owned()]);
        for (bound, count) in bounds.zip(counts) {
            up_to += count;
            let _ = writeln!(self.0, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {up_to}");
        }
        let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = writeln!(self.0, "{name}_sum{braces} {sum}\n{name}_count{braces} {up_to}");
    }

    /// The page as text.
    pub fn into_text(self) -> String {
        self.0
    }
}
