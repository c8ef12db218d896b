//! `/v1/session/data`: what a shop keeps with a visit.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH};
use axum::http::request::Parts as Head;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::http::extract::address::Address;
use crate::http::extract::entity_tags::Tags;
use crate::http::extract::idempotency::Under;
use crate::http::extract::preconditions::Had;
use crate::http::extract::visitor::Visitor;
use crate::http::extract::{body, json_value};
use crate::http::openapi::headers;
use crate::http::openapi::inputs::{OF_A_BODY, RequestInput};
use crate::http::openapi::op::{REPLAYED, RequestParts, op};
use crate::http::openapi::routes::Routes;
use crate::http::openapi::shape::Components;
use crate::http::problem::code::Code;
use crate::http::problem::response::{IDEMPOTENCY_REPLAYED, Problem};
use crate::http::routes::cart::change::repeated;
use crate::http::routes::cart::lines::{HandlerResult, not_modified};
use crate::http::server::state::AppState;
use crate::service::cart::preconditions::SeenByCaller;
use crate::service::json::tree;
use crate::service::limits::addresses::Payer;
use crate::service::session::data::{Members, Patch, Patched, SessionData};

const TAG: (&str, &str) = ("ETag", "How many changes it had, and what it is.");

/// The routes of a session's data.
pub fn routes() -> Routes {
    let shown = op("show_data", "What the shop keeps with this visit");
    let shown = shown.empty(304).tells(&[TAG]).object(200).tells(&[TAG]);
    let patched =
        op("patch_data", "Changes it by a merge patch (RFC 7396)").refuses(&[Code::DataTooLarge]).object(200);
    Routes::about("Session").get("/v1/session/data", show, shown).patch(
        "/v1/session/data",
        patch,
        patched.tells(&[TAG, REPLAYED]),
    )
}

async fn show(State(front): State<Arc<AppState>>, visitor: Visitor, had: Had) -> HandlerResult {
    let kept = match visitor {
        Visitor::Known(visit) => front.service.data(visit.session.id).await?,
        Visitor::Unknown => SessionData::default(),
    };
    let etag = etag(&kept);
    if had.has(&etag) {
        return Ok(not_modified(etag));
    }
    Ok(answer(kept))
}

async fn patch(
    State(front): State<Arc<AppState>>,
    visitor: Visitor,
    Address(from): Address,
    wanted: DataCondition,
    Under(key): Under,
    MergePatch(members): MergePatch,
) -> HandlerResult {
    let keyed = key.map(|key| {
        let parts = [tree::canonical(&members).into_bytes(), wanted.text()];
        key.with_parts(&Method::PATCH, "data", &parts, SeenByCaller::Newest, false)
    });
    let account = match &visitor {
        Visitor::Known(visit) => visit.session.account(),
        Visitor::Unknown => None,
    };
    let payer = Payer::of(from, account);
    let patch = Patch { members: &members, wanted_on: &|kept| wanted.holds(&etag(kept)), keyed, payer };
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

fn answer(kept: SessionData) -> Response<Body> {
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
fn etag(kept: &SessionData) -> HeaderValue {
    let digest: [u8; 32] = Sha256::digest(&*kept.json).into();
    let [a, b, c, d, ..] = digest;
    let tag = format!("\"data.{}.{a:02x}{b:02x}{c:02x}{d:02x}\"", kept.version);
    HeaderValue::from_str(&tag).expect("hex digits and a number are visible ASCII")
}

/// What `If-Match` asks for: one of these tags, or none where it is not there or `*` (there always is an object).
pub struct DataCondition(Option<Tags>);

impl DataCondition {
    fn of(headers: &HeaderMap) -> Result<DataCondition, Problem> {
        Ok(DataCondition(Tags::of(headers, &IF_MATCH)?.filter(|tags| !tags.any)))
    }

    fn holds(&self, etag: &HeaderValue) -> bool {
        self.0.as_ref().is_none_or(|tags| tags.name(etag))
    }

    /// The same however it was written.
    fn text(&self) -> Vec<u8> {
        let mut tags = self.0.as_ref().map(|tags| tags.these.clone()).unwrap_or_default();
        tags.sort_unstable();
        tags.dedup();
        tags.join(&b","[..])
    }
}

impl FromRequestParts<Arc<AppState>> for DataCondition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Head, _: &Arc<AppState>) -> Result<DataCondition, Problem> {
        DataCondition::of(&parts.headers)
    }
}

/// A merge patch, as `application/merge-patch+json` or plain JSON.
struct MergePatch(Members);

impl FromRequest<Arc<AppState>> for MergePatch {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, front: &Arc<AppState>) -> Result<MergePatch, Problem> {
        let (parts, body) = request.into_parts();
        let types = ["application/merge-patch+json", "application/json"];
        if !types.iter().any(|wanted| body::is_of_type(&parts.headers, wanted)) {
            return Err(body::of_another_type(&parts.headers, types[0]));
        }
        let bytes = body::read(&parts.headers, body, front.rules.body_timeout, body::BYTES_MAX).await?;
        json_value::read(&bytes).map(MergePatch)
    }
}

impl RequestInput for DataCondition {
    fn describe(takes: &mut RequestParts, _: &mut Components) {
        headers::wanted(takes);
    }
}

impl RequestInput for MergePatch {
    fn describe(takes: &mut RequestParts, _: &mut Components) {
        takes.body("application/merge-patch+json", true, json!({ "type": "object" }));
        takes.refuses(&OF_A_BODY);
    }
}
