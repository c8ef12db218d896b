//! `/v1/cart` and `/v1/orders`: changes, retries, devices' queues, checkout, and the catalogue beside them.

pub(crate) mod catalogue;
pub(crate) mod catalogue_strangers;
pub(crate) mod catalogue_web;
pub(crate) mod checkout;
pub(crate) mod heirs;
pub(crate) mod histories;
pub(crate) mod history;
pub(crate) mod hostile;
pub(crate) mod lines;
pub(crate) mod orders;
pub(crate) mod orders_kept;
pub(crate) mod price_unknown;
pub(crate) mod retries;
pub(crate) mod saved;
pub(crate) mod storm;
pub(crate) mod sync;
pub(crate) mod tagged_bodies;
