//! One loop of an attack: a connection of the attacker's address, a browser's cookies, and what it was told.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::tolls::Tolls;
use crate::hostile::jar::Jar;
use crate::hostile::line::{Conversation, Said, Silence};

/// Where the attacker is.
pub(in crate::hostile) const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);

/// What all parts of an attack know.
#[derive(Debug)]
pub(in crate::hostile) struct Siege {
    pub(in crate::hostile) server: SocketAddr,
    /// When it stops.
    pub(in crate::hostile) until: Instant,
    pub(in crate::hostile) tolls: Tolls,
    /// Accounts of neighbours: their passwords are guessed.
    pub(super) emails: Vec<String>,
    names: AtomicU64,
}

impl Siege {
    /// Against this server.
    pub(in crate::hostile) fn new(server: SocketAddr, until: Instant, emails: Vec<String>) -> Siege {
        Siege { server, until, tolls: Tolls::default(), emails, names: AtomicU64::new(0) }
    }

    /// A number that was not used before.
    pub(super) fn name(&self) -> u64 {
        self.names.fetch_add(1, Ordering::Relaxed)
    }
}

/// One loop.
#[derive(Debug)]
pub(super) struct Raider {
    pub(super) siege: Arc<Siege>,
    attack: &'static str,
    line: Conversation,
    pub(super) jar: Jar,
}

impl Raider {
    /// One that goes by this name in the report.
    pub(super) fn new(attack: &'static str, siege: &Arc<Siege>) -> Raider {
        let line = Conversation::new(ADDRESS, siege.server);
        Raider { siege: Arc::clone(siege), attack, line, jar: Jar::default() }
    }

    /// Asks with the cookies that it has, and counts what it is told.
    pub(super) async fn ask(&mut self, method: &str, path: &str, body: &str) -> Option<Said> {
        self.ask_with(method, path, "", body).await
    }

    /// The same with one header more, a whole line.
    pub(super) async fn ask_with(
        &mut self,
        method: &str,
        path: &str,
        more: &str,
        body: &str,
    ) -> Option<Said> {
        let cookies = self.jar.line();
        let said = self.line.ask(method, path, &[&cookies, more], body).await;
        self.siege.tolls.count(self.attack, told(&said));
        match said {
            Ok(said) => {
                self.jar.take(&said.cookies);
                Some(said)
            }
            Err(_) => {
                // Who is kept out tries again, but not as fast as a processor can.
                pause(20).await;
                None
            }
        }
    }

    /// Forgets who it was.
    pub(super) fn anew(&mut self) {
        self.jar = Jar::default();
    }
}

/// Waits for so many milliseconds.
pub(super) async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

fn told(said: &Result<Said, Silence>) -> String {
    match said {
        Ok(said) => said.word(),
        Err(silence) => silence.word().to_owned(),
    }
}
