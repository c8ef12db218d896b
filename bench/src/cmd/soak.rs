//! `bench soak`: a mix at a steady pace for long, and whether memory, disk and latency stay flat.

use std::io;
use std::time::{Duration, Instant};

use clap::Args;

use crate::chart;
use crate::engine::pace::Pace;
use crate::host::folder::{Folder, bytes_in};
use crate::host::machine::{Machine, now};
use crate::host::programs;
use crate::mix::exact::{Exact, Stock};
use crate::mix::step::Mix;
use crate::mix::tongue::Tongue;
use crate::report::numbers::{Latency, count};
use crate::report::out;
use crate::report::soak::{Sample, SoakReport, Trend};

use super::asked::{Places, Runs, command, duration};
use super::load::{refuse_too_many_devices, refuse_what_is_not_there};
use super::progress::Progress;
use super::sessions;
use super::turns::{Side, Work};

/// What, how fast and how long.
#[derive(Args, Debug)]
pub(crate) struct Soak {
    /// How long
    #[arg(long = "for", value_name = "DURATION", default_value = "10m", value_parser = duration)]
    length: Duration,
    /// What is asked
    #[arg(long, value_enum, default_value_t = Mix::Shop)]
    mix: Mix,
    /// Requests a second, at even distances
    #[arg(long, value_name = "N", default_value_t = 2_000.0)]
    rate: f64,
    /// Connections, each with sessions of its own
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// Sessions
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    sessions: u32,
    /// How many samples are taken over that time
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    samples: u32,
    #[command(flatten)]
    places: Places,
}

/// Lines that each cart is filled with again and again.
const LINES: u64 = 3;

/// Measures.
pub(crate) fn run(asked: &Soak) -> io::Result<()> {
    refuse_too_many_devices(asked.mix, asked.connections, asked.sessions)?;
    let folder = Folder::new(&asked.places.dir)?;
    let (machine, store) = (Machine::this(folder.path()), folder.join("store"));
    let server = programs::serve(&programs::path(asked.places.trolley.as_deref())?, &store)?;
    let visits = sessions::begin(server.address, Tongue::Trolley, asked.sessions as usize, LINES)?;
    refuse_what_is_not_there(asked.mix, server.address, &visits[0])?;
    let held = || sessions::held(server.address, Tongue::Trolley, &visits);
    let before = held()?;
    let work = Work {
        tongue: Tongue::Trolley,
        steps: asked.mix.steps(),
        items: LINES,
        pace: Pace::Open(asked.rate),
    };
    let part = asked.length / asked.samples;
    let runs = Runs { warm_up: Duration::ZERO, length: part, runs: asked.samples, threads: 2 };
    let mut side = Side::new("soak", server.address, &visits, asked.connections as usize);
    let mut progress = Progress::new(u64::from(asked.samples));
    let (began, mut samples) = (Instant::now(), Vec::new());
    let (mut answers, mut failures, mut orders) = (0, 0, 0);
    for _ in 0..asked.samples {
        side.run(&work, &runs, None, &mut progress)?;
        // One at a time: a soak of hours keeps no histogram for each of its minutes.
        for tally in side.tallies.drain(..) {
            let latency = Latency::of(&tally.latency);
            samples.push(Sample {
                at_s: began.elapsed().as_secs_f64(),
                rate: tally.answers() as f64 / part.as_secs_f64(),
                p50_us: latency.p50,
                p99_us: latency.p99,
                memory: server.memory(),
                disk: bytes_in(&store),
            });
            answers += tally.answers();
            failures += tally.refused + tally.lost + tally.unsent;
            orders += tally.statuses.get(&201).copied().unwrap_or_default();
        }
    }
    drop(progress);
    let stocks: Vec<Stock> =
        before.iter().zip(held()?).map(|(b, a)| Stock { before: b.units, after: a.units }).collect();
    let report = SoakReport {
        what: "soak".into(),
        at: now(),
        machine,
        command: command(),
        how: how(asked),
        memory: Trend::of(&samples, |sample| sample.memory as f64),
        disk: Trend::of(&samples, |sample| sample.disk as f64),
        p99_us: Trend::of(&samples, |sample| sample.p99_us as f64),
        samples,
        answers,
        orders,
        failures,
        exact: Exact::compare(&stocks, side.visits()),
    };
    out::say(&report.text());
    if let Some(path) = &asked.places.json {
        out::json(&report, path)?;
    }
    if let Some(path) = &asked.places.plot {
        out::write(path, &chart::soak::draw(&report))?;
    }
    if report.exact.holds() {
        Ok(())
    } else {
        Err(io::Error::other("the carts do not hold what was acknowledged"))
    }
}

fn how(asked: &Soak) -> String {
    let (mix, rate, seconds) = (asked.mix.name(), count(asked.rate), asked.length.as_secs_f64());
    let (sessions, connections) = (count(f64::from(asked.sessions)), asked.connections);
    format!("{mix} at {rate}/s for {seconds} s, {sessions} carts over {connections} connections")
}
