//! Measures Trolley and its peers, from outside: over HTTP, by the clock on the wall.

mod chart;
mod cmd;
mod engine;
mod host;
mod hostile;
mod live;
mod mix;
mod peer;
mod report;
mod wire;

use std::process::ExitCode;

use clap::Parser;

use self::cmd::{batch, hostile as attack, limit, load, peers, plot, scale, soak, streams, wrk};

/// The limit server has the allocator that the program it is compared with has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures a cart server: speed, and whether its carts are exact.
#[derive(Parser)]
#[command(name = "bench", version)]
enum Command {
    /// Let many sessions speak to a server, in turns with the limit server, and compare their carts at the end
    Load(Box<load::Load>),
    /// Serve what plain axum makes of a cart's traffic without a cart
    Limit(limit::Limit),
    /// Compare this load generator with wrk, both against the limit server
    Wrk(wrk::Wrk),
    /// Set up what shops use elsewhere, each as its documentation says, and give all of them the same work
    Peers(peers::Peers),
    /// Measure how cost grows with carts, connections and lines
    Scale(scale::Scale),
    /// Let a shop's mix go on for long, and see whether memory, disk and latency stay flat
    Soak(soak::Soak),
    /// Watch many carts while they change, see each change arrive on each stream and how soon, and let many streams idle
    Streams(Box<streams::Streams>),
    /// Compare a device's queue in one call with as many single calls, by the clock and by the server's processor time
    Batch(batch::Batch),
    /// Let one address do its worst to a server while neighbours read, add, sign in and check out: is any of them refused?
    Hostile(attack::Hostile),
    /// Draw the chart of a result
    Plot(plot::Plot),
}

fn main() -> ExitCode {
    let command = Command::parse();
    let done = host::leave::on_signals().and_then(|()| match command {
        Command::Load(asked) => load::run(&asked),
        Command::Limit(asked) => limit::run(&asked),
        Command::Wrk(asked) => wrk::run(&asked),
        Command::Peers(asked) => peers::run(&asked),
        Command::Scale(asked) => scale::run(&asked),
        Command::Soak(asked) => soak::run(&asked),
        Command::Streams(asked) => streams::run(&asked),
        Command::Batch(asked) => batch::run(&asked),
        Command::Hostile(asked) => attack::run(&asked),
        Command::Plot(asked) => plot::run(&asked),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

#[expect(clippy::print_stderr, reason = "a program says on standard error why it ends")]
fn fail(error: &std::io::Error) -> ExitCode {
    eprintln!("bench: {error}");
    ExitCode::FAILURE
}
