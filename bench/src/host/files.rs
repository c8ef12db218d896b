//! How many files we may have open: every connection is one, here and at the server that we start, which inherits it.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Asks for room for so many, as far as this machine gives it; says what is wrong where that is less.
pub(crate) fn allow(files: u64) -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= files) {
        return Ok(());
    }
    if let Some(maximum) = maximum.filter(|maximum| *maximum < files) {
        let what = format!(
            "{files} open files are needed and {maximum} are allowed: ulimit -n says so, or ask for less"
        );
        return Err(io::Error::other(what));
    }
    Ok(setrlimit(Resource::Nofile, Rlimit { current: Some(files), maximum })?)
}
