//! `bench plot`: the chart of a result that was written as JSON.

use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::chart;
use crate::report::out;

/// Which result, and where to.
#[derive(Args, Debug)]
pub(crate) struct Plot {
    /// A result that --json wrote
    result: PathBuf,
    /// The SVG; - for standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    to: PathBuf,
}

/// Draws it.
pub(crate) fn run(asked: &Plot) -> io::Result<()> {
    let text = std::fs::read_to_string(&asked.result)?;
    let result: serde_json::Value = serde_json::from_str(&text)?;
    let svg = match result["what"].as_str() {
        Some("load") => chart::load::draw(&serde_json::from_value(result)?),
        Some("peers") => chart::peers::draw(&serde_json::from_value(result)?),
        Some("scale") => chart::scale::draw(&serde_json::from_value(result)?),
        Some("soak") => chart::soak::draw(&serde_json::from_value(result)?),
        Some("streams") => chart::streams::draw(&serde_json::from_value(result)?),
        _ => {
            return Err(io::Error::other(format!(
                "{} is no result that has a chart",
                asked.result.display()
            )));
        }
    };
    out::write(&asked.to, &svg)
}
