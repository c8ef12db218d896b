//! When sessions were last seen, in memory: a read must not cost a write. Bounded; the ones unseen longest leave first.

use std::collections::HashMap;

use parking_lot::Mutex;
use trolley_core::ids::SessionId;

use crate::service::running::Running;

/// How many locks share the book.
const SHARDS: usize = 64;

/// What is remembered of one session.
#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Running,
    /// It waits to be written down.
    queued: bool,
}

/// Two generations a shard: what is seen moves to the young one; when that is full it becomes the old one, and what was
/// not seen since the last turn leaves.
#[derive(Default)]
struct Shard {
    young: HashMap<SessionId, Seen>,
    old: HashMap<SessionId, Seen>,
}

/// When sessions were last seen.
pub struct LastSeen {
    shards: Vec<Mutex<Shard>>,
    /// How many sessions a generation of a shard holds.
    generation: usize,
}

/// What else is to be done when a session was seen.
#[derive(Debug, Default)]
pub struct Noted {
    /// The session is not waiting to be written down: who sees that it is due puts it there.
    pub unqueued: bool,
    /// Sessions that left the book for lack of room, with when they were last seen: they are written down as they go.
    pub left: Vec<(SessionId, Running)>,
}

impl LastSeen {
    /// A book of at most about `most` sessions.
    pub fn new(most: usize) -> LastSeen {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        LastSeen { shards, generation: (most / SHARDS / 2).max(1) }
    }

    /// When it was last seen, where that is remembered.
    pub fn at(&self, session: SessionId) -> Option<Running> {
        let shard = self.shard(session).lock();
        shard.young.get(&session).or_else(|| shard.old.get(&session)).map(|seen| seen.at)
    }

    /// It is seen now.
    pub fn note(&self, session: SessionId, now: Running) -> Noted {
        let mut shard = self.shard(session).lock();
        if let Some(seen) = shard.young.get_mut(&session) {
            seen.at = seen.at.max(now);
            return Noted { unqueued: !seen.queued, left: Vec::new() };
        }
        let before = shard.old.remove(&session);
        let at = before.map_or(now, |seen| seen.at.max(now));
        let queued = before.is_some_and(|seen| seen.queued);
        let mut left = Vec::new();
        if shard.young.len() >= self.generation {
            let young = std::mem::take(&mut shard.young);
            let old = std::mem::replace(&mut shard.old, young);
            left = old.into_iter().map(|(session, seen)| (session, seen.at)).collect();
        }
        shard.young.insert(session, Seen { at, queued });
        Noted { unqueued: !queued, left }
    }

    /// Whether it waits to be written down.
    pub fn set_queued(&self, session: SessionId, queued: bool) {
        let mut guard = self.shard(session).lock();
        let shard = &mut *guard;
        if let Some(seen) = shard.young.get_mut(&session).or_else(|| shard.old.get_mut(&session)) {
            seen.queued = queued;
        }
    }

    /// It is over.
    pub fn forget(&self, session: SessionId) {
        let mut shard = self.shard(session).lock();
        shard.young.remove(&session);
        shard.old.remove(&session);
    }

    /// Every session it remembers.
    pub fn sessions(&self) -> Vec<SessionId> {
        let mut sessions = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock();
            sessions.extend(shard.young.keys().chain(shard.old.keys()));
        }
        sessions
    }

    fn shard(&self, session: SessionId) -> &Mutex<Shard> {
        &self.shards[usize::from(session.bytes()[15]) % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(n: u8) -> SessionId {
        let mut bytes = [0; 16];
        bytes[0] = n;
        SessionId::from_bytes(bytes)
    }

    #[test]
    fn last_seen_never_goes_back() {
        let book = LastSeen::new(1_000);
        book.note(session(1), Running::from_ms(20));
        book.note(session(1), Running::from_ms(10));
        assert_eq!(book.at(session(1)), Some(Running::from_ms(20)));
        book.forget(session(1));
        assert_eq!(book.at(session(1)), None);
    }

    #[test]
    fn a_full_book_lets_go_of_those_unseen_longest_and_names_them() {
        let book = LastSeen::new(SHARDS * 2 * 2);
        let seen_in_turn = [1, 2, 3, 4, 1, 5, 6];
        let left: Vec<_> =
            seen_in_turn.iter().flat_map(|n| book.note(session(*n), Running::from_ms(1)).left).collect();
        let named = |n| left.contains(&(session(n), Running::from_ms(1)));
        assert!(named(2) && !named(1), "{left:?}");
        assert!(book.sessions().len() <= 4);
    }
}
