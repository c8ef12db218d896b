//! Sessions as the last commit left them, in memory, so that a request is recognised without the store. Nothing here is
//! ever older than an acknowledged commit: what a commit is about leaves before it begins, and nothing that was read
//! before it ended comes in again.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use quick_cache::sync::Cache;
use trolley_core::ids::{SessionId, TokenDigest};
use trolley_core::session::Session;

/// How many locks share the sessions.
const SHARDS: usize = 64;

/// The sessions that are in use.
pub(crate) struct SessionCache {
    shards: Vec<Mutex<Shard>>,
    /// Which session a token opened when it was last looked up. That never changes while the session's own chain names it.
    tokens: Cache<TokenDigest, SessionId>,
    /// How many sessions a generation of a shard holds.
    generation: usize,
}

/// Two generations, as in the book of who was seen.
#[derive(Default)]
struct Shard {
    young: HashMap<SessionId, Arc<Session>>,
    old: HashMap<SessionId, Arc<Session>>,
    /// Commits under way that change a session of this shard.
    changing: usize,
    /// Counts them: what was read before one may be old since.
    epoch: u64,
}

/// When a session's record began to be read from the store.
#[derive(Clone, Copy)]
pub(crate) struct ReadMark(u64);

/// Sessions that a commit is changing; until this is dropped none of them comes in.
pub(crate) struct ChangeGuard<'a> {
    warm: &'a SessionCache,
    sessions: &'a [SessionId],
}

impl SessionCache {
    /// Room for about `most` sessions.
    pub(crate) fn new(most: usize) -> SessionCache {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        SessionCache { shards, tokens: Cache::new(most), generation: (most / SHARDS / 2).max(1) }
    }

    /// The session that `token` opens, where both are known.
    pub(crate) fn opened_by(&self, token: &TokenDigest) -> Option<Arc<Session>> {
        self.get(self.tokens.get(token)?)
    }

    /// The session, where it is known.
    pub(crate) fn get(&self, id: SessionId) -> Option<Arc<Session>> {
        let mut guard = self.shard(id).lock();
        let shard = &mut *guard;
        if let Some(session) = shard.young.get(&id) {
            return Some(Arc::clone(session));
        }
        let session = shard.old.remove(&id)?;
        shard.grow(Arc::clone(&session), self.generation);
        Some(session)
    }

    /// To be called before the session's record is read.
    pub(crate) fn begin(&self, id: SessionId) -> ReadMark {
        ReadMark(self.shard(id).lock().epoch)
    }

    /// Keeps what was read since `began`, unless it may be old.
    pub(crate) fn keep(&self, token: TokenDigest, session: &Arc<Session>, ReadMark(epoch): ReadMark) {
        self.tokens.insert(token, session.id);
        let mut shard = self.shard(session.id).lock();
        if shard.changing == 0 && shard.epoch == epoch {
            shard.grow(Arc::clone(session), self.generation);
        }
    }

    /// A commit is about to change these sessions: they leave, and stay out until it is over.
    pub(crate) fn change<'a>(&'a self, sessions: &'a [SessionId]) -> ChangeGuard<'a> {
        for id in sessions {
            let mut shard = self.shard(*id).lock();
            shard.changing += 1;
            shard.epoch += 1;
            shard.young.remove(id);
            shard.old.remove(id);
        }
        ChangeGuard { warm: self, sessions }
    }

    fn shard(&self, id: SessionId) -> &Mutex<Shard> {
        &self.shards[usize::from(id.bytes()[15]) % SHARDS]
    }
}

impl Shard {
    fn grow(&mut self, session: Arc<Session>, generation: usize) {
        if self.young.len() >= generation {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&session.id);
        self.young.insert(session.id, session);
    }
}

impl Drop for ChangeGuard<'_> {
    fn drop(&mut self) {
        for id in self.sessions {
            let mut shard = self.warm.shard(*id).lock();
            shard.changing -= 1;
            shard.epoch += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trolley_core::chain::TokenChain;
    use trolley_core::session::Transport;
    use trolley_core::time::Timestamp;

    const TOKEN: TokenDigest = TokenDigest::from_bytes([1; 32]);

    fn session(n: u8) -> Arc<Session> {
        let mut id = [0; 16];
        id[0] = n;
        Arc::new(Session {
            id: SessionId::from_bytes(id),
            version: 1,
            tokens: TokenChain::new(TOKEN, Timestamp::from_ms(0)),
            transport: Transport::Cookie,
            cart: None,
            created_at: Timestamp::from_ms(0),
            last_seen: Timestamp::from_ms(0),
            presented: true,
            began_with_cart: true,
            sign_in: None,
        })
    }

    #[test]
    fn what_was_read_before_or_during_a_change_does_not_come_in_after_it() {
        let (warm, session) = (SessionCache::new(1_000), session(1));
        let before = warm.begin(session.id);
        let changed = [session.id];
        let changing = warm.change(&changed);
        let during = warm.begin(session.id);
        warm.keep(TOKEN, &session, during);
        assert!(warm.opened_by(&TOKEN).is_none(), "while it changes");
        drop(changing);
        for began in [before, during] {
            warm.keep(TOKEN, &session, began);
            assert!(warm.opened_by(&TOKEN).is_none(), "what was read earlier");
        }
        warm.keep(TOKEN, &session, warm.begin(session.id));
        assert!(warm.opened_by(&TOKEN).is_some());
        drop(warm.change(&changed));
        assert!(warm.get(session.id).is_none());
    }

    #[test]
    fn two_changes_at_once_keep_it_out_until_both_are_over() {
        let (warm, session) = (SessionCache::new(1_000), session(1));
        let changed = [session.id];
        let (one, other) = (warm.change(&changed), warm.change(&changed));
        drop(one);
        warm.keep(TOKEN, &session, warm.begin(session.id));
        assert!(warm.get(session.id).is_none());
        drop(other);
        warm.keep(TOKEN, &session, warm.begin(session.id));
        assert!(warm.get(session.id).is_some());
    }

    #[test]
    fn it_holds_no_more_than_it_was_given_room_for_and_those_in_use_stay() {
        let warm = SessionCache::new(SHARDS * 2 * 2);
        for n in [1, 2, 3, 4, 1, 5, 6] {
            if warm.get(session(n).id).is_none() {
                warm.keep(TOKEN, &session(n), warm.begin(session(n).id));
            }
        }
        let held = |n: u8| warm.get(session(n).id).is_some();
        assert!((1..=6).filter(|n| held(*n)).count() <= 4);
        assert!(held(1) && !held(2));
    }
}
