//! Problems (RFC 9457): their codes, how they are answered, and the page of each.

pub mod code;
pub mod pages;
pub mod response;
