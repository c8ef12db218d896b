//! Prometheus' text format, read strictly: what a scraper would take, and nothing that it might forgive.

use std::collections::{BTreeMap, BTreeSet};

/// Samples by name and labels as they stand (`name{a="b"}`).
pub struct Scrape {
    pub samples: BTreeMap<String, f64>,
}

impl Scrape {
    /// Reads a page; panics with the line that breaks the format.
    #[track_caller]
    pub fn read(text: &str) -> Scrape {
        assert!(text.ends_with('\n'), "the last line ends");
        let (mut samples, mut types, mut helped) =
            (BTreeMap::new(), BTreeMap::<String, String>::new(), BTreeSet::new());
        let mut family = String::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(is_name(name) && !help.is_empty() && helped.insert(name.to_owned()), "{line}");
                family = name.to_owned();
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(name == family && ["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            } else {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let (name, labels) = series.split_once('{').map_or((series, ""), |(name, rest)| {
                    (name, rest.strip_suffix('}').unwrap_or_else(|| panic!("{line}")))
                });
                let kind = types.get(&family).unwrap_or_else(|| panic!("no type before {line}"));
                let suffix =
                    name.strip_prefix(family.as_str()).unwrap_or_else(|| panic!("{line} is not of {family}"));
                let suffixes: &[&str] =
                    if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
                assert!(suffixes.contains(&suffix), "{line}");
                check_labels(labels, line);
                let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
                assert!(value.is_finite() && value >= 0.0, "{line}");
                assert!(samples.insert(series.to_owned(), value).is_none(), "twice: {line}");
            }
        }
        let scrape = Scrape { samples };
        scrape.check_histograms();
        scrape
    }

    /// A sample; nothing counted is none.
    pub fn value(&self, series: &str) -> f64 {
        self.samples.get(series).copied().unwrap_or(0.0)
    }

    /// Buckets rise, and the last of them is the count.
    fn check_histograms(&self) {
        let mut last: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        for (series, value) in &self.samples {
            let Some((name, labels)) = series.split_once("_bucket{") else { continue };
            let at = labels.find("le=\"").unwrap();
            let bound = labels[at + 4..].split('"').next().unwrap().replace("+Inf", "inf").parse().unwrap();
            let others = labels[..at].trim_end_matches(',');
            let of = if others.is_empty() { name.to_owned() } else { format!("{name}{{{others}}}") };
            last.entry(of).or_default().push((bound, *value));
        }
        for (of, mut buckets) in last {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{of}: {buckets:?}");
            let (name, labels) = of
                .split_once('{')
                .map_or((of.as_str(), String::new()), |(name, rest)| (name, format!("{{{rest}")));
            let (bound, all) = *buckets.last().unwrap();
            assert!(bound.is_infinite(), "{of}");
            assert_eq!(self.samples.get(&format!("{name}_count{labels}")), Some(&all), "{of}");
            assert!(self.samples.contains_key(&format!("{name}_sum{labels}")), "{of}");
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// `a="b",c="d"`, with values that have nothing to escape.
fn check_labels(labels: &str, line: &str) {
    let pairs = labels.split(',').filter(|pair| !pair.is_empty());
    let names: Vec<&str> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or_else(|| panic!("{line}"));
            let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            assert!(is_name(name) && value.is_some_and(|value| !value.contains(['"', '\\', '\n'])), "{line}");
            name
        })
        .collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "a label twice: {line}");
}
