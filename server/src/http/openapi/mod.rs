//! The API's description, made of the routes themselves: a handler's arguments say what it takes, its route says what it answers.
//!
//! A route can only be added together with its description ([`routes::Routes`]), so none is without one; and the tests hold every
//! answer that they get against it. There is no second text to keep in step.

pub mod document;
pub mod headers;
pub mod inputs;
pub mod op;
pub mod pages;
pub mod routes;
pub mod shape;
