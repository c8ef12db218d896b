//! What a handler takes of a request: each part is read, checked and refused in one place.

pub mod account_caller;
pub mod address;
pub mod api_key;
pub mod authorization;
pub mod body;
pub mod cookie;
pub mod cursor;
pub mod entity_tags;
pub mod form;
pub mod forwarded;
pub mod host;
pub mod idempotency;
pub mod json;
pub mod json_value;
pub mod leaver;
pub mod mistaken_authorization;
pub mod network;
pub mod path;
pub mod pending_tokens;
pub mod preconditions;
pub mod query;
pub mod user_agent;
pub mod visitor;
