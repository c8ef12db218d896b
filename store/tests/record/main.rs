//! Records as bytes at rest: what is written is read again, what was damaged is noticed, and no release changes the form unseen.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod damage;
mod golden;
mod history;
mod sizes;
