//! `bench load`: one mix against one server, in turns with the limit server, and the carts counted at the end.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};

use clap::Args;

use crate::chart;
use crate::engine::pace::Pace;
use crate::host::child::Server;
use crate::host::folder::Folder;
use crate::host::machine::{Machine, now};
use crate::host::programs;
use crate::mix::device::DEVICES_MAX;
use crate::mix::exact::{Exact, Stock};
use crate::mix::step::{Mix, Step};
use crate::mix::tongue::Tongue;
use crate::mix::visit::Visit;
use crate::report::load::{Footprint, LoadReport, Series};
use crate::report::numbers::Spread;
use crate::report::out;

use super::asked::{Places, Runs, command};
use super::progress::Progress;
use super::sessions;
use super::turns::{Side, Work};

/// What to ask, of whom, and how.
#[derive(Args, Debug)]
pub(crate) struct Load {
    /// A server that runs already, such as 127.0.0.1:8080 [default: one is started, with a store of its own]
    #[arg(long, value_name = "ADDRESS")]
    url: Option<String>,
    /// What is asked
    #[arg(long, value_enum, default_value_t = Mix::Read)]
    mix: Mix,
    /// Connections
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// Sessions; 1 lets all connections speak to one cart [default: one a connection]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    sessions: Option<u32>,
    /// Lines in each cart
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=200))]
    lines: u32,
    /// Requests a second at even distances, whatever the answers take (an open loop) [default: as fast as answers come]
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// Leave the limit server out
    #[arg(long)]
    no_limit: bool,
    #[command(flatten)]
    runs: Runs,
    #[command(flatten)]
    places: Places,
}

/// Measures, and says what was found.
pub(crate) fn run(asked: &Load) -> io::Result<()> {
    refuse_too_many_devices(asked.mix, asked.connections, asked.sessions.unwrap_or(asked.connections))?;
    let folder = Folder::new(&asked.places.dir)?;
    let machine = Machine::this(folder.path());
    let (ours, address) = server(asked, &folder)?;
    let count = asked.sessions.unwrap_or(asked.connections) as usize;
    let sessions = sessions::begin(address, Tongue::Trolley, count, u64::from(asked.lines))?;
    refuse_what_is_not_there(asked.mix, address, &sessions[0])?;
    let mut report = measure(asked, machine, address, &sessions, &folder)?;
    report.server_after = ours.as_ref().map(|server| Footprint::of(server, &folder.join("store")));
    out::say(&report.text());
    if let Some(path) = &asked.places.json {
        out::json(&report, path)?;
    }
    if let Some(path) = &asked.places.plot {
        out::write(path, &chart::load::draw(&report))?;
    }
    if report.exact.holds() {
        Ok(())
    } else {
        Err(io::Error::other("the carts do not hold what was acknowledged"))
    }
}

/// Each connection is a device of its session; those that a cart has no room for would take turns at being dropped.
pub(super) fn refuse_too_many_devices(mix: Mix, connections: u32, sessions: u32) -> io::Result<()> {
    let a_cart = connections.div_ceil(sessions) as usize;
    if mix != Mix::Sync || a_cart <= DEVICES_MAX {
        return Ok(());
    }
    let what = format!(
        "{a_cart} devices would sync one cart, which has room for {DEVICES_MAX}: ask for more --sessions"
    );
    Err(io::Error::other(what))
}

/// The server that is measured; it is ended with the first part where it is ours.
fn server(asked: &Load, folder: &Folder) -> io::Result<(Option<Server>, SocketAddr)> {
    if let Some(url) = &asked.url {
        return Ok((None, address_of(url)?));
    }
    let server = programs::serve(&programs::path(asked.places.trolley.as_deref())?, &folder.join("store"))?;
    let address = server.address;
    Ok((Some(server), address))
}

/// The address of a server that runs already.
pub(crate) fn address_of(url: &str) -> io::Result<SocketAddr> {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let address = host.to_socket_addrs()?.next();
    address.ok_or_else(|| io::Error::other(format!("{url} is no address")))
}

