//! The cross-site rule (SESSION.md, S24): a request that changes something comes from the shop's own pages, from a
//! trusted origin, or from no browser at all.

use std::net::SocketAddr;

use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use axum::http::{Method, Uri};

use crate::http::extract::host::{Host, Origin};
use crate::http::extract::{authorization, body, forwarded, host};
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::server::state::HttpConfig;

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
    rules: &HttpConfig,
    peer: SocketAddr,
) -> Result<(), Problem> {
    // A browser sends the password of a site that asks for one (Basic) along by itself, as it does with cookies.
    let by_itself = !authorization::is_bearer(headers);
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) || !by_itself {
        return Ok(());
    }
    let origin = one(headers, &ORIGIN)?;
    let fetch_site = one(headers, &SEC_FETCH_SITE)?;
    let passes = match (fetch_site, origin) {
        (Some(b"same-origin" | b"none"), _) => true,
        (Some(_), origin) => origin.is_some_and(|origin| is_trusted(origin, rules)),
        (None, Some(origin)) => {
            is_trusted(origin, rules)
                || is_own(origin, uri, headers, rules.trusted_proxies.hops(peer, headers))
        }
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

/// The same of a request that a proxy asks about. Its body is not sent along: there is nothing to be told of its type.
pub fn judge_asked(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    rules: &HttpConfig,
    peer: SocketAddr,
) -> Result<(), Problem> {
    judge(method, uri, headers, rules, peer).map_err(|refusal| match refusal.code() {
        Code::CrossSite => refusal,
        _ => Problem::with(Code::CrossSite, UNTOLD),
    })
}

/// A header's one value. Who sends two of these is not a browser, and means no good.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(HeaderValue::as_bytes)),
        _ => Err(Problem::new(Code::CrossSite)),
    }
}

/// Whether the origin is one of the list.
fn is_trusted(origin: &[u8], rules: &HttpConfig) -> bool {
    is_one_of(origin, rules.public_origin.iter().chain(&rules.trusted_origins))
}

/// Whether the origin is one of these, exactly but for a port that its scheme has anyway.
pub fn is_one_of<'a>(origin: &[u8], mut these: impl Iterator<Item = &'a String>) -> bool {
    let Some(origin) = Origin::of(origin) else { return false };
    these.any(|this| Origin::parse(this).is_some_and(|this| this.is(&origin)))
}

/// Whether the origin is the one that was asked: its host, and where a trusted proxy names the scheme that too.
fn is_own(origin: &[u8], uri: &Uri, headers: &HeaderMap, hops: usize) -> bool {
    let named = forwarded::host(headers, hops).and_then(Host::parse);
    let asked = named.or_else(|| host::asked(uri.authority(), headers));
    let came = forwarded::proto(headers, hops);
    let is_it = |origin: Origin<'_>| asked.is_some_and(|asked| origin.is_asked_by(&asked, came));
    Origin::of(origin).is_some_and(is_it)
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
