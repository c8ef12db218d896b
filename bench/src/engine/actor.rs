//! Who speaks over a connection: what it asks, and what it makes of the answers.

use std::time::Instant;

use crate::wire::answer::Answer;

/// When it was that an answer came, and when its request should have begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// When the request should have begun.
    pub(crate) due: Instant,
    /// When the whole answer was there.
    pub(crate) answered: Instant,
}

/// One connection's side of the talk. An actor has one request under way at a time.
pub(crate) trait Actor: Send {
    /// Writes the next request to `out`; says no when there is none left.
    fn ask(&mut self, out: &mut Vec<u8>) -> bool;

    /// Takes the answer to what it asked last; says whether that is the one a request of its kind should get.
    fn take(&mut self, answer: &Answer<'_>, times: Times) -> bool;

    /// The connection ended, or time was up, before the answer to what it asked last: whether it was done is unknown.
    fn lose(&mut self);
}
