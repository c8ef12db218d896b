//! Redis: by itself, a cart being a hash; and as what sessions are kept in.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::host::child::{Server, free_port};

use super::setup::done;

/// A Redis with nothing but these settings, its files in `folder`.
pub(crate) fn start(folder: &Path, settings: &[&str]) -> io::Result<Server> {
    std::fs::create_dir_all(folder)?;
    let address = free_port()?;
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string(), "--dir"]).arg(folder);
    let server = Server::silent(command.args(settings), address, Duration::from_secs(20));
    server.map_err(|error| io::Error::other(format!("redis-server (apt-get install redis): {error}")))
}

/// On the disk before each answer: what Trolley promises.
pub(crate) const ALWAYS: &[&str] = &["--appendonly", "yes", "--appendfsync", "always", "--save", ""];

/// What `redis-benchmark` measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Answers a second.
    pub(crate) rate: f64,
    /// The 99th percentile, in microseconds.
    pub(crate) p99_us: f64,
}

/// Runs `redis-benchmark` with so many clients and requests.
pub(crate) fn benchmark(
    server: &Server,
    clients: u32,
    requests: u64,
    command: &[&str],
) -> io::Result<Measured> {
    let mut benchmark = Command::new("redis-benchmark");
    let port = server.address.port().to_string();
    benchmark.args(["-p", &port, "-c", &clients.to_string(), "-n", &requests.to_string()]);
    let said = done(benchmark.args(["-r", "100000", "--csv"]).args(command))?;
    measured(&said).ok_or_else(|| io::Error::other(format!("redis-benchmark said: {said}")))
}

/// Asks it one thing.
pub(crate) fn ask(server: &Server, command: &[&str]) -> io::Result<String> {
    done(Command::new("redis-cli").args(["-p", &server.address.port().to_string()]).args(command))
}

/// The last line: `"HINCRBY …","12345.67","avg","min","p50","p95","p99","max"`, times in milliseconds.
fn measured(csv: &str) -> Option<Measured> {
    let fields: Vec<&str> = csv.lines().last()?.split("\",\"").collect();
    let number = |from_end: usize| {
        fields.get(fields.len().checked_sub(from_end)?)?.trim_matches('"').parse::<f64>().ok()
    };
    Some(Measured { rate: number(7)?, p99_us: number(2)? * 1000.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_benchmarks_csv_is_read_from_its_end() {
        let csv = "\"test\",\"rps\",\"avg_latency_ms\"\n\"HINCRBY a \",\"b\",\"12345.67\",\"0.1\",\"0.2\",\"0.3\",\"0.4\",\"0.5\",\"0.6\"";
        let found = measured(csv).expect("a line");
        assert_eq!((found.rate, found.p99_us), (12345.67, 500.0));
        assert!(measured("Could not connect").is_none());
    }
}
