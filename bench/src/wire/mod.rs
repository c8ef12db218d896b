//! HTTP/1.1 as bytes: what a request looks like, and what an answer says.

pub(crate) mod answer;
pub(crate) mod client;
pub(crate) mod request;
