//! The table of records: one row each, with its image as of the last fold.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, params};
use trolley_core::time::Timestamp;

use crate::damage::{Book, Stray};
use crate::port::{Direction, Due, Listing};
use crate::record::{decode, encode};
use crate::records::counts::Counts;
use crate::records::{Key, Record};

use super::overlay::Slot;
use super::shared::ReadError;

/// Bytes of the longest id.
const ID_BYTES_MAX: usize = 64;

/// The record that the table has under `key`.
pub(super) fn load(connection: &Connection, key: &Key) -> Result<Option<Record>, ReadError> {
    let (kind, id) = (key.kind() as u8, key.id());
    let mut select = connection.prepare_cached("SELECT image FROM records WHERE kind = ?1 AND id = ?2")?;
    let mut rows = select.query(params![kind, id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let image = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    Ok(Some(decode(*key, image)?))
}

/// Makes the table say what `slot` says; says how many bytes the image has.
pub(super) fn fold(connection: &Connection, key: &Key, slot: &Slot) -> rusqlite::Result<usize> {
    let (kind, id) = (key.kind() as u8, key.id());
    let Some(record) = &slot.record else {
        let mut delete = connection.prepare_cached("DELETE FROM records WHERE kind = ?1 AND id = ?2")?;
        return delete.execute(params![kind, id]).map(|_| 0);
    };
    let mut upsert = connection.prepare_cached(
        "INSERT INTO records (kind, id, image, expires_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (kind, id) DO UPDATE SET image = excluded.image, expires_at = excluded.expires_at",
    )?;
    let image = encode(record);
    upsert.execute(params![kind, id, image, slot.expires_at.map(as_integer)])?;
    Ok(image.len())
}

/// The records that expire at or before `now`, soonest first, of those behind `after`, until `enough` of them.
pub(super) fn due(
    connection: &Connection,
    now: Timestamp,
    after: Option<Due>,
    damage: &Book,
    mut enough: impl FnMut(Due) -> bool,
) -> rusqlite::Result<()> {
    let mut select = connection.prepare_cached(
        "SELECT expires_at, kind, id FROM records
         WHERE expires_at IS NOT NULL AND expires_at <= ?1 AND (expires_at, kind, id) > (?2, ?3, ?4)
         ORDER BY expires_at, kind, id",
    )?;
    let (at, (kind, id)) = after
        .as_ref()
        .map_or((-1, (0, &[][..])), |after| (as_integer(after.at), (after.key.kind() as u8, after.key.id())));
    let mut rows = select.query(params![as_integer(now), at, kind, id])?;
    while let Some(row) = rows.next()? {
        // One whose name is damaged is passed by: for its sake nothing would expire any more.
        match named(row.get_ref(1)?, row.get_ref(2)?) {
            Ok(key) if enough(Due { at: as_time(row.get(0)?), key }) => break,
            Ok(_) => {}
            Err(stray) => damage.note_stray(stray),
        }
    }
    Ok(())
}

/// The images of the records of a listing, in its order, each with when it expires, until there are `enough`.
pub(super) fn list(
    connection: &Connection,
    listing: &Listing,
    damage: &Book,
    mut enough: impl FnMut(Key, &[u8], Option<Timestamp>) -> bool,
) -> rusqlite::Result<()> {
    let kind = listing.kind as u8;
    // What begins with the prefix stands between the prefix and the same bytes followed by the highest there are.
    let beyond = [&*listing.prefix, &[0xff; ID_BYTES_MAX]].concat();
    let after = listing.after.as_deref();
    let (sql, low, high) = match listing.direction {
        Direction::Ascending => (
            "SELECT id, image, expires_at FROM records
             WHERE kind = ?1 AND id >= ?2 AND id <= ?3 ORDER BY id",
            after.map_or(&*listing.prefix, |after| after.max(&*listing.prefix)),
            &*beyond,
        ),
        Direction::Descending => (
            "SELECT id, image, expires_at FROM records
             WHERE kind = ?1 AND id >= ?2 AND id <= ?3 ORDER BY id DESC",
            &*listing.prefix,
            after.map_or(&*beyond, |after| after.min(&*beyond)),
        ),
    };
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(params![kind, low, high])?;
    while let Some(row) = rows.next()? {
        let id = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let Some(key) = Key::of_parts(kind, id) else {
            damage.note_stray(Stray::new(kind.to_string(), id));
            continue;
        };
        if !listing.takes(listing.kind, id) {
            continue;
        }
        let image = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let expires_at = row.get::<_, Option<i64>>(2)?.map(as_time);
        if enough(key, image, expires_at) {
            break;
        }
    }
    Ok(())
}

/// Whose row one with this kind and id is.
pub(super) fn named(kind: ValueRef<'_>, id: ValueRef<'_>) -> Result<Key, Stray> {
    let bytes = match id {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes,
        _ => &[],
    };
    let number = kind.as_i64().ok().and_then(|kind| u8::try_from(kind).ok());
    number.and_then(|kind| Key::of_parts(kind, id.as_blob().ok()?)).ok_or_else(|| {
        let kind = kind.as_i64().map_or_else(|_| "that is no number".to_owned(), |kind| kind.to_string());
        Stray::new(kind, bytes)
    })
}

/// A number that the database keeps of itself.
pub(super) fn meta(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get::<_, i64>(0))
        .optional()
        .map(|value| value.and_then(|value| u64::try_from(value).ok()).unwrap_or_default())
}

/// How many records there were when the table was last noted to be whole.
pub(super) fn counted(connection: &Connection) -> rusqlite::Result<Counts> {
    let mut counts = Counts::default();
    for (name, count) in counts.each_mut() {
        *count = meta(connection, name)?;
    }
    Ok(counts)
}

/// Notes that the table holds all that the journal says up to row `folded`.
pub(super) fn note_folded(connection: &Connection, folded: u64, counts: Counts) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached("UPDATE meta SET value = ?2 WHERE name = ?1")?;
    for (name, value) in [("folded", folded)].into_iter().chain(counts.each()) {
        update.execute(params![name, Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))])?;
    }
    Ok(())
}

fn as_time(at: i64) -> Timestamp {
    Timestamp::from_ms(u64::try_from(at).unwrap_or_default())
}

/// Beyond the year 292 million it is the same to us.
fn as_integer(at: Timestamp) -> i64 {
    i64::try_from(at.as_ms()).unwrap_or(i64::MAX)
}
