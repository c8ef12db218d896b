//! A dump of guests' carts, as `trolley import` takes it in: a store of any size in one go.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::child::done;
use super::programs::bare;

/// Ten million carts take some minutes; a disk that is ten times as slow may take its time too.
const IMPORT_WITHIN: Duration = Duration::from_secs(2 * 3_600);
/// A writer of a dump tells how far it is after so many guests.
const TELL_EVERY: u64 = 4_096;

/// The cookie of guest `n`: its token is as long as a real one, and nothing of a secret.
pub(crate) fn cookie(n: u64) -> String {
    format!("__Host-trolley={}", token(n))
}

fn token(n: u64) -> String {
    format!("{n:016x}{}", "A".repeat(27))
}

/// Writes so many guests, each with so many lines in the cart. `told` hears how far it is, from 0 to 1.
pub(crate) fn write(path: &Path, guests: u64, lines: u64, told: impl Fn(f64)) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 18, File::create(path)?);
    let mut sum = Sha256::new();
    let mut put = |line: String, sum: &mut Sha256| {
        sum.update(&line);
        out.write_all(line.as_bytes())
    };
    let written_by = r#"{"trolley_dump":{"format":1,"written_by":"bench","at_ms":0}}"#;
    put(format!("{written_by}\n"), &mut sum)?;
    let lines: Vec<_> = (0..lines).map(|item| format!(r#"{{"sku":"item-{item}","quantity":1}}"#)).collect();
    let lines = lines.join(",");
    for n in 0..guests {
        if n % TELL_EVERY == 0 {
            told(n as f64 / guests as f64);
        }
        let digest = hex(&Sha256::digest(token(n)));
        put(format!("{{\"guest\":{{\"token_sha256\":\"{digest}\",\"lines\":[{lines}]}}}}\n"), &mut sum)?;
    }
    let before = hex(&sum.finalize());
    let mut nothing = Sha256::new();
    put(format!("{{\"end\":{{\"lines\":{guests},\"sha256\":\"{before}\"}}}}\n"), &mut nothing)?;
    out.flush()
}

/// Makes a store of a dump; says how long that took. `waited` is told now and then how long it takes so far.
///
/// The program itself compares every line with the dump's sum and count, and keeps nothing of one that is not whole.
pub(crate) fn import(
    program: &Path,
    dump: &Path,
    folder: &Path,
    waited: impl Fn(Duration),
) -> io::Result<Duration> {
    let began = Instant::now();
    let mut command = bare(program);
    command.arg("import").arg("--from").arg(dump).arg("--store").arg(format!("file:{}", folder.display()));
    done(&mut command, IMPORT_WITHIN, || waited(began.elapsed()))?;
    Ok(began.elapsed())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
