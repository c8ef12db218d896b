//! What is asked: the mixes, and the shoppers who ask it.

pub(crate) mod device;
pub(crate) mod exact;
pub(crate) mod shopper;
pub(crate) mod step;
pub(crate) mod tongue;
pub(crate) mod visit;
