//! The session's cookie: how it is found in a request, and how it is set.

use axum::http::header::{COOKIE, HeaderMap, HeaderValue};
use trolley_core::time::Timestamp;

use crate::service::token::Token;

/// Its name. The prefix makes browsers insist on Secure, Path=/ and no Domain.
pub const NAME: &str = "__Host-trolley";

/// When browsers send the cookie along with a navigation from another site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// With top-level GETs.
    Lax,
    /// Never.
    Strict,
}

/// What a request says in cookies of our name.
#[derive(Debug, PartialEq, Eq)]
pub enum Sent<'a> {
    /// Nothing.
    None,
    /// This, whatever it is.
    One(&'a [u8]),
    /// More than one: which one is meant cannot be told.
    Several,
}

/// Looks through all Cookie headers.
pub fn find(headers: &HeaderMap) -> Sent<'_> {
    let mut sent = Sent::None;
    for pair in headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|b| *b == b';')) {
        let pair = pair.trim_ascii();
        let Some(value) = pair.strip_prefix(NAME.as_bytes()).and_then(|rest| rest.strip_prefix(b"=")) else {
            continue;
        };
        sent = match sent {
            Sent::None => Sent::One(value),
            Sent::One(_) | Sent::Several => return Sent::Several,
        };
    }
    sent
}

/// The Set-Cookie that hands out a token. It lives as long as the session can at most: the idle limit is the server's
/// to judge.
pub fn set(
    token: &Token,
    same_site: SameSite,
    now: Timestamp,
    absolute_expires_at: Timestamp,
) -> HeaderValue {
    let max_age_s = absolute_expires_at.since(now).as_ms() / 1_000;
    let same_site = match same_site {
        SameSite::Lax => "Lax",
        SameSite::Strict => "Strict",
    };
    let cookie = format!(
        "{NAME}={}; Path=/; Secure; HttpOnly; SameSite={same_site}; Max-Age={max_age_s}",
        token.expose()
    );
    let mut value = HeaderValue::from_str(&cookie).expect("a token and our attributes are visible ASCII");
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (COOKIE, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn the_cookie_is_found_among_others_and_in_any_header() {
        let found = |values: &[&'static str]| match find(&headers(values)) {
            Sent::One(value) => String::from_utf8(value.to_vec()).unwrap(),
            other => format!("{other:?}"),
        };
        assert_eq!(found(&["a=b; __Host-trolley=x; c=d"]), "x");
        assert_eq!(found(&["a=b", "__Host-trolley=x"]), "x");
        assert_eq!(found(&["__Host-trolley=a=b"]), "a=b");
        assert_eq!(found(&["__Host-trolleys=x; x__Host-trolley=x; __host-trolley=x"]), "None");
        assert_eq!(found(&["__Host-trolley=x;__Host-trolley=x"]), "Several");
        assert_eq!(found(&["__Host-trolley=x", "__Host-trolley=y"]), "Several");
    }
}
