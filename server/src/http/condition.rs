//! Entity tags: the one an answer carries, and what a caller had seen (`If-Match`, `If-None-Match`).

use std::fmt::Write as _;

use axum::http::HeaderMap;
use axum::http::header::{HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};

use crate::service::catalogue::shown::Shown;
use crate::service::terms::Seen;

use super::error::Problem;
use super::problems::Code;

/// Asks to be refused where the cart has changed since it was seen.
pub const STRICT: HeaderName = HeaderName::from_static("trolley-strict");

/// Stands for a cart's id and revision in the tag of the empty cart that a visitor without a session is shown.
const EMPTY: &str = "empty.0";

/// The tag of a cart as it is shown: with a catalogue also of what that says of its lines.
pub fn etag(shown: &Shown) -> HeaderValue {
    let mut tag = String::with_capacity(80);
    let _ = match shown.cart() {
        Some(cart) => write!(tag, "\"{}.{}", cart.id, cart.revision),
        None => write!(tag, "\"{EMPTY}"),
    };
    if let Some(version) = shown.version() {
        let _ = write!(tag, ".{version:x}");
    }
    tag.push('"');
    HeaderValue::from_str(&tag).expect("hex digits and a number are visible ASCII")
}

/// Whether the caller has this very answer already (RFC 9110, section 13.1.2: a list, compared weakly).
pub fn none_match(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    headers.get_all(IF_NONE_MATCH).iter().any(|value| {
        value
            .as_bytes()
            .split(|b| *b == b',')
            .map(<[u8]>::trim_ascii)
            .any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == etag.as_bytes())
    })
}

/// What the caller of a change had seen.
pub fn seen(headers: &HeaderMap) -> Result<Seen, Problem> {
    let mut tags = headers.get_all(IF_MATCH).iter();
    let Some(tag) = tags.next() else { return Ok(Seen::Newest) };
    let seen = tag.to_str().ok().and_then(parse);
    match (seen, tags.next()) {
        (Some(seen), None) => Ok(seen),
        _ => Err(Problem::at(Code::InvalidEtag, "#/header/If-Match", Code::InvalidEtag.advice())),
    }
}

/// Whether the caller wants a refusal.
pub fn strict(headers: &HeaderMap) -> Result<bool, Problem> {
    match headers.get(STRICT).map(HeaderValue::as_bytes) {
        None | Some(b"false") => Ok(false),
        Some(b"true") => Ok(true),
        Some(_) => Err(Problem::at(
            Code::InvalidRequest,
            "#/header/Trolley-Strict",
            "Send Trolley-Strict: true, or nothing.",
        )),
    }
}

/// A tag as [`etag`] writes it, marked weak by a proxy perhaps, with a catalogue's version perhaps; or `*`.
pub fn parse(tag: &str) -> Option<Seen> {
    let tag = tag.trim();
    if tag == "*" {
        return Some(Seen::Newest);
    }
    let tag = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?;
    let mut parts = tag.splitn(3, '.');
    let (cart, revision, catalogue) = (parts.next()?, parts.next()?, parts.next());
    let digits =
        |text: &str| !text.is_empty() && text.len() <= 19 && text.bytes().all(|b| b.is_ascii_digit());
    let visible = |text: &str| {
        !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"')
    };
    if !digits(revision) || !catalogue.is_none_or(visible) {
        return None;
    }
    if EMPTY.split_once('.') == Some((cart, revision)) {
        return Some(Seen::Nothing);
    }
    Some(Seen::At(cart.parse().ok()?, revision.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_to_the_letter() {
        let id = "018bcfe5-687b-7fff-bfff-ffffffffffff";
        let at = Seen::At(id.parse().unwrap(), 7);
        assert_eq!(parse(&format!("\"{id}.7\"")), Some(at));
        assert_eq!(parse(&format!("W/\"{id}.7\"")), Some(at));
        assert_eq!(parse(&format!("\"{id}.7.v12\"")), Some(at));
        assert_eq!(parse("*"), Some(Seen::Newest));
        assert_eq!(parse("\"empty.0\""), Some(Seen::Nothing));
        assert_eq!(parse("W/\"empty.0.v12\""), Some(Seen::Nothing));
        for broken in [
            String::new(),
            "\"".to_owned(),
            "\"empty.1\"".to_owned(),
            format!("{id}.7"),
            format!("\"{id}\""),
            format!("\"{id}.\""),
            format!("\"{id}.-1\""),
            format!("\"{id}.+1\""),
            format!("\"{id}.7.\""),
            format!("\"{id}.99999999999999999999\""),
            format!("\"{id}.7\", \"{id}.8\""),
            format!("w/\"{id}.7\""),
        ] {
            assert_eq!(parse(&broken), None, "{broken}");
        }
    }
}
