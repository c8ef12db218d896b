//! Request bodies: bounded in size and in time, whatever their Content-Length says.

use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;

use crate::service::shares::Full;

use super::error::Problem;
use super::problems::Code;

/// The most a body may hold, but for those that say otherwise.
pub const BYTES_MAX: usize = 64 * 1024;

/// The whole body, where it is of at most `most` bytes and arrives in time.
pub async fn read(headers: &HeaderMap, body: Body, within: Duration, most: usize) -> Result<Bytes, Problem> {
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

/// Its connection broke, or there was no place any more for its request once it was there.
fn broken(error: axum::Error) -> Problem {
    match error.into_inner().downcast::<Full>() {
        Ok(full) => Problem::from(*full),
        Err(error) => Problem::new(Code::InvalidRequest).because(error.to_string()),
    }
}

/// Most bodies come in one piece, which is handed on without a copy.
async fn collect(mut body: Body, most: usize) -> Result<Bytes, Problem> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(broken)?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > most {
            return Err(too_large(most));
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
        if body.is_end_stream() {
            break;
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
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
