//! `bench hostile`: one address does its worst while neighbours shop, and whether they notice.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::host::child::Server;
use crate::host::folder::{Folder, bytes_in};
use crate::host::machine::{Machine, now};
use crate::host::{files, programs};
use crate::hostile::attack::Part;
use crate::hostile::book::{Book, Phase};
use crate::hostile::catalogue::Catalogue;
use crate::hostile::scene::{FILES, Outcome, Scene};
use crate::report::hostile::{Bounds, HostileReport, Vitals};
use crate::report::out;

use super::asked::{Places, command, duration};
use super::load::address_of;
use super::progress::Progress;

/// How hard, how long, and what the server is held to.
#[derive(Args, Debug)]
pub(crate) struct Hostile {
    /// A server of this machine that runs already, with --rate-limits on and `--catalogue http://127.0.0.1:9911/products`,
    /// which is ours [default: one is started, with a store of its own]
    #[arg(long, value_name = "ADDRESS")]
    url: Option<String>,
    /// Where our catalogue listens, which that server asks
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9911", requires = "url")]
    catalogue: SocketAddr,
    /// How long neighbours are alone, uncounted
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    warm_up: Duration,
    /// How long they are alone, then attacked, then alone again: each so long
    #[arg(long = "for", value_name = "DURATION", default_value = "20s", value_parser = duration)]
    length: Duration,
    /// How many runs, each with a server of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// What neighbours begin in a second, all together
    #[arg(long, value_name = "N", default_value_t = 70, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rate: u32,
    /// Do this part of the attack, and no other; may be said several times [default: all of it at once]
    #[arg(long, value_name = "PART", value_enum)]
    only: Vec<Part>,
    /// Fail too where a p99 is above 3 times that of before, or memory or disk above their bounds
    #[arg(long)]
    strict: bool,
    /// Memory that the server may take, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 768)]
    memory_most: u64,
    /// What the attacker may add to the disk in a day, in GiB: docs/security.md does the sum
    #[arg(long, value_name = "GIB", default_value_t = 16)]
    disk_most: u64,
    #[command(flatten)]
    places: Places,
}

/// Attacks, and says what was found.
pub(crate) fn run(asked: &Hostile) -> io::Result<()> {
    let theirs = asked.url.as_deref().map(of_this_machine).transpose()?;
    // The server has as many, and some of its own.
    files::allow(FILES + 10_000)?;
    let folder = Folder::new(&asked.places.dir)?;
    let machine = Machine::this(folder.path());
    let listen = if theirs.is_some() { asked.catalogue } else { SocketAddr::from(([127, 0, 0, 1], 0)) };
    let catalogue = Catalogue::open(listen)?;
    let mut progress = Progress::new(u64::from(asked.runs));
    let (mut books, mut attacks, mut vitals) = (Vec::new(), BTreeMap::new(), Vec::new());
    for number in 0..asked.runs {
        let stage = Stage::set(asked, theirs, &catalogue, &folder, number)?;
        let (outcome, health) = stage.play(asked, &catalogue, &mut progress)?;
        take(outcome, &mut books, &mut attacks);
        vitals.extend(health);
        progress.next();
    }
    drop(progress);
    let (neighbours, troubled_for_s) = HostileReport::rows(&books);
    let report = HostileReport {
        what: "hostile".into(),
        at: now(),
        machine,
        command: command(),
        how: how(asked),
        phase_s: asked.length.as_secs_f64(),
        neighbours,
        troubled_for_s,
        attacks,
        vitals,
        questions_at_once: catalogue.most(),
        bounds: Bounds { memory: asked.memory_most << 20, disk_a_day: asked.disk_most << 30 },
    };
    out::say(&report.text());
    if let Some(path) = &asked.places.json {
        out::json(&report, path)?;
    }
    verdict(&report, asked.strict)
}

fn verdict(report: &HostileReport, strict: bool) -> io::Result<()> {
    let beyond = report.beyond();
    if !report.holds() {
        Err(io::Error::other("neighbours were refused, or told what is not true"))
    } else if strict && !beyond.is_empty() {
        Err(io::Error::other(beyond.join("; ")))
    } else {
        Ok(())
    }
}

