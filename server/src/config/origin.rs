//! Origins as browsers write them: `https://shop.example`, `http://localhost:8080`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::ConfigError;

/// Checks the origin of `setting`: scheme, host and perhaps a port, and nothing else; on plain http only this machine.
pub fn parse(setting: &str, text: &str) -> Result<String, ConfigError> {
    let (secure, authority) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(authority), _) => (true, authority),
        (_, Some(authority)) => (false, authority),
        _ => return Err(ConfigError(format!("--{setting} is \"{text}\": write it as https://shop.example"))),
    };
    let (host, port) = split_port(authority);
    let host_is_plain = is_host(host);
    let default = if secure { "443" } else { "80" };
    let port_is_plain = port.is_none_or(|port| {
        port != default && !port.starts_with('0') && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if !host_is_plain || !port_is_plain {
        let advice = "write it as browsers do: scheme, host in lower case (one with other letters as xn--), a port only where it is not the usual one, and no path";
        return Err(ConfigError(format!("--{setting} is \"{text}\": {advice}")));
    }
    if !secure && !is_this_machine(host) {
        let why = "the __Host- cookie is Secure, and browsers drop it on plain http: use https";
        return Err(ConfigError(format!("--{setting} is \"{text}\": {why}")));
    }
    Ok(text.to_owned())
}

/// Whether a browser would write the host so: labels in lower case, an IPv4 address, or an IPv6 one in brackets.
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let is_label = |label: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        !label.is_empty() && label.bytes().all(plain) && !label.starts_with('-') && !label.ends_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|b| b.is_ascii_digit());
    host.split('.').all(is_label) && (!is_number || host.parse::<Ipv4Addr>().is_ok())
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_taken_as_browsers_write_it_or_not_at_all() {
        for fine in [
            "https://shop.example",
            "https://shop.example:8443",
            "http://localhost:8080",
            "http://127.0.0.1",
            "http://[::1]:8080",
        ] {
            assert_eq!(parse("public-origin", fine), Ok(fine.to_owned()), "{fine}");
        }
        for wrong in [
            "",
            "shop.example",
            "https://",
            "https://shop.example/",
            "https://Shop.example",
            "https://shop.example:443",
            "https://shop.example:99999",
            "https://a b",
            "https://user@shop.example",
            "null",
            "*",
            "http://shop.example",
        ] {
            assert!(parse("public-origin", wrong).is_err(), "{wrong}");
        }
    }
}
