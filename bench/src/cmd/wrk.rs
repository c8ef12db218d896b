//! `bench wrk`: our own loop against the one that everybody knows, both on the limit server, in turns.

use std::io;
use std::process::Command;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::engine::pace::Pace;
use crate::host::folder::Folder;
use crate::host::machine::{Machine, now};
use crate::host::programs;
use crate::mix::step::Mix;
use crate::mix::tongue::Tongue;
use crate::mix::visit::Visit;
use crate::report::numbers::{Spread, count};
use crate::report::out;

use super::asked::{Places, Runs, command};
use super::progress::Progress;
use super::sessions::first_add;
use super::turns::{Side, Work};

/// How to compare.
#[derive(Args, Debug)]
pub(crate) struct Wrk {
    /// Connections
    #[arg(long, value_name = "N", default_value_t = 64)]
    connections: u32,
    #[command(flatten)]
    runs: Runs,
    #[command(flatten)]
    places: Places,
}

/// The result.
#[derive(Debug, Serialize, Deserialize)]
struct WrkReport {
    what: String,
    at: String,
    machine: Machine,
    command: String,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    mix: String,
    bench: Spread,
    wrk: Spread,
    /// Ours as a share of wrk's, over the pairs of runs.
    share: Spread,
}

/// About what a cart of three lines is.
const BODY: &str = r#"{"id":"019aab5c-0000-7000-8000-000000000000","generation":0,"revision":123,"lines":[{"id":"0123456789abcdef012345","sku":"item-0","options":{},"quantity":41,"added_at":"2026-11-24T20:00:00.000Z","updated_at":"2026-11-24T20:00:00.000Z"},{"id":"0123456789abcdef012345","sku":"item-1","options":{},"quantity":41,"added_at":"2026-11-24T20:00:00.000Z","updated_at":"2026-11-24T20:00:00.000Z"},{"id":"0123456789abcdef012345","sku":"item-2","options":{},"quantity":41,"added_at":"2026-11-24T20:00:00.000Z","updated_at":"2026-11-24T20:00:00.000Z"}],"saved":[],"quantity":123,"notices":[]}"#;
const COOKIE: &str = "__Host-trolley=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Compares.
pub(crate) fn run(asked: &Wrk) -> io::Result<()> {
    let folder = Folder::new(&asked.places.dir)?;
    let body = folder.join("body.json");
    std::fs::write(&body, BODY)?;
    let script = folder.join("add.lua");
    let add = first_add();
    std::fs::write(
        &script,
        format!(
            "wrk.method = 'POST'\nwrk.body = '{add}'\nwrk.headers['Content-Type'] = 'application/json'\n"
        ),
    )?;
    let limit = programs::limit(&body)?;
    let connections = asked.connections as usize;
    let sessions: Vec<Visit> = (0..connections).map(|at| Visit::new(at, &[COOKIE.to_owned()])).collect();
    let mut progress = Progress::new(u64::from(asked.runs.runs) * 4);
    let mut rows = Vec::new();
    for mix in [Mix::Read, Mix::Add] {
        let work = Work { tongue: Tongue::Trolley, steps: mix.steps(), items: 1, pace: Pace::Closed };
        let mut side = Side::new("bench", limit.address, &sessions, connections);
        let mut theirs = Vec::new();
        for _ in 0..asked.runs.runs {
            side.run(&work, &asked.runs, None, &mut progress)?;
            progress.says("wrk");
            let (path, script) = match mix {
                Mix::Add => ("/v1/cart/lines", Some(&script)),
                _ => ("/v1/cart", None),
            };
            theirs.push(wrk(asked, &format!("http://{}{path}", limit.address), script)?);
            progress.next();
        }
        let seconds = asked.runs.length.as_secs_f64();
        let ours: Vec<f64> = side.tallies.iter().map(|tally| tally.answers() as f64 / seconds).collect();
        let share = Spread::of(ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs));
        rows.push(Row { mix: mix.name(), bench: Spread::of(ours), wrk: Spread::of(theirs), share });
    }
    drop(progress);
    let machine = Machine::this(folder.path());
    let report = WrkReport { what: "wrk".into(), at: now(), machine, command: command(), rows };
    out::say(&report.machine.in_words());
    for Row { mix, bench, wrk, share } in &report.rows {
        let (ours, theirs) = (count(bench.median), count(wrk.median));
        let Spread { median, least, most } = share;
        out::say(&format!(
            "{mix:<5} bench {ours}/s, wrk {theirs}/s: {median:.2} of it ({least:.2} to {most:.2})"
        ));
    }
    asked.places.json.as_ref().map_or(Ok(()), |path| out::json(&report, path))
}

/// One run of wrk: requests a second.
fn wrk(asked: &Wrk, url: &str, script: Option<&std::path::PathBuf>) -> io::Result<f64> {
    let seconds = asked.runs.length.as_secs_f64().ceil() as u64;
    let threads = asked.runs.threads.min(asked.connections);
    let mut command = Command::new("wrk");
    command.args([format!("-t{threads}"), format!("-c{}", asked.connections), format!("-d{seconds}s")]);
    command.arg("-H").arg(format!("Cookie: {COOKIE}"));
    if let Some(script) = script {
        command.arg("-s").arg(script);
    }
    let output = command.arg(url).output();
    let output = output.map_err(|error| io::Error::other(format!("wrk (apt-get install wrk): {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:")?.trim().parse().ok());
    rate.filter(|_| !text.contains("Non-2xx")).ok_or_else(|| io::Error::other(format!("wrk said: {text}")))
}
