//! The one sentence, by the plainest means: every op is kept for ever, nothing is folded, nothing forgotten.
//!
//! > The quantity of a line is the value of its newest SET / REMOVE / CLEAR (0 where there is none) plus the sum of all ADDs
//! > that no SET, REMOVE or CLEAR had observed.

/// Who wrote, as 16 bytes: a device's client or a plain call's session.
pub(crate) type Author = [u8; 16];

/// An ADD, or a SET (REMOVE and CLEAR are SETs to 0), of one line.
#[derive(Clone, Debug)]
struct Past {
    line: usize,
    /// The op's place in the order of arrival.
    revision: u64,
    author: Author,
    /// A device has seen its own; two tabs that share a session have not.
    is_device: bool,
    seq: u64,
    base: u64,
    /// When the shopper acted.
    acted: u64,
    set: Option<u64>,
    add: u64,
}

/// What a shopper did, as it arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) revision: u64,
    pub(crate) author: Author,
    pub(crate) is_device: bool,
    pub(crate) seq: u64,
    pub(crate) base: u64,
    pub(crate) acted: u64,
    /// It was meant for a cart that has been checked out since.
    pub(crate) late: bool,
}

/// Everything that ever arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Oracle {
    past: Vec<Past>,
}

impl Oracle {
    pub(crate) fn add(&mut self, line: usize, n: u64, at: Arrival) {
        self.push(line, None, n, at);
    }

    pub(crate) fn set(&mut self, line: usize, n: u64, at: Arrival) {
        // A SET of what was paid since would buy it again.
        if !at.late {
            self.push(line, Some(n), 0, at);
        }
    }

    fn push(&mut self, line: usize, set: Option<u64>, add: u64, at: Arrival) {
        let Arrival { revision, author, is_device, seq, base, acted, late: _ } = at;
        self.past.push(Past { line, revision, author, is_device, seq, base, acted, set, add });
    }

    pub(crate) fn quantity(&self, line: usize) -> u64 {
        let newest = self.sets(line).max_by_key(|set| (set.acted, set.base, set.author, set.seq));
        let unobserved = self.adds(line).filter(|add| !self.sets(line).any(|set| observed(set, add)));
        newest.and_then(|set| set.set).unwrap_or(0) + unobserved.map(|add| add.add).sum::<u64>()
    }

    /// Whether a plain CLEAR of somebody who had seen `base` means this line: something of it was there to see.
    pub(crate) fn shows(&self, line: usize, base: u64) -> bool {
        let newest = self.sets(line).max_by_key(|set| (set.acted, set.base, set.author, set.seq));
        newest.is_some_and(|set| set.set > Some(0) && set.revision <= base)
            || self
                .adds(line)
                .any(|add| add.revision <= base && !self.sets(line).any(|set| observed(set, add)))
    }

    fn sets(&self, line: usize) -> impl Iterator<Item = &Past> {
        self.past.iter().filter(move |past| past.line == line && past.set.is_some())
    }

    fn adds(&self, line: usize) -> impl Iterator<Item = &Past> {
        self.past.iter().filter(move |past| past.line == line && past.set.is_none())
    }
}

/// Whoever wrote `set` had seen `add`.
fn observed(set: &Past, add: &Past) -> bool {
    set.revision > add.revision && (add.revision <= set.base || (set.is_device && set.author == add.author))
}
