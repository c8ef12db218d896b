//! `trolley export`: all records of a store as a dump, also while it is served.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use trolley_core::time::Timestamp;
use trolley_store::embedded::dump::Exported;
use trolley_store::open::{export, records_in};
use trolley_store::records::Key;

use crate::cli::{CliError, say};
use crate::dump::format::{DumpLine, Image, Writer, hex};
use crate::dump::progress::Progress;
use crate::service::clock::Clock;

/// What to write down, and where to.
#[derive(Args, Debug)]
pub struct Export {
    /// The store, served or not: file:DIR
    #[arg(long, value_name = "ADDRESS", default_value = "file:./data", env = "TROLLEY_STORE")]
    store: String,
    /// A new file for the dump; - for standard output
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// Writes a dump as of one moment. A file has its name only when all of it is on the disk. Where records are damaged the others
/// are exported all the same, and it fails with a sentence that says which.
pub fn run(asked: &Export) -> Result<(), CliError> {
    if asked.to.as_os_str() == "-" {
        let out = BufWriter::new(io::stdout().lock());
        return write(&asked.store, out).and_then(|(_, exported)| whole(&exported));
    }
    let world = |error: io::Error| CliError::Runtime(format!("{}: {error}", asked.to.display()));
    if asked.to.exists() {
        return Err(CliError::Runtime(format!("{} is there already: name a new file", asked.to.display())));
    }
    let unfinished = PathBuf::from(format!("{}.unfinished", asked.to.display()));
    let _ = std::fs::remove_file(&unfinished);
    // It tells what was in whose cart: for its owner alone.
    let file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).map_err(world)?;
    let written = write(&asked.store, BufWriter::with_capacity(1 << 18, file));
    let settled = written.and_then(|(out, exported)| {
        let file = out.into_inner().map_err(|error| world(error.into_error()))?;
        file.sync_all().map_err(world)?;
        std::fs::rename(&unfinished, &asked.to).map_err(world)?;
        let folder = asked.to.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()).map_err(world)?;
        Ok((exported, file.metadata().map_err(world)?.len()))
    });
    match settled {
        Ok((exported, bytes)) => {
            let (records, to) = (exported.records, asked.to.display());
            say(&format!("exported {records} records to {to} ({bytes} bytes)"))?;
            whole(&exported)
        }
        Err(failed) => {
            let _ = std::fs::remove_file(&unfinished);
            Err(failed)
        }
    }
}

/// What is damaged is not in the dump.
fn whole(Exported { damaged, .. }: &Exported) -> Result<(), CliError> {
    if damaged.is_empty() {
        Ok(())
    } else {
        Err(CliError::Runtime(format!("{damaged}; left out of the dump")))
    }
}

fn write<W: Write>(store: &str, out: W) -> Result<(W, Exported), CliError> {
    let progress = Progress::new(records_in(store)?, "records");
    let world = |error: io::Error| CliError::Runtime(format!("the dump: {error}"));
    let mut writer = Writer::begin(out, Clock::System.now().as_ms()).map_err(world)?;
    let (mut image_text, mut written) = (String::new(), 0);
    let mut each = |key: &Key, image: &[u8], expires_at: Option<Timestamp>| {
        let (kind, id) = (key.kind() as u8, key.id());
        image_text.clear();
        STANDARD.encode_string(image, &mut image_text);
        let image = Image {
            kind,
            id: hex(id).into(),
            image: image_text.as_str().into(),
            expires_at_ms: expires_at.map(Timestamp::as_ms),
        };
        written += 1;
        progress.at(written);
        writer.put(&DumpLine::Record(image)).map_err(|error| error.to_string())
    };
    let exported = export(store, &mut each)?;
    Ok((writer.end().map_err(world)?, exported))
}
