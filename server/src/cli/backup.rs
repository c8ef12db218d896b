//! `trolley backup` and `trolley restore`: a verified copy of a store, and its way back.

use std::path::PathBuf;

use clap::Args;
use trolley_store::embedded::backup::Verified;
use trolley_store::open::{back_up, restore};

use crate::cli::{CliError, say};

/// What to copy, and where to.
#[derive(Args, Debug)]
pub struct Backup {
    /// The store, served or not: file:DIR
    #[arg(long, value_name = "ADDRESS", default_value = "file:./data", env = "TROLLEY_STORE")]
    store: String,
    /// A new folder for the copy
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// What to make a store of.
#[derive(Args, Debug)]
pub struct Restore {
    /// The folder of a backup
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Where the store will be, a folder that has none: file:DIR
    #[arg(long, value_name = "ADDRESS")]
    store: String,
}

/// Copies a store as of one moment, reads the copy again, and only then says that it is done.
pub fn back_up_store(asked: &Backup) -> Result<(), CliError> {
    let verified = back_up(&asked.store, &asked.to)?;
    say(&format!("backed up {} to {}", holding(&verified), asked.to.display()))?;
    whole(&verified)
}

/// Verifies a backup, makes a store of it, and verifies that too.
pub fn restore_store(asked: &Restore) -> Result<(), CliError> {
    let verified = restore(&asked.from, &asked.store)?;
    say(&format!("restored {} to {}", holding(&verified), asked.store))?;
    whole(&verified)
}

/// Where records are damaged all others are copied, and the command fails with a sentence that says which.
fn whole(Verified { damaged, .. }: &Verified) -> Result<(), CliError> {
    if damaged.is_empty() { Ok(()) } else { Err(CliError::Runtime(format!("{damaged}; copied as they are"))) }
}

fn holding(Verified { counts, bytes, .. }: &Verified) -> String {
    format!("and verified {} carts and {} sessions ({bytes} bytes)", counts.carts(), counts.sessions())
}
