//! Which layout a commit costs least in: changes appended to a journal, or records written in place.
//!
//! `cargo run --release -p trolley-store --example engine -- DIR [RECORDS] [SECONDS]` fills a table with records of 400
//! bytes and measures durable commits (WAL, synchronous=FULL) of 1 and of 64 changes, each layout in turn.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

/// Bytes of a record, and of what an append holds of one change.
const RECORD: usize = 400;
const CHANGE: usize = 140;
/// How often each layout has its turn.
const TURNS: usize = 5;

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder?")?;
    let records: u64 = arguments.next().map_or(Ok(200_000), |text| text.parse())?;
    let seconds: f64 = arguments.next().map_or(Ok(2.0), |text| text.parse())?;
    for page in [4096, 8192, 16384] {
        let file = Path::new(&folder).join(format!("engine-{page}.db"));
        let connection = fill(&file, page, records)?;
        for changes in [1, 64] {
            let (mut appends, mut upserts, mut dice) = (Vec::new(), Vec::new(), 0x9e37_79b9_u64);
            for _ in 0..TURNS {
                appends.push(measure(seconds, changes, || append(&connection, changes))?);
                upserts.push(measure(seconds, changes, || upsert(&connection, changes, records, &mut dice))?);
            }
            say(&format!("page {page}, {changes} a commit, appended"), &mut appends);
            say(&format!("page {page}, {changes} a commit, in place"), &mut upserts);
        }
    }
    Ok(())
}

fn fill(file: &Path, page: u32, records: u64) -> Result<Connection, Failed> {
    let _ = std::fs::remove_file(file);
    let connection = Connection::open(file)?;
    connection.execute_batch(&format!(
        "PRAGMA page_size = {page}; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384;
         CREATE TABLE journal (seq INTEGER PRIMARY KEY, row BLOB NOT NULL);
         CREATE TABLE records (id BLOB PRIMARY KEY, image BLOB NOT NULL) WITHOUT ROWID; BEGIN;"
    ))?;
    for n in 0..records {
        connection
            .prepare_cached("INSERT INTO records VALUES (?1, ?2)")?
            .execute(params![id(n).as_slice(), vec![7u8; RECORD]])?;
    }
    connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous = FULL;")?;
    Ok(connection)
}

/// Changes a second, and the 99th percentile of a commit in microseconds.
fn measure(
    seconds: f64,
    changes: u64,
    mut commit: impl FnMut() -> Result<(), Failed>,
) -> Result<(u64, u64), Failed> {
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < Duration::from_secs_f64(seconds) {
        let at = Instant::now();
        commit()?;
        times.push(at.elapsed().as_micros() as u64);
    }
    let rate = (times.len() as u64 * changes) as f64 / began.elapsed().as_secs_f64();
    times.sort_unstable();
    Ok((rate as u64, times[times.len() * 99 / 100]))
}

/// One row that holds all changes of the commit.
fn append(connection: &Connection, changes: u64) -> Result<(), Failed> {
    let row = vec![7u8; CHANGE * changes as usize];
    connection.prepare_cached("INSERT INTO journal (row) VALUES (?1)")?.execute([row])?;
    Ok(())
}

/// Each changed record in its place, anywhere in the table.
fn upsert(connection: &Connection, changes: u64, records: u64, dice: &mut u64) -> Result<(), Failed> {
    let transaction = connection.unchecked_transaction()?;
    for _ in 0..changes {
        // Never the bytes that stand there: the engine would notice and write nothing.
        *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        transaction
            .prepare_cached("INSERT OR REPLACE INTO records VALUES (?1, ?2)")?
            .execute(params![id((*dice >> 20) % records).as_slice(), vec![(*dice >> 13) as u8; RECORD]])?;
    }
    Ok(transaction.commit()?)
}

fn id(n: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    id
}

#[expect(clippy::print_stdout, reason = "a measurement is for whoever runs it")]
fn say(what: &str, turns: &mut [(u64, u64)]) {
    turns.sort_unstable();
    let (rate, p99) = turns[turns.len() / 2];
    println!("{what}: {rate} changes/s, p99 of a commit {p99} us");
}
