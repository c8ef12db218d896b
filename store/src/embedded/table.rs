//! The table of records: one row each, with its image as of the last fold.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};
use trolley_core::ids::SessionId;
use trolley_core::time::Timestamp;

use crate::port::{Counts, Key, Record};
use crate::record::{decode, encode, key_from, key_parts};

use super::overlay::Slot;
use super::shared::Fault;

/// The record that the table has under `key`.
pub(super) fn load(connection: &Connection, key: &Key) -> Result<Option<Record>, Fault> {
    let (kind, id) = key_parts(key);
    let mut select = connection.prepare_cached("SELECT image FROM records WHERE kind = ?1 AND id = ?2")?;
    let mut rows = select.query(params![kind, id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let image = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    Ok(Some(decode(*key, image)?))
}

/// Makes the table say what `slot` says.
pub(super) fn fold(connection: &Connection, key: &Key, slot: &Slot) -> rusqlite::Result<()> {
    let (kind, id) = key_parts(key);
    let Some(record) = &slot.record else {
        let mut delete = connection.prepare_cached("DELETE FROM records WHERE kind = ?1 AND id = ?2")?;
        return delete.execute(params![kind, id]).map(drop);
    };
    let mut upsert = connection.prepare_cached(
        "INSERT INTO records (kind, id, image, expires_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (kind, id) DO UPDATE SET image = excluded.image, expires_at = excluded.expires_at",
    )?;
    upsert.execute(params![kind, id, encode(record), slot.expires_at.map(as_integer)]).map(drop)
}

/// The sessions that expire at or before `now`, soonest first, until `enough` of them.
pub(super) fn expired(
    connection: &Connection,
    now: Timestamp,
    mut enough: impl FnMut(Timestamp, SessionId) -> bool,
) -> rusqlite::Result<()> {
    let mut select = connection.prepare_cached(
        "SELECT expires_at, id FROM records
         WHERE kind = 2 AND expires_at IS NOT NULL AND expires_at <= ?1 ORDER BY expires_at",
    )?;
    let mut rows = select.query([as_integer(now)])?;
    while let Some(row) = rows.next()? {
        let at = Timestamp::from_ms(u64::try_from(row.get::<_, i64>(0)?).unwrap_or_default());
        let id = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        if let Some(Key::Session(session)) = key_from(2, id)
            && enough(at, session)
        {
            break;
        }
    }
    Ok(())
}

/// A number that the database keeps of itself.
pub(super) fn meta(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get::<_, i64>(0))
        .optional()
        .map(|value| value.and_then(|value| u64::try_from(value).ok()).unwrap_or_default())
}

/// Notes that the table holds all that the journal says up to row `folded`.
pub(super) fn note_folded(connection: &Connection, folded: u64, counts: Counts) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached("UPDATE meta SET value = ?2 WHERE name = ?1")?;
    for (name, value) in [("folded", folded), ("carts", counts.carts), ("sessions", counts.sessions)] {
        update.execute(params![name, Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))])?;
    }
    Ok(())
}

/// Beyond the year 292 million it is the same to us.
fn as_integer(at: Timestamp) -> i64 {
    i64::try_from(at.as_ms()).unwrap_or(i64::MAX)
}
