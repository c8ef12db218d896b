//! What a session asked for under an `Idempotency-Key`, and what came of it: a retry finds its answer here.

use std::collections::VecDeque;

use crate::ids::SessionId;
use crate::time::{Span, Timestamp};

/// How many keys a session's ledger holds; the oldest goes first.
pub const KEYS_MAX: usize = 256;
/// How long a key is kept.
pub const KEPT_FOR: Span = Span::from_hours(24);

/// The keyed calls of one session, kept in the same commit as what they changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Whose.
    pub session: SessionId,
    /// Counts its changes: the version that a store compares.
    pub version: u64,
    /// Oldest first.
    pub entries: VecDeque<LedgerEntry>,
}

/// One keyed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The first 16 bytes of SHA-256 of the key.
    pub key: [u8; 16],
    /// The first 16 bytes of SHA-256 of the request: method, path and everything that decides its effect.
    pub request: [u8; 16],
    /// When it was answered.
    pub at: Timestamp,
    /// What was answered.
    pub answer: LedgerAnswer,
}

/// What a keyed call was answered: as much as a replay needs. The cart in a replay is the cart as it is then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The problem's code, if it was one.
    pub code: Option<Box<str>>,
    /// What the answer was about besides the cart, such as an order.
    pub about: Option<[u8; 16]>,
}

/// What the ledger says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerLookup {
    /// It was not used within its 24 hours.
    New,
    /// The same request was answered.
    Answered(LedgerAnswer),
    /// Another request was answered under it.
    Reused,
}

impl Ledger {
    /// An empty one.
    pub fn new(session: SessionId) -> Ledger {
        Ledger { session, version: 0, entries: VecDeque::new() }
    }

    /// What is known of `key` when `request` comes with it at `now`.
    pub fn find(&self, key: &[u8; 16], request: &[u8; 16], now: Timestamp) -> LedgerLookup {
        match self.entries.iter().rev().find(|entry| entry.key == *key && now.since(entry.at) < KEPT_FOR) {
            None => LedgerLookup::New,
            Some(entry) if entry.request == *request => LedgerLookup::Answered(entry.answer.clone()),
            Some(_) => LedgerLookup::Reused,
        }
    }

    /// Keeps one more, and lets go of what is too old or too many. It takes no more room than its entries: a copy of each
    /// session's ledger is in memory.
    pub fn keep(&mut self, entry: LedgerEntry) {
        while self.entries.len() >= KEYS_MAX
            || self.entries.front().is_some_and(|oldest| entry.at.since(oldest.at) >= KEPT_FOR)
        {
            self.entries.pop_front();
        }
        self.entries.reserve_exact(1);
        self.entries.push_back(entry);
        self.version += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: u8, request: u8, at: u64) -> LedgerEntry {
        LedgerEntry {
            key: [key; 16],
            request: [request; 16],
            at: Timestamp::from_ms(at),
            answer: LedgerAnswer { status: 200, code: None, about: None },
        }
    }

    #[test]
    fn a_key_answers_its_own_request_for_a_day_and_no_other() {
        let day = KEPT_FOR.as_ms();
        let mut ledger = Ledger::new(SessionId::from_bytes([0; 16]));
        ledger.keep(entry(1, 1, 1_000));
        let found = |request: u8, at| ledger.find(&[1; 16], &[request; 16], Timestamp::from_ms(at));
        assert!(matches!(found(1, 1_000 + day - 1), LedgerLookup::Answered(_)));
        assert_eq!(found(2, 1_000 + day - 1), LedgerLookup::Reused);
        assert_eq!(found(1, 1_000 + day), LedgerLookup::New);
    }

    #[test]
    fn the_257th_key_lets_the_first_go() {
        let mut ledger = Ledger::new(SessionId::from_bytes([0; 16]));
        for n in 0..=KEYS_MAX {
            let mut e = entry(0, 0, 5);
            e.key[..8].copy_from_slice(&(n as u64).to_be_bytes());
            ledger.keep(e);
        }
        assert_eq!(ledger.entries.len(), KEYS_MAX);
        assert_eq!(ledger.find(&[0; 16], &[0; 16], Timestamp::from_ms(5)), LedgerLookup::New);
        assert_eq!(ledger.version, 257);
    }

    #[test]
    fn a_copy_that_keeps_one_more_takes_no_more_room_than_that() {
        let mut ledger = Ledger::new(SessionId::from_bytes([0; 16]));
        for n in 1..=100 {
            ledger = ledger.clone();
            ledger.keep(entry(n, 0, 5));
            assert_eq!(ledger.entries.capacity(), usize::from(n));
        }
    }
}
