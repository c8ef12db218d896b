//! What goes over the socket: one JSON object a line, one ask a connection, and one answer to it.

use serde::{Deserialize, Serialize};

/// Bytes of a line at most.
pub const LINE_MAX: u64 = 64 * 1024;

/// What a command asks of the running server. A command that comes later is a variant more; a server that does not know one
/// says so.
#[derive(Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Make a key for a system of the shop's own.
    ApiKeyNew {
        /// What its owner calls it.
        name: String,
        /// What it may do, by name.
        scopes: Vec<String>,
    },
    /// Which keys there are.
    ApiKeyList,
    /// Take a key back.
    ApiKeyRevoke {
        /// Its id.
        id: String,
    },
}

/// What the server answers. It has no `Debug`: one of them holds a secret.
#[derive(Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "kebab-case")]
pub enum Response {
    /// A key was made.
    ApiKeyMade {
        /// The key itself, told this once.
        secret: String,
        /// How it is named from now on.
        key: KeyLine,
    },
    /// These keys there are.
    ApiKeys {
        /// The oldest first.
        keys: Vec<KeyLine>,
    },
    /// A key was taken back.
    ApiKeyRevoked {
        /// Which.
        key: KeyLine,
    },
    /// It was not done.
    Refused {
        /// Why, in a sentence.
        because: String,
    },
}

/// A key as a list shows it.
#[derive(Serialize, Deserialize)]
pub struct KeyLine {
    /// Its id.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: String,
}
