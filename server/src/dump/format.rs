//! A dump: all records of a store as JSON Lines, one a line, which every release and every store can take in again.
//!
//! The first line is a header with the format's number, the last one counts what came before it and has its SHA-256:
//! `head -n -1 dump.jsonl | sha256sum` says the same. What is between are records, each as its key and image; or guests'
//! carts written out by hand, for whoever comes from another shop's software.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Read as _, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The format's number. A newer one is refused.
pub const FORMAT: u32 = 1;
/// Bytes of a line, at most: the largest record is far smaller.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DumpLine<'a> {
    /// The first.
    TrolleyDump(Header),
    /// A record.
    #[serde(borrow)]
    Record(Image<'a>),
    /// A guest's cart.
    Guest(Guest),
    /// The last.
    End(End),
}

/// What the dump is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`] of whoever wrote it.
    pub format: u32,
    /// Which program that was.
    pub written_by: String,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}

/// A record, by its kind's number (ARCHITECTURE.md has them), its id in hexadecimal digits, and its image in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image<'a> {
    /// Its kind.
    pub kind: u8,
    /// Its id.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// All of it, with its own format number and checksum.
    #[serde(borrow)]
    pub image: Cow<'a, str>,
    /// When it expires, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<u64>,
}

/// A guest's cart from elsewhere: who brings the token has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guest {
    /// SHA-256 of the token (43 characters of base64url), in hexadecimal digits.
    pub token_sha256: String,
    /// What is in the cart.
    pub lines: Vec<GuestLine>,
}

/// A line of a guest's cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuestLine {
    /// What.
    pub sku: String,
    /// Which of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// How many.
    pub quantity: u32,
}

/// What came before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Lines between the header and this.
    pub lines: u64,
    /// SHA-256 of all lines before this one, in hexadecimal digits.
    pub sha256: String,
}

/// Writes a dump.
pub struct Writer<W: Write> {
    out: W,
    sum: Sha256,
    line: Vec<u8>,
    lines: u64,
}

impl<W: Write> Writer<W> {
    /// Begins one.
    pub fn begin(out: W, at_ms: u64) -> io::Result<Writer<W>> {
        let mut writer = Writer { out, sum: Sha256::new(), line: Vec::new(), lines: 0 };
        let written_by = concat!("trolley ", env!("CARGO_PKG_VERSION")).to_owned();
        writer.put(&DumpLine::TrolleyDump(Header { format: FORMAT, written_by, at_ms }))?;
        writer.lines = 0;
        Ok(writer)
    }

    /// Writes a line.
    pub fn put(&mut self, line: &DumpLine<'_>) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line)?;
        self.line.push(b'\n');
        self.sum.update(&self.line);
        self.lines += 1;
        self.out.write_all(&self.line)
    }

    /// Writes the last line, and gives back what was written to.
    pub fn end(mut self) -> io::Result<W> {
        let sha256 = hex(&self.sum.clone().finalize());
        let lines = self.lines;
        self.put(&DumpLine::End(End { lines, sha256 }))?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Reads a dump.
pub struct Reader<R: BufRead> {
    from: R,
    sum: Sha256,
    line: Vec<u8>,
    /// How many lines there were, the header among them.
    number: u64,
    /// How many bytes there were.
    pub bytes: u64,
}

/// Why a dump cannot be read. Each names the line.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct DumpError {
    /// Which, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
}

impl<R: BufRead> Reader<R> {
    /// Begins with the header.
    pub fn begin(from: R) -> Result<Reader<R>, DumpError> {
        let mut reader = Reader { from, sum: Sha256::new(), line: Vec::new(), number: 0, bytes: 0 };
        reader.read()?;
        let what = match serde_json::from_slice(&reader.line) {
            Ok(DumpLine::TrolleyDump(Header { format, .. })) if format <= FORMAT => {
                reader.sum.update(&reader.line);
                return Ok(reader);
            }
            Ok(DumpLine::TrolleyDump(Header { format, .. })) => {
                format!("it is a dump of format {format}; this trolley knows up to {FORMAT}")
            }
            Ok(_) | Err(_) => "it is no header: is this a dump of trolley?".to_owned(),
        };
        Err(reader.wrong(&what))
    }

