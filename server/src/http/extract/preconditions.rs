//! Entity tags: the one an answer carries, and what a caller had seen (`If-Match`, `If-None-Match`).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;

use crate::http::extract::entity_tags::Tags;
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;
use crate::http::wire::cart::EMPTY;
use crate::service::cart::preconditions::{SeenByCaller, Several};

/// Asks to be refused where the cart has changed since it was seen.
pub const STRICT: HeaderName = HeaderName::from_static("trolley-strict");

/// The answers that a caller has already: `If-None-Match`, as an argument of a handler.
pub struct Had(Option<Tags>);

impl Had {
    /// Whether the one with this tag is among them (RFC 9110, section 13.1.2).
    pub fn has(&self, etag: &HeaderValue) -> bool {
        self.0.as_ref().is_some_and(|tags| tags.name(etag))
    }
}

impl FromRequestParts<Arc<AppState>> for Had {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<AppState>) -> Result<Had, Problem> {
        Tags::of(&parts.headers, &IF_NONE_MATCH).map(Had)
    }
}

/// What the caller of a change had seen of its cart.
pub fn seen(headers: &HeaderMap) -> Result<SeenByCaller, Problem> {
    let Some(tags) = Tags::of(headers, &IF_MATCH)? else { return Ok(SeenByCaller::Newest) };
    let mut several = Several::default();
    if tags.any {
        several.add(SeenByCaller::Newest);
    }
    // A tag of something else says nothing of this cart; beside others of ours those count.
    let ours: Vec<_> =
        tags.these.iter().filter_map(|tag| std::str::from_utf8(tag).ok().and_then(of_a_cart)).collect();
    if ours.is_empty() && !tags.any {
        several.add(SeenByCaller::Nothing);
    }
    for seen in ours {
        if !several.add(seen) {
            let detail = format!("Send tags of at most {} carts.", Several::CARTS_MAX);
            return Err(Problem::at(Code::InvalidEtag, "#/header/If-Match", detail));
        }
    }
    Ok(several.as_one())
}

/// Whether the caller wants a refusal.
pub fn strict(headers: &HeaderMap) -> Result<bool, Problem> {
    let mut lines = headers.get_all(STRICT).iter().map(HeaderValue::as_bytes);
    match (lines.next(), lines.next()) {
        (None | Some(b"false"), None) => Ok(false),
        (Some(b"true"), None) => Ok(true),
        _ => Err(Problem::at(
            Code::InvalidRequest,
            "#/header/Trolley-Strict",
            "Send Trolley-Strict: true once, or nothing.",
        )),
    }
}

/// A tag as an answer carries it, where a form brings it back.
pub fn parse(tag: &str) -> Option<SeenByCaller> {
    of_a_cart(tag.strip_prefix('"')?.strip_suffix('"')?)
}

/// What stands between the quotes: cart and revision, and with a catalogue its version, which says nothing of the cart.
fn of_a_cart(tag: &str) -> Option<SeenByCaller> {
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
        return Some(SeenByCaller::Nothing);
    }
    Some(SeenByCaller::At(cart.parse().ok()?, revision.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "018bcfe5-687b-7fff-bfff-ffffffffffff";
    const OTHER: &str = "018bcfe5-687b-7fff-bfff-000000000000";

    fn sent(lines: &[&str]) -> Option<SeenByCaller> {
        let lines = lines.iter().map(|line| (IF_MATCH, HeaderValue::from_str(line).unwrap()));
        seen(&lines.collect()).ok()
    }

    #[test]
    fn tags_are_read_to_the_letter() {
        let at = SeenByCaller::At(ID.parse().unwrap(), 7);
        for tag in [
            format!("\"{ID}.7\""),
            format!("W/\"{ID}.7\""),
            format!("\"{ID}.7.v12\""),
            format!("\"{ID}.7-gzip\""),
            format!("W/\"{ID}.7.1f;gzip\""),
            format!("\"{ID}.7\", W/\"{ID}.7.1f--br\""),
        ] {
            assert_eq!(sent(&[&tag]), Some(at), "{tag}");
        }
        assert_eq!(sent(&[]), Some(SeenByCaller::Newest));
        assert_eq!(sent(&["*"]), Some(SeenByCaller::Newest));
        assert_eq!(sent(&["\"empty.0\""]), Some(SeenByCaller::Nothing));
        assert_eq!(sent(&["W/\"empty.0.v12-zstd\""]), Some(SeenByCaller::Nothing));
        assert_eq!(parse(&format!("\"{ID}.7\"")), Some(at));
        for other in ["empty.1", ID, "another"].into_iter().map(str::to_owned).chain([
            format!("{ID}."),
            format!("{ID}.-1"),
            format!("{ID}.+1"),
            format!("{ID}.7."),
            format!("{ID}.99999999999999999999"),
        ]) {
            let nothing = Some(SeenByCaller::Nothing);
            assert_eq!(sent(&[&format!("\"{other}\"")]), nothing, "{other} is a tag of something else");
            assert_eq!(sent(&[&format!("\"{ID}.7\", \"{other}\"")]), Some(at), "beside one of ours");
        }
        for broken in [String::new(), "\"".to_owned(), format!("{ID}.7"), format!("w/\"{ID}.7\"")] {
            assert_eq!(sent(&[&broken]), None, "{broken}");
        }
    }

    #[test]
    fn of_several_tags_of_a_cart_the_lowest_revision_counts() {
        let (id, other) = (ID.parse().unwrap(), OTHER.parse().unwrap());
        let base = |lines: &[&str], cart| sent(lines).unwrap().base(cart);
        let list = format!("\"{ID}.9\", \"{OTHER}.3\", W/\"{ID}.7-gzip\"");
        assert_eq!((base(&[&list], id), base(&[&list], other)), (Some(7), Some(3)));
        assert_eq!(base(&[&list], "018bcfe5-687b-7fff-bfff-111111111111".parse().unwrap()), Some(0));
        let turned = format!("\"{ID}.7\", \"{ID}.7\", \"{OTHER}.3\"");
        assert_eq!(sent(&[&turned]), sent(&[&list]), "the same in any order, for a retry's digest");
        let lines = [format!("\"{ID}.9\""), format!("\"{ID}.8\"")];
        assert_eq!(sent(&[&lines[0], &lines[1]]), Some(SeenByCaller::At(id, 8)), "two lines are a list");
        let with_any = format!("*, \"{ID}.9\"");
        assert_eq!((base(&[&with_any], id), base(&[&with_any], other)), (Some(9), None), "* is the newest");
        assert_eq!(base(&[&format!("\"empty.0\", \"{ID}.9\"")], id), Some(9));
        let many: Vec<_> = (0..5).map(|n| format!("\"018bcfe5-687b-7fff-bfff-{n:012}.1\"")).collect();
        assert!(sent(&[&many[..4].join(", ")]).is_some());
        assert_eq!(sent(&[&many.join(", ")]), None);
    }
}
