//! `trolley openapi`: the description of the API that this release serves.

use std::io::Write as _;

use crate::http::app::description;

use super::Failed;

/// Prints it.
pub fn run() -> Result<(), Failed> {
    let world = |error: &dyn std::fmt::Display| Failed::World(error.to_string());
    let document = serde_json::to_string_pretty(description()).map_err(|error| world(&error))?;
    writeln!(std::io::stdout(), "{document}").map_err(|error| world(&error))
}
