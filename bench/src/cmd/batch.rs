//! `bench batch`: a device's queue in one call against as many single calls, on one connection, in turn.

use std::io;
use std::time::{Duration, Instant};

use clap::Args;

use crate::host::child::Server;
use crate::host::folder::Folder;
use crate::host::machine::{Machine, now};
use crate::host::programs;
use crate::mix::device::Device;
use crate::mix::tongue::{Tongue, add};
use crate::mix::visit::Visit;
use crate::report::batch::{BatchReport, Cost, Round};
use crate::report::out;
use crate::wire::client::Client;
use crate::wire::request;

use super::asked::{Places, command};
use super::progress::Progress;
use super::sessions::{self, unexpected};

/// How much, and how often.
#[derive(Args, Debug)]
pub(crate) struct Batch {
    /// Ops in one call, and as many single calls
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=500))]
    ops: u32,
    /// How many such calls a round has: the processor's time is told in hundredths of a second, and one call takes less
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    queues: u32,
    /// How often a round has the single calls
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    singly: u32,
    /// Rounds, each of both and with a cart of its own; their median is the result
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Lines in the cart, which the adds go round
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=200))]
    lines: u32,
    #[command(flatten)]
    places: Places,
}

/// One session's only connection.
struct Talk<'a> {
    asked: &'a Batch,
    server: &'a Server,
    client: Client,
    visit: Visit,
    device: Device,
}

/// Compares.
pub(crate) fn run(asked: &Batch) -> io::Result<()> {
    let folder = Folder::new(&asked.places.dir)?;
    let machine = Machine::this(folder.path());
    let server = programs::serve(&programs::path(asked.places.trolley.as_deref())?, &folder.join("store"))?;
    let mut progress = Progress::new(u64::from(asked.rounds));
    let (mut rounds, mut there) = (Vec::new(), 0);
    for number in 0..asked.rounds as usize {
        let (round, units) = one_round(asked, &server, number)?;
        rounds.push(round);
        there += units;
        progress.next();
    }
    drop(progress);
    let times = u64::from(asked.queues + asked.singly) + 2;
    let acknowledged = u64::from(asked.ops) * times * u64::from(asked.rounds);
    let report = BatchReport::new(now(), machine, command(), how(asked), rounds, acknowledged, there);
    out::say(&report.text());
    if let Some(path) = &asked.places.json {
        out::json(&report, path)?;
    }
    if report.holds() {
        Ok(())
    } else {
        Err(io::Error::other("the cart does not hold what was acknowledged"))
    }
}

/// Both in turn, and how many units are in the cart then beside those of its beginning.
fn one_round(asked: &Batch, server: &Server, number: usize) -> io::Result<(Round, u64)> {
    let visits = sessions::begin(server.address, Tongue::Trolley, 1, u64::from(asked.lines))?;
    let held = || sessions::held(server.address, Tongue::Trolley, &visits).map(|held| held[0].units);
    let before = held()?;
    let mut talk = Talk {
        asked,
        server,
        client: Client::new(server.address),
        visit: visits[0].clone(),
        device: Device::new(&format!("{:08x}", std::process::id()), number),
    };
    // Once of each, uncounted: a device's first call registers it, and everything is slower the first time.
    talk.queue()?;
    talk.singly()?;
    let batch = talk.cost(asked.queues, Talk::queue)?;
    let single = talk.cost(asked.singly, Talk::singly)?;
    Ok((Round { batch, single }, held()?.saturating_sub(before)))
}

impl Talk<'_> {
    /// What it costs, on the average of so many times.
    fn cost(&mut self, times: u32, act: fn(&mut Self) -> io::Result<Duration>) -> io::Result<Cost> {
        let (cpu, mut wall) = (self.server.cpu()?, Duration::ZERO);
        for _ in 0..times {
            wall += act(self)?;
        }
        let ms = |all: Duration| all.as_secs_f64() * 1000.0 / f64::from(times);
        Ok(Cost { wall_ms: ms(wall), cpu_ms: ms(self.server.cpu()?.saturating_sub(cpu)) })
    }

    /// The queue in one call. What the device does before and after is not the server's: it is not timed.
    fn queue(&mut self) -> io::Result<Duration> {
        let lines = u64::from(self.asked.lines);
        let body = self.device.call_of((0..u64::from(self.asked.ops)).map(|op| op % lines));
        let bytes = self.request("/v1/cart/sync", &body);
        let began = Instant::now();
        let reply = self.client.send_bytes(&bytes)?;
        let took = began.elapsed();
        let settled = self.device.take_reply(reply.status, &reply.json());
        match settled {
            Some(settled) if settled.units == u64::from(self.asked.ops) => Ok(took),
            _ => Err(unexpected("a queue", &reply)),
        }
    }

    /// The same by single calls.
    fn singly(&mut self) -> io::Result<Duration> {
        let lines = u64::from(self.asked.lines);
        let calls: Vec<Vec<u8>> = (0..lines).map(|item| self.request("/v1/cart/lines", &add(item))).collect();
        let began = Instant::now();
        for op in 0..self.asked.ops as usize {
            let reply = self.client.send_bytes(&calls[op % calls.len()])?;
            if reply.status != 200 {
                return Err(unexpected("an add", &reply));
            }
        }
        Ok(began.elapsed())
    }

    fn request(&self, path: &str, body: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let host = self.server.address.to_string();
        request::put(&mut bytes, "POST", path, &host, &[&self.visit.cookie], body.as_bytes());
        bytes
    }
}

fn how(asked: &Batch) -> String {
    let Batch { ops, queues, singly, rounds, lines, .. } = asked;
    format!(
        "{ops} adds in one call against {ops} calls, one connection, a cart of {lines} lines, {rounds} rounds of {queues} and {singly} times"
    )
}
