//! JSON that is kept as it was written: no name in it means anything, no digit is lost.

pub mod decimal;
pub mod tree;
