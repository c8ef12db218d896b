//! E-mail addresses: kept as they were typed, compared without regard to case after Unicode normalisation.

use std::fmt;

use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;

use crate::ids::EmailDigest;

/// The most bytes of an address (RFC 5321, section 4.5.3.1.3, without its angle brackets).
pub const BYTES_MAX: usize = 254;
/// The most bytes before the `@` (RFC 5321, section 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;

/// A text that cannot be an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct NotAnEmail;

/// An address, as it was typed. It is never printed: whoever logs an account names its id.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(Box<str>);

impl Email {
    /// Takes what may be an address. Only a message that arrives can tell whether it is one, so little is refused:
    /// what has no local part, no host, or white space, control characters or what mail programs give a meaning.
    pub fn parse(text: &str) -> Result<Email, NotAnEmail> {
        let text = text.trim();
        let compared = compared(text);
        let (local, host) = compared.rsplit_once('@').ok_or(NotAnEmail)?;
        let is_plain = |c: char| !(c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c));
        let fits = text.len() <= BYTES_MAX && compared.len() <= BYTES_MAX;
        let local_fits = !local.is_empty() && local.len() <= LOCAL_BYTES_MAX && !local.contains('@');
        let host_fits = host.split('.').all(|label| !label.is_empty() && !label.starts_with('-'));
        if fits && local_fits && host_fits && compared.chars().all(is_plain) {
            Ok(Email(text.into()))
        } else {
            Err(NotAnEmail)
        }
    }

    /// An address that was taken before, whatever the rules were then.
    pub fn kept(text: Box<str>) -> Email {
        Email(text)
    }

    /// As it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two addresses have in common that are one.
    pub fn digest(&self) -> EmailDigest {
        EmailDigest::from_bytes(Sha256::digest(compared(&self.0).as_bytes()).into())
    }

    /// The form in which addresses are compared.
    pub fn compared(&self) -> String {
        compared(&self.0)
    }
}

/// Compatibility forms are one, and so are capitals and small letters; lower case may leave a form that is not
/// normal (a dotted capital I), hence twice.
fn compared(text: &str) -> String {
    let folded: String = text.nfkc().flat_map(char::to_lowercase).collect();
    folded.nfkc().collect()
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Email {
        Email::parse(text).unwrap()
    }

    #[test]
    fn one_address_is_one_however_it_is_written() {
        let ann = email("ann@example.com");
        for same in ["ANN@Example.COM", " ann@example.com\t", "ａｎｎ@example.com", "Ann@ｅｘａｍｐｌｅ.com"]
        {
            assert_eq!(email(same).digest(), ann.digest(), "{same}");
        }
        assert_eq!(email("Zoë@example.com").digest(), email("zoe\u{308}@EXAMPLE.com").digest());
        for other in ["anne@example.com", "ann@example.org", "a.nn@example.com", "ann+x@example.com"] {
            assert_ne!(email(other).digest(), ann.digest(), "{other}");
        }
    }

    #[test]
    fn it_is_shown_as_it_was_typed_and_printed_by_nobody() {
        assert_eq!(email(" Ann@Example.com ").as_str(), "Ann@Example.com");
        assert_eq!(format!("{:?}", email("ann@example.com")), "Email(…)");
    }

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long = format!("a@{}com", "example.".repeat(40));
        for wrong in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@example..com",
            "ann@.com",
            "an n@example.com",
            "ann@exam\nple.com",
            "a@b@c",
            "Ann <ann@example.com>",
            "ann@example.com,bob@example.com",
            "a\0@example.com",
            &long_local,
            &long,
        ] {
            assert_eq!(Email::parse(wrong), Err(NotAnEmail), "{wrong:?}");
        }
        for fine in ["a@b", "ann@localhost", "用户@例子.公司", "o'brien+shop@mail.example.co.uk"] {
            assert!(Email::parse(fine).is_ok(), "{fine}");
        }
    }
}
