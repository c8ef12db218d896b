//! The Authorization header: what is meant for us in it. A shop may stand behind a password of its own (Basic): what a browser
//! or a proxy sends for that is not ours and counts as none.

use axum::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use crate::http::extract::mistaken_authorization::{Door, mistaken};
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::service::session::token::Token;

/// What follows `Bearer`; none where nothing in the header is meant for us. Several of them could mean two callers; what can only be
/// a mistake is refused by its name.
pub fn bearer(headers: &HeaderMap, door: Door) -> Result<Option<&[u8]>, Problem> {
    let mut found = None;
    for value in headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes) {
        mistaken(value, door)?;
        match of(value) {
            Some(_) if found.is_some() => {
                let detail = Code::TwoCredentials.advice();
                return Err(Problem::at(Code::TwoCredentials, "#/header/Authorization", detail));
            }
            Some(token) => found = Some(token),
            // A secret of ours without its scheme is meant for us, and passed over it would be missed in silence.
            None if is_bare_secret(value) => return Err(Problem::new(Code::UnknownScheme)),
            None => {}
        }
    }
    Ok(found)
}

/// What of ours stands in the header, where another's token may stand there too.
#[derive(Debug, PartialEq, Eq)]
pub enum Ours {
    /// Nothing that has the form of a session's token.
    Nothing,
    /// One.
    One(Token),
    /// Two callers, or one who forgot the scheme.
    Unclear,
}

/// Reads a header that was written for somebody else: a proxy that asks us about a request of the shop hands on what the shop's own
/// calls are opened by.
pub fn ours(headers: &HeaderMap) -> Ours {
    let mut found = Ours::Nothing;
    for value in headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes) {
        if is_bare_secret(value) {
            return Ours::Unclear;
        }
        match of(value).and_then(Token::parse) {
            Some(_) if found != Ours::Nothing => return Ours::Unclear,
            Some(token) => found = Ours::One(token),
            None => {}
        }
    }
    found
}

/// Whether a caller says `Bearer`, which no browser does by itself.
pub fn is_bearer(headers: &HeaderMap) -> bool {
    headers.get_all(AUTHORIZATION).iter().any(|value| of(value.as_bytes()).is_some())
}

/// What follows the scheme, whose name has no case (RFC 9110, section 11.1).
fn of(value: &[u8]) -> Option<&[u8]> {
    let value = value.trim_ascii();
    let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
    let (scheme, token) = value.split_at(end);
    scheme.eq_ignore_ascii_case(b"bearer").then(|| token.trim_ascii())
}

fn is_bare_secret(value: &[u8]) -> bool {
    Token::parse(value.trim_ascii()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Option<String>, &'static str> {
        let pairs = values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_str(value).unwrap()));
        let headers: HeaderMap = pairs.collect();
        let found = bearer(&headers, Door::Shop).map_err(|problem| problem.code().as_str())?;
        assert!(found.is_none() || is_bearer(&headers), "{values:?}");
        Ok(found.map(|token| String::from_utf8(token.to_vec()).unwrap()))
    }

    #[test]
    fn what_is_no_bearer_counts_as_none() {
        for other in [
            &[][..],
            &[""],
            &["Basic dXNlcjpwYXNz"],
            &["basic"],
            &["Digest a=b"],
            &["Bearerx y"],
            &["x"],
            &["Basic a", "Basic b"],
        ] {
            assert_eq!(read(other), Ok(None), "{other:?}");
        }
        for ours in [
            &["Bearer x"][..],
            &["bEARER   x "],
            &["Bearer\tx"],
            &["Basic a", "Bearer x"],
            &["Bearer x", "Basic a"],
        ] {
            assert_eq!(read(ours), Ok(Some("x".to_owned())), "{ours:?}");
        }
        assert_eq!(
            read(&["Bearer"]),
            Err("unsupported_authorization"),
            "who says so is meant, also without a token"
        );
        assert_eq!(read(&["Bearer x", "Bearer x"]), Err("two_credentials"));
        for bare in ["trk_abc", &"a".repeat(43)] {
            assert_eq!(read(&[bare]), Err("unsupported_authorization"), "{bare}");
        }
    }
}
