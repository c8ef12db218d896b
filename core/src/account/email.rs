//! E-mail addresses: kept as they were typed, compared in one normal form, so that no two spellings of one address make two accounts.
//!
//! The domain's normal form is that of browsers and mail programs: UTS 46, as `xn--` labels in lower case without a last dot. What
//! stands before the `@` is the receiving host's own affair (RFC 5321, section 2.3.11): it is compared without regard to case and
//! compatibility forms, and may hold nothing that cannot be seen. Letters that look alike but are others (a Cyrillic а) stay others:
//! they lead to another mailbox, and telling them apart is the reader's matter and not this one's.

use std::fmt;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;

use crate::ids::EmailDigest;

/// The most bytes of an address (RFC 5321, section 4.5.3.1.3, without its angle brackets).
pub const BYTES_MAX: usize = 254;
/// The most bytes before the `@` (RFC 5321, section 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;
/// What is typed for the `@`: its compatibility forms are one with it.
const ATS: [char; 3] = ['@', '\u{ff20}', '\u{fe6b}'];
/// What is typed for the dots of a domain (UTS 46, section 2.3).
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];
/// The joiners: they have no glyph of their own, and a domain of some scripts needs them (UTS 46 judges where).
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];
/// Symbols and letters by their category, and nothing to the eye: Braille without a dot, a note without a head, blanks of hieroglyphs.
const BLANKS: [char; 4] = ['\u{2800}', '\u{1d159}', '\u{13441}', '\u{13442}'];

/// A text that cannot be an address. Each sentence tells what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// It does not have the form of one.
    #[error("send an e-mail address, such as ann@example.com")]
    Form,
    /// It has a character that leaves no trace on a screen, or means nothing that anybody agreed on.
    #[error("the address has a character that cannot be seen: type it anew instead of pasting it")]
    Invisible,
    /// What follows the `@` is no domain (UTS 46).
    #[error("what follows the @ is no domain: send an e-mail address, such as ann@example.com")]
    Domain,
}

/// An address, as it was typed. It is never printed: whoever logs an account names its id.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(Box<str>);

impl Email {
    /// Takes what may be an address, without what pasting leaves around it. Only a message that arrives can tell whether it is one,
    /// so little is refused: what has no local part, no domain, or white space, characters that cannot be seen or what mail programs
    /// give a meaning.
    pub fn parse(text: &str) -> Result<Email, EmailError> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        let (local, domain) = halves(text).ok_or(EmailError::Form)?;
        let compared = normal(local, domain)?;
        let seen = |c: &char| !is_invisible(*c) || JOINERS.contains(c);
        let domain: String = domain.strip_suffix(DOTS).unwrap_or(domain).chars().filter(seen).collect();
        let shown = format!("{local}@{domain}");
        if shown.len() > BYTES_MAX || compared.len() > BYTES_MAX {
            return Err(EmailError::Form);
        }
        Ok(Email(shown.into()))
    }

    /// An address that was taken before, whatever the rules were then.
    pub fn kept(text: Box<str>) -> Email {
        Email(text)
    }

    /// As it was typed, without what cannot be seen.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two addresses have in common that are one.
    pub fn digest(&self) -> EmailDigest {
        EmailDigest::from_bytes(Sha256::digest(self.compared().as_bytes()).into())
    }

    /// The form in which addresses are compared. One that was taken by other rules is compared as a text.
    pub fn compared(&self) -> String {
        let normal = halves(&self.0).and_then(|(local, domain)| normal(local, domain).ok());
        normal.unwrap_or_else(|| folded(&self.0))
    }
}

/// What stands before the last `@` and behind it.
fn halves(text: &str) -> Option<(&str, &str)> {
    let at = text.rfind(ATS)?;
    let mut domain = text[at..].chars();
    domain.next();
    Some((&text[..at], domain.as_str()))
}

/// The one spelling of an address.
fn normal(local: &str, domain: &str) -> Result<String, EmailError> {
    if local.chars().any(|c| is_invisible(c) || is_blank(c)) {
        return Err(EmailError::Invisible);
    }
    let is_plain =
        |c: char| !(c.is_whitespace() || c.is_control() || ATS.contains(&c) || "<>()[],;:\\\"".contains(c));
    let local = folded(local);
    if local.is_empty() || local.len() > LOCAL_BYTES_MAX || !local.chars().all(is_plain) {
        return Err(EmailError::Form);
    }
    if domain.chars().all(|c| DOTS.contains(&c) || is_invisible(c)) {
        return Err(EmailError::Form);
    }
    // UTS 46 passes over what is to be ignored in a domain, and so do we; what is blank and not to be ignored would be another domain.
    let is_hidden = |c: char| is_blank(c) && !is_invisible(c);
    if domain.chars().any(is_hidden) {
        return Err(EmailError::Invisible);
    }
    let (rules, length) = (Uts46::new(), DnsLength::VerifyAllowRootDot);
    let ascii = rules.to_ascii(domain.as_bytes(), AsciiDenyList::URL, Hyphens::Allow, length);
    let ascii = ascii.map_err(|_| EmailError::Domain)?;
    // The same domain comes in punycode too.
    let (read, _) = rules.to_unicode(ascii.as_bytes(), AsciiDenyList::URL, Hyphens::Allow);
    if read.chars().any(is_hidden) {
        return Err(EmailError::Invisible);
    }
    let ascii = ascii.strip_suffix('.').unwrap_or(&ascii);
    if !ascii.split('.').all(|label| !label.is_empty() && !label.starts_with('-'))
        || !ascii.chars().all(is_plain)
    {
        return Err(EmailError::Domain);
    }
    Ok(format!("{local}@{ascii}"))
}

