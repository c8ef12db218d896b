//! `/v1/cart/events`: who watches a cart, and who hangs up.

pub(crate) mod events;
pub(crate) mod hung_up;
pub(crate) mod streams_end;
