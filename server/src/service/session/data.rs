//! What a shop keeps with a session: a JSON object of bounded size, changed by merge patch. It ends with its session.

use std::net::IpAddr;
use std::sync::Arc;

use trolley_core::ids::SessionId;
use trolley_core::ledger::LedgerAnswer;
use trolley_core::session::Transport;
use trolley_store::port::Write;
use trolley_store::records::own::Data;
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::cart::preconditions::IdempotencyKey;
use crate::service::error::ServiceError;
use crate::service::json::tree;
pub use crate::service::json::tree::Members;
use crate::service::json::tree::Tree;
use crate::service::limits::addresses::Payer;
use crate::service::limits::quotas::{GUEST, QuotaRequest, WRITE};
use crate::service::session::claim::Claim;
use crate::service::session::guest::NewGuest;
use crate::service::transaction::Transaction;

/// The most that is kept with a session, in bytes of JSON without spaces.
pub const BYTES_MAX: usize = 16 * 1024;

/// What stands in a session's data where nothing was ever put.
const NOTHING: &str = "{}";

/// A session's data as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionData {
    /// How many changes it had.
    pub version: u64,
    /// The object, as JSON without spaces.
    pub json: Box<str>,
}

impl Default for SessionData {
    fn default() -> SessionData {
        SessionData { version: 0, json: NOTHING.into() }
    }
}

/// A change of a session's data.
pub struct Patch<'a> {
    /// The merge patch (RFC 7396).
    pub members: &'a Members,
    /// Whether the caller wants it done to what stands.
    pub wanted_on: &'a (dyn Fn(&SessionData) -> bool + Send + Sync),
    /// The caller's key for a retry, if it sent one.
    pub keyed: Option<IdempotencyKey>,
    /// Whose allowance of bytes it uses up.
    pub payer: Payer,
}

/// What a patch came to.
#[derive(Debug)]
pub struct Patched {
    /// The data after it, or for a replay as it is now.
    pub kept: SessionData,
    /// What the same key was answered before.
    pub replayed: Option<LedgerAnswer>,
}

impl Service {
    /// A session's data.
    pub async fn data(&self, session: SessionId) -> Result<SessionData, ServiceError> {
        Ok(kept(self.store.load(Key::Data(session)).await?.as_ref()))
    }

    /// Changes a session's data.
    pub async fn patch_data(&self, claim: &Claim, patch: &Patch<'_>) -> Result<Patched, ServiceError> {
        let session = claim.session;
        let _turn = self.turns.of_data(session).await;
        for _ in 0..self.settings.bounds.commit_tries {
            let mut tx = Transaction::default();
            self.require_claim_in(&mut tx, claim).await?;
            tx.read(&*self.store, Key::Data(session)).await?;
            self.read_ledger(&mut tx, session).await?;
            let stands = kept(tx.get(&Key::Data(session)));
            if let Some(replayed) = self.found(&tx, session, patch.keyed)? {
                return Ok(Patched { kept: stands, replayed: Some(replayed) });
            }
            let (mut tab, payer) = (self.tab(), Some(patch.payer));
            tab.admit(QuotaRequest {
                keyed: patch.keyed.map(|_| session),
                payer,
                ..QuotaRequest::default()
            })?;
            let patched = patched(&stands, patch);
            if let Ok(after) = &patched
                && *after != stands
            {
                let SessionData { version, json } = after.clone();
                tab.bring(payer, json.len() + if patch.keyed.is_some() { 0 } else { WRITE });
                tx.put(Record::Data(Arc::new(Data { session, version, json })), None);
            }
            if let Some(keyed) = patch.keyed {
                self.keep_answer(&mut tx, session, keyed, &patched);
                tab.bring(payer, WRITE);
            }
            if self.commit_desk(tx).await? {
                tab.keep();
                return Ok(Patched { kept: patched?, replayed: None });
            }
        }
        Err(ServiceError::Busy)
    }

    /// The same for a visitor without a session: where there is something to keep, a guest begins with it.
    pub async fn begin_with_data(
        &self,
        from: IpAddr,
        patch: &Patch<'_>,
    ) -> Result<(SessionData, Option<NewGuest>), ServiceError> {
        let nothing = SessionData::default();
        let after = patched(&nothing, patch)?;
        if after == nothing {
            return Ok((nothing, None));
        }
        let (begun, mut writes) = self.new_visit(from, Transport::Cookie, GUEST + after.json.len())?;
        let (session, SessionData { version, json }) = (begun.visit.session.id, after.clone());
        writes.push(Write::create(Record::Data(Arc::new(Data { session, version, json })), None));
        self.commit(writes).await?;
        Ok((after, Some(begun)))
    }

    fn keep_answer(
        &self,
        tx: &mut Transaction,
        session: SessionId,
        keyed: IdempotencyKey,
        patched: &Result<SessionData, ServiceError>,
    ) {
        let (status, code) = match patched {
            Err(ServiceError::DataChanged) => (412, Some("precondition_failed".into())),
            Err(_) => (422, Some("data_too_large".into())),
            Ok(_) => (200, None),
        };
        self.keep_in_ledger(tx, session, keyed, LedgerAnswer { status, code, about: None });
    }
}

fn kept(record: Option<&Record>) -> SessionData {
    match record {
        Some(Record::Data(data)) => SessionData { version: data.version, json: data.json.clone() },
        _ => SessionData::default(),
    }
}

/// The data after a patch; the same where the patch changes nothing.
fn patched(stands: &SessionData, patch: &Patch<'_>) -> Result<SessionData, ServiceError> {
    if !(patch.wanted_on)(stands) {
        return Err(ServiceError::DataChanged);
    }
    let Ok(Tree::Object(before)) = Tree::parse(&stands.json) else {
        return Err(ServiceError::Broken("a session's data is not a JSON object".to_owned()));
    };
    let mut after = before.clone();
    merge(&mut after, patch.members);
    if after == before {
        return Ok(stands.clone());
    }
    let json = tree::text(&after).into_boxed_str();
    if json.len() > BYTES_MAX {
        return Err(ServiceError::DataTooLarge);
    }
    Ok(SessionData { version: stands.version + 1, json })
}

/// RFC 7396: null takes a member out, an object is merged into the one that stands there, all else takes its place.
fn merge(target: &mut Members, patch: &Members) {
    for (name, value) in patch {
        match value {
            Tree::Null => drop(target.remove(name)),
            Tree::Object(inner) => {
                let place = target.entry(name.clone()).or_insert(Tree::Null);
                if !matches!(place, Tree::Object(_)) {
                    *place = Tree::Object(Members::new());
                }
                if let Tree::Object(members) = place {
                    merge(members, inner);
                }
            }
            other => drop(target.insert(name.clone(), other.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_7396_come_out_as_it_says() {
        for (target, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, r#"{}"#),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            (r#"{"a":[1,2]}"#, r#"{"a":{"b":"c","d":null}}"#, r#"{"a":{"b":"c"}}"#),
            (r#"{}"#, r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let read = |text| match Tree::parse(text) {
                Ok(Tree::Object(members)) => members,
                other => panic!("{other:?}"),
            };
            let mut merged = read(target);
            merge(&mut merged, &read(patch));
            assert_eq!(merged, read(result), "{target} with {patch}");
        }
    }
}
