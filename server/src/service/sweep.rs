//! What has expired leaves in bounded batches: a session with its token, its ledger and its guest cart in one commit.

use trolley_core::ids::SessionId;
use trolley_core::session::Seen;
use trolley_store::kind::{Key, Record};
use trolley_store::port::{CommitError, Write};

use super::Service;
use super::failure::Failure;

impl Service {
    /// One batch. True where another may be waiting.
    pub async fn sweep(&self) -> Result<bool, Failure> {
        let most = self.settings.bounds.sweep_batch;
        let named = self.store.expired(self.now(), most).await?;
        let mut departures = Vec::with_capacity(named.len());
        for key in &named {
            let writes = match key {
                Key::Session(session) => self.departure(*session).await?,
                other => self.lapse(*other).await?,
            };
            if !writes.is_empty() {
                departures.push(writes);
            }
        }
        let done = self.commit_departures(departures).await?;
        // Where none could be done the rest waits for the next turn, so that nobody goes round in a circle.
        Ok(named.len() == most && done > 0)
    }

    /// All in one commit; where one was changed meanwhile, each in its own, and that one waits for the next sweep.
    async fn commit_departures(&self, departures: Vec<Vec<Write>>) -> Result<usize, Failure> {
        if departures.is_empty() {
            return Ok(0);
        }
        match self.store.commit(departures.concat()).await {
            Ok(()) => return Ok(departures.len()),
            Err(CommitError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let mut done = 0;
        for writes in departures {
            match self.store.commit(writes).await {
                Ok(()) => done += 1,
                Err(CommitError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(done)
    }

    /// What takes out a record that simply lapses at its time.
    async fn lapse(&self, key: Key) -> Result<Vec<Write>, Failure> {
        let record = self.store.load(key).await?;
        Ok(record.map(|record| Write::delete(key, record.version())).into_iter().collect())
    }

    /// What takes a session out, if core says that it is over. The store names sessions by what was written down; where
    /// memory or a longer policy knows better, that is written down instead, and the store names it later.
    async fn departure(&self, id: SessionId) -> Result<Vec<Write>, Failure> {
        let Some(Record::Session(session)) = self.store.load(Key::Session(id)).await? else {
            return Ok(Vec::new());
        };
        let (now, most) = (self.now(), self.settings.bounds.sweep_batch);
        let seen = match self.seen.at(id) {
            Some(at) => Seen::Exactly(at.max(session.last_seen)),
            None => Seen::AtLeast(session.last_seen),
        };
        let why = match self.settings.policy.lease(&session, seen, now) {
            Ok(_) => {
                let mut living = (*session).clone();
                living.version += 1;
                living.last_seen = self.seen.at(id).unwrap_or(living.last_seen).max(living.last_seen);
                let expires_at = Some(self.settings.policy.swept_after(&living));
                return Ok(vec![Write::swap(session.version, Record::Session(living.into()), expires_at)]);
            }
            Err(why) => why,
        };
        let mut writes = vec![Write::delete(Key::Session(id), session.version)];
        writes.extend(session.tokens.tokens().map(|token| Write::delete(Key::Token(token), 1)));
        if let Some(cart) = session.cart {
            let links = self.links_of(cart, most).await?;
            if links.len() == most {
                // There may be more than one commit should hold: the session leaves with the last of them.
                return Ok(links);
            }
            writes.extend(links);
        }
        let cart = session.cart.map(Key::Cart);
        for key in [Some(Key::Ledger(id)), Some(Key::Data(id)), cart].into_iter().flatten() {
            if let Some(record) = self.store.load(key).await? {
                writes.push(Write::delete(key, record.version()));
            }
        }
        self.seen.forget(id);
        tracing::info!(session = %id, ?why, "a session expires");
        Ok(writes)
    }
}
