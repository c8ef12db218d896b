//! What was measured, as JSON that a program reads again and as text for people.

pub(crate) mod batch;
pub(crate) mod hostile;
pub(crate) mod load;
pub(crate) mod numbers;
pub(crate) mod out;
pub(crate) mod peers;
pub(crate) mod scale;
pub(crate) mod soak;
pub(crate) mod streams;
pub(crate) mod table;
