//! The cart's algebra (CART.md): what a cart holds, how an op changes it, and what bounds it.
//!
//! One sentence is the specification: *the quantity of a line is the value of its newest SET / REMOVE / CLEAR
//! (0 where there is none) plus the sum of all ADDs that no SET, REMOVE or CLEAR had observed.*

pub mod limits;
pub mod op;
pub mod state;
