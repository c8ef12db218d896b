//! Where a request comes from: the other end of its connection, or, where that is a trusted proxy, whom the proxy names.
//!
//! What a client writes into a header is believed of nobody else: a limit per address would be no limit.

use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::header::{FORWARDED, HeaderMap, HeaderName};
use axum::http::request::Parts;

use crate::http::extract::forwarded;
use crate::http::extract::network::Network;
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// The caller's address, as far as anybody is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub IpAddr);

/// The proxies that are believed: those of an explicit list, by default nobody.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<Network>);

impl Proxies {
    /// These.
    pub fn new(networks: Vec<Network>) -> Proxies {
        Proxies(networks)
    }

    /// Whether what `address` says of others is believed.
    pub fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.holds(address))
    }

    /// How many of those that handed a request on to each other, the nearest first, are believed.
    pub fn hops(&self, peer: SocketAddr, headers: &HeaderMap) -> usize {
        self.walk(peer, headers).1
    }

    /// Whether a proxy that is believed handed on two headers that name different clients, so that it names nobody.
    pub fn is_contradicted(&self, peer: SocketAddr, headers: &HeaderMap) -> bool {
        let peer = peer.ip().to_canonical();
        self.trust(peer)
            && headers.contains_key(FORWARDED)
            && headers.contains_key(X_FORWARDED_FOR)
            && walk(peer, forwarded::for_each(headers).into_iter().rev(), self)
                != walk(peer, from_the_right(headers), self)
    }

    /// From `peer` outwards through those that are believed: whom the last of them names, and how many they are.
    fn walk(&self, peer: SocketAddr, headers: &HeaderMap) -> (IpAddr, usize) {
        let peer = peer.ip().to_canonical();
        if !self.trust(peer) {
            return (peer, 0);
        }
        let standard = headers.contains_key(FORWARDED);
        let usual = headers.contains_key(X_FORWARDED_FOR);
        let by_standard = || walk(peer, forwarded::for_each(headers).into_iter().rev(), self);
        let by_usual = || walk(peer, from_the_right(headers), self);
        match (standard, usual) {
            (false, false) => (peer, 1),
            (true, false) => by_standard(),
            (false, true) => by_usual(),
            (true, true) => {
                let found = by_standard();
                if found == by_usual() { found } else { (peer, 1) }
            }
        }
    }
}

impl Address {
    /// Of a request that came from `peer`: from the right of what was forwarded, the first that is no trusted proxy. A proxy
    /// that names nobody (`unknown`, a word of its own, nonsense) is itself the last that is known.
    ///
    /// A proxy writes one of the two headers, and passes on what the client wrote into the other. So where both are there
    /// and differ, nobody can tell which one is the proxy's, and neither is believed.
    pub fn of(peer: SocketAddr, headers: &HeaderMap, proxies: &Proxies) -> Address {
        Address(proxies.walk(peer, headers).0)
    }
}

/// Whether a request says that it came through a proxy.
pub fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(FORWARDED) || headers.contains_key(X_FORWARDED_FOR)
}

fn walk(peer: IpAddr, named: impl Iterator<Item = Option<IpAddr>>, proxies: &Proxies) -> (IpAddr, usize) {
    let (mut nearest, mut hops) = (peer, 1);
    for hop in named {
        let Some(hop) = hop else { break };
        nearest = hop;
        if !proxies.trust(hop) {
            break;
        }
        hops += 1;
    }
    (nearest, hops)
}

/// The hops of `X-Forwarded-For`, the last one first; of several such headers the later ones are further right.
fn from_the_right(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let values = headers.get_all(X_FORWARDED_FOR).iter().rev();
    values
        .flat_map(|value| value.as_bytes().rsplit(|b| *b == b','))
        .map(|hop| std::str::from_utf8(hop).ok().and_then(|hop| forwarded::node(hop.trim())))
}

