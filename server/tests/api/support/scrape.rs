//! A page of metrics as samples. That it is Prometheus' format is shown by Prometheus' own client: `server/tests/fuzz/scrape.py`.

use std::collections::BTreeMap;

/// Samples by name and labels as they stand (`name{a="b"}`).
pub struct Scrape {
    pub samples: BTreeMap<String, f64>,
}

impl Scrape {
    /// Reads a page; panics with a line that is no sample.
    #[track_caller]
    pub fn read(text: &str) -> Scrape {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let samples = lines.map(|line| {
            let sample =
                line.rsplit_once(' ').and_then(|(series, value)| Some((series, value.parse().ok()?)));
            let (series, value) = sample.unwrap_or_else(|| panic!("{line}"));
            (series.to_owned(), value)
        });
        Scrape { samples: samples.collect() }
    }

    /// A sample; nothing counted is none.
    pub fn value(&self, series: &str) -> f64 {
        self.samples.get(series).copied().unwrap_or(0.0)
    }
}
