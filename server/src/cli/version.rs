//! `trolley version`: which release this is.

use std::io::Write as _;

use crate::cli::CliError;

/// Prints it.
pub fn run() -> Result<(), CliError> {
    let line = concat!("trolley ", env!("CARGO_PKG_VERSION"), "\n");
    std::io::stdout().write_all(line.as_bytes()).map_err(|error| CliError::Runtime(error.to_string()))
}
