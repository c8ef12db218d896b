//! Passwords: which are taken, and how they are written before they are hashed. A password is never printed.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use super::common;
use super::email::Email;

/// The fewest characters of a password.
pub const CHARS_MIN: usize = 12;
/// The most bytes of one: 64 characters of any script, and no work for who sends megabytes.
pub const BYTES_MAX: usize = 256;

/// A password as it is hashed: in Unicode's compatibility form, so that another keyboard types the same one.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Box<str>);

/// What is kept of a password: a PHC string of Argon2id, with its salt and its cost.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Box<str>);

/// Why a password is not taken. Each sentence tells what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPasswordError {
    /// Too few characters.
    #[error("choose a password of at least {CHARS_MIN} characters")]
    TooShort,
    /// Too many bytes.
    #[error("choose a password of at most {BYTES_MAX} bytes")]
    TooLong,
    /// It is on every attacker's list.
    #[error("this password is among the common ones that are tried first: choose another")]
    Common,
    /// It is the address, or what stands before the @.
    #[error("this password is your address: choose another")]
    IsTheAddress,
}

impl Password {
    /// What somebody says is the password; none where it is longer than any can be.
    pub fn said(text: &str) -> Option<Password> {
        (text.len() <= BYTES_MAX).then(|| Password(text.nfkc().collect::<String>().into()))
    }

    /// What somebody wants as the password of the account with this address.
    pub fn choose(text: &str, email: Option<&Email>) -> Result<Password, WeakPasswordError> {
        let password = Password::said(text).ok_or(WeakPasswordError::TooLong)?;
        if password.0.chars().count() < CHARS_MIN {
            return Err(WeakPasswordError::TooShort);
        }
        let plain = password.0.to_lowercase();
        if common::is_common(&plain) || is_one_thing_again_and_again(&plain) {
            return Err(WeakPasswordError::Common);
        }
        if let Some(address) = email.map(Email::compared)
            && (Email::parse(&plain).is_ok_and(|said| said.compared() == address)
                || address.rsplit_once('@').is_some_and(|(local, _)| plain == local))
        {
            return Err(WeakPasswordError::IsTheAddress);
        }
        Ok(password)
    }

    /// What is hashed.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// `aaaaaaaaaaaa`, `abababababab`, `abcabcabcabc`: no list has them all.
fn is_one_thing_again_and_again(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=3).any(|period| chars.iter().zip(chars.iter().skip(period)).all(|(one, next)| one == next))
}

impl PasswordHash {
    /// From a PHC string.
    pub fn kept(phc: Box<str>) -> PasswordHash {
        PasswordHash(phc)
    }

    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> Result<(), WeakPasswordError> {
        let email = Email::parse("shopper.ann.miller@example.com").unwrap();
        Password::choose(text, Some(&email)).map(drop)
    }

    #[test]
    fn twelve_characters_of_any_script_are_enough_and_eleven_are_not() {
        assert_eq!(judged("vlkmsdPq.923"), Ok(()));
        assert_eq!(judged("vlkmsdPq.92"), Err(WeakPasswordError::TooShort));
        assert_eq!(judged("пароль-не-тот"), Ok(()));
        assert_eq!(judged("ééééééééééé"), Err(WeakPasswordError::TooShort), "characters count, not bytes");
        assert_eq!(judged("correct horse battery staple"), Ok(()));
    }

    #[test]
    fn sixty_four_characters_are_taken_and_kilobytes_are_not() {
        let longest: String = "😀😁😂🤣".chars().cycle().take(64).collect();
        assert_eq!(judged(&longest), Ok(()));
        assert_eq!(judged(&format!("{longest}x")), Err(WeakPasswordError::TooLong));
        assert_eq!(Password::said(&"x".repeat(257)), None);
    }

    #[test]
    fn what_is_tried_first_is_refused_however_it_is_capitalised() {
        for common in ["password1234", "PassWord1234", "qwertyuiop123", "123456789012", "iloveyouforever"] {
            assert_eq!(judged(common), Err(WeakPasswordError::Common), "{common}");
        }
        for repeated in ["aaaaaaaaaaaaa", "zyzyzyzyzyzy", "q7vq7vq7vq7vq"] {
            assert_eq!(judged(repeated), Err(WeakPasswordError::Common), "{repeated}");
        }
        assert_eq!(judged("Shopper.Ann.Miller"), Err(WeakPasswordError::IsTheAddress));
        assert_eq!(judged("shopper.ann.miller@example.com"), Err(WeakPasswordError::IsTheAddress));
        let email = Email::parse("ann@xn--mnchen-3ya.example").unwrap();
        assert_eq!(
            Password::choose("Ann@münchen.example", Some(&email)),
            Err(WeakPasswordError::IsTheAddress)
        );
    }

    #[test]
    fn another_keyboard_types_the_same_password() {
        let one = Password::said("Zoë macht Käse").unwrap();
        assert_eq!(Password::said("Zoe\u{308} macht Ka\u{308}se"), Some(one));
        assert_ne!(Password::said("PASSWORD"), Password::said("password"));
    }

    #[test]
    fn neither_a_password_nor_its_hash_is_printed() {
        assert_eq!(format!("{:?}", Password::said("hunter2").unwrap()), "Password(…)");
        assert_eq!(format!("{:?}", PasswordHash::kept("$argon2id$".into())), "PasswordHash(…)");
    }
}
