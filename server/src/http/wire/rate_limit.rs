//! The RateLimit header fields (draft-ietf-httpapi-ratelimit-headers): how a caller stands with its quota.

use axum::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::service::limits::limiter::QuotaState;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Tells it.
pub fn tell(headers: &mut HeaderMap, standing: &QuotaState) {
    let QuotaState { quota, remaining, full_again_in, .. } = standing;
    let policy = format!("\"{}\";q={};w={}", quota.name, quota.most, seconds(quota.within.as_ms()));
    let now = format!("\"{}\";r={remaining};t={}", quota.name, seconds(full_again_in.as_ms()));
    for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, now)] {
        headers.insert(name, HeaderValue::from_str(&value).expect("a word and numbers are visible ASCII"));
    }
}

/// `Retry-After`: when the next place is free, in whole seconds, and never at once.
pub fn retry_after(standing: &QuotaState) -> HeaderValue {
    HeaderValue::from(seconds(standing.next_in.as_ms()).max(1))
}

fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1_000)
}
