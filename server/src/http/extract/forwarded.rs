//! What proxies say of a request: `Forwarded` (RFC 7239) and its older relatives. Who may say it is judged elsewhere.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{FORWARDED, HeaderMap, HeaderName};

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Whom each hop names, from the left to the right; none where it names nobody that is an address.
pub fn for_each(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    elements(headers).into_iter().map(|element| parameter(element, "for").and_then(node)).collect()
}

/// The host that the client asked for, as the outermost of so many trusted proxies says; none where none of them does, or
/// where the two headers name different ones.
pub fn host(headers: &HeaderMap, hops: usize) -> Option<&str> {
    said(headers, &X_FORWARDED_HOST, "host", hops)
}

/// The scheme by which the client came, likewise.
pub fn proto(headers: &HeaderMap, hops: usize) -> Option<&str> {
    said(headers, &X_FORWARDED_PROTO, "proto", hops)
}

fn said<'a>(headers: &'a HeaderMap, usual: &HeaderName, standard: &str, hops: usize) -> Option<&'a str> {
    let usual = outermost(listed(headers, usual), hops).into_iter().find(|said| !said.is_empty());
    let elements = outermost(elements(headers), hops).into_iter();
    let standard = elements.filter_map(|element| parameter(element, standard)).next();
    match (usual, standard) {
        (Some(one), Some(other)) => {
            let (bare, with_port) = if one.len() <= other.len() { (one, other) } else { (other, one) };
            is_the_same(bare, with_port).then_some(bare)
        }
        (one, other) => one.or(other),
    }
}

/// Whether both are one, where one of them may name the port that its scheme has anyway.
fn is_the_same(bare: &str, with_port: &str) -> bool {
    let Some((same, port)) = with_port.split_at_checked(bare.len()) else { return false };
    same.eq_ignore_ascii_case(bare) && matches!(port, "" | ":443" | ":80")
}

/// What the trusted proxies wrote: each adds at the right, or leaves what another wrote. Further left stands what anybody may
/// have written.
fn outermost(mut all: Vec<&str>, hops: usize) -> Vec<&str> {
    all.split_off(all.len().saturating_sub(hops))
}

/// The values of all lines of a header that is a list.
fn listed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
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
    fn host_and_scheme_are_those_that_the_outermost_trusted_proxy_named() {
        let one = [("x-forwarded-host", "evil.example, shop.example")];
        let lines = [("x-forwarded-host", "evil.example"), ("x-forwarded-host", "shop.example")];
        let two = [("x-forwarded-host", "evil.example, shop.example,inner.example")];
        let standard =
            "host=evil.example, for=1.2.3.4;host=\"shop.example:8443\", for=10.0.0.1;host=inner.example";
        for (pairs, hops, expected) in [
            (&[("x-forwarded-host", "shop.example")][..], 1, Some("shop.example")),
            (&[("x-forwarded-host", "shop.example")], 2, Some("shop.example")),
            (&[("x-forwarded-host", "shop.example")], 0, None),
            (&one, 1, Some("shop.example")),
            (&lines, 1, Some("shop.example")),
            (&two, 2, Some("shop.example")),
            (&two, 1, Some("inner.example")),
            (&[("forwarded", standard)], 2, Some("shop.example:8443")),
            (&[("forwarded", standard)], 1, Some("inner.example")),
            (&[("forwarded", "for=1.2.3.4;host=shop.example, for=10.0.0.1")], 2, Some("shop.example")),
            (&[("forwarded", "for=1.2.3.4, for=10.0.0.1;host=inner.example")], 2, Some("inner.example")),
            (&[("x-forwarded-host", "a.example"), ("forwarded", "host=b.example")], 1, None),
            (&[("x-forwarded-host", "a.example"), ("forwarded", "host=A.example")], 1, Some("a.example")),
            (
                &[("x-forwarded-host", "a.example"), ("forwarded", "host=\"A.example:443\"")],
                1,
                Some("a.example"),
            ),
            (&[("x-forwarded-host", "a.example:80"), ("forwarded", "host=a.example")], 1, Some("a.example")),
            (&[("x-forwarded-host", "a.example"), ("forwarded", "host=\"a.example:8443\"")], 1, None),
            (&[("x-forwarded-host", "a.example"), ("forwarded", "host=a.example.evil")], 1, None),
            (&[("x-forwarded-host", "")], 1, None),
            (&[], 1, None),
        ] {
            assert_eq!(host(&headers(pairs), hops), expected, "{hops} {pairs:?}");
        }
        assert_eq!(proto(&headers(&[("x-forwarded-proto", "https")]), 1), Some("https"));
        assert_eq!(proto(&headers(&[("x-forwarded-proto", "https, http")]), 2), Some("https"));
        assert_eq!(proto(&headers(&[("forwarded", "for=1.2.3.4;proto=http")]), 1), Some("http"));
    }
}