pub(crate) fn refuse_what_is_not_there(mix: Mix, address: SocketAddr, visit: &Visit) -> io::Result<()> {
    for (step, path) in [(Step::Checkout, "/v1/cart/checkout"), (Step::Sync, "/v1/cart/sync")] {
        if mix.steps().contains(&step) && !sessions::has_route(address, visit, path)? {
            return Err(io::Error::other(format!(
                "this server has no {path}: the mix {} cannot be asked",
                mix.name()
            )));
        }
    }
    Ok(())
}

fn measure(
    asked: &Load,
    machine: Machine,
    address: SocketAddr,
    sessions: &[Visit],
    folder: &Folder,
) -> io::Result<LoadReport> {
    let connections = asked.connections as usize;
    let work = Work {
        tongue: Tongue::Trolley,
        steps: asked.mix.steps(),
        items: u64::from(asked.lines),
        pace: asked.rate.map_or(Pace::Closed, Pace::Open),
    };
    let before = sessions::held(address, work.tongue, sessions)?;
    let limit = if asked.no_limit { None } else { Some(start_limit(address, &sessions[0], folder)?) };
    let mut limit_side = limit.as_ref().map(|limit| Side::new("limit", limit.address, sessions, connections));
    let mut side = Side::new("trolley", address, sessions, connections);
    let mut progress = Progress::new(u64::from(asked.runs.runs) * if limit.is_some() { 2 } else { 1 });
    for _ in 0..asked.runs.runs {
        if let Some(limit) = &mut limit_side {
            limit.run(&work, &asked.runs, None, &mut progress)?;
        }
        side.run(&work, &asked.runs, None, &mut progress)?;
    }
    drop(progress);
    let after = sessions::held(address, work.tongue, sessions)?;
    let stocks: Vec<Stock> =
        before.iter().zip(&after).map(|(b, a)| Stock { before: b.units, after: a.units }).collect();
    let series = |side: &Side| Series::new(side.name, &side.tallies, asked.runs.length);
    let (ours, limit) = (series(&side), limit_side.as_ref().map(series));
    let report = LoadReport {
        what: "load".into(),
        at: now(),
        machine,
        command: command(),
        mix: asked.mix.name(),
        how: how(asked),
        // In an open loop both have the rate that was asked for; what differs is how long answers take.
        share: limit.as_ref().filter(|_| asked.rate.is_none()).map(|limit| share_of(&ours, limit)),
        server: ours,
        limit,
        exact: Exact::compare(&stocks, side.visits()),
        server_after: None,
    };
    Ok(report)
}

/// Starts the limit server with the body of a real cart.
pub(crate) fn start_limit(address: SocketAddr, visit: &Visit, folder: &Folder) -> io::Result<Server> {
    let path = folder.join("body.json");
    std::fs::write(&path, sessions::body(address, visit)?)?;
    programs::limit(&path)
}

/// Each run against the limit's run just before it: what slowed the machine slowed both.
pub(crate) fn share_of(ours: &Series, limit: &Series) -> Spread {
    let pairs = ours.runs.iter().zip(&limit.runs).filter(|(_, limit)| limit.rate > 0.0);
    Spread::of(pairs.map(|(ours, limit)| ours.rate / limit.rate))
}

fn how(asked: &Load) -> String {
    let sessions = match asked.sessions.unwrap_or(asked.connections) {
        1 => "one cart".to_owned(),
        count => format!("{count} carts"),
    };
    let pace = asked.rate.map_or("closed loop".to_owned(), |rate| format!("open loop at {rate}/s"));
    let (lines, runs, seconds) = (asked.lines, asked.runs.runs, asked.runs.length.as_secs_f64());
    let connections = asked.connections;
    format!("{connections} connections, {sessions} of {lines} lines, {pace}, {runs} runs of {seconds} s")
}