    /// The next line between header and end; none where the end came, which then was as it says.
    pub fn next_line(&mut self) -> Result<Option<DumpLine<'_>>, DumpError> {
        self.read()?;
        let so_far = self.sum.clone();
        self.sum.update(&self.line);
        let number = self.number;
        let wrong = |what: String| DumpError { line: number, what };
        match serde_json::from_slice(&self.line) {
            Ok(DumpLine::End(end)) => {
                if end.lines != number - 2 {
                    return Err(wrong(format!(
                        "{} lines came before it, and it says {}",
                        number - 2,
                        end.lines
                    )));
                }
                if end.sha256 != hex(&so_far.finalize()) {
                    return Err(wrong("the lines before it are not those that were written".into()));
                }
                if self.from.fill_buf().map_err(|error| wrong(error.to_string()))?.is_empty() {
                    return Ok(None);
                }
                Err(wrong("something comes after the end".into()))
            }
            Ok(DumpLine::TrolleyDump(_)) => Err(wrong("a second header".into())),
            Ok(line) => Ok(Some(line)),
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    /// That the present line is wrong.
    pub fn wrong(&self, what: &str) -> DumpError {
        DumpError { line: self.number, what: what.to_owned() }
    }

    fn read(&mut self) -> Result<(), DumpError> {
        self.line.clear();
        self.number += 1;
        let read = self.from.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut self.line);
        self.bytes += read.map_err(|error| self.wrong(&error.to_string()))? as u64;
        match self.line.last() {
            Some(b'\n') => Ok(()),
            None => Err(self.wrong("the dump ends before its end: it was cut off")),
            Some(_) => Err(self.wrong("it is too long, or cut off")),
        }
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The bytes of hexadecimal digits.
pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    let nibble = |digit: u8| char::from(digit).to_digit(16).map(|nibble| nibble as u8);
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Some(nibble(pair[0])? << 4 | nibble(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dump() -> Vec<u8> {
        let mut writer = Writer::begin(Vec::new(), 7).unwrap();
        let image = Image { kind: 1, id: "00ff".into(), image: "AQID".into(), expires_at_ms: Some(9) };
        writer.put(&DumpLine::Record(image)).unwrap();
        let line = GuestLine { sku: "mug".into(), options: BTreeMap::new(), quantity: 2 };
        writer.put(&DumpLine::Guest(Guest { token_sha256: "ab".into(), lines: vec![line] })).unwrap();
        writer.end().unwrap()
    }

    fn read(dump: &[u8]) -> Result<u64, DumpError> {
        let mut reader = Reader::begin(dump)?;
        let mut lines = 0;
        while reader.next_line()?.is_some() {
            lines += 1;
        }
        Ok(lines)
    }

    #[test]
    fn what_was_written_is_read() {
        let dump = dump();
        assert_eq!(read(&dump).unwrap(), 2);
        let text = String::from_utf8(dump).unwrap();
        assert!(text.starts_with(r#"{"trolley_dump":{"format":1,"#), "{text}");
        assert!(
            text.contains(r#"{"record":{"kind":1,"id":"00ff","image":"AQID","expires_at_ms":9}}"#),
            "{text}"
        );
    }

    #[test]
    fn a_dump_that_was_cut_off_or_changed_anywhere_is_refused() {
        let whole = dump();
        for cut in 0..whole.len() {
            assert!(read(&whole[..cut]).is_err(), "cut off at {cut}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            // Its own header may say another time or program: nothing hangs on it but the checksum.
            assert!(read(&changed).is_err(), "changed at {at}: {}", String::from_utf8_lossy(&changed));
        }
        assert!(read(&[&whole[..], b"\n"].concat()).is_err(), "more after the end");
    }

    #[test]
    fn a_newer_format_is_refused_by_its_number() {
        let newer = String::from_utf8(dump()).unwrap().replace(r#""format":1"#, r#""format":2"#);
        assert!(read(newer.as_bytes()).unwrap_err().what.contains("format 2"));
    }

    #[test]
    fn digits_are_bytes_again() {
        assert_eq!(unhex(&hex(&[0, 1, 0xab, 0xff])), Some(vec![0, 1, 0xab, 0xff]));
        assert_eq!((unhex("0"), unhex("0g"), unhex("")), (None, None, Some(Vec::new())));
    }
}
