//! The commands: one file each, all of one shape: arguments in, a result on the disk or a sentence out.

pub(crate) mod asked;
pub(crate) mod batch;
pub(crate) mod contender;
pub(crate) mod hostile;
mod idle;
pub(crate) mod limit;
pub(crate) mod load;
pub(crate) mod peers;
pub(crate) mod plot;
pub(crate) mod progress;
pub(crate) mod scale;
pub(crate) mod sessions;
pub(crate) mod soak;
pub(crate) mod streams;
pub(crate) mod turns;
pub(crate) mod wrk;
