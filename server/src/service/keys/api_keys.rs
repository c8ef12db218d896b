//! Keys of the shop's own systems: made, listed and revoked by whoever holds the store's folder, recognised by their digest.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use trolley_core::access::Scope;
use trolley_core::ids::{ApiKeyId, TokenDigest, uuid_v7};
use trolley_store::port::{CommitError, Listing, Write};
use trolley_store::records::own::ApiKey;
use trolley_store::records::{Key, Kind, Record};

use crate::service::Service;
use crate::service::error::ServiceError;
use crate::service::random::Random;

/// What every key begins with, so that scanners of code and logs know one when they see it.
pub const PREFIX: &str = "trk_";
/// Characters of a key: the prefix, and 32 random bytes in base64url.
const KEY_CHARS: usize = PREFIX.len() + 43;
/// Keys that may stand at once. A shop has a handful of systems.
pub const KEYS_MAX: usize = 100;
/// Characters of a key's name.
pub const NAME_MAX: usize = 64;

/// A key itself. It is held while a request runs, told once, and never stored, logged or printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeySecret([u8; KEY_CHARS]);

impl ApiKeySecret {
    fn mint(random: &dyn Random) -> ApiKeySecret {
        let mut secret = [0; 32];
        random.fill(&mut secret);
        let mut text = [0; KEY_CHARS];
        text[..PREFIX.len()].copy_from_slice(PREFIX.as_bytes());
        let written = URL_SAFE_NO_PAD.encode_slice(secret, &mut text[PREFIX.len()..]);
        assert_eq!(written, Ok(43), "32 bytes are 43 characters of base64url");
        ApiKeySecret(text)
    }

    /// From what a caller sent; none where it does not have the form of a key.
    pub fn parse(text: &[u8]) -> Option<ApiKeySecret> {
        let text: [u8; KEY_CHARS] = text.try_into().ok()?;
        let rest = text.strip_prefix(PREFIX.as_bytes())?;
        rest.iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            .then_some(ApiKeySecret(text))
    }

    /// What is kept of it, and by which it is found: how long a search takes tells of the digest, never of the key.
    fn digest(&self) -> TokenDigest {
        TokenDigest::from_bytes(Sha256::digest(self.0).into())
    }

    /// Its characters, for the one answer that hands it out.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for ApiKeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why there is no such key.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// A key that opens nothing.
    #[error("a key needs at least one scope")]
    NoScope,
    /// A name that would not be shown as it is.
    #[error("a key's name is 1 to {NAME_MAX} characters, none of them a control character")]
    Name,
    /// There are too many.
    #[error("there are {KEYS_MAX} keys already, which is the most: revoke one first")]
    TooMany,
    /// There is none of that id.
    #[error("there is no key with the id {0}: `trolley api-key list` shows those that there are")]
    Unknown(ApiKeyId),
    /// The store did not do it.
    #[error("the store did not do it, see the server's log")]
    Failed(ServiceError),
}

impl From<ServiceError> for ApiKeyError {
    fn from(failure: ServiceError) -> ApiKeyError {
        ApiKeyError::Failed(failure)
    }
}

impl Service {
    /// Makes a key. The secret is told here and nowhere else.
    pub async fn make_key(
        &self,
        name: &str,
        mut scopes: Vec<Scope>,
    ) -> Result<(ApiKeySecret, Arc<ApiKey>), ApiKeyError> {
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() {
            return Err(ApiKeyError::NoScope);
        }
        let chars = name.chars().count();
        if chars == 0 || chars > NAME_MAX || name.chars().any(char::is_control) {
            return Err(ApiKeyError::Name);
        }
        if self.keys().await?.len() >= KEYS_MAX {
            return Err(ApiKeyError::TooMany);
        }
        let (secret, now) = (ApiKeySecret::mint(self.random()), self.now());
        let key = Arc::new(ApiKey {
            digest: secret.digest(),
            id: ApiKeyId::from_bytes(uuid_v7(now, self.ten_random_bytes())),
            name: name.into(),
            scopes,
            created_at: now,
        });
        let write = Write::create(Record::ApiKey(Arc::clone(&key)), None);
        self.commit(vec![write]).await.map_err(ServiceError::from)?;
        tracing::info!(key = %key.id, name, "an API key is made");
        Ok((secret, key))
    }

    /// Every key that stands, the oldest first.
    pub async fn keys(&self) -> Result<Vec<Arc<ApiKey>>, ServiceError> {
        let listed = self.store.list(Listing::all(Kind::ApiKey), 2 * KEYS_MAX).await?;
        let mut keys: Vec<_> = listed
            .into_iter()
            .filter_map(|listed| match listed.record {
                Record::ApiKey(key) => Some(key),
                _ => None,
            })
            .collect();
        keys.sort_unstable_by_key(|key| key.id);
        Ok(keys)
    }

    /// Takes a key back: from the moment this answers it opens nothing.
    pub async fn revoke_key(&self, id: ApiKeyId) -> Result<Arc<ApiKey>, ApiKeyError> {
        let key = self.keys().await?.into_iter().find(|key| key.id == id).ok_or(ApiKeyError::Unknown(id))?;
        match self.commit(vec![Write::delete(Key::ApiKey(key.digest), 1)]).await {
            Ok(()) => {}
            Err(CommitError::Conflict(_)) => return Err(ApiKeyError::Unknown(id)),
            Err(error) => return Err(ServiceError::from(error).into()),
        }
        tracing::info!(key = %id, name = %key.name, "an API key is revoked");
        Ok(key)
    }

    /// The key that was sent; none where it was never made, or was taken back.
    pub async fn recognise_key(&self, secret: &ApiKeySecret) -> Result<Option<Arc<ApiKey>>, ServiceError> {
        match self.store.load(Key::ApiKey(secret.digest())).await? {
            Some(Record::ApiKey(key)) => Ok(Some(key)),
            Some(_) | None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::random::OsRandom;

    #[test]
    fn a_key_says_what_it_is_reads_back_and_is_never_printed() {
        let secret = ApiKeySecret::mint(&OsRandom);
        assert!(secret.expose().starts_with("trk_"));
        assert_eq!(ApiKeySecret::parse(secret.expose().as_bytes()), Some(secret.clone()));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn what_does_not_have_the_form_is_no_key() {
        let fine = format!("trk_{}", "a".repeat(43));
        assert!(ApiKeySecret::parse(fine.as_bytes()).is_some());
        for text in ["", "trk_", &fine[1..], &fine.replace("trk_", "trx_"), &fine.replace("aaa", "a a")] {
            assert_eq!(ApiKeySecret::parse(text.as_bytes()), None, "{text}");
        }
    }
}
