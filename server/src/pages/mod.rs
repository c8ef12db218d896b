//! Pages for people: the demo shop.

pub mod shop;
