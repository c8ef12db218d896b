//! A clock that only goes on: what limits, breakers and caches count by, whatever becomes of the wall clock (SESSION.md, S38).

use std::ops::Add;

use trolley_core::time::{Span, Timestamp};

/// A moment by that clock: milliseconds since a beginning that means nothing, never shown and never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Running(u64);

impl Running {
    /// So many milliseconds after the beginning.
    pub const fn from_ms(ms: u64) -> Running {
        Running(ms)
    }

    /// Milliseconds since the beginning.
    pub const fn as_ms(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; nothing where it is not after it.
    pub const fn since(self, earlier: Running) -> Span {
        Span::from_ms(self.0.saturating_sub(earlier.0))
    }

    /// For ports that measure spans between times which they are given, and show none.
    pub const fn as_time(self) -> Timestamp {
        Timestamp::from_ms(self.0)
    }
}

impl Add<Span> for Running {
    type Output = Running;
    fn add(self, span: Span) -> Running {
        Running(self.0.saturating_add(span.as_ms()))
    }
}
