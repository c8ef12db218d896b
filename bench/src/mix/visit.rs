//! A session as the load generator sees it: its cookies, what it saw last, and what it was told was done.

use super::device::Device;

/// A session, or one connection's share of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visit {
    /// Which session it is of: several connections may share one.
    pub(crate) session: usize,
    /// The whole Cookie line; empty before there is a session.
    pub(crate) cookie: String,
    /// The tag of the cart that it saw last.
    pub(crate) etag: Option<String>,
    /// How far it is in its row of steps.
    pub(crate) step: usize,
    /// The device, where it syncs.
    pub(crate) device: Device,
    /// Units whose adding was acknowledged.
    pub(crate) acknowledged: u64,
    /// Units that may have been added: the connection ended before the answer.
    pub(crate) unknown: u64,
    /// Units that left the cart with an order.
    pub(crate) ordered: u64,
    /// Whether an order may have been made that nobody was told of.
    pub(crate) unsure: bool,
}

impl Visit {
    /// The session of these cookies.
    pub(crate) fn new(session: usize, cookies: &[String]) -> Visit {
        let cookie = format!("cookie: {}\r\n", cookies.join("; "));
        Visit { session, cookie, ..Visit::default() }
    }
}

/// Shares sessions out to connections: each has its own, or several, or many share one.
pub(crate) fn share(sessions: &[Visit], connections: usize) -> Vec<Vec<Visit>> {
    let mut shares = vec![Vec::new(); connections];
    let stamp = stamp();
    for at in 0..connections.max(sessions.len()) {
        let mut visit = sessions[at % sessions.len()].clone();
        // Not all at the same step at the same time; each device of a session has a client of its own.
        visit.step = at;
        visit.device = Device::new(&stamp, at);
        shares[at % connections].push(visit);
    }
    shares
}

/// Tells these devices from those of another time and process: eight hexadecimal digits.
fn stamp() -> String {
    use std::time::{SystemTime, UNIX_EPOCH};
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:08x}", (since.as_nanos() as u32) ^ std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_shared_out_evenly() {
        let sessions = |count| (0..count).map(|at| Visit::new(at, &[])).collect::<Vec<_>>();
        let sizes = |shares: &[Vec<Visit>]| shares.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(&share(&sessions(1), 4)), [1, 1, 1, 1]);
        assert_eq!(sizes(&share(&sessions(4), 4)), [1, 1, 1, 1]);
        assert_eq!(sizes(&share(&sessions(10), 4)), [3, 3, 2, 2]);
    }
}
