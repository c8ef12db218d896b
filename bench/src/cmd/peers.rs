//! `bench peers`: the same work for Trolley and for what shops use elsewhere, in turns; and one cart that many add to at once.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::chart;
use crate::engine::pace::Pace;
use crate::host::child::Server;
use crate::host::folder::Folder;
use crate::host::machine::{Machine, now};
use crate::host::programs;
use crate::mix::step::{Mix, Step};
use crate::mix::tongue::Tongue;
use crate::mix::visit::Visit;
use crate::peer::setup::version_of;
use crate::peer::{Peer, redis, sessions as session_peers, vendure};
use crate::report::numbers::Spread;
use crate::report::out;
use crate::report::peers::{Missing, OneCart, PeerRow, PeersReport, Speed};

use super::asked::{Places, Runs, command};
use super::progress::Progress;
use super::sessions;
use super::turns::{Side, Work};

/// Which peers, and how.
#[derive(Args, Debug)]
pub(crate) struct Peers {
    /// Which: redis, tower, express, vendure
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', default_value = "redis,tower,express,vendure", value_parser = ["redis", "tower", "express", "vendure"])]
    only: Vec<String>,
    /// Connections, each with a session of its own
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    connections: u32,
    /// Adds to one cart at once
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    adds: u64,
    /// Where the peers' packages are kept from one run to the next
    #[arg(long, value_name = "DIR", default_value = "target/bench-peers")]
    packages: PathBuf,
    #[command(flatten)]
    runs: Runs,
    #[command(flatten)]
    places: Places,
}

/// A server under measurement: where it is, its sessions, and what each run gave.
struct Runner {
    peer: Peer,
    read: Side,
    add: Side,
}

/// Measures.
pub(crate) fn run(asked: &Peers) -> io::Result<()> {
    let folder = Folder::new(&asked.places.dir)?;
    let machine = Machine::this(folder.path());
    std::fs::create_dir_all(&asked.packages)?;
    let packages = asked.packages.canonicalize()?;
    let mut progress = Progress::new(u64::from(asked.runs.runs) * 2 * (1 + asked.only.len() as u64));
    let (mut peers, mut missing) = (vec![trolley(asked, &folder)?], Vec::new());
    for name in asked.only.iter().filter(|name| *name != "redis") {
        progress.says(format!("setting up {name}"));
        let peer = match name.as_str() {
            "tower" => session_peers::tower(&packages, folder.path()),
            "express" => session_peers::express(&packages, folder.path()),
            _ => vendure::start(&packages, folder.path()),
        };
        match peer {
            Ok(peer) => peers.push(peer),
            Err(why) => missing.push(Missing { name: name.clone(), why: why.to_string() }),
        }
    }
    let runners: io::Result<Vec<Runner>> = peers.into_iter().map(|peer| Runner::new(peer, asked)).collect();
    let mut runners = runners?;
    let mut raw = None;
    if asked.only.iter().any(|name| name == "redis") {
        match RawRedis::start(&folder) {
            Ok(redis) => raw = Some(redis),
            Err(why) => missing.push(Missing { name: "redis".into(), why: why.to_string() }),
        }
    }
    for _ in 0..asked.runs.runs {
        for runner in &mut runners {
            runner.run(asked, &mut progress)?;
        }
        if let Some(raw) = &mut raw {
            raw.run(asked, &mut progress)?;
        }
    }
    let mut rows = Vec::new();
    for runner in &runners {
        rows.push(runner.row(asked, &mut progress)?);
    }
    if let Some(raw) = &raw {
        rows.insert(1, raw.row(asked)?);
    }
    drop(progress);
    tell(asked, machine, rows, missing)
}

fn tell(asked: &Peers, machine: Machine, rows: Vec<PeerRow>, missing: Vec<Missing>) -> io::Result<()> {
    let (connections, runs, seconds) = (asked.connections, asked.runs.runs, asked.runs.length.as_secs_f64());
    let how = format!(
        "{connections} connections, each with a session of its own; {runs} runs of {seconds} s, in turns"
    );
    let report =
        PeersReport { what: "peers".into(), at: now(), machine, command: command(), how, rows, missing };
    out::say(&report.text());
    if let Some(path) = &asked.places.json {
        out::json(&report, path)?;
    }
    if let Some(path) = &asked.places.plot {
        out::write(path, &chart::peers::draw(&report))?;
    }
    Ok(())
}

fn trolley(asked: &Peers, folder: &Folder) -> io::Result<Peer> {
    let program = programs::path(asked.places.trolley.as_deref())?;
    let version = version_of(&program.to_string_lossy(), "version")?;
    let server = programs::serve(&program, &folder.join("store"))?;
    let peer = Peer::new(format!("Trolley {version}"), Tongue::Trolley, "nothing", vec![server]);
    peer.ok_or_else(|| io::Error::other("there is no server"))
}

