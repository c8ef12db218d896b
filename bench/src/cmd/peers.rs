//! `bench peers`: the same work for Trolley and for what shops use elsewhere, in turns; and one cart that many add to at once.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::chart;
use crate::host::folder::Folder;
use crate::host::machine::{Machine, now};
use crate::host::programs;
use crate::peer::{sessions, vendure};
use crate::report::out;
use crate::report::peers::{Missing, PeerRow, PeersReport};

use super::asked::{Places, command};
use super::contender::{Contender, Same};
use super::progress::Progress;

/// Which peers, and how.
#[derive(Args, Debug)]
pub(crate) struct Peers {
    /// Which: redis, tower, express, vendure
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', default_value = "redis,tower,express,vendure", value_parser = ["redis", "tower", "express", "vendure"])]
    only: Vec<String>,
    /// Where the peers' packages are kept from one run to the next
    #[arg(long, value_name = "DIR", default_value = "target/bench-peers")]
    packages: PathBuf,
    #[command(flatten)]
    same: Same,
    #[command(flatten)]
    places: Places,
}

/// Measures.
pub(crate) fn run(asked: &Peers) -> io::Result<()> {
    let (same, folder) = (&asked.same, Folder::new(&asked.places.dir)?);
    let machine = Machine::this(folder.path());
    std::fs::create_dir_all(&asked.packages)?;
    let packages = asked.packages.canonicalize()?;
    let names = || std::iter::once("trolley").chain(asked.only.iter().map(String::as_str));
    // Each run reads and adds; at the end comes the one cart.
    let steps = names().count() as u64 * (u64::from(same.runs.runs) * 2 + 1);
    let (mut progress, mut missing) = (Progress::new(steps), Vec::new());
    let mut contenders = Vec::new();
    for name in names() {
        progress.says(format!("setting up {name}"));
        match set_up(name, asked, &packages, &folder) {
            Ok(contender) => contenders.push((name, contender)),
            Err(why) => missing.push(failed(name, why)?),
        }
    }
    for _ in 0..same.runs.runs {
        each(&mut contenders, &mut missing, |contender| contender.run(same, &mut progress))?;
    }
    let mut rows = Vec::new();
    each(&mut contenders, &mut missing, |contender| {
        rows.push(contender.row(same, &mut progress)?);
        Ok(())
    })?;
    drop(progress);
    tell(asked, machine, rows, missing)
}

fn set_up(name: &str, asked: &Peers, packages: &Path, folder: &Folder) -> io::Result<Contender> {
    let peer = match name {
        "trolley" => {
            let program = programs::path(asked.places.trolley.as_deref())?;
            return Contender::trolley(&program, &asked.same, folder);
        }
        "redis" => return Contender::redis(folder),
        "tower" => sessions::tower(packages, folder.path())?,
        "express" => sessions::express(packages, folder.path())?,
        _ => vendure::start(packages, folder.path())?,
    };
    Contender::peer(peer, &asked.same)
}

/// Gives each its turn. One that fails is out from then on.
fn each(
    contenders: &mut Vec<(&str, Contender)>,
    missing: &mut Vec<Missing>,
    mut turn: impl FnMut(&mut Contender) -> io::Result<()>,
) -> io::Result<()> {
    for (name, mut contender) in std::mem::take(contenders) {
        match turn(&mut contender) {
            Ok(()) => contenders.push((name, contender)),
            Err(why) => missing.push(failed(name, why)?),
        }
    }
    Ok(())
}

/// The others are compared with Trolley: without it there is no result; without one of them there is one, which says so.
fn failed(name: &str, why: io::Error) -> io::Result<Missing> {
    if name == "trolley" { Err(why) } else { Ok(Missing { name: name.to_owned(), why: why.to_string() }) }
}

fn tell(asked: &Peers, machine: Machine, rows: Vec<PeerRow>, missing: Vec<Missing>) -> io::Result<()> {
    let same = &asked.same;
    let (connections, runs, seconds) = (same.connections, same.runs.runs, same.runs.length.as_secs_f64());
    let report = PeersReport {
        what: "peers".into(),
        at: now(),
        machine,
        command: command(),
        how: format!("{connections} connections at once; medians of {runs} runs of {seconds} s, in turns"),
        rows,
        missing,
    };
    out::say(&report.text());
    if let Some(path) = &asked.places.json {
        out::json(&report, path)?;
    }
    if let Some(path) = &asked.places.plot {
        out::write(path, &chart::peers::draw(&report))?;
    }
    let exact = report.rows.first().is_some_and(|trolley| trolley.one_cart.is_exact());
    if exact { Ok(()) } else { Err(io::Error::other("the cart does not hold what was acknowledged")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_fails_is_told_and_trolley_failing_is_no_result() {
        let why = || io::Error::other("no such package");
        assert_eq!(failed("tower", why()).expect("it is told").why, "no such package");
        assert!(failed("trolley", why()).is_err());
    }
}
