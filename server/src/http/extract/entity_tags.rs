//! Entity tags as callers send them back (RFC 9110, section 8.8.3): one or a list, on one line or several, weak or not,
//! and with what a compressing proxy wrote into them on the way out.

use axum::http::HeaderMap;
use axum::http::header::{HeaderName, HeaderValue};

use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;

/// What proxies add inside a tag when they compress what it names: Apache `-gzip`, Jetty `--gzip`, others `;gzip`.
const CODINGS: [&[u8]; 4] = [b"gzip", b"br", b"zstd", b"deflate"];
const JOINTS: [&[u8]; 3] = [b"--", b"-", b";"];

/// The tags of one header field. What is in them is what stood between the quotes, without a proxy's suffix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// `*` is among them.
    pub any: bool,
    /// The others, in the order they came.
    pub these: Vec<Box<[u8]>>,
}

impl Tags {
    /// Those of the header `name`; none where it is not there.
    pub fn of(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Problem> {
        let mut lines = headers.get_all(name).iter().map(HeaderValue::as_bytes).peekable();
        if lines.peek().is_none() {
            return Ok(None);
        }
        Tags::read(lines).map(Some).ok_or_else(|| malformed(name))
    }

    /// Those of all lines of a field; none where one of them is malformed, or no tag is there.
    fn read<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Option<Tags> {
        let mut tags = Tags::default();
        for line in lines {
            let mut rest = line.trim_ascii();
            while !rest.is_empty() {
                // A recipient takes no offence at empty elements (RFC 9110, section 5.6.1.2).
                if rest[0] != b',' {
                    rest = tags.take(rest)?.trim_ascii_start();
                }
                match rest.split_first() {
                    None => break,
                    Some((b',', more)) => rest = more.trim_ascii_start(),
                    Some(_) => return None,
                }
            }
        }
        (tags.any || !tags.these.is_empty()).then_some(tags)
    }

    /// Takes in the tag that `text` begins with, and gives back what follows it.
    fn take<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        if let Some(rest) = text.strip_prefix(b"*") {
            self.any = true;
            return Some(rest);
        }
        let text = text.strip_prefix(b"W/").unwrap_or(text).strip_prefix(b"\"")?;
        let end = text.iter().position(|b| *b == b'"')?;
        let (tag, rest) = (&text[..end], &text[end + 1..]);
        if tag.is_empty() || !tag.iter().all(|b| b.is_ascii_graphic() || *b >= 0x80) {
            return None;
        }
        self.these.push(bare(tag).into());
        Some(rest)
    }

    /// Whether one of them names what `etag` does, compared weakly.
    pub fn name(&self, etag: &HeaderValue) -> bool {
        let own = etag.as_bytes().strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\""));
        self.any || self.these.iter().any(|tag| Some(&**tag) == own)
    }
}

/// The refusal of a header that holds no tag, or something else too.
pub fn malformed(name: &HeaderName) -> Problem {
    let spelt = if *name == axum::http::header::IF_MATCH { "If-Match" } else { "If-None-Match" };
    Problem::at(Code::InvalidEtag, format!("#/header/{spelt}"), Code::InvalidEtag.advice())
}

/// A tag without what proxies put at its end. None of our own ends so.
fn bare(tag: &[u8]) -> &[u8] {
    let without = |tag: &'_ [u8], end: &[u8], joint: &[u8]| {
        let tag = tag.strip_suffix(end)?.strip_suffix(joint)?;
        (!tag.is_empty()).then_some(tag.len())
    };
    let mut tag = tag;
    // Two proxies may each have compressed it once.
    while let Some(len) =
        CODINGS.iter().find_map(|end| JOINTS.iter().find_map(|joint| without(tag, end, joint)))
    {
        tag = &tag[..len];
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Option<(bool, Vec<String>)> {
        let tags = Tags::read(lines.iter().map(|line| line.as_bytes()))?;
        Some((tags.any, tags.these.iter().map(|tag| String::from_utf8_lossy(tag).into_owned()).collect()))
    }

    #[test]
    fn lists_weak_tags_and_what_proxies_put_inside_are_understood() {
        for (lines, any, these) in [
            (&["\"a\""][..], false, &["a"][..]),
            (&["W/\"a\""], false, &["a"]),
            (&["\"a\", W/\"b\",\"c\""], false, &["a", "b", "c"]),
            (&["\"a\"", "\"b\" ,\t\"c\""], false, &["a", "b", "c"]),
            (&[", \"a\",, \"b\" ,"], false, &["a", "b"]),
            (&["\"a,b\""], false, &["a,b"]),
            (&["*"], true, &[]),
            (&["*, \"a\""], true, &["a"]),
            (
                &["\"a-gzip\", \"b--gzip\", \"c-br\", \"d-zstd\", \"e;gzip\""],
                false,
                &["a", "b", "c", "d", "e"],
            ),
            (&["W/\"a--zstd\"", "\"b;br\"", "\"c-deflate\""], false, &["a", "b", "c"]),
            (&["\"a-gzip-br\""], false, &["a"]),
            (
                &["\"-gzip\"", "\"gzip\"", "\"a-GZIP\"", "\"a-gzip2\""],
                false,
                &["-gzip", "gzip", "a-GZIP", "a-gzip2"],
            ),
            (&["\"\u{e9}\""], false, &["\u{e9}"]),
        ] {
            let these = these.iter().map(|tag| (*tag).to_owned()).collect();
            assert_eq!(read(lines), Some((any, these)), "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_list_of_tags_is_malformed() {
        for lines in [
            &[""][..],
            &[","],
            &["a"],
            &["\""],
            &["\"\""],
            &["\"a"],
            &["a\""],
            &["\"a b\""],
            &["\"a\" \"b\""],
            &["\"a\"x"],
            &["w/\"a\""],
            &["W/a"],
            &["W/ \"a\""],
            &["W/*"],
            &["**"],
            &["\"a\", b"],
            &["\"a\"", "b"],
            &["\"a-gzip\"-gzip"],
        ] {
            assert_eq!(read(lines), None, "{lines:?}");
        }
    }

    #[test]
    fn a_tag_is_compared_weakly_and_whole() {
        let names = |line: &'static str, etag| {
            Tags::read([line.as_bytes()].into_iter()).unwrap().name(&HeaderValue::from_static(etag))
        };
        for line in ["\"x\"", "W/\"x\"", "\"y\", \"x-gzip\"", "*"] {
            assert!(names(line, "\"x\""), "{line}");
        }
        for line in ["\"y\"", "\"x.1\"", "\"X\"", "\"x-\""] {
            assert!(!names(line, "\"x\""), "{line}");
        }
    }
}
