//! The server's secret, from which a token's successor is derived: so N requests at once are handed the same one, on any
//! node, and no raw token is stored. It can be rotated: records name the key that they wait for.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest, Sha256};
use trolley_core::ids::KeyId;

use crate::service::random::Random;
use crate::service::session::token::Token;

/// Keys that a secret holds: the newest, and older ones that a record may still name.
pub const KEYS_MAX: usize = 8;

/// What a token is derived for. One that was derived for one thing is never good for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To take the place of a session's token.
    Session,
    /// To take the place of a remember-me token.
    Remember,
    /// To open the session that a use of remember-me begins.
    Remembered,
}

/// The keys, the newest first. Never printed.
#[derive(Clone)]
pub struct ServerSecret(Vec<(KeyId, [u8; 32])>);

/// A text that is no secret. It tells nothing of what the text holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is no key in it.
    #[error("it is empty: write 43 characters of base64url, which are 32 random bytes")]
    Empty,
    /// A word of it is no key.
    #[error("key {0} is not 43 characters of base64url, which are 32 random bytes")]
    Key(usize),
    /// There are too many.
    #[error("it holds more than {KEYS_MAX} keys: let the oldest go")]
    TooMany,
}

impl ServerSecret {
    /// A fresh one of one key.
    pub fn mint(random: &dyn Random) -> ServerSecret {
        let mut key = [0; 32];
        random.fill(&mut key);
        ServerSecret(vec![(name(&key), key)])
    }

    /// From its text: keys of 43 characters, the newest first, with white space or commas between them.
    pub fn parse(text: &str) -> Result<ServerSecret, SecretError> {
        let words = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
        let mut keys = Vec::new();
        for (at, word) in words.enumerate() {
            if at == KEYS_MAX {
                return Err(SecretError::TooMany);
            }
            let key = URL_SAFE_NO_PAD.decode(word).ok().and_then(|key| <[u8; 32]>::try_from(key).ok());
            let key = key.ok_or(SecretError::Key(at + 1))?;
            keys.push((name(&key), key));
        }
        if keys.is_empty() { Err(SecretError::Empty) } else { Ok(ServerSecret(keys)) }
    }

    /// Its text, for the one file that keeps it.
    pub fn expose(&self) -> String {
        self.0.iter().map(|(_, key)| URL_SAFE_NO_PAD.encode(key) + "\n").collect()
    }

    /// The key that new tokens are derived by.
    pub fn newest(&self) -> KeyId {
        self.0.first().expect("a secret has a key at least").0
    }

    /// The token that follows from `token`, always the same; none where the key is not there any more.
    pub fn derive(&self, key: KeyId, purpose: Purpose, token: &Token, number: u32) -> Option<Token> {
        let (_, key) = self.0.iter().find(|(id, _)| *id == key)?;
        let label: &[u8] = match purpose {
            Purpose::Session => b"trolley session token\0",
            Purpose::Remember => b"trolley remember token\0",
            Purpose::Remembered => b"trolley remembered session\0",
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        mac.update(label);
        mac.update(token.expose().as_bytes());
        mac.update(&number.to_be_bytes());
        Some(Token::of(mac.finalize().into_bytes().into()))
    }
}

/// A key's name: it tells nothing of the key, of which every bit is random.
fn name(key: &[u8; 32]) -> KeyId {
    let digest: [u8; 32] =
        Sha256::new().chain_update(b"trolley key name\0").chain_update(key).finalize().into();
    let mut name = [0; 8];
    name.copy_from_slice(&digest[..8]);
    KeyId::from_bytes(name)
}

impl fmt::Debug for ServerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} keys)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::random::OsRandom;

    #[test]
    fn a_successor_is_the_same_each_time_and_another_for_each_thing_it_follows_from() {
        let (secret, token) = (ServerSecret::mint(&OsRandom), Token::mint(&OsRandom));
        let key = secret.newest();
        let derived = |purpose, number| secret.derive(key, purpose, &token, number).unwrap();
        assert_eq!(derived(Purpose::Session, 0), derived(Purpose::Session, 0));
        let other = secret.derive(key, Purpose::Session, &Token::mint(&OsRandom), 0).unwrap();
        let others = [
            derived(Purpose::Session, 1),
            derived(Purpose::Remember, 0),
            derived(Purpose::Remembered, 0),
            other,
            token.clone(),
        ];
        assert!(others.iter().all(|other| *other != derived(Purpose::Session, 0)));
    }

    #[test]
    fn a_rotated_secret_goes_on_deriving_by_its_older_key() {
        let (old, token) = (ServerSecret::mint(&OsRandom), Token::mint(&OsRandom));
        let rotated = ServerSecret::parse(&(ServerSecret::mint(&OsRandom).expose() + &old.expose())).unwrap();
        assert_ne!(rotated.newest(), old.newest());
        let by = |secret: &ServerSecret| secret.derive(old.newest(), Purpose::Session, &token, 7);
        assert_eq!(by(&rotated), by(&old));
        assert_eq!(by(&ServerSecret::mint(&OsRandom)), None);
    }

    #[test]
    fn what_is_no_secret_is_refused_and_never_told_back() {
        let key = ServerSecret::mint(&OsRandom).expose();
        assert!(ServerSecret::parse(&format!(" {key},{key}")).is_ok());
        for (text, why) in [
            (" \n", SecretError::Empty),
            ("short", SecretError::Key(1)),
            (&format!("{key}{}", "A".repeat(44)), SecretError::Key(2)),
            (&key.repeat(KEYS_MAX + 1), SecretError::TooMany),
        ] {
            assert_eq!(ServerSecret::parse(text).unwrap_err(), why);
        }
        assert_eq!(format!("{:?}", ServerSecret::mint(&OsRandom)), "Secret(1 keys)");
    }
}
