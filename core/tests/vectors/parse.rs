//! The shape of a vector file. Unknown fields are refused, so that a slip of the pen does not weaken a vector.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "for the reader of the file")]
    about: String,
    vectors: Vec<Vector>,
}

/// One vector: what happens to some carts, and what must come of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) why: String,
    /// What a runner over the wire may not be able to do: it skips the vector.
    #[serde(default)]
    #[expect(dead_code, reason = "this runner can do all of it")]
    needs: Vec<String>,
    #[serde(default)]
    pub(crate) limits: BTreeMap<String, u64>,
    #[serde(default)]
    pub(crate) unknown_skus: Vec<String>,
    /// Names a list of steps in `starts.json`.
    pub(crate) start: Option<String>,
    /// Deliveries under way; they arrive in every order that keeps each queue's own.
    #[serde(default)]
    pub(crate) queues: BTreeMap<String, Vec<Step>>,
    /// When the first of them arrives.
    pub(crate) queues_from: Option<u64>,
    #[serde(default)]
    pub(crate) steps: Vec<Step>,
    #[serde(rename = "final")]
    pub(crate) ends: BTreeMap<String, View>,
}

/// One thing that happens: exactly one of its nine kinds is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// Milliseconds since the vector's time 0; the time stands still where it is absent.
    pub(crate) at: Option<u64>,
    /// The cart of the session that calls; `C` where it is absent.
    pub(crate) on: Option<String>,
    pub(crate) sync: Option<SyncStep>,
    pub(crate) call: Option<CallStep>,
    pub(crate) checkout: Option<String>,
    pub(crate) cancel: Option<String>,
    pub(crate) merge: Option<MergeStep>,
    /// Brings in what fits of the cart's so-manieth leftover, from 1 on, oldest first.
    pub(crate) bring_in: Option<usize>,
    /// Drops it.
    pub(crate) drop: Option<usize>,
    pub(crate) read: Option<String>,
    pub(crate) wait_ms: Option<u64>,
    pub(crate) expect: Option<Expect>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncStep {
    pub(crate) client: String,
    pub(crate) ops: Vec<OpFields>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OpFields {
    pub(crate) seq: u64,
    pub(crate) op_id: Option<String>,
    pub(crate) cart: Option<String>,
    pub(crate) generation: Option<u64>,
    pub(crate) base: u64,
    pub(crate) age_ms: Option<i64>,
    /// Instead of `age_ms`: when the shopper acted; the age is the time from then to its arrival.
    pub(crate) acted_at: Option<u64>,
    /// So many ops of this kind with seq, seq + 1, …; `#` in the sku is 1, 2, …
    pub(crate) times: Option<u64>,
    /// The fields of [`IntentFields`]; what they do not know makes the op invalid.
    #[serde(flatten)]
    pub(crate) intent: BTreeMap<String, serde_json::Value>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CallStep {
    pub(crate) by: Option<String>,
    pub(crate) base: Option<u64>,
    pub(crate) times: Option<u64>,
    #[serde(flatten)]
    pub(crate) intent: BTreeMap<String, serde_json::Value>,
}

/// What is wanted, as the wire has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntentFields {
    pub(crate) op: String,
    pub(crate) line: Option<LineName>,
    pub(crate) sku: Option<String>,
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) quantity: Option<u32>,
    pub(crate) lines: Option<Vec<LineName>>,
    pub(crate) undo_seq: Option<u64>,
    /// Of a plain undo.
    pub(crate) revision: Option<u64>,
}

/// A line by its sku, or by its sku and options. On the wire its id stands there.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum LineName {
    Sku(String),
    Item { sku: String, options: BTreeMap<String, String> },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeStep {
    pub(crate) guest: String,
    #[serde(default = "sum")]
    pub(crate) policy: String,
    /// The server dies after this part of the work: `seal` or `apply`.
    pub(crate) crash_after: Option<String>,
}

fn sum() -> String {
    "sum".into()
}

/// What must come of a step; what is absent is not looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// Of a sync: `<outcome>[ <code>][ x<times>]` each.
    pub(crate) results: Option<Vec<String>>,
    pub(crate) acked: Option<u64>,
    /// Of a plain call.
    pub(crate) outcome: Option<String>,
    /// The code of a refusal, and that nothing changed.
    pub(crate) refused: Option<String>,
    pub(crate) expected_seq: Option<u64>,
    /// Of a checkout.
    pub(crate) order: Option<Vec<(LineName, u32)>>,
    /// Of a cancel or a merge: whether it did anything.
    pub(crate) done: Option<bool>,
    /// Of a cancel: there is no room for the lines yet, and the order keeps them.
    pub(crate) owed: Option<bool>,
    pub(crate) cart: Option<View>,
}

/// A cart as a shopper sees it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct View {
    pub(crate) lines: Option<Vec<(LineName, u32)>>,
    pub(crate) saved: Option<Vec<(LineName, u32)>>,
    /// What was left over: one list a leftover, oldest first.
    pub(crate) leftovers: Option<Vec<Vec<(LineName, u32)>>>,
    pub(crate) revision: Option<u64>,
    pub(crate) generation: Option<u64>,
    /// `<code>[ <sku>]` each.
    pub(crate) notices: Option<Vec<String>>,
    /// Of each of them what it counts.
    pub(crate) counts: Option<Vec<Vec<u32>>>,
}

pub(crate) fn vectors(path: &Path) -> Vec<Vector> {
    read::<File>(path).vectors
}

pub(crate) fn starts(path: &Path) -> BTreeMap<String, Vec<Step>> {
    read(path)
}

pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
