//! How long sessions live, as the settings say, and whether that makes sense together.

use trolley_core::session::SessionPolicy;

use crate::config::ConfigError;
use crate::config::raw::Raw;
use crate::config::value::{number, span};

/// Milliseconds that a node of several may believe what it once read of a session.
const CACHE_MS_MAX: u64 = 2_000;

/// The policy.
pub fn policy(raw: &Raw) -> Result<SessionPolicy, ConfigError> {
    let policy = SessionPolicy {
        guest_unproven: span(raw, "guest-unproven")?,
        guest_idle: span(raw, "guest-idle")?,
        guest_absolute: span(raw, "guest-absolute")?,
        idle: span(raw, "idle")?,
        absolute: span(raw, "absolute")?,
        renew_after: span(raw, "renew-after")?,
        grace: span(raw, "grace")?,
        remember_for: span(raw, "remember-for")?,
        cap: number(raw, "session-cap", 1, 100)?,
        ..SessionPolicy::default()
    };
    if policy.guest_idle > policy.guest_absolute {
        let why = "the absolute limit would end every guest before the idle limit could";
        return Err(ConfigError(format!("--guest-idle is longer than --guest-absolute: {why}")));
    }
    if policy.idle > policy.absolute {
        let why = "the absolute limit would end every session before the idle limit could";
        return Err(ConfigError(format!("--idle is longer than --absolute: {why}")));
    }
    if policy.grace >= policy.renew_after {
        let why = "a token would still be good when its successor is replaced in turn, and no copy would be noticed";
        return Err(ConfigError(format!("--grace is not below --renew-after: {why}")));
    }
    // One machine answers from what its last commit left, which is never old: any bound is kept.
    number(raw, "session-cache-ms", 0, CACHE_MS_MAX)?;
    Ok(policy)
}