/// A server that is not this machine's is nobody's to attack.
fn of_this_machine(url: &str) -> io::Result<SocketAddr> {
    let address = address_of(url)?;
    if address.ip().is_loopback() && address.is_ipv4() {
        return Ok(address);
    }
    let what =
        format!("{address} is not of 127.0.0.0/8: bench hostile attacks servers of this machine alone");
    Err(io::Error::other(what))
}

/// A server of ours.
struct Ours {
    server: Server,
    store: PathBuf,
    /// What it says goes to the disk too.
    log: PathBuf,
}

/// The server of one run.
struct Stage {
    address: SocketAddr,
    ours: Option<Ours>,
}

impl Stage {
    fn set(
        asked: &Hostile,
        theirs: Option<SocketAddr>,
        catalogue: &Catalogue,
        folder: &Folder,
        number: u32,
    ) -> io::Result<Stage> {
        if let Some(address) = theirs {
            return Ok(Stage { address, ours: None });
        }
        let store = folder.join(&format!("store-{number}"));
        let log = folder.join(&format!("log-{number}"));
        let program = programs::path(asked.places.trolley.as_deref())?;
        let server = programs::serve_guarded(&program, &store, &log, &catalogue.place())?;
        Ok(Stage { address: server.address, ours: Some(Ours { server, store, log }) })
    }

    fn play(
        &self,
        asked: &Hostile,
        catalogue: &Catalogue,
        progress: &mut Progress,
    ) -> io::Result<(Outcome, Option<Vitals>)> {
        let scene = Scene {
            server: self.address,
            catalogue: catalogue.clone(),
            warm_up: asked.warm_up,
            each: asked.length,
            rate: f64::from(asked.rate),
            parts: if asked.only.is_empty() { Part::ALL.into() } else { asked.only.clone() },
        };
        let mut watch = Watch::default();
        let outcome = scene.play(|phase, part| {
            progress.within(part);
            let Some(phase) = phase else { return };
            progress.says(format!("{} the attack", phase.name()));
            if let Some(ours) = &self.ours {
                watch.look(phase, ours, catalogue.questions());
            }
        })?;
        Ok((outcome, self.ours.is_some().then_some(watch.vitals)))
    }
}

/// Looks at the server now and then.
#[derive(Default)]
struct Watch {
    vitals: Vitals,
    /// The phase of the last look, and what had been used up when it began: processor seconds and questions.
    begun: Option<(Phase, f64, u64)>,
}

impl Watch {
    fn look(&mut self, phase: Phase, ours: &Ours, questions: u64) {
        let cpu_s = ours.server.cpu().unwrap_or_default().as_secs_f64();
        let (disk, log) =
            (bytes_in(&ours.store), std::fs::metadata(&ours.log).map_or(0, |metadata| metadata.len()));
        let health = self.vitals.of(phase);
        let (began, cpu_first, questions_first) = *self.begun.get_or_insert((phase, cpu_s, questions));
        if began != phase || health.disk_first == 0 {
            self.begun = Some((phase, cpu_s, questions));
            (health.disk_first, health.log_first) = (disk, log);
        } else {
            health.cpu_s = cpu_s - cpu_first;
            health.questions = questions - questions_first;
        }
        health.memory_most = health.memory_most.max(ours.server.memory());
        (health.disk_last, health.log_last) = (disk, log);
    }
}

fn take(outcome: Outcome, books: &mut Vec<Book>, attacks: &mut BTreeMap<String, BTreeMap<String, u64>>) {
    books.push(outcome.book);
    for (attack, told) in outcome.told {
        let sum = attacks.entry(attack.to_owned()).or_default();
        for (what, times) in told {
            *sum.entry(what).or_default() += times;
        }
    }
}

fn how(asked: &Hostile) -> String {
    let Hostile { rate, runs, .. } = asked;
    let seconds = asked.length.as_secs_f64();
    format!(
        "neighbours of ten addresses begin {rate} things a second; for {seconds} s alone, {seconds} s with one address that does its worst, {seconds} s alone again; {runs} runs"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_attacked() {
        assert!(of_this_machine("http://127.0.0.1:8080/").is_ok());
        for url in ["192.0.2.1:8080", "[::1]:8080", "http://0.0.0.0:80"] {
            let refused = of_this_machine(url).expect_err("it is elsewhere");
            assert!(refused.to_string().contains("this machine alone"), "{refused}");
        }
    }
}
