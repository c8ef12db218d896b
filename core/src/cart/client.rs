//! The table of clients: who may send, what was taken in, and who has gone.

use std::collections::VecDeque;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::ids::{ClientId, Revision};
use crate::time::Timestamp;

use super::limits::Limits;
use super::op::SyncRefusal;
use super::state::{Cart, Client, Departed, Recent};

/// How many ops of a client are told apart by their op id.
const RECENT_MAX: usize = 64;

impl Cart {
    /// The client, if it is known and its lease has not run out.
    pub(super) fn live_client(&self, id: ClientId, now: Timestamp, limits: &Limits) -> Option<&Arc<Client>> {
        self.clients.iter().find(|client| client.id == id && !client.has_lapsed(now, limits))
    }

    /// Judges whether a client that is not live may begin here with `first_base`; an empty sync has seen the cart as it is.
    pub(super) fn judge_newcomer(
        &self,
        id: ClientId,
        first: Option<(u64, Revision)>,
        now: Timestamp,
        limits: &Limits,
    ) -> Result<(), SyncRefusal> {
        let digest = digest_of(id);
        let remembered = |departed: &Departed| now.since(departed.at) < limits.departed_for;
        let has_departed =
            self.departed.iter().any(|departed| departed.digest == digest && remembered(departed));
        let has_lapsed = self.clients.iter().any(|client| client.id == id);
        let begins_well = first.is_none_or(|(seq, base)| seq == 1 && base >= self.floor);
        if has_departed || has_lapsed || !begins_well {
            return Err(SyncRefusal::ClientExpired);
        }
        if self.departed.iter().filter(|departed| remembered(departed)).count() >= limits.departed {
            return Err(SyncRefusal::TooManyClients);
        }
        Ok(())
    }

    /// Registers a client; where there are too many, the one unseen longest is dropped.
    pub(super) fn register(&mut self, client: Client, now: Timestamp, limits: &Limits) {
        self.clients.push(Arc::new(client));
        while self.clients.len() > limits.clients {
            let newest = self.clients.len() - 1;
            let unseen_longest =
                (0..newest).min_by_key(|&place| self.clients[place].last_seen).unwrap_or(newest);
            self.depart(unseen_longest, now, limits);
        }
    }

    /// Lets go of clients whose lease ran out and of digests that have been kept for a year.
    pub(super) fn let_go(&mut self, now: Timestamp, limits: &Limits) {
        self.departed.retain(|departed| now.since(departed.at) < limits.departed_for);
        while self.departed.len() < limits.departed {
            let Some(lapsed) = self.clients.iter().position(|client| client.has_lapsed(now, limits)) else {
                break;
            };
            self.depart(lapsed, now, limits);
        }
        self.release_guests();
    }

    pub(super) fn depart(&mut self, place: usize, now: Timestamp, limits: &Limits) {
        let client = self.clients.remove(place);
        self.departed.push(Departed { digest: digest_of(client.id), at: now });
        self.departed.drain(..self.departed.len().saturating_sub(limits.departed));
        self.release_guests();
    }

    /// Forgets what is kept for late ops of guest carts whose clients have all left.
    pub(super) fn release_guests(&mut self) {
        let has_client =
            |cart| self.clients.iter().any(|client| client.guest.is_some_and(|guest| guest.cart == cart));
        let released: Vec<_> =
            self.merged.iter().map(|merged| merged.cart).filter(|cart| !has_client(*cart)).collect();
        if released.is_empty() {
            return;
        }
        self.merged.retain(|merged| !released.contains(&merged.cart));
        for line in self.lines.iter_mut().chain(&mut self.saved) {
            if line.guests.iter().any(|guest| released.contains(&guest.cart)) {
                Arc::make_mut(line).guests.retain(|guest| !released.contains(&guest.cart));
            }
        }
    }
}

impl Client {
    /// One that has sent nothing yet.
    pub(super) fn new(id: ClientId, lowest_base: Revision, now: Timestamp) -> Client {
        Client {
            id,
            last_seq: 0,
            last_eff: Timestamp::default(),
            last_seen: now,
            lowest_base,
            recent: VecDeque::new(),
            guest: None,
        }
    }

    pub(super) fn has_lapsed(&self, now: Timestamp, limits: &Limits) -> bool {
        now.since(self.last_seen) >= limits.lease
    }

    /// Remembers an op that was taken in.
    pub(super) fn remember(&mut self, op: Recent) {
        self.last_seq = op.seq;
        self.recent.push_back(op);
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
        }
    }

    /// What is remembered of the op with this seq.
    pub(super) fn recall(&self, seq: u64) -> Option<&Recent> {
        self.recent.iter().find(|recent| recent.seq == seq)
    }
}

/// What is kept of a client that has gone.
pub(super) fn digest_of(id: ClientId) -> [u8; 8] {
    let mut digest = [0; 8];
    digest.copy_from_slice(&Sha256::digest(id.bytes())[..8]);
    digest
}
