//! The secret that opens a session. It is held while a request runs, and never stored, logged or printed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use trolley_core::ids::TokenDigest;
use trolley_core::time::Span;

use crate::service::random::Random;

/// Characters of a token: 32 random bytes in base64url.
pub const TOKEN_CHARS: usize = 43;

/// How long a token that was taken out of use is told from one that never was: late requests of another tab still carry it.
pub const RETIRED_FOR: Span = Span::from_s(600);

/// A session's secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; TOKEN_CHARS]);

impl Token {
    /// A fresh one of 256 random bits.
    pub fn mint(random: &dyn Random) -> Token {
        let mut secret = [0; 32];
        random.fill(&mut secret);
        Token::of(secret)
    }

    /// Of 32 bytes that nobody can guess.
    pub(crate) fn of(secret: [u8; 32]) -> Token {
        let mut text = [0; TOKEN_CHARS];
        let written = URL_SAFE_NO_PAD.encode_slice(secret, &mut text);
        assert_eq!(written, Ok(TOKEN_CHARS), "32 bytes are 43 characters of base64url");
        Token(text)
    }

    /// From what a caller sent; none where it does not have the form of a token.
    pub fn parse(text: &[u8]) -> Option<Token> {
        let text: [u8; TOKEN_CHARS] = text.try_into().ok()?;
        text.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')).then_some(Token(text))
    }

    /// What is kept of it.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::from_bytes(Sha256::digest(self.0).into())
    }

    /// Its characters, for the one answer that hands it out.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::random::OsRandom;

    #[test]
    fn a_token_reads_back_and_is_never_printed() {
        let token = Token::mint(&OsRandom);
        assert_eq!(Token::parse(token.expose().as_bytes()), Some(token.clone()));
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn what_does_not_have_the_form_is_no_token() {
        for text in
            ["", "short", &"a".repeat(42), &"a".repeat(44), &"a b".repeat(15)[..43], &"é".repeat(22)[..42]]
        {
            assert_eq!(Token::parse(text.as_bytes()), None, "{text}");
        }
    }
}
