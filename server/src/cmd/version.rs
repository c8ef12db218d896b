//! `trolley version`: which release this is.

use std::io::Write as _;

use super::Failed;

/// Prints it.
pub fn run() -> Result<(), Failed> {
    let line = concat!("trolley ", env!("CARGO_PKG_VERSION"), "\n");
    std::io::stdout().write_all(line.as_bytes()).map_err(|error| Failed::World(error.to_string()))
}
