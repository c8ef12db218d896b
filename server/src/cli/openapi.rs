//! `trolley openapi`: the description of the API that this release serves.

use std::io::Write as _;

use crate::cli::CliError;
use crate::http::server::app::description;

/// Prints it.
pub fn run() -> Result<(), CliError> {
    let world = |error: &dyn std::fmt::Display| CliError::Runtime(error.to_string());
    let document = serde_json::to_string_pretty(description()).map_err(|error| world(&error))?;
    writeln!(std::io::stdout(), "{document}").map_err(|error| world(&error))
}
