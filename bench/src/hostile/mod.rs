//! A shop under attack: neighbours who shop, one address that does its worst, and the catalogue that both of them ask for.

pub(crate) mod attack;
pub(crate) mod book;
pub(crate) mod catalogue;
mod goods;
mod jar;
mod judge;
mod line;
mod neighbour;
pub(crate) mod scene;
mod street;
