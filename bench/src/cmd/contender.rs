//! One of those that `bench peers` compares: a server of carts over HTTP, or Redis by itself.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use clap::Args;

use crate::engine::pace::Pace;
use crate::host::child::Server;
use crate::host::folder::Folder;
use crate::host::programs;
use crate::mix::step::{Mix, Step};
use crate::mix::tongue::{Held, Tongue};
use crate::mix::visit::Visit;
use crate::peer::setup::version_of;
use crate::peer::{Peer, Told, redis};
use crate::report::numbers::Spread;
use crate::report::peers::{OneCart, PeerRow, Speed};
use crate::wire::client::Client;

use super::asked::Runs;
use super::progress::Progress;
use super::sessions;
use super::turns::{Side, Work};

/// How long all adds to one cart may take at most: it ends when all are answered.
const ONE_CART_WITHIN: Duration = Duration::from_secs(300);

const VENDURE_CLEAR: &str = r#"{"query":"mutation{removeAllOrderLines{__typename}}"}"#;

/// What all of them are given.
#[derive(Args, Debug)]
pub(crate) struct Same {
    /// Connections, each with a session of its own
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) connections: u32,
    /// Adds to one cart, from all connections at once
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) adds: u64,
    #[command(flatten)]
    pub(crate) runs: Runs,
}

/// Whoever is measured, and what each run gave.
pub(crate) enum Contender {
    /// Over HTTP, in our own loop.
    Http(Box<Http>),
    /// By `redis-benchmark`.
    Redis(Box<RawRedis>),
}

impl Contender {
    /// Trolley itself.
    pub(crate) fn trolley(program: &Path, asked: &Same, folder: &Folder) -> io::Result<Contender> {
        let told = Told {
            short: "trolley",
            name: format!("Trolley {}", version_of(&program.to_string_lossy(), "version")?),
            with: "one program, one folder".into(),
            loses: "nothing",
        };
        let server = programs::serve(program, &folder.join("store"))?;
        Contender::peer(Peer::new(told, Tongue::Trolley, vec![server])?, asked)
    }

    /// A peer that serves.
    pub(crate) fn peer(peer: Peer, asked: &Same) -> io::Result<Contender> {
        let connections = asked.connections as usize;
        let visits = sessions::begin(peer.address, peer.tongue, connections, 1)?;
        let side = || Side::new(peer.told.short, peer.address, &visits, connections);
        let (read, add) = (side(), side());
        Ok(Contender::Http(Box::new(Http { peer, read, add })))
    }

    /// Redis by itself.
    pub(crate) fn redis(folder: &Folder) -> io::Result<Contender> {
        Ok(Contender::Redis(Box::new(RawRedis::start(folder)?)))
    }

    /// One run of reads and one of adds.
    pub(crate) fn run(&mut self, asked: &Same, progress: &mut Progress) -> io::Result<()> {
        match self {
            Contender::Http(http) => http.run(asked, progress),
            Contender::Redis(redis) => redis.run(asked, progress),
        }
    }

    /// What all runs gave, and what many adds to one cart leave there.
    pub(crate) fn row(&self, asked: &Same, progress: &mut Progress) -> io::Result<PeerRow> {
        progress.says("many adds to one cart");
        match self {
            Contender::Http(http) => http.row(asked, progress),
            Contender::Redis(redis) => redis.row(asked, progress),
        }
    }
}

/// A server of carts, its sessions, and what each run gave.
pub(crate) struct Http {
    peer: Peer,
    read: Side,
    add: Side,
}

impl Http {
    fn work(&self, steps: &'static [Step]) -> Work {
        Work { tongue: self.peer.tongue, steps, items: 1, pace: Pace::Closed }
    }

    fn run(&mut self, asked: &Same, progress: &mut Progress) -> io::Result<()> {
        let (read, add) = (self.work(Mix::Read.steps()), self.work(Mix::Add.steps()));
        self.read.run(&read, &asked.runs, None, progress)?;
        self.add.run(&add, &asked.runs, None, progress)
    }

    fn row(&self, asked: &Same, progress: &mut Progress) -> io::Result<PeerRow> {
        let (read, add) = (speed(&self.read, asked), speed(&self.add, asked));
        let one_cart = self.one_cart(asked, progress)?;
        Ok(self.peer.told.row(read, add, one_cart))
    }

