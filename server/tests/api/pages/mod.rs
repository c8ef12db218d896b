//! Pages for people, as a browser without JavaScript uses them.

pub(crate) mod shop;
pub(crate) mod shop_account;
