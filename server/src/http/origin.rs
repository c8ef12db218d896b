//! The cross-site rule (SESSION.md, S24): a request that changes something comes from the shop's own pages, from a
//! trusted origin, or from no browser at all.

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{Method, Uri};

use super::body;
use super::error::Problem;
use super::forwarded;
use super::front::Rules;
use super::problems::Code;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a page of any site can have a browser send without asking first.
const FORM_TYPES: [&[u8]; 3] = [b"application/x-www-form-urlencoded", b"multipart/form-data", PLAIN_TEXT];
const PLAIN_TEXT: &[u8] = b"text/plain";

/// Said to who sends a form and not from where.
const UNTOLD: &str = "This form says neither by Sec-Fetch-Site nor by Origin which page it is of: send it from the shop's own pages.";

/// Whether what is there may take forms: the pages of the demo do, and nothing of the API.
fn takes_forms(path: &str) -> bool {
    !["/v1/", "/test/"].iter().any(|api| path.starts_with(api))
}

/// Refuses what another site may have sent. What proxies say of host and scheme counts where a trusted one sent the request.
pub fn judge(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    rules: &Rules,
    by_proxy: bool,
) -> Result<(), Problem> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) || headers.contains_key(AUTHORIZATION)
    {
        return Ok(());
    }
    let origin = one(headers, &ORIGIN)?;
    let fetch_site = one(headers, &SEC_FETCH_SITE)?;
    let passes = match (fetch_site, origin) {
        (Some(b"same-origin" | b"none"), _) => true,
        (Some(_), origin) => origin.is_some_and(|origin| is_trusted(origin, rules)),
        (None, Some(origin)) => is_trusted(origin, rules) || is_own(origin, uri, headers, by_proxy),
        (None, None) => !is_form(headers),
    };
    if passes {
        return Ok(());
    }
    // Who says nothing of a site is no page of another one, and more likely curl: the trouble is the type, and that is told where
    // JSON is wanted. It is refused all the same.
    match (fetch_site, origin) {
        (None, None) if !takes_forms(uri.path()) => Err(body::of_another_type(headers, "application/json")),
        (None, None) => Err(Problem::with(Code::CrossSite, UNTOLD)),
        _ => Err(Problem::new(Code::CrossSite)),
    }
}

/// A header's one value. Who sends two of these is not a browser, and means no good.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(HeaderValue::as_bytes)),
        _ => Err(Problem::new(Code::CrossSite)),
    }
}

/// Whether the origin is one of the list, exactly.
pub fn is_trusted(origin: &[u8], rules: &Rules) -> bool {
    let own = rules.public_origin.iter();
    own.chain(&rules.trusted_origins).any(|trusted| trusted.as_bytes() == origin)
}

/// Whether the origin is the one that was asked: its host, and where a trusted proxy names the scheme that too.
fn is_own(origin: &[u8], uri: &Uri, headers: &HeaderMap, by_proxy: bool) -> bool {
    let Some((scheme, host)) = std::str::from_utf8(origin).ok().and_then(|origin| origin.split_once("://"))
    else {
        return false;
    };
    let asked = || headers.get(HOST).and_then(|value| value.to_str().ok());
    let asked = by_proxy.then(|| forwarded::host(headers)).flatten().or_else(asked);
    let asked = asked.or_else(|| uri.authority().map(Authority::as_str));
    let known = matches!(scheme, "https" | "http");
    let came = by_proxy.then(|| forwarded::proto(headers)).flatten();
    let same_scheme = came.is_none_or(|came| came.eq_ignore_ascii_case(scheme));
    known && same_scheme && asked.is_some_and(|asked| !host.is_empty() && asked.eq_ignore_ascii_case(host))
}

/// Whether the body is of a type that a plain form of any site can send. No type at all is none of them.
fn is_form(headers: &HeaderMap) -> bool {
    content_types(headers).any(|essence| FORM_TYPES.iter().any(|form| essence.eq_ignore_ascii_case(form)))
}

/// Each Content-Type without its parameters.
fn content_types(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let values = headers.get_all(CONTENT_TYPE).iter();
    values.map(|value| value.as_bytes().split(|b| *b == b';').next().unwrap_or_default().trim_ascii())
}
