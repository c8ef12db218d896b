//! The small cases of the protocol, all of them: devices that act offline, a network that loses, doubles and reorders, a
//! server that crashes between a commit and its answer, copied queues, folding, dropped clients, a sign-in, a checkout.
//!
//! The server is core itself; the checker (stateright) walks through every state that can be reached. Each test prints
//! how many that were. `spec/mutants` holds bugs that the model must find: `./campaign model` plants them.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod device;
mod oracle;
mod scenario;
mod scenarios;
mod server;
#[path = "../shelf/mod.rs"]
#[expect(dead_code, reason = "the laws ask more of it")]
mod shelf;
mod world;
