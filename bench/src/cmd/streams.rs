//! `bench streams`: carts change at a steady pace while many streams watch them; then many streams that nothing comes on.

use std::io;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::Value;

use crate::chart;
use crate::engine::actor::Actor;
use crate::engine::pace::Pace;
use crate::engine::tally::Tally;
use crate::engine::{self, Workload};
use crate::host::folder::Folder;
use crate::host::machine::{Machine, now};
use crate::host::{files, programs};
use crate::live::account::{Account, Delays, settle};
use crate::live::audience::{Audience, Goal};
use crate::live::changer::{Change, Changer};
use crate::mix::exact::{Exact, Stock};
use crate::mix::shopper::{Errand, Shopper};
use crate::mix::step::Step;
use crate::mix::tongue::Tongue;
use crate::mix::visit::{Visit, share};
use crate::report::load::Footprint;
use crate::report::numbers::{Latency, count};
use crate::report::out;
use crate::report::streams::{StreamsReport, StreamsRun};
use crate::wire::client::Client;

use super::asked::{Places, Runs, command, duration};
use super::load::address_of;
use super::progress::Progress;
use super::{idle, sessions};

/// How many watch, and how much changes.
#[derive(Args, Debug)]
pub(crate) struct Streams {
    /// A server that runs already, such as 127.0.0.1:8080; no streams idle then [default: one is started]
    #[arg(long, value_name = "ADDRESS")]
    url: Option<String>,
    /// Event streams
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    streams: u32,
    /// Streams that watch one cart; a session may have 16
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    watchers: u32,
    /// Changes a second, at even distances, whatever the answers take
    #[arg(long, value_name = "N", default_value_t = 1_000.0)]
    rate: f64,
    /// Connections that change carts
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// Lines in each cart
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=200))]
    lines: u32,
    /// How long after the last change an event may still come before it counts as lost
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    patience: Duration,
    /// Streams on which nothing comes, for memory and for reads beside them; 0 leaves them out
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(0..=25_000))]
    idle: u32,
    #[command(flatten)]
    runs: Runs,
    #[command(flatten)]
    places: Places,
}

/// Measures, and says what was found.
pub(crate) fn run(asked: &Streams) -> io::Result<()> {
    let folder = Folder::new(&asked.places.dir)?;
    let machine = Machine::this(folder.path());
    let idle = if asked.url.is_none() { asked.idle } else { 0 };
    let connections = asked.streams.max(idle) + asked.connections + 256;
    files::allow(u64::from(connections) + 256)?;
    let (server, address) = match &asked.url {
        Some(url) => (None, address_of(url)?),
        None => {
            let program = programs::path(asked.places.trolley.as_deref())?;
            let server = programs::serve_many(&program, &folder.join("store"), connections)?;
            let address = server.address;
            (Some(server), address)
        }
    };
    let mut report = measure(asked, machine, address)?;
    if let Some(server) = &server {
        if idle > 0 {
            report.idle = Some(idle::measure(server, idle as usize, &asked.runs, asked.patience)?);
        }
        report.server_after = Some(Footprint::of(server, &folder.join("store")));
    }
    out::say(&report.text());
    if let Some(path) = &asked.places.json {
        out::json(&report, path)?;
    }
    if let Some(path) = &asked.places.plot {
        out::write(path, &chart::streams::draw(&report))?;
    }
    verdict(&report)
}

fn verdict(report: &StreamsReport) -> io::Result<()> {
    if !report.account.holds() {
        Err(io::Error::other("the streams did not show every change of their carts"))
    } else if !report.exact.holds() {
        Err(io::Error::other("the carts do not hold what was acknowledged"))
    } else if report.idle.as_ref().is_some_and(|idle| idle.ended > 0) {
        Err(io::Error::other("streams ended that nobody ended"))
    } else {
        Ok(())
    }
}

/// The carts that change, who changes them and who watches.
struct Scene {
    address: SocketAddr,
    audience: Audience,
    shares: Vec<Vec<Visit>>,
    account: Account,
    delays: Delays,
    /// The revision that each session's cart was acknowledged at.
    revisions: Vec<u64>,
}

fn measure(asked: &Streams, machine: Machine, address: SocketAddr) -> io::Result<StreamsReport> {
    let carts = asked.streams.div_ceil(asked.watchers) as usize;
    let visits = sessions::begin(address, Tongue::Trolley, carts, u64::from(asked.lines))?;
    let before = sessions::held(address, Tongue::Trolley, &visits)?;
    let watching = visits.iter().cycle().take(asked.streams as usize);
    let mut scene = Scene {
        address,
        audience: Audience::open(address, watching, asked.patience)?,
        shares: share(&visits, asked.connections as usize),
        account: Account::default(),
        delays: Delays::new(),
        revisions: vec![0; carts],
    };
    let mut progress = Progress::new(u64::from(asked.runs.runs));
    let mut runs = Vec::new();
    for number in 1..=asked.runs.runs {
        progress.says(format!("changes, run {number}"));
        runs.push(scene.run(asked, &mut progress)?);
        progress.next();
    }
    drop(progress);
    let carts = carts_of(address, &visits)?;
    scene.account.unlike = unlike(&scene.audience, &carts);
    (scene.account.backwards, scene.account.ended) = (scene.audience.backwards, scene.audience.ended());
    let held = |cart: &Value| Tongue::Trolley.held(cart).map_or(0, |held| held.units);
    let stocks: Vec<Stock> =
        before.iter().zip(&carts).map(|(b, a)| Stock { before: b.units, after: held(a) }).collect();
    Ok(StreamsReport {
        what: "streams".into(),
        at: now(),
        machine,
        command: command(),
        how: how(asked),
        since_due_us: Latency::of(&scene.delays.since_due),
        since_answer_us: Latency::of(&scene.delays.since_answer),
        before_answer: scene.delays.before_answer,
        runs,
        account: scene.account,
        exact: Exact::compare(&stocks, scene.shares.iter().flatten()),
        idle: None,
        server_after: None,
    })
}

