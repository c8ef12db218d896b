//! `bench scale`: how cost grows with the carts at rest, with connections, and with the lines of a cart.

use std::io;
use std::path::Path;

use clap::Args;

use crate::chart;
use crate::engine::pace::Pace;
use crate::host::dump;
use crate::host::folder::Folder;
use crate::host::machine::{Machine, now};
use crate::host::programs;
use crate::mix::exact::{Exact, Stock};
use crate::mix::step::Mix;
use crate::mix::tongue::Tongue;
use crate::mix::visit::Visit;
use crate::report::load::{Footprint, Series};
use crate::report::numbers::count;
use crate::report::out;
use crate::report::scale::{Point, ScaleCost, ScaleReport};

use super::asked::{Places, Runs, command};
use super::load::{share_of, start_limit};
use super::progress::Progress;
use super::sessions;
use super::turns::{Side, Work};

/// Which sizes.
#[derive(Args, Debug)]
pub(crate) struct Scale {
    /// Carts at rest; 10000000 takes some minutes and 10 GiB
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000], value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    carts: Vec<u64>,
    /// Connections, over the first number of carts
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [1, 4, 16, 64, 256, 1024], value_parser = clap::value_parser!(u64).range(1..=10_000))]
    connections: Vec<u64>,
    /// Lines in each of 1000 carts
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [1, 10, 50, 200], value_parser = clap::value_parser!(u64).range(1..=200))]
    lines: Vec<u64>,
    #[command(flatten)]
    runs: Runs,
    #[command(flatten)]
    places: Places,
}

/// Connections where it is not these that grow.
const CONNECTIONS: u64 = 64;
/// Lines of a cart where it is not these that grow.
const LINES: u64 = 3;
/// Carts where it is the lines that grow.
const CARTS: u64 = 1_000;
/// Sessions that speak, evenly over the whole store: more than a cache of records in use needs to be small for.
const SESSIONS: u64 = 4_096;

/// One size of everything.
#[derive(Clone, Copy, Debug)]
struct Size {
    carts: u64,
    connections: u64,
    lines: u64,
    /// The one that grows.
    of: u64,
}

/// Measures.
pub(crate) fn run(asked: &Scale) -> io::Result<()> {
    let folder = Folder::new(&asked.places.dir)?;
    let machine = Machine::this(folder.path());
    let program = programs::path(asked.places.trolley.as_deref())?;
    let sizes = asked.carts.len() + asked.connections.len() + asked.lines.len();
    let mut progress = Progress::new(sizes as u64 * (2 + u64::from(asked.runs.runs) * 4));
    let mut point = |size| measure(asked, &program, size, &folder, &mut progress);
    let base = Size {
        carts: asked.carts.first().copied().unwrap_or(CARTS),
        connections: CONNECTIONS,
        lines: LINES,
        of: 0,
    };
    let carts: io::Result<_> =
        asked.carts.iter().map(|n| point(Size { carts: *n, of: *n, ..base })).collect();
    let carts = carts?;
    let connections: io::Result<_> =
        asked.connections.iter().map(|n| point(Size { connections: *n, of: *n, ..base })).collect();
    let connections = connections?;
    let lines: io::Result<_> =
        asked.lines.iter().map(|n| point(Size { carts: CARTS, lines: *n, of: *n, ..base })).collect();
    let lines = lines?;
    drop(progress);
    let (runs, seconds) = (asked.runs.runs, asked.runs.length.as_secs_f64());
    let report = ScaleReport {
        what: "scale".into(),
        at: now(),
        machine,
        command: command(),
        how: format!(
            "{CONNECTIONS} connections and {LINES} lines a cart but where told; {runs} runs of {seconds} s each"
        ),
        carts,
        connections,
        lines,
    };
    out::say(&report.text());
    if let Some(path) = &asked.places.json {
        out::json(&report, path)?;
    }
    if let Some(path) = &asked.places.plot {
        out::write(path, &chart::scale::draw(&report))?;
    }
    let exact = report.points().all(|point| point.exact.holds());
    if exact { Ok(()) } else { Err(io::Error::other("the carts do not hold what was acknowledged")) }
}

fn measure(
    asked: &Scale,
    program: &Path,
    size: Size,
    folder: &Folder,
    progress: &mut Progress,
) -> io::Result<Point> {
    let place = Folder::new(folder.path())?;
    let (dump, store) = (place.join("carts.jsonl"), place.join("store"));
    let carts = count(size.carts as f64);
    progress.says(format!("writing a dump of {carts} carts"));
    dump::write(&dump, size.carts, size.lines, |part| progress.within(part))?;
    progress.next();
    let imported = dump::import(program, &dump, &store, |so_far| {
        progress.says(format!("importing {carts} carts: {} s", so_far.as_secs()));
    })?;
    progress.next();
    std::fs::remove_file(&dump)?;
    let server = programs::serve(program, &store)?;
    let before = Footprint::of(&server, &store);
    let sessions = spread_over(size.carts, size.connections);
    let limit = start_limit(server.address, &sessions[0], &place)?;
    let connections = size.connections as usize;
    let held = || sessions::held(server.address, Tongue::Trolley, &sessions);
    let stock = held()?;
    let mut costs = Vec::new();
    let mut accounts = Vec::new();
    for mix in [Mix::Read, Mix::AddKeyed] {
        let work =
            Work { tongue: Tongue::Trolley, steps: mix.steps(), items: size.lines, pace: Pace::Closed };
        let mut ours = Side::new("trolley", server.address, &sessions, connections);
        let mut theirs = Side::new("limit", limit.address, &sessions, connections);
        for _ in 0..asked.runs.runs {
            theirs.run(&work, &asked.runs, None, progress)?;
            ours.run(&work, &asked.runs, None, progress)?;
        }
        costs.push(cost(asked, &ours, &theirs));
        accounts.extend(ours.visits().cloned());
    }
    let stocks: Vec<Stock> =
        stock.iter().zip(held()?).map(|(b, a)| Stock { before: b.units, after: a.units }).collect();
    Ok(Point {
        size: size.of,
        read: costs[0],
        add: costs[1],
        import_s: imported.as_secs_f64(),
        before,
        after: Footprint::of(&server, &store),
        exact: Exact::compare(&stocks, accounts.iter()),
    })
}

fn cost(asked: &Scale, ours: &Side, theirs: &Side) -> ScaleCost {
    let ours = Series::new(ours.name, &ours.tallies, asked.runs.length);
    let limit = Series::new(theirs.name, &theirs.tallies, asked.runs.length);
    ScaleCost {
        rate: ours.rate,
        limit: limit.rate,
        share: share_of(&ours, &limit),
        p99_us: ours.latency_us.p99,
    }
}

/// Sessions of carts from all over the store.
fn spread_over(carts: u64, connections: u64) -> Vec<Visit> {
    let count = carts.min(SESSIONS.max(connections));
    let visit = |at: u64| Visit::new(at as usize, &[dump::cookie(at * (carts / count))]);
    (0..count).map(visit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sessions_that_speak_are_from_all_over_the_store() {
        let cookies = |carts, connections| {
            spread_over(carts, connections).into_iter().map(|visit| visit.cookie).collect::<Vec<_>>()
        };
        assert_eq!(cookies(10, 64).len(), 10);
        let many = cookies(1_000_000, 64);
        assert_eq!(many.len(), 4_096);
        assert!(many[4_095].contains(&dump::cookie(4_095 * 244)));
    }
}