impl Runner {
    fn new(peer: Peer, asked: &Peers) -> io::Result<Runner> {
        let connections = asked.connections as usize;
        let named = |error: io::Error| io::Error::other(format!("{}: {error}", peer.name));
        let visits = sessions::begin(peer.address, peer.tongue, connections, 1).map_err(named)?;
        let side = || Side::new("peer", peer.address, &visits, connections);
        let (read, add) = (side(), side());
        Ok(Runner { peer, read, add })
    }

    fn work(&self, steps: &'static [Step]) -> Work {
        Work { tongue: self.peer.tongue, steps, items: 1, pace: Pace::Closed }
    }

    fn run(&mut self, asked: &Peers, progress: &mut Progress) -> io::Result<()> {
        let (read, add) = (self.work(Mix::Read.steps()), self.work(Mix::Add.steps()));
        self.read.run(&read, &asked.runs, None, progress)?;
        self.add.run(&add, &asked.runs, None, progress)
    }

    fn row(&self, asked: &Peers, progress: &mut Progress) -> io::Result<PeerRow> {
        Ok(PeerRow {
            name: self.peer.name.clone(),
            durability: self.peer.durability.to_owned(),
            read: speed(&self.read, asked),
            add: speed(&self.add, asked),
            one_cart: self.one_cart(asked, progress)?,
        })
    }

    /// Many adds to one cart at once, and what is there afterwards.
    fn one_cart(&self, asked: &Peers, progress: &mut Progress) -> io::Result<OneCart> {
        let (address, tongue) = (self.peer.address, self.peer.tongue);
        let visits: Vec<Visit> = sessions::begin(address, tongue, 1, 1)?;
        let before = sessions::held(address, tongue, &visits)?[0];
        let mut side = Side::new("one cart", address, &visits, asked.connections as usize);
        // It ends when all are answered; this is only how long it may take at most.
        let runs = Runs { warm_up: Duration::ZERO, length: Duration::from_secs(300), ..asked.runs.clone() };
        side.run(&self.work(Mix::Add.steps()), &runs, Some(asked.adds), progress)?;
        let after = sessions::held(address, tongue, &visits)?[0];
        let acknowledged = side.visits().map(|visit| visit.acknowledged).sum();
        let there = after.units.saturating_sub(before.units);
        Ok(OneCart {
            asked: asked.adds,
            acknowledged,
            refused: asked.adds - acknowledged,
            there,
            lines: after.lines,
        })
    }
}

fn speed(side: &Side, asked: &Peers) -> Speed {
    let seconds = asked.runs.length.as_secs_f64();
    // What is refused is no work done.
    let done = side.tallies.iter().map(|tally| (tally.answers() - tally.refused) as f64 / seconds);
    let p99 = side.tallies.iter().map(|tally| tally.latency.value_at_percentile(99.0) as f64);
    Speed { rate: Spread::of(done), p99_us: Spread::of(p99) }
}

/// Redis by itself: a cart is a hash, an add is HINCRBY. No session, no HTTP, no retry that counts once.
struct RawRedis {
    server: Server,
    name: String,
    read: Vec<redis::Measured>,
    add: Vec<redis::Measured>,
}

impl RawRedis {
    fn start(folder: &Folder) -> io::Result<RawRedis> {
        let name = format!("Redis {}, by itself", version_of("redis-server", "--version")?);
        let server = redis::start(&folder.join("redis"), redis::ALWAYS)?;
        // What is read is as large as a cart.
        redis::ask(&server, &["SET", "cart", &"x".repeat(600)])?;
        Ok(RawRedis { server, name, read: Vec::new(), add: Vec::new() })
    }

    /// As many requests as take about as long as a run of the others.
    fn run(&mut self, asked: &Peers, progress: &mut Progress) -> io::Result<()> {
        progress.says("redis-benchmark");
        let requests = |last: Option<&redis::Measured>| {
            let rate = last.map_or(20_000.0, |last| last.rate);
            (rate * asked.runs.length.as_secs_f64()).max(1_000.0) as u64
        };
        let (reads, adds) = (requests(self.read.last()), requests(self.add.last()));
        self.read.push(redis::benchmark(&self.server, asked.connections, reads, &["GET", "cart"])?);
        progress.next();
        let add = ["HINCRBY", "cart:__rand_int__", "mug", "1"];
        self.add.push(redis::benchmark(&self.server, asked.connections, adds, &add)?);
        progress.next();
        Ok(())
    }

    fn row(&self, asked: &Peers) -> io::Result<PeerRow> {
        redis::benchmark(&self.server, asked.connections, asked.adds, &["HINCRBY", "one", "mug", "1"])?;
        let there = redis::ask(&self.server, &["HGET", "one", "mug"])?.parse().unwrap_or_default();
        let one_cart = OneCart { asked: asked.adds, acknowledged: asked.adds, refused: 0, there, lines: 1 };
        let speed = |runs: &[redis::Measured]| Speed {
            rate: Spread::of(runs.iter().map(|run| run.rate)),
            p99_us: Spread::of(runs.iter().map(|run| run.p99_us)),
        };
        let (read, add) = (speed(&self.read), speed(&self.add));
        Ok(PeerRow { name: self.name.clone(), durability: "nothing".into(), read, add, one_cart })
    }
}
