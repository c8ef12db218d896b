//! One event stream's bytes, as they come: the answer's head, its chunks, and the events in them.

use crate::wire::answer::{Malformed, chunk, head};

/// What a stream brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// A state of the cart.
    Cart {
        /// `<cart id>.<revision>`.
        id: &'a str,
        /// The cart.
        data: &'a str,
    },
    /// There is no more to come.
    End,
}

/// What of a stream is read, and not whole yet.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// The answer's head is read.
    open: bool,
    /// Bytes that are no whole chunk yet.
    raw: Vec<u8>,
    /// Text that is no whole event yet.
    text: Vec<u8>,
}

impl Feed {
    /// Takes what was read, and tells what is whole by now.
    pub(super) fn take(&mut self, bytes: &[u8], mut tell: impl FnMut(Item<'_>)) -> Result<(), Malformed> {
        self.raw.extend_from_slice(bytes);
        if !self.open && !self.head()? {
            return Ok(());
        }
        let (mut at, mut over) = (0, false);
        while let Some((part, taken)) = chunk(&self.raw[at..])?.filter(|_| !over) {
            self.text.extend_from_slice(part);
            at += taken;
            over = part.is_empty();
        }
        self.raw.drain(..at);
        self.events(&mut tell)?;
        if over {
            tell(Item::End);
        }
        Ok(())
    }

    /// Whether the head is whole; then it is taken away.
    fn head(&mut self) -> Result<bool, Malformed> {
        let Some(head) = head(&self.raw)? else { return Ok(false) };
        let kind = head.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if head.status != 200 || !kind.is_some_and(|(_, kind)| kind.starts_with(b"text/event-stream")) {
            return Err(Malformed("the answer is no event stream"));
        }
        if head.length.is_some() {
            return Err(Malformed("an event stream has no length"));
        }
        let taken = head.bytes;
        self.raw.drain(..taken);
        self.open = true;
        Ok(true)
    }

    fn events(&mut self, tell: &mut impl FnMut(Item<'_>)) -> Result<(), Malformed> {
        let mut at = 0;
        while let Some(long) = self.text[at..].windows(2).position(|pair| pair == b"\n\n") {
            let event = std::str::from_utf8(&self.text[at..at + long]);
            if let Some(item) = item(event.map_err(|_| Malformed("an event is no text"))?) {
                tell(item);
            }
            at += long + 2;
        }
        self.text.drain(..at);
        Ok(())
    }
}

/// What an event says; nothing where it is a comment or only tells when to come again.
fn item(event: &str) -> Option<Item<'_>> {
    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    match field("event")? {
        "cart" => Some(Item::Cart { id: field("id")?, data: field("data")? }),
        "end" => Some(Item::End),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

    fn chunked(text: &str) -> String {
        format!("{:x}\r\n{text}\r\n", text.len())
    }

    #[test]
    fn events_are_told_once_however_the_bytes_are_cut() {
        let event = "event: cart\nid: abc.7\ndata: {\"revision\":7}\n\n";
        let (first, second) = event.split_at(20);
        let whole = [
            HEAD,
            &chunked("retry: 1000\n\n"),
            &chunked(event),
            &chunked(":\n\n"),
            &chunked(first),
            &chunked(second),
            &chunked("event: end\ndata: {}\n\n"),
            "0\r\n\r\n",
        ]
        .concat();
        for size in [1, 2, 7, 64, whole.len()] {
            let (mut feed, mut told) = (Feed::default(), Vec::new());
            for part in whole.as_bytes().chunks(size) {
                feed.take(part, |item| told.push(format!("{item:?}"))).unwrap();
            }
            let cart = format!("{:?}", Item::Cart { id: "abc.7", data: "{\"revision\":7}" });
            assert_eq!(told, [cart.clone(), cart, "End".into(), "End".into()], "{size}");
        }
    }

    #[test]
    fn what_is_no_event_stream_is_told_from_one() {
        for head in [
            "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/problem+json\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 2\r\n\r\n\n\n",
        ] {
            assert!(Feed::default().take(head.as_bytes(), |_| {}).is_err(), "{head}");
        }
    }
}