    fn one_cart(&self, asked: &Same, progress: &mut Progress) -> io::Result<OneCart> {
        let (address, tongue) = (self.peer.address, self.peer.tongue);
        let visits: Vec<Visit> = sessions::begin(address, tongue, 1, 1)?;
        let before = emptied(address, tongue, &visits)?;
        let mut side = Side::new("one cart", address, &visits, asked.connections as usize);
        let runs = Runs { warm_up: Duration::ZERO, length: ONE_CART_WITHIN, ..asked.runs.clone() };
        side.run(&self.work(Mix::Add.steps()), &runs, Some(asked.adds), progress)?;
        let after = sessions::held(address, tongue, &visits)?[0];
        let acknowledged = side.visits().map(|visit| visit.acknowledged).sum();
        Ok(OneCart {
            asked: asked.adds,
            acknowledged,
            refused: asked.adds - acknowledged,
            there: after.units.saturating_sub(before.units),
            lines: after.lines,
        })
    }
}

/// Takes out what the session began with: the line that the many adds are to make is not there yet.
fn emptied(address: SocketAddr, tongue: Tongue, visits: &[Visit]) -> io::Result<Held> {
    let mut client = Client::new(address);
    let cookie = [visits[0].cookie.as_str()];
    let reply = match tongue {
        Tongue::Trolley => client.send("DELETE", "/v1/cart", &cookie, "")?,
        Tongue::Vendure => client.send("POST", "/shop-api", &cookie, VENDURE_CLEAR)?,
    };
    let held = sessions::held(address, tongue, visits)?[0];
    if held.lines == 0 { Ok(held) } else { Err(sessions::unexpected("emptying a cart", &reply)) }
}

fn speed(side: &Side, asked: &Same) -> Speed {
    let seconds = asked.runs.length.as_secs_f64();
    // What is refused is no work done.
    let done = side.tallies.iter().map(|tally| (tally.answers() - tally.refused) as f64 / seconds);
    let p99 = side.tallies.iter().map(|tally| tally.latency.value_at_percentile(99.0) as f64);
    Speed { rate: Spread::of(done), p99_us: Spread::of(p99) }
}

/// Redis by itself: a cart is a hash, an add is HINCRBY. No session, no HTTP, no retry that counts once.
pub(crate) struct RawRedis {
    server: Server,
    told: Told,
    read: Vec<redis::Measured>,
    add: Vec<redis::Measured>,
}

impl RawRedis {
    fn start(folder: &Folder) -> io::Result<RawRedis> {
        let told = Told {
            short: "redis",
            name: format!("Redis {} by itself", version_of("redis-server", "--version")?),
            with: "HINCRBY, fsync always; no HTTP".into(),
            loses: "nothing",
        };
        let server = redis::start(&folder.join("redis"), redis::ALWAYS)?;
        // What is read is as large as a cart.
        redis::ask(&server, &["SET", "cart", &"x".repeat(600)])?;
        Ok(RawRedis { server, told, read: Vec::new(), add: Vec::new() })
    }

    /// As many requests as take about as long as a run of the others.
    fn run(&mut self, asked: &Same, progress: &mut Progress) -> io::Result<()> {
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

    fn row(&self, asked: &Same, progress: &mut Progress) -> io::Result<PeerRow> {
        // It fails at the first error that it is answered: where it ends well, all were acknowledged.
        redis::benchmark(&self.server, asked.connections, asked.adds, &["HINCRBY", "one", "mug", "1"])?;
        progress.next();
        let there = redis::ask(&self.server, &["HGET", "one", "mug"])?.parse().unwrap_or_default();
        let one_cart = OneCart { asked: asked.adds, acknowledged: asked.adds, refused: 0, there, lines: 1 };
        let speed = |runs: &[redis::Measured]| Speed {
            rate: Spread::of(runs.iter().map(|run| run.rate)),
            p99_us: Spread::of(runs.iter().map(|run| run.p99_us)),
        };
        Ok(self.told.row(speed(&self.read), speed(&self.add), one_cart))
    }
}
