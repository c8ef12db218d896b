//! What several commands are asked: how long, how often, where results go.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// How runs are made.
#[derive(Args, Clone, Debug)]
pub(crate) struct Runs {
    /// How long each run is warmed up, uncounted
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub(crate) warm_up: Duration,
    /// How long each run is counted
    #[arg(long = "for", value_name = "DURATION", default_value = "6s", value_parser = duration)]
    pub(crate) length: Duration,
    /// How many runs of each kind; their median is the result
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) runs: u32,
    /// Threads that make the load
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) threads: u32,
}

/// Where the work is done and where its results go.
#[derive(Args, Clone, Debug)]
pub(crate) struct Places {
    /// The `trolley` program [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    pub(crate) trolley: Option<PathBuf>,
    /// Where stores are made: the disk that is measured
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    pub(crate) dir: PathBuf,
    /// Write the result as JSON; - for standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draw the result as an SVG
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
}

/// The command as it was typed, without the path of the program.
pub(crate) fn command() -> String {
    let words: Vec<String> = std::env::args().skip(1).collect();
    format!("bench {}", words.join(" "))
}

/// Reads `500ms`, `6s`, `10m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit_ms = match &text[digits.len()..] {
        "ms" => 1.0,
        "s" => 1_000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        _ => return Err("write a number and a unit: 500ms, 6s, 10m, 1h".into()),
    };
    match digits.parse::<f64>() {
        Ok(number) if number > 0.0 && number * unit_ms <= 86_400_000.0 => {
            Ok(Duration::from_secs_f64(number * unit_ms / 1000.0))
        }
        _ => Err("write something above zero, a day at most".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_they_are_written() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        for wrong in ["", "5", "s", "0s", "-1s", "1d", "25h", "NaNs"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
