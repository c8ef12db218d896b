//! Where results go: text to standard output, JSON and charts to files.

use std::io::{self, Write as _};
use std::path::Path;

use serde::Serialize;

/// Says a line.
pub(crate) fn say(line: &str) {
    // Whoever closed our output has no use for it.
    let _ = writeln!(io::stdout(), "{line}");
}

/// Writes a result as JSON: to the file, or for `-` to standard output.
pub(crate) fn json<T: Serialize>(result: &T, path: &Path) -> io::Result<()> {
    let text = serde_json::to_string_pretty(result).map_err(io::Error::other)? + "\n";
    write(path, &text)
}

/// Writes text to the file, or for `-` to standard output.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    if path.as_os_str() == "-" {
        return io::stdout().write_all(text.as_bytes());
    }
    std::fs::write(path, text).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}