impl Scene {
    /// One run: changes in one part of our threads, the streams in another; then every change is looked for.
    fn run(&mut self, asked: &Streams, progress: &mut Progress) -> io::Result<StreamsRun> {
        let errand = Errand {
            tongue: Tongue::Trolley,
            host: self.address.to_string(),
            steps: &[Step::Add],
            items: u64::from(asked.lines),
            left: None,
            keys: String::new(),
        };
        let shares = std::mem::take(&mut self.shares).into_iter().enumerate();
        let mut changers: Vec<Changer> = shares
            .map(|(number, visits)| Shopper::new(errand.clone(), number, visits))
            .map(|shopper| Changer { shopper, changes: Vec::new() })
            .collect();
        self.audience.forget();
        let goal = OnceLock::new();
        let (audience, revisions, address) = (&mut self.audience, &self.revisions, self.address);
        let tally = std::thread::scope(|scope| {
            let attending = scope.spawn(|| audience.attend(&goal));
            let tally = change(asked, address, &mut changers, progress);
            let reached = |revisions| Goal { revisions, by: Instant::now() + asked.patience };
            // Set also where the changes failed: nobody waits for what will not come.
            let newest = newest(revisions, changers.iter().flat_map(|changer| &changer.changes));
            goal.get_or_init(|| reached(newest));
            attending.join().expect("reading streams does not panic")?;
            tally
        })?;
        let changes: Vec<Change> = changers.iter().flat_map(|changer| changer.changes.clone()).collect();
        self.revisions = newest(&self.revisions, changes.iter());
        self.shares = changers.into_iter().map(|changer| changer.shopper.into_visits()).collect();
        let delays = self.settle(&changes, asked.runs.warm_up);
        self.delays.add(&delays);
        Ok(StreamsRun::new(&tally, &delays, asked.runs.length))
    }

    fn settle(&mut self, changes: &[Change], warm_up: Duration) -> Delays {
        let mut delays = Delays::new();
        // The first change is due when the warm-up begins.
        let Some(began) = changes.iter().map(|change| change.due).min() else { return delays };
        let mut of_session = vec![Vec::new(); self.revisions.len()];
        self.audience.seats().iter().for_each(|seat| of_session[seat.session].push(&seat.seen[..]));
        let from = began + warm_up;
        settle(changes, from, |session| &of_session[session], &mut self.account, &mut delays);
        delays
    }
}

fn change(
    asked: &Streams,
    address: SocketAddr,
    changers: &mut [Changer],
    progress: &mut Progress,
) -> io::Result<Tally> {
    let load = Workload {
        address,
        threads: asked.runs.threads as usize,
        pace: Pace::Open(asked.rate),
        warm_up: asked.runs.warm_up,
        length: asked.runs.length,
    };
    let mut actors: Vec<&mut dyn Actor> =
        changers.iter_mut().map(|changer| changer as &mut dyn Actor).collect();
    engine::run(&load, &mut actors, |part, _| progress.within(part))
}

/// The newest revision of each session's cart.
fn newest<'a>(known: &[u64], changes: impl Iterator<Item = &'a Change>) -> Vec<u64> {
    let mut newest = known.to_vec();
    for change in changes {
        newest[change.session] = newest[change.session].max(change.revision);
    }
    newest
}

/// Each session's cart, as it is read.
fn carts_of(address: SocketAddr, visits: &[Visit]) -> io::Result<Vec<Value>> {
    let mut client = Client::new(address);
    visits.iter().map(|visit| Ok(client.send("GET", "/v1/cart", &[&visit.cookie], "")?.json())).collect()
}

/// How many streams show something else than the cart that they watch.
fn unlike(audience: &Audience, carts: &[Value]) -> u64 {
    let shows = |last: &str| serde_json::from_str::<Value>(last).unwrap_or_default();
    let unlike = audience.seats().iter().filter(|seat| shows(&seat.last) != carts[seat.session]);
    unlike.count() as u64
}

fn how(asked: &Streams) -> String {
    let (streams, rate) = (count(f64::from(asked.streams)), count(asked.rate));
    let (watchers, lines, runs) = (asked.watchers, asked.lines, asked.runs.runs);
    let seconds = asked.runs.length.as_secs_f64();
    format!(
        "{streams} streams, {watchers} a cart of {lines} lines, {rate} changes a second, {runs} runs of {seconds} s"
    )
}
