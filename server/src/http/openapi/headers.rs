//! The request headers that many operations take, each described in one place.

use serde_json::{Value, json};

use crate::http::openapi::op::RequestParts;
use crate::http::openapi::shape::{one_of, or, pattern, said, such_as};
use crate::http::problem::code::Code;

/// An entity tag, with what a compressing proxy may have put inside it.
const SUFFIX: &str = "(--?(gzip|br|zstd|deflate)|;(gzip|br|zstd|deflate))?";
/// A cart and its revision, or nobody's, and perhaps a catalogue's version.
const STATE: &str = "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\.[0-9]{1,18}|empty\\.0)(\\.[0-9a-f]{1,16})?";

/// What a key does where its outcome is kept.
const KEPT: &str = "Names the request: 1 to 128 visible ASCII characters. The same request under the same key has no second effect and is \
    answered with Idempotency-Replayed: true and what stands now; another request under it is refused. Kept for 24 hours. Before a \
    session exists a key has no effect: a client sends its first write alone.";
/// What it does where none is.
const FORM_ONLY: &str = "1 to 128 visible ASCII characters. Only its form is looked at: the call is done anew when it is sent again.";

/// `Idempotency-Key` of a change whose outcome is kept under it.
pub fn key(takes: &mut RequestParts) {
    described_key(takes, KEPT);
}

/// `Idempotency-Key` of a call that is done anew; one that changes nothing takes none.
pub fn key_of_form(takes: &mut RequestParts) {
    if !takes.is_safe() {
        described_key(takes, FORM_ONLY);
    }
}

fn described_key(takes: &mut RequestParts, says: &str) {
    header(takes, "Idempotency-Key", said(pattern("^[!-~]{1,128}$"), says));
    takes.refuses(&[Code::InvalidKey]);
}

/// `If-Match` of a change of the cart.
pub fn seen(takes: &mut RequestParts) {
    let says = "What the caller had seen, as an answer's ETag had it; of several tags of the cart the oldest counts, and * is the \
        newest. A change is not refused for it unless Trolley-Strict says so.";
    let tag = format!("(W/)?\"{STATE}{SUFFIX}\"");
    header(takes, "If-Match", such_as(said(listed(&tag), says), "*"));
    takes.refuses(&[Code::InvalidEtag]);
}

/// `Trolley-Strict`.
pub fn strict(takes: &mut RequestParts) {
    let says = "true: 412 with the present cart where it is not what If-Match names.";
    header(takes, "Trolley-Strict", or(said(one_of(&["true", "false"]), says), "false"));
    takes.refuses(&[Code::PreconditionFailed]);
}

/// `If-Match` of what is changed by compare-and-set.
pub fn wanted(takes: &mut RequestParts) {
    let says = "Refused with 412 where none of these tags names what stands.";
    header(takes, "If-Match", such_as(said(listed(ANY), says), "*"));
    takes.refuses(&[Code::InvalidEtag, Code::PreconditionFailed]);
}

/// `If-None-Match`.
pub fn had(takes: &mut RequestParts) {
    let says = "304 where one of these tags, compared weakly, names what stands.";
    header(takes, "If-None-Match", such_as(said(listed(ANY), says), "*"));
    takes.refuses(&[Code::InvalidEtag]);
}

/// Any tag.
const ANY: &str = "(W/)?\"[!#-~]+\"";

fn listed(tag: &str) -> Value {
    pattern(&format!("^(\\*|{tag}( *, *{tag}){{0,3}})$"))
}

fn header(takes: &mut RequestParts, name: &str, mut schema: Value) {
    let says = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    takes.said_parameter("header", name, false, schema, says.unwrap_or(json!("")));
}
