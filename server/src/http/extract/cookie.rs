//! The session's cookie: how it is found in a request, and how it is set.

use axum::http::header::{COOKIE, HeaderMap, HeaderValue};
use trolley_core::time::{Span, Timestamp};

use crate::service::session::token::Token;

/// Its name. The prefix makes browsers insist on Secure, Path=/ and no Domain.
pub const NAME: &str = "__Host-trolley";
/// The remembered device's.
pub const REMEMBER: &str = "__Host-trolley-remember";
/// The one by which an account knows a device.
pub const DEVICE: &str = "__Host-trolley-device";
/// How long a device is known by it.
pub const DEVICE_FOR: Span = Span::from_days(365);

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
pub enum CookieValue<'a> {
    /// Nothing.
    None,
    /// This, whatever it is.
    One(&'a [u8]),
    /// More than one: which one is meant cannot be told.
    Several,
}

/// Looks through all Cookie headers for the session's.
pub fn find(headers: &HeaderMap) -> CookieValue<'_> {
    find_named(headers, NAME)
}

/// The token in another cookie of ours. One that came several times is none: the prefix lets no other host plant one, and
/// nothing but ease hangs on it.
pub fn token(headers: &HeaderMap, name: &str) -> Option<Token> {
    match find_named(headers, name) {
        CookieValue::One(value) => Token::parse(value),
        CookieValue::None | CookieValue::Several => None,
    }
}

fn find_named<'a>(headers: &'a HeaderMap, name: &str) -> CookieValue<'a> {
    let mut sent = CookieValue::None;
    for pair in headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|b| *b == b';')) {
        let pair = pair.trim_ascii();
        let Some(value) = pair.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"=")) else {
            continue;
        };
        sent = match sent {
            CookieValue::None => CookieValue::One(value),
            CookieValue::One(_) | CookieValue::Several => return CookieValue::Several,
        };
    }
    sent
}

/// The Set-Cookie that hands out a session's token. It lives as long as the session can at most: the idle limit is the
/// server's to judge.
pub fn set(token: &Token, same_site: SameSite, now: Timestamp, until: Timestamp) -> HeaderValue {
    set_named(NAME, token, same_site, now, until)
}

/// The same for another cookie of ours.
pub fn set_named(
    name: &str,
    token: &Token,
    same_site: SameSite,
    now: Timestamp,
    until: Timestamp,
) -> HeaderValue {
    let mut value = line(name, token.expose(), same_site, until.since(now).as_ms().div_ceil(1_000));
    value.set_sensitive(true);
    value
}

/// The Set-Cookie that takes one back: the same attributes, and no time left.
pub fn clear(name: &str, same_site: SameSite) -> HeaderValue {
    line(name, "", same_site, 0)
}

fn line(name: &str, value: &str, same_site: SameSite, max_age_s: u64) -> HeaderValue {
    let same_site = match same_site {
        SameSite::Lax => "Lax",
        SameSite::Strict => "Strict",
    };
    let cookie =
        format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite={same_site}; Max-Age={max_age_s}");
    HeaderValue::from_str(&cookie).expect("a token and our attributes are visible ASCII")
}

/// The cookie by which the caller's device is known, if there is one.
pub fn known_device(headers: &HeaderMap) -> Option<Token> {
    token(headers, DEVICE)
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
            CookieValue::One(value) => String::from_utf8(value.to_vec()).unwrap(),
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
