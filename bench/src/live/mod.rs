//! Live updates as other devices see them: many event streams at once, and what became of each change on each of them.

pub(crate) mod account;
pub(crate) mod audience;
pub(crate) mod changer;
mod feed;
