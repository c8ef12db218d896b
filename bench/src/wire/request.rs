//! A request as bytes.

use std::io::Write as _;

/// Appends a request to `out`. `headers` are whole lines, each with its end.
pub(crate) fn put(out: &mut Vec<u8>, method: &str, path: &str, host: &str, headers: &[&str], body: &[u8]) {
    for part in [method, " ", path, " HTTP/1.1\r\nhost: ", host, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    for header in headers {
        out.extend_from_slice(header.as_bytes());
    }
    if !body.is_empty() {
        out.extend_from_slice(b"content-type: application/json\r\ncontent-length: ");
        write!(out, "{}\r\n", body.len()).expect("a vector takes everything");
    } else if method != "GET" {
        out.extend_from_slice(b"content-length: 0\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_what_http_says() {
        let mut out = Vec::new();
        put(&mut out, "POST", "/v1/x", "a:1", &["cookie: c=d\r\n"], b"{}");
        let expected = "POST /v1/x HTTP/1.1\r\nhost: a:1\r\ncookie: c=d\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