/// Compatibility forms are one, and so are capitals and small letters (a sigma at a word's end too); lower case may leave a form that
/// is not normal (a dotted capital I), hence twice.
fn folded(text: &str) -> String {
    let small = text.nfkc().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c });
    small.collect::<String>().nfkc().collect()
}

/// Whether it leaves no trace on a screen: control characters, and what Unicode says to ignore where it is not supported.
fn is_invisible(c: char) -> bool {
    c.is_control() || (!c.is_ascii() && CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c))
}

/// Whether nothing is printed for it, or nobody can tell what: a control or format character, a separator of lines, private use, what no
/// standard assigns, and blanks that are none by their category. Two addresses that differ by one of these look alike.
fn is_blank(c: char) -> bool {
    use GeneralCategory as Is;
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    BLANKS.contains(&c)
        || matches!(
            category,
            Is::Control
                | Is::Format
                | Is::Unassigned
                | Is::PrivateUse
                | Is::Surrogate
                | Is::LineSeparator
                | Is::ParagraphSeparator
        )
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn email(text: &str) -> Email {
        Email::parse(text).unwrap()
    }

    #[test]
    fn one_address_is_one_however_it_is_written() {
        let ann = email("ann@example.com");
        for same in [
            "ANN@Example.COM",
            " ann@example.com\t",
            "ａｎｎ@example.com",
            "Ann@ｅｘａｍｐｌｅ.com",
            "ann＠example.com",
            "ann@example.com.",
            "ann@example。com",
            "ann@exam\u{ad}ple.com",
            "ann@exam\u{200b}ple.com",
            "\u{feff}ann@example.com\u{200b}",
            "\u{2066}ann@example.com\u{2069}",
            "ann@\u{2060}example.com",
        ] {
            assert_eq!(email(same).digest(), ann.digest(), "{same:?}");
        }
        assert_eq!(email("Zoë@example.com").digest(), email("zoe\u{308}@EXAMPLE.com").digest());
        assert_eq!(email("ΑΝΝΑΣ@example.com").digest(), email("αννας@example.com").digest());
        for other in ["anne@example.com", "ann@example.org", "a.nn@example.com", "ann+x@example.com"] {
            assert_ne!(email(other).digest(), ann.digest(), "{other}");
        }
        // Letters that only look alike are other letters, before the @ and behind it.
        for other in ["аnn@example.com", "ann@ехаmple.com"] {
            assert_ne!(email(other).digest(), ann.digest(), "{other}");
        }
    }

    #[test]
    fn a_domain_in_unicode_and_in_punycode_is_one() {
        for (unicode, punycode) in [
            ("ann@münchen.example", "ann@xn--mnchen-3ya.example"),
            ("ann@MÜNCHEN.Example", "ann@XN--MNCHEN-3YA.example"),
            ("ann@mu\u{308}nchen.example", "ann@xn--mnchen-3ya.EXAMPLE."),
            ("ann@straße.example", "ann@xn--strae-oqa.example"),
            ("用户@例子.公司", "用户@xn--fsqu00a.xn--55qx5d"),
            ("ann@نامه\u{200c}ای.example", "ann@xn--mgba3gch31f060k.example"),
        ] {
            assert_eq!(email(unicode).digest(), email(punycode).digest(), "{unicode}");
            assert_eq!(email(unicode).as_str(), unicode, "it is shown as it was typed");
        }
        assert_ne!(email("ann@straße.example").digest(), email("ann@strasse.example").digest());
    }

    proptest! {
        #[test]
        fn any_two_spellings_that_uts_46_maps_alike_are_one_address(
            labels in prop::collection::vec("[a-zà-öø-þα-ω0-9あ-ん例子公司]{1,8}", 1..4),
            choices in prop::collection::vec(0_u8..6, 40),
            root in any::<bool>(),
        ) {
            let plain = format!("ann@{}", labels.join("."));
            let Ok(one) = Email::parse(&plain) else { return Ok(()) };
            let spell = |(c, choice): (char, &u8)| match choice {
                0 => c.to_uppercase().collect::<String>(),
                1 => c.nfd().collect(),
                2 if c.is_ascii_lowercase() => char::from_u32(u32::from(c) + 0xfee0).into_iter().collect(),
                2 if c == '.' => '。'.to_string(),
                3 => format!("{c}\u{ad}"),
                4 => format!("\u{200b}{c}"),
                _ => c.to_string(),
            };
            // UTS 46 keeps ß and ς where they stand, and not their capitals: those are other domains.
            prop_assume!(!plain.contains(['ß', 'ς']));
            let domain: String = labels.join(".").chars().zip(choices.iter().cycle()).map(spell).collect();
            let other = format!("Ann@{domain}{}", if root { "." } else { "" });
            let ascii = idna::domain_to_ascii(&domain).unwrap();
            let (other, ascii) = (email(&other), email(&format!("ANN@{ascii}")));
            prop_assert_eq!(one.digest(), other.digest());
            prop_assert_eq!(one.digest(), ascii.digest());
        }

        #[test]
        fn what_is_shown_is_the_same_address_and_has_nothing_that_cannot_be_seen(text in "\\PC{0,12}@\\PC{1,20}") {
            let Ok(taken) = Email::parse(&text) else { return Ok(()) };
            let again = email(taken.as_str());
            prop_assert_eq!(again.as_str(), taken.as_str());
            prop_assert_eq!(again.digest(), taken.digest());
            prop_assert!(taken.as_str().chars().all(|c| !(is_invisible(c) || is_blank(c)) || JOINERS.contains(&c)));
        }

        // The classes of these patterns are of another library's tables than the mend reads. What those do not know yet may be a
        // letter by now.
        #[test]
        fn what_is_unseen_or_unassigned_makes_no_second_account(
            hidden in prop_oneof![
                "[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\u{2800}\u{1d159}\u{3164}\u{115f}\u{1160}\u{ffa0}]",
                "[\\p{Co}\u{fdd0}-\u{fdef}\u{fffe}\u{ffff}\u{10fffe}\u{10ffff}]",
                "\\p{Cn}".prop_filter("assigned since", |text| text.chars().all(is_blank)),
            ],
            at in 1_usize..3,
        ) {
            for (before, behind) in [("ann", "@example.com"), ("用户", "@例子.公司")] {
                let mut chars: Vec<&str> = before.split("").filter(|c| !c.is_empty()).collect();
                chars.insert(at.min(chars.len() - 1), &hidden);
                let text = format!("{}{behind}", chars.concat());
                prop_assert_eq!(Email::parse(&text).err(), Some(EmailError::Invisible));
            }
            let plain = email("ann@example.com").digest();
            let other = Email::parse(&format!("ann@exam{hidden}ple.com"));
            prop_assert!(other.is_err() || other.is_ok_and(|same| same.digest() == plain));
        }
    }

    #[test]
    fn it_is_shown_as_it_was_typed_and_printed_by_nobody() {
        assert_eq!(email(" Ann@Example.com ").as_str(), "Ann@Example.com");
        assert_eq!(email("Ann@Exam\u{ad}ple.com.\u{200b}").as_str(), "Ann@Example.com");
        assert_eq!(format!("{:?}", email("ann@example.com")), "Email(…)");
    }

    #[test]
    fn what_cannot_be_seen_before_the_at_is_refused_by_that_reason() {
        for hidden in [
            '\u{200b}',
            '\u{ad}',
            '\u{200d}',
            '\u{2060}',
            '\u{feff}',
            '\u{202e}',
            '\u{3164}',
            '\u{fe0f}',
            '\0',
            '\u{fff9}',
            '\u{fffb}',
            '\u{fdd0}',
            '\u{ffff}',
            '\u{10ffff}',
            '\u{378}',
            '\u{e000}',
            '\u{f0000}',
            '\u{2800}',
            '\u{115f}',
            '\u{1160}',
            '\u{ffa0}',
            '\u{2028}',
            '\u{2029}',
            '\u{110bd}',
        ] {
            assert_eq!(
                Email::parse(&format!("a{hidden}nn@example.com")),
                Err(EmailError::Invisible),
                "{hidden:?}"
            );
        }
    }

    #[test]
    fn a_domain_with_a_blank_is_refused_in_unicode_and_in_punycode() {
        for hidden in ['\u{2800}', '\u{fff9}', '\u{e000}', '\u{378}', '\u{fdd0}'] {
            let shown = Email::parse(&format!("ann@exam{hidden}ple.com"));
            assert_eq!(shown, Err(EmailError::Invisible), "{hidden:?}");
        }
        // exam⠀ple, by the algorithm of RFC 3492.
        let label = idna::punycode::encode_str("exam\u{2800}ple").unwrap();
        assert_eq!(Email::parse(&format!("ann@xn--{label}.com")), Err(EmailError::Invisible));
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
            "ann@.",
            "ann@\u{200b}",
            "ann@example..com",
            "ann@.com",
            "ann@-example.com",
            "ann@example.com..",
            "an n@example.com",
            "ann@exam\nple.com",
            "ann@xn--a.example",
            "a@b@c",
            "a＠b@c",
            "Ann <ann@example.com>",
            "ann@example.com,bob@example.com",
            "a\0@example.com",
            &long_local,
            &long,
        ] {
            assert!(Email::parse(wrong).is_err(), "{wrong:?}");
        }
        for fine in
            ["a@b", "ann@localhost", "用户@例子.公司", "o'brien+shop@mail.example.co.uk", "a@r3---x.example"]
        {
            assert!(Email::parse(fine).is_ok(), "{fine}");
        }
    }
}
