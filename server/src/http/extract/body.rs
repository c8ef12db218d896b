//! Request bodies: bounded in size and in time, whatever their Content-Length says.

use std::error::Error;
use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;

use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::service::limits::shares::Full;

/// The most a body may hold, but for those that say otherwise.
pub const BYTES_MAX: usize = 64 * 1024;

/// Longest name of a media type that is told back.
const TYPE_SHOWN_MAX: usize = 64;

/// The whole body, where it is of at most `most` bytes and arrives in time.
pub async fn read(headers: &HeaderMap, body: Body, within: Duration, most: usize) -> Result<Bytes, Problem> {
    if let Some(coding) = coding(headers) {
        let detail = format!(
            "The body is encoded (Content-Encoding: {coding}): send it as it is, without that header."
        );
        return Err(Problem::with(Code::UnsupportedMediaType, detail).uncoded());
    }
    if announced(headers).is_some_and(|bytes| bytes > most as u64) {
        return Err(too_large(most));
    }
    match tokio::time::timeout(within, collect(body, most)).await {
        Ok(read) => read,
        Err(_) => Err(Problem::new(Code::BodyTimeout)),
    }
}

fn too_large(most: usize) -> Problem {
    let bytes = format!("{},{:03}", most / 1_000, most % 1_000);
    Problem::with(Code::BodyTooLarge, format!("Send at most {bytes} bytes."))
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Its connection broke, or there was no place any more for its request once it was there, or for more of its bytes.
fn broken(error: &axum::Error) -> Problem {
    match full(error) {
        Some(full) => full.into(),
        None => Problem::new(Code::InvalidRequest).because(error.to_string()),
    }
}

/// Whether some share was used up, wherever that was found: beneath hyper it is an error of reading.
fn full(error: &(dyn Error + 'static)) -> Option<Full> {
    let mut next = Some(error);
    while let Some(error) = next {
        let beneath = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let beneath = beneath.and_then(|error| error.downcast_ref::<Full>());
        if let Some(full) = beneath.or_else(|| error.downcast_ref()) {
            return Some(*full);
        }
        next = error.source();
    }
    None
}

/// Most bodies come in one piece, which is handed on without a copy.
async fn collect(mut body: Body, most: usize) -> Result<Bytes, Problem> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > most {
            return Err(too_large(most));
        }
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            // The first piece is let go of: while it is held, hyper reads the next one into another buffer.
            rest.extend_from_slice(&std::mem::take(&mut first));
            rest.extend_from_slice(&data);
        }
        if body.is_end_stream() {
            break;
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    Ok(rest.freeze())
}

/// How the body is encoded, where it is.
fn coding(headers: &HeaderMap) -> Option<String> {
    let codings = headers.get_all(CONTENT_ENCODING).iter();
    let named = codings.flat_map(|value| value.as_bytes().split(|b| *b == b','));
    named.map(shown).find(|coding| !coding.is_empty() && coding != "identity")
}

/// A word of a stranger's, where it can be told back; `?` where not.
fn shown(word: &[u8]) -> String {
    let word = word.trim_ascii();
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"/+-._".contains(b);
    match word.len() <= TYPE_SHOWN_MAX && word.iter().all(plain) {
        true => String::from_utf8_lossy(word).to_ascii_lowercase(),
        false => "?".to_owned(),
    }
}

/// Says of a body that is not of the type `wanted` what it came as, and what to send instead.
pub fn of_another_type(headers: &HeaderMap, wanted: &'static str) -> Problem {
    let mut types = headers.get_all(CONTENT_TYPE).iter().map(HeaderValue::as_bytes);
    let essence = |value: &[u8]| shown(value.split(|b| *b == b';').next().unwrap_or_default());
    let came = match (types.next().map(essence).as_deref(), types.next()) {
        (None | Some(""), _) => "The body came without a Content-Type".to_owned(),
        (Some(_), Some(_)) => "The body came with several Content-Types".to_owned(),
        (Some("application/x-www-form-urlencoded"), _) => {
            "The body came as a form (application/x-www-form-urlencoded, which is what curl -d sends)"
                .to_owned()
        }
        (Some("multipart/form-data"), _) => {
            "The body came as a form (multipart/form-data, which is what curl -F sends)".to_owned()
        }
        (Some(same), None) if same == wanted => "The body came in another charset than UTF-8".to_owned(),
        (Some("?"), _) => "The body came as something else".to_owned(),
        (Some(other), _) => format!("The body came as {other}"),
    };
    let with_curl = if wanted == "application/json" { " (curl has --json for it)" } else { "" };
    let detail = format!("{came}. Send it with the header Content-Type: {wanted}{with_curl}.");
    Problem::with(Code::UnsupportedMediaType, detail)
}

/// Whether the one Content-Type is `wanted`, in UTF-8 where it names a charset.
pub fn is_of_type(headers: &HeaderMap, wanted: &str) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else { return false };
    let Ok(one) = one.to_str() else { return false };
    let mut parts = one.split(';').map(str::trim);
    if !parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(wanted)) {
        return false;
    }
    parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    })
}
