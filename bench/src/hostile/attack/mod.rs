//! The attacker: one address that does its worst, all at once, for a bounded time. What it is told is counted by status.

mod goods;
mod guesses;
pub(super) mod raider;
pub(super) mod sockets;
mod stuffing;
pub(super) mod tolls;

use std::sync::Arc;

use clap::ValueEnum;
use tokio::task::JoinSet;

use self::raider::Siege;

/// A part of the attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Skus that the catalogue trips over, and more unknown ones than anybody can ask for
    Catalogue,
    /// Over a thousand sockets that say or read almost nothing, and event streams
    Sockets,
    /// The largest lines, orders without end, session data, keys
    Stuffing,
    /// Guests begun in a loop, tokens and passwords guessed, accounts made
    Guessing,
}

impl Part {
    /// All of it.
    pub(crate) const ALL: [Part; 4] = [Part::Catalogue, Part::Sockets, Part::Stuffing, Part::Guessing];
}

/// Does these parts, all at once, until the siege is over. Whatever is under way then is dropped, sockets too.
pub(super) async fn run(siege: Arc<Siege>, parts: &[Part]) {
    let mut loops = JoinSet::new();
    for part in parts {
        match part {
            Part::Catalogue => goods::begin(&siege, &mut loops),
            Part::Sockets => sockets::begin(&siege, &mut loops),
            Part::Stuffing => stuffing::begin(&siege, &mut loops),
            Part::Guessing => guesses::begin(&siege, &mut loops),
        }
    }
    // None of them ends by itself before that.
    tokio::time::sleep_until(siege.until.into()).await;
    loops.shutdown().await;
}