impl<S: Sync> FromRequestParts<S> for Address {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Address, Problem> {
        let noted = parts.extensions.get::<Address>().copied();
        noted.ok_or_else(|| {
            Problem::new(Code::Internal).because("nobody noted where a request came from".to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn address(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let proxies = ["10.0.0.0/8", "2001:db8:1::/48", "127.0.0.1"];
        let proxies = Proxies::new(proxies.iter().map(|text| text.parse().unwrap()).collect());
        let pairs = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        let peer = SocketAddr::new(peer.parse().unwrap(), 9);
        Address::of(peer, &pairs.collect(), &proxies).0.to_string()
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        for headers in [&[("x-forwarded-for", "192.0.2.1")][..], &[("forwarded", "for=192.0.2.1")], &[]] {
            assert_eq!(address("198.51.100.7", headers), "198.51.100.7");
        }
        assert_eq!(address("10.0.0.9", &[]), "10.0.0.9");
        assert_eq!(address("10.0.0.9", &[("x-forwarded-for", "192.0.2.1")]), "192.0.2.1");
        assert_eq!(address("::ffff:10.0.0.9", &[("x-forwarded-for", "192.0.2.1")]), "192.0.2.1");
        assert_eq!(address("10.0.0.9", &[("x-real-ip", "192.0.2.1")]), "10.0.0.9");
    }

    #[test]
    fn of_several_hops_the_first_from_the_right_that_is_not_ours_counts() {
        for (forwarded_for, expected) in [
            ("6.6.6.6, 192.0.2.1", "192.0.2.1"),
            ("6.6.6.6, 192.0.2.1, 10.1.1.1", "192.0.2.1"),
            ("6.6.6.6,192.0.2.1 ,10.1.1.1,2001:db8:1::5", "192.0.2.1"),
            ("10.3.3.3, 10.1.1.1", "10.3.3.3"),
            ("192.0.2.1:4711, 10.1.1.1", "192.0.2.1"),
            ("[2001:db8:2::7]:4711", "2001:db8:2::7"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("192.0.2.1, unknown, 10.1.1.1", "10.1.1.1"),
            ("192.0.2.1, , 10.1.1.1", "10.1.1.1"),
            ("nonsense", "10.0.0.9"),
            ("", "10.0.0.9"),
        ] {
            assert_eq!(
                address("10.0.0.9", &[("x-forwarded-for", forwarded_for)]),
                expected,
                "{forwarded_for}"
            );
        }
        let two = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "192.0.2.1, 10.1.1.1")];
        assert_eq!(address("10.0.0.9", &two), "192.0.2.1");
    }

    #[test]
    fn the_standard_header_is_read_as_the_standard_has_it() {
        for (forwarded, expected) in [
            ("for=192.0.2.1", "192.0.2.1"),
            ("For=6.6.6.6, for=192.0.2.1;proto=https;by=10.1.1.1", "192.0.2.1"),
            ("for=\"[2001:db8:2::7]:4711\"", "2001:db8:2::7"),
            ("for=\"192.0.2.1:4711\";host=\"a,b;for=6.6.6.6\"", "192.0.2.1"),
            ("for=192.0.2.1, for=10.1.1.1", "192.0.2.1"),
            ("for=192.0.2.1, for=unknown", "10.0.0.9"),
            ("for=192.0.2.1, for=_hidden, for=10.1.1.1", "10.1.1.1"),
            ("for=192.0.2.1, proto=https", "10.0.0.9"),
            ("for=192.0.2.1, for=\"10.1.1.1", "10.0.0.9"),
        ] {
            assert_eq!(address("10.0.0.9", &[("forwarded", forwarded)]), expected, "{forwarded}");
        }
    }

    #[test]
    fn two_headers_that_differ_are_both_not_believed() {
        let both = |a, b| address("10.0.0.9", &[("forwarded", a), ("x-forwarded-for", b)]);
        assert_eq!(both("for=192.0.2.1", "192.0.2.1"), "192.0.2.1");
        assert_eq!(both("for=6.6.6.6", "192.0.2.1"), "10.0.0.9");
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        for (peer, standard, contradicted) in [
            ("10.0.0.9:9", "for=6.6.6.6", true),
            ("10.0.0.9:9", "for=192.0.2.1", false),
            ("192.0.2.9:9", "for=6.6.6.6", false),
        ] {
            let headers = [("forwarded", standard), ("x-forwarded-for", "192.0.2.1")];
            let headers = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            assert_eq!(
                proxies.is_contradicted(peer.parse().unwrap(), &headers.collect()),
                contradicted,
                "{peer} {standard}"
            );
        }
    }
}
