//! What a start finds: the tables, and the rows of the journal that they do not have yet, read again in order.

use std::path::Path;

use rusqlite::Connection;

use crate::records::counts::Counts;

use super::error::OpenFolderError;
use super::journal::unseal;
use super::overlay::Overlay;
use super::table::{counted, meta};

/// Everything that was acknowledged.
pub(super) struct Found {
    /// What only the journal says.
    pub(super) overlay: Overlay,
    /// How many records there are.
    pub(super) counts: Counts,
    /// The last row that the tables have.
    pub(super) folded: u64,
    /// The last row.
    pub(super) newest: u64,
    /// How many bytes the rows after `folded` have.
    pub(super) bytes: usize,
}

/// Whether the mark of what the tables have can be right. Rows that they have are let go of from the oldest on, so that the one
/// at the mark goes last: where older ones are there without it, the mark is damaged, and to go by it would lose them in silence.
fn no_row_is_forgotten(connection: &Connection, folded: u64) -> rusqlite::Result<Result<(), String>> {
    let folded = i64::try_from(folded).unwrap_or(i64::MAX);
    let last: Option<i64> =
        connection.query_row("SELECT max(seq) FROM journal WHERE seq <= ?1", [folded], |row| row.get(0))?;
    Ok(match last {
        Some(last) if last < folded => Err(format!(
            "it says that its tables have the journal up to row {folded}, and row {last} is there without it"
        )),
        _ => Ok(()),
    })
}

/// Reads it. A row that is missing or damaged refuses the start: what came after it was acknowledged too.
pub(super) fn read(connection: &Connection, file: &Path) -> Result<Found, OpenFolderError> {
    let engine =
        |error: rusqlite::Error| OpenFolderError::Engine { file: file.to_owned(), what: error.to_string() };
    let damaged = |what: String| OpenFolderError::Damaged { file: file.to_owned(), what };
    let folded = meta(connection, "folded").map_err(engine)?;
    let counts = counted(connection).map_err(engine)?;
    no_row_is_forgotten(connection, folded).map_err(engine)?.map_err(damaged)?;
    let mut found = Found { overlay: Overlay::default(), counts, folded, newest: folded, bytes: 0 };
    let mut select =
        connection.prepare("SELECT seq, row FROM journal WHERE seq > ?1 ORDER BY seq").map_err(engine)?;
    let mut rows = select.query([i64::try_from(folded).unwrap_or(i64::MAX)]).map_err(engine)?;
    while let Some(row) = rows.next().map_err(engine)? {
        let seq = row.get::<_, i64>(0).map_err(engine)?.unsigned_abs();
        let bytes = row.get_ref(1).map_err(engine)?.as_blob().map_err(|error| damaged(error.to_string()))?;
        if seq != found.newest + 1 {
            return Err(damaged(format!("row {} of its journal is missing", found.newest + 1)));
        }
        let (counts, entries) =
            unseal(seq, bytes).map_err(|what| damaged(format!("row {seq} of its journal: {what}")))?;
        for entry in &entries {
            let replayed = found.overlay.replay(seq, entry);
            replayed.map_err(|error| damaged(format!("row {seq} of its journal: {error}")))?;
        }
        found.counts = counts;
        found.newest = seq;
        found.bytes += bytes.len();
    }
    Ok(found)
}
