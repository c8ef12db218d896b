//! The machine that is measured on: its name tag, folders on its disk, and the servers that run beside us.

pub(crate) mod child;
pub(crate) mod dump;
pub(crate) mod files;
pub(crate) mod folder;
pub(crate) mod leave;
pub(crate) mod machine;
pub(crate) mod programs;
