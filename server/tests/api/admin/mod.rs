//! `/v1/admin`: the shop's own systems and their keys.

pub(crate) mod accounts;
pub(crate) mod api_keys;
pub(crate) mod vouched;
