//! Streams on which nothing comes: what they take up, and what reads of carts cost beside them.

use std::io;
use std::time::Duration;

use crate::engine::pace::Pace;
use crate::host::child::Server;
use crate::live::audience::Audience;
use crate::mix::step::Mix;
use crate::mix::tongue::Tongue;
use crate::report::load::Series;
use crate::report::numbers::Spread;
use crate::report::streams::Idle;

use super::asked::Runs;
use super::progress::Progress;
use super::sessions;
use super::turns::{Side, Work};

/// Connections that read, each with a session of its own.
const READERS: usize = 64;

/// Opens and closes so many streams in turn, each of a session of its own, and reads other carts with and without them.
pub(super) fn measure(server: &Server, streams: usize, runs: &Runs, patience: Duration) -> io::Result<Idle> {
    let work = Work { tongue: Tongue::Trolley, steps: Mix::Read.steps(), items: 1, pace: Pace::Closed };
    let begin = |count| sessions::begin(server.address, Tongue::Trolley, count, 1);
    let (readers, watched) = (begin(READERS)?, begin(streams)?);
    let mut without = Side::new("without", server.address, &readers, READERS);
    let mut with = Side::new("with", server.address, &readers, READERS);
    let mut progress = Progress::new(u64::from(runs.runs) * 2);
    let mut idle = Idle { streams: streams as u64, ..Idle::default() };
    for number in 0..runs.runs {
        without.run(&work, runs, None, &mut progress)?;
        let before = server.memory();
        progress.says(format!("opening {streams} streams"));
        let mut audience = Audience::open(server.address, watched.iter(), patience)?;
        if number == 0 {
            (idle.memory_before, idle.memory_after) = (before, server.memory());
        }
        with.run(&work, runs, None, &mut progress)?;
        idle.memory_most = idle.memory_most.max(server.memory());
        // Those that were ended have it to read by now.
        audience.catch_up()?;
        idle.ended += audience.ended();
    }
    idle.memory_each = idle.memory_after.saturating_sub(idle.memory_before) / streams.max(1) as u64;
    idle.without = Series::new(without.name, &without.tallies, runs.length);
    idle.with = Series::new(with.name, &with.tallies, runs.length);
    let pairs = idle.with.runs.iter().zip(&idle.without.runs).filter(|(_, without)| without.rate > 0.0);
    idle.share = Spread::of(pairs.map(|(with, without)| with.rate / without.rate));
    Ok(idle)
}
