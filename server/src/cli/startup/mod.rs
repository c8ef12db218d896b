//! What a server is made of before it serves: what the settings name is looked at, opened and read, for serve and for config check.

pub(crate) mod prepare;
pub(crate) mod secret;
