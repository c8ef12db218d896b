//! What proxies say of a request: `Forwarded` (RFC 7239) and its older relatives. Who may say it is judged elsewhere.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{FORWARDED, HeaderMap, HeaderName};

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Whom each hop names, from the left to the right; none where it names nobody that is an address.
pub fn for_each(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    elements(headers).into_iter().map(|element| parameter(element, "for").and_then(node)).collect()
}

/// The host that the client asked for, as the nearest proxy says; none where it does not, or where it says two.
pub fn host(headers: &HeaderMap) -> Option<&str> {
    said(headers, &X_FORWARDED_HOST, "host")
}

/// The scheme by which the client came, as the nearest proxy says; none where it does not, or where it says two.
pub fn proto(headers: &HeaderMap) -> Option<&str> {
    said(headers, &X_FORWARDED_PROTO, "proto")
}

fn said<'a>(headers: &'a HeaderMap, usual: &HeaderName, standard: &str) -> Option<&'a str> {
    let usual = one(headers, usual);
    let standard = elements(headers).last().and_then(|element| parameter(element, standard));
    match (usual, standard) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other).then_some(one),
        (one, other) => one.or(other),
    }
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (Some(one), None) = (values.next(), values.next()) else { return None };
    one.to_str().ok().map(str::trim).filter(|one| !one.is_empty() && !one.contains(','))
}

/// An address, perhaps with a port, an IPv6 one perhaps in brackets.
pub fn node(text: &str) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().ok();
    let address = address.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address.or_else(bare).map(|address| address.to_canonical())
}

/// The elements of all `Forwarded` headers. One that is not text, or ends within quotes, is an element that says nothing.
fn elements(headers: &HeaderMap) -> Vec<&str> {
    let values = headers.get_all(FORWARDED).iter();
    values.flat_map(|value| value.to_str().map_or(vec![""], |text| split(text, ','))).collect()
}

/// The value of an element's parameter, without its quotes. An escape within them is in no address and no host.
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = split(element, ';').into_iter().filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(own, _)| own.eq_ignore_ascii_case(name))?;
    match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"'),
        None => Some(value),
    }
}

/// The pieces between separators that stand outside quotes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut pieces, mut began, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c == separator && !quoted => {
                pieces.push(&text[began..at]);
                began = at + c.len_utf8();
            }
            _ => {}
        }
    }
    pieces.push(if quoted { "" } else { &text[began..] });
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn host_and_scheme_are_those_of_the_nearest_proxy_and_not_two_at_once() {
        for (pairs, expected) in [
            (&[("x-forwarded-host", "shop.example")][..], Some("shop.example")),
            (
                &[("forwarded", "host=evil.example, for=1.2.3.4;host=\"shop.example:8443\"")],
                Some("shop.example:8443"),
            ),
            (&[("x-forwarded-host", "a.example, b.example")], None),
            (&[("x-forwarded-host", "a.example"), ("x-forwarded-host", "b.example")], None),
            (&[("x-forwarded-host", "a.example"), ("forwarded", "host=b.example")], None),
            (&[("x-forwarded-host", "")], None),
            (&[], None),
        ] {
            assert_eq!(host(&headers(pairs)), expected, "{pairs:?}");
        }
        assert_eq!(proto(&headers(&[("x-forwarded-proto", "https")])), Some("https"));
        assert_eq!(proto(&headers(&[("forwarded", "for=1.2.3.4;proto=http")])), Some("http"));
    }
}
