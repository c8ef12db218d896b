//! Who speaks over a connection: what it asks, and what it makes of the answers.

use crate::wire::answer::Answer;

/// One connection's side of the talk. An actor has one request under way at a time.
pub(crate) trait Actor: Send {
    /// Writes the next request to `out`; says no when there is none left.
    fn ask(&mut self, out: &mut Vec<u8>) -> bool;

    /// Takes the answer to what it asked last; says whether that is the one a request of its kind should get.
    fn take(&mut self, answer: &Answer<'_>) -> bool;

    /// The connection ended, or time was up, before the answer to what it asked last: whether it was done is unknown.
    fn lose(&mut self);
}
