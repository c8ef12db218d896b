//! `/v1/session/data`: what a shop keeps with a visit.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::service::data::{Kept, Members, Patch, Patched};
use crate::service::terms::Seen;

use super::address::Address;
use super::body;
use super::cart::{Answer, not_modified};
use super::change::repeated;
use super::condition;
use super::error::{IDEMPOTENCY_REPLAYED, Problem};
use super::front::Front;
use super::idempotency::Key;
use super::json_tree;
use super::openapi::inputs::{Input, OF_A_BODY};
use super::openapi::op::{Takes, op};
use super::openapi::routes::Routes;
use super::openapi::shape::{Parts, pattern, such_as, words};
use super::problems::Code;
use super::visitor::Visitor;

/// The routes of a session's data.
pub fn routes() -> Routes {
    let shown = op("show_data", "What the shop keeps with this visit");
    let patched = op("patch_data", "Changes it by a merge patch (RFC 7396)")
        .header("Idempotency-Key", pattern("^[!-~]{1,128}$"))
        .header("If-Match", such_as(pattern("^(\\*|(W/)?\"[!#-~]+\")$"), "*"))
        .refuses(&[Code::InvalidEtag, Code::InvalidKey, Code::KeyReused, Code::PreconditionFailed])
        .refuses(&[Code::DataTooLarge]);
    Routes::about("Session")
        .get("/v1/session/data", show, shown.header("If-None-Match", words()).empty(304).object(200))
        .patch("/v1/session/data", patch, patched.object(200))
}

async fn show(State(front): State<Arc<Front>>, visitor: Visitor, headers: HeaderMap) -> Answer {
    let kept = match visitor {
        Visitor::Known(visit) => front.service.data(visit.session.id).await?,
        Visitor::Unknown => Kept::default(),
    };
    let etag = etag(&kept);
    if condition::none_match(&headers, &etag) {
        return Ok(not_modified(etag));
    }
    Ok(answer(kept))
}

async fn patch(
    State(front): State<Arc<Front>>,
    visitor: Visitor,
    Address(from): Address,
    headers: HeaderMap,
    MergePatch(members): MergePatch,
) -> Answer {
    let tags = Tags::of(&headers)?;
    let keyed = Key::of(&headers)?.map(|key| {
        let parts = [json_tree::text(&members).into_bytes(), tags.text().into_bytes()];
        key.with_parts(&Method::PATCH, "data", &parts, Seen::Newest, false)
    });
    let patch = Patch { members: &members, wanted_on: &|kept| tags.hold(&etag(kept)), keyed };
    let Visitor::Known(visit) = visitor else {
        let (kept, begun) = front.service.begin_with_data(from, &patch).await?;
        let mut response = answer(kept);
        if let Some(begun) = begun {
            front.hand_out(response.headers_mut(), &begun);
        }
        return Ok(response);
    };
    let Patched { kept, replayed } = front.service.patch_data(&visit.claim(), &patch).await?;
    if let Some(earlier) = replayed.as_ref().filter(|earlier| earlier.code.is_some()) {
        return Err(repeated(earlier));
    }
    let mut response = answer(kept);
    if replayed.is_some() {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn answer(kept: Kept) -> Response<Body> {
    let etag = etag(&kept);
    let mut response = Response::new(Body::from(String::from(kept.json)));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ETAG, etag);
    response
}

/// How many changes it had, and what it is: the data of two visits of one browser have different tags.
fn etag(kept: &Kept) -> HeaderValue {
    let digest: [u8; 32] = Sha256::digest(&*kept.json).into();
    let [a, b, c, d, ..] = digest;
    let tag = format!("\"data.{}.{a:02x}{b:02x}{c:02x}{d:02x}\"", kept.version);
    HeaderValue::from_str(&tag).expect("hex digits and a number are visible ASCII")
}

/// What `If-Match` asks for: one of these tags, or none where it is not there or `*` (there always is an object).
struct Tags(Option<Vec<Vec<u8>>>);

impl Tags {
    fn of(headers: &HeaderMap) -> Result<Tags, Problem> {
        let mut tags = Vec::new();
        for value in headers.get_all(IF_MATCH) {
            for tag in value.as_bytes().split(|b| *b == b',').map(<[u8]>::trim_ascii) {
                let weak = tag.strip_prefix(b"W/").unwrap_or(tag);
                let well_formed = tag == b"*"
                    || weak.len() > 2
                        && weak.starts_with(b"\"")
                        && weak.ends_with(b"\"")
                        && weak[1..weak.len() - 1].iter().all(|b| b.is_ascii_graphic() && *b != b'"');
                if !well_formed {
                    let advice = Code::InvalidEtag.advice();
                    return Err(Problem::at(Code::InvalidEtag, "#/header/If-Match", advice));
                }
                tags.push(weak.to_vec());
            }
        }
        let anything = tags.is_empty() || tags.iter().any(|tag| tag == b"*");
        Ok(Tags((!anything).then_some(tags)))
    }

    fn hold(&self, etag: &HeaderValue) -> bool {
        self.0.as_ref().is_none_or(|tags| tags.iter().any(|tag| tag == etag.as_bytes()))
    }

    fn text(&self) -> String {
        let tags = self.0.as_deref().unwrap_or_default();
        String::from_utf8_lossy(&tags.join(&b","[..])).into_owned()
    }
}

/// A merge patch, as `application/merge-patch+json` or plain JSON.
struct MergePatch(Members);

impl FromRequest<Arc<Front>> for MergePatch {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, front: &Arc<Front>) -> Result<MergePatch, Problem> {
        let (parts, body) = request.into_parts();
        let types = ["application/merge-patch+json", "application/json"];
        if !types.iter().any(|wanted| body::is_of_type(&parts.headers, wanted)) {
            let detail = "Send Content-Type: application/merge-patch+json.";
            return Err(Problem::with(Code::UnsupportedMediaType, detail));
        }
        let bytes = body::read(&parts.headers, body, front.rules.body_timeout, body::BYTES_MAX).await?;
        json_tree::read(&bytes).map(MergePatch)
    }
}

impl Input for MergePatch {
    fn describe(takes: &mut Takes, _: &mut Parts) {
        takes.body("application/merge-patch+json", true, json!({ "type": "object" }));
        takes.refuses(&OF_A_BODY);
    }
}
