//! An answer as it stands in a buffer: its head parsed, its body whole, nothing copied that need not be.

use std::borrow::Cow;

use httparse::{EMPTY_HEADER, Header, Response, Status};

/// Headers that an answer has at most.
const HEADERS_MAX: usize = 48;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    /// Its status.
    pub(crate) status: u16,
    /// Its headers, in order.
    pub(crate) headers: Vec<(&'a str, &'a [u8])>,
    /// Its body.
    pub(crate) body: Cow<'a, [u8]>,
    /// Whether the connection ends with it.
    pub(crate) closes: bool,
}

/// Not HTTP/1.1 as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl<'a> Answer<'a> {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        let value = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?.1;
        std::str::from_utf8(value).ok()
    }

    /// The cookies that it sets, `name=value` each.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = &'a str> {
        let set = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        set.filter_map(|(_, value)| std::str::from_utf8(value).ok()?.split(';').next())
    }

    /// Its body as JSON.
    pub(crate) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// The head of an answer, and where its body begins.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    /// The status.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: Vec<(&'a str, &'a [u8])>,
    /// How many bytes it has.
    pub(crate) bytes: usize,
    /// How many bytes the body has, where that is told; none where it is chunked.
    pub(crate) length: Option<usize>,
    /// Whether the connection ends with the answer.
    pub(crate) closes: bool,
}

/// The head that `bytes` begin with; none where more of it has to come.
pub(crate) fn head(bytes: &[u8]) -> Result<Option<Head<'_>>, Malformed> {
    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    let mut response = Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) => return Ok(None),
        Err(_) => return Err(Malformed("the head is not HTTP")),
    };
    let status = response.code.ok_or(Malformed("the head has no status"))?;
    let mut head = Head {
        status,
        headers: Vec::with_capacity(response.headers.len()),
        bytes: length,
        length: None,
        closes: false,
    };
    let mut chunked = false;
    for Header { name, value } in response.headers.iter() {
        match name.len() {
            14 if name.eq_ignore_ascii_case("content-length") => head.length = Some(number(value, 10)?),
            17 if name.eq_ignore_ascii_case("transfer-encoding") => chunked = true,
            10 if name.eq_ignore_ascii_case("connection") => {
                head.closes = value.eq_ignore_ascii_case(b"close");
            }
            _ => {}
        }
        head.headers.push((name, value));
    }
    if matches!(status, 204 | 304) {
        head.length = Some(0);
    }
    if head.length.is_none() && !chunked {
        return Err(Malformed("it does not say how long its body is"));
    }
    Ok(Some(head))
}

/// The answer that `bytes` begin with, and how many of them it has; none where more of it has to come.
pub(crate) fn whole(bytes: &[u8]) -> Result<Option<(Answer<'_>, usize)>, Malformed> {
    let Some(head) = head(bytes)? else { return Ok(None) };
    let rest = &bytes[head.bytes..];
    let (body, taken) = match head.length {
        Some(length) if rest.len() >= length => (Cow::Borrowed(&rest[..length]), length),
        Some(_) => return Ok(None),
        None => match chunks(rest)? {
            Some((body, taken)) => (Cow::Owned(body), taken),
            None => return Ok(None),
        },
    };
    let answer = Answer { status: head.status, headers: head.headers, body, closes: head.closes };
    Ok(Some((answer, head.bytes + taken)))
}

/// A chunked body, whole; none where more of it has to come.
fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Malformed> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let Some((chunk, taken)) = chunk(&bytes[at..])? else { return Ok(None) };
        at += taken;
        if chunk.is_empty() {
            return Ok(Some((body, at)));
        }
        body.extend_from_slice(chunk);
    }
}

/// The chunk that `bytes` begin with, and how many of them it takes. The last one is empty; nobody here sends trailers.
pub(crate) fn chunk(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, Malformed> {
    let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
    let size = bytes[..end].split(|byte| *byte == b';').next().unwrap_or_default();
    let size = number(size, 16)?;
    let from = end + 2;
    let Some(data) = bytes.get(from..from + size + 2) else { return Ok(None) };
    if !data.ends_with(b"\r\n") {
        return Err(Malformed("a chunk is longer than it says"));
    }
    Ok(Some((&data[..size], from + size + 2)))
}

fn number(digits: &[u8], radix: u32) -> Result<usize, Malformed> {
    let number =
        std::str::from_utf8(digits).ok().and_then(|digits| usize::from_str_radix(digits.trim(), radix).ok());
    // What is read into memory has a bound here too: a server that is measured may be wrong.
    number.filter(|number| *number <= 1 << 26).ok_or(Malformed("a length is no number, or too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[u8] =
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b; Path=/\r\nset-cookie: c=d\r\n\r\nhiHTTP";
    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";

    #[test]
    fn an_answer_is_taken_when_it_is_whole_and_not_before() {
        for (bytes, length, body) in [(PLAIN, PLAIN.len() - 4, "hi"), (CHUNKED, CHUNKED.len(), "abcde")] {
            for cut in 0..length {
                assert!(whole(&bytes[..cut]).unwrap().is_none(), "{cut}");
            }
            let (answer, taken) = whole(bytes).unwrap().unwrap();
            assert_eq!((taken, &*answer.body), (length, body.as_bytes()));
        }
    }

    #[test]
    fn cookies_and_the_connections_end_are_read() {
        let (answer, _) = whole(PLAIN).unwrap().unwrap();
        assert_eq!(answer.cookies().collect::<Vec<_>>(), ["a=b", "c=d"]);
        assert!(!answer.closes);
        assert!(whole(CHUNKED).unwrap().unwrap().0.closes);
        let (unchanged, taken) =
            whole(b"HTTP/1.1 304 Not Modified\r\netag: \"x.1\"\r\n\r\n").unwrap().unwrap();
        assert_eq!((unchanged.header("ETag"), unchanged.body.len(), taken), (Some("\"x.1\""), 0, 42));
    }

    #[test]
    fn nonsense_is_refused() {
        for bytes in [
            "SSH-2.0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n",
        ] {
            assert!(whole(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
    }
}
