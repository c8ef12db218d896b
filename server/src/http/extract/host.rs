//! Hosts and origins, compared as what they are: without regard to case, to how an IPv6 address is written, and to a
//! port that the scheme has anyway.

use std::net::Ipv6Addr;

use axum::body::Body;
use axum::http::header::{HOST, HeaderMap, HeaderValue};
use axum::http::uri::Authority;
use axum::http::{Request, Version};

use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;

/// The most bytes of a name in the DNS.
const NAME_BYTES_MAX: usize = 255;
/// Paths of probes: who asks them is told what is true by whatever name it came.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// A host, perhaps with a port: `shop.example`, `shop.example:8443`, `[2001:db8::1]:443`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host<'a> {
    name: Name<'a>,
    port: Option<u16>,
}

#[derive(Clone, Copy, Debug)]
enum Name<'a> {
    V6(Ipv6Addr),
    Other(&'a str),
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Name::V6(one), Name::V6(other)) => one == other,
            (Name::Other(one), Name::Other(other)) => one.eq_ignore_ascii_case(other),
            _ => false,
        }
    }
}

impl Eq for Name<'_> {}

impl<'a> Host<'a> {
    /// As a `Host` header has it; none where it is malformed. A name in other letters than ASCII comes as punycode, which
    /// is what browsers send.
    pub fn parse(text: &'a str) -> Option<Host<'a>> {
        if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']')?;
            return Some(Host { name: Name::V6(address.parse().ok()?), port: port(rest)? });
        }
        let (name, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
        let fits = (1..=NAME_BYTES_MAX).contains(&name.len());
        (fits && is_name(name.as_bytes())).then_some(Host { name: Name::Other(name), port: port(rest)? })
    }

    /// Whether both are one, where that is the port of who names none.
    fn is(&self, other: &Host<'_>, usual: u16) -> bool {
        self.name == other.name && self.port.unwrap_or(usual) == other.port.unwrap_or(usual)
    }
}

/// The port after a name: with its colon, or nothing. No digits are as good as no colon (RFC 3986, section 3.2.3).
fn port(text: &str) -> Option<Option<u16>> {
    match text.strip_prefix(':') {
        None => text.is_empty().then_some(None),
        Some("") => Some(None),
        Some(digits) => {
            let plain = digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit());
            if plain { digits.parse().ok().map(Some) } else { None }
        }
    }
}

/// A name as RFC 3986 has it (section 3.2.2), but without a comma: that is how two hosts become one line.
fn is_name(mut name: &[u8]) -> bool {
    while let Some((first, rest)) = name.split_first() {
        name = match first {
            b'%' if rest.iter().take(2).filter(|b| b.is_ascii_hexdigit()).count() == 2 => &rest[2..],
            b if b.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(b) => rest,
            _ => return false,
        };
    }
    true
}

/// An origin as a browser names one: `https://shop.example`.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    scheme: &'a str,
    host: Host<'a>,
    usual: u16,
}

impl<'a> Origin<'a> {
    /// As a setting or a page names it; none where it is not of the web.
    pub fn parse(text: &'a str) -> Option<Origin<'a>> {
        let (scheme, host) = text.split_once("://")?;
        let usual = match scheme {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        Some(Origin { scheme, host: Host::parse(host)?, usual })
    }

    /// The same of a header's value.
    pub fn of(value: &'a [u8]) -> Option<Origin<'a>> {
        Origin::parse(std::str::from_utf8(value).ok()?)
    }

    /// Whether both are one.
    pub fn is(&self, other: &Origin<'_>) -> bool {
        self.scheme == other.scheme && self.host.is(&other.host, self.usual)
    }

    /// Whether a request for that host, which came by that scheme where it is known, asks for this origin.
    pub fn is_asked_by(&self, host: &Host<'_>, scheme: Option<&str>) -> bool {
        scheme.is_none_or(|came| came.eq_ignore_ascii_case(self.scheme)) && self.host.is(host, self.usual)
    }
}

/// The host that a request asks for. One that names it in the request line means that, whatever else it says (RFC 9112,
/// section 3.2.2).
pub fn asked<'a>(uri_authority: Option<&'a Authority>, headers: &'a HeaderMap) -> Option<Host<'a>> {
    let by_line = uri_authority.map(Authority::as_str);
    let by_header = || headers.get(HOST).and_then(|value| value.to_str().ok());
    by_line.or_else(by_header).and_then(Host::parse)
}

/// Refuses a request that does not say well which host it asks: who stands before us might have understood another
/// (RFC 9112, section 3.2).
pub fn judge(request: &Request<Body>) -> Result<(), Problem> {
    let mut named = request.headers().get_all(HOST).iter().map(HeaderValue::to_str);
    let fine = match (named.next(), named.next()) {
        (None, _) => request.version() < Version::HTTP_11,
        (Some(Ok(host)), None) => Host::parse(host).is_some(),
        _ => false,
    };
    if fine || PROBES.contains(&request.uri().path()) {
        return Ok(());
    }
    Err(Problem::at(Code::InvalidRequest, "#/header/Host", "Send one Host header, such as shop.example."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_host_is_read_and_nothing_else() {
        for fine in [
            "shop.example",
            "SHOP.example",
            "shop.example:",
            "shop.example:8443",
            "localhost:0",
            "my_shop",
            "xn--bcher-kva.example",
            "b%C3%BCcher.example",
            "192.0.2.1:80",
            "[::1]",
            "[2001:db8::1]:443",
        ] {
            assert!(Host::parse(fine).is_some(), "{fine}");
        }
        for wrong in [
            "",
            ":80",
            " ",
            "a b",
            "a.example, b.example",
            "a,b",
            "shop.example:x",
            "shop.example:-1",
            "shop.example:+1",
            "shop.example:65536",
            "shop.example:000080",
            "shop.example:80:80",
            "shop.example/",
            "http://shop.example",
            "ann@shop.example",
            "bücher.example",
            "a%zz",
            "a%2",
            "::1",
            "[::1",
            "[::1]x",
            "[::1]:x",
            "[192.0.2.1]",
            "[fe80::1%25eth0]",
            "[shop.example]",
        ] {
            assert_eq!(Host::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_port_that_the_scheme_has_anyway_makes_no_difference() {
        let asks =
            |origin, host| Origin::parse(origin).unwrap().is_asked_by(&Host::parse(host).unwrap(), None);
        for (origin, host, expected) in [
            ("https://shop.example", "shop.example:443", true),
            ("https://shop.example:443", "shop.example", true),
            ("https://shop.example", "shop.example:", true),
            ("http://shop.example", "shop.example:80", true),
            ("https://Shop.Example", "sHOP.eXAMPLE:443", true),
            ("https://shop.example", "shop.example:80", false),
            ("http://shop.example", "shop.example:443", false),
            ("https://shop.example:8443", "shop.example", false),
            ("https://shop.example:8443", "shop.example:8443", true),
            ("https://[2001:db8::1]", "[2001:DB8:0::1]:443", true),
            ("https://[2001:db8::1]", "[2001:db8::2]", false),
            ("https://shop.example", "shop.example.", false),
        ] {
            assert_eq!(asks(origin, host), expected, "{origin} {host}");
        }
        let https = Origin::parse("https://shop.example").unwrap();
        assert!(https.is(&Origin::parse("https://shop.example:443").unwrap()));
        assert!(!https.is(&Origin::parse("http://shop.example:443").unwrap()));
        for wrong in ["null", "", "shop.example", "ftp://shop.example", "https://", "https://shop.example/"] {
            assert!(Origin::parse(wrong).is_none(), "{wrong}");
        }
    }
}
