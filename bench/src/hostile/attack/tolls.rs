//! What the attacker was told: how often, by the kind of attack and the status.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The counts of one attack.
pub(crate) type AnswerCounts = BTreeMap<String, u64>;

/// All counts.
#[derive(Debug, Default)]
pub(crate) struct Tolls(Mutex<BTreeMap<&'static str, AnswerCounts>>);

impl Tolls {
    /// One answer more, or what came in its place.
    pub(super) fn count(&self, attack: &'static str, told: impl Into<String>) {
        let mut tolls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *tolls.entry(attack).or_default().entry(told.into()).or_default() += 1;
    }

    /// What was counted until now.
    pub(crate) fn all(&self) -> BTreeMap<&'static str, AnswerCounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
