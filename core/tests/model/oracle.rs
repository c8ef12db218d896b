//! The one sentence, by the plainest means, for an account's cart and a guest's that comes into it: every op is kept for
//! ever, nothing is folded, nothing forgotten.

/// Which of the two carts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Name {
    Guest,
    #[default]
    Account,
}

/// Who wrote: a device's client, or a plain call's session.
pub(crate) type Author = [u8; 16];

/// An ADD, or a SET (REMOVE and CLEAR are SETs to 0), of one line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Past {
    /// The act it came from: no act is taken in twice.
    pub(crate) act: u8,
    pub(crate) line: usize,
    /// Whose revisions `revision` and `base` count: a late SET of a merged guest's device is of the guest's cart.
    pub(crate) of: Name,
    /// Its place in the order of arrival; of a forwarded SET that in the account's cart.
    pub(crate) revision: u64,
    pub(crate) author: Author,
    /// A device has seen its own; a plain call has not.
    pub(crate) is_device: bool,
    pub(crate) seq: u64,
    pub(crate) base: u64,
    /// When the shopper acted.
    pub(crate) acted: u64,
    pub(crate) set: Option<u64>,
    pub(crate) add: u64,
    /// It came after the sign-in that moved its client along.
    pub(crate) forwarded: bool,
}

impl Past {
    fn rank(&self) -> (u64, u64, Author, u64) {
        (self.acted, self.base, self.author, self.seq)
    }

    /// Whoever wrote this had seen `add`, which is of the same cart.
    fn observed(&self, add: &Past) -> bool {
        let is_own = self.is_device && self.author == add.author;
        let came_before = self.forwarded || self.revision > add.revision;
        came_before && (add.revision <= self.base || is_own)
    }
}

/// Everything that ever arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Oracle {
    past: Vec<Past>,
    /// The account's revision at which the guest's cart came in.
    merged_at: Option<u64>,
}

impl Oracle {
    pub(crate) fn merge(&mut self, revision: u64) {
        self.merged_at = Some(revision);
    }

    /// Takes one in. A forwarded SET brings nothing in where a register that the account wrote since the merge is newer.
    pub(crate) fn push(&mut self, mut past: Past) {
        if past.forwarded && past.set.is_some() {
            let since = |set: &&Past| Some(set.revision) > self.merged_at;
            let beaten =
                self.sets(Name::Account, past.line).filter(since).any(|set| set.rank() > past.rank());
            past.set = past.set.filter(|_| !beaten);
        }
        self.past.push(past);
    }

    /// How often the acts of an id were taken in, counted by line.
    #[allow(dead_code, reason = "the trial over HTTP counts what was taken in by itself")]
    pub(crate) fn times(&self, act: u8, line: usize) -> usize {
        self.past.iter().filter(|past| past.act == act && past.line == line).count()
    }

    pub(crate) fn quantity(&self, cart: Name, line: usize) -> u64 {
        match cart {
            Name::Guest => self.own(Name::Guest, line, |_| true),
            Name::Account => {
                let came_in = |past: &Past| self.merged_at.is_some() && !self.is_dropped_since(past);
                self.own(Name::Account, line, |add| !self.is_taken_back(add))
                    + self.own(Name::Guest, line, came_in)
            }
        }
    }

    /// Whether a line of one cart alone may hold so many units where clocks lie: one of its SETs stands, and no add is lost
    /// or doubled.
    #[allow(dead_code, reason = "the trial over HTTP has clocks that lie")]
    pub(crate) fn may_be(&self, of: Name, line: usize, quantity: u64) -> bool {
        let adds = self.of(of, line).filter(|past| past.add > 0);
        let unobserved = adds.filter(|add| !self.sets(of, line).any(|set| set.observed(add)));
        let added: u64 = unobserved.map(|add| add.add).sum();
        quantity == added || self.sets(of, line).any(|set| set.set.is_some_and(|set| set + added == quantity))
    }

    /// What a SET or REMOVE gave and the ADDs that none observed, of the one cart's own; `counts` says which still do.
    fn own(&self, of: Name, line: usize, counts: impl Fn(&Past) -> bool) -> u64 {
        let newest = self.sets(of, line).filter(|past| past.set.is_some()).max_by_key(|set| set.rank());
        let set = newest.filter(|set| counts(set)).and_then(|set| set.set).unwrap_or(0);
        let adds = self.of(of, line).filter(|past| past.add > 0);
        let unobserved = adds.filter(|add| !self.sets(of, line).any(|set| set.observed(add)));
        set + unobserved.filter(|add| counts(add)).map(|add| add.add).sum::<u64>()
    }

    /// The account removed or set the line having seen what came in from the guest's cart.
    fn is_dropped_since(&self, came_in: &Past) -> bool {
        let brought_at = if came_in.forwarded { came_in.revision } else { self.merged_at.unwrap_or(0) };
        let mut sets = self.sets(Name::Account, came_in.line);
        sets.any(|set| set.revision > brought_at && set.base >= brought_at)
    }

    /// A forwarded ADD is the account's; a forwarded SET of the same device has seen it all the same.
    fn is_taken_back(&self, add: &Past) -> bool {
        let mut late = self.sets(Name::Guest, add.line).filter(|set| set.forwarded);
        Some(add.revision) > self.merged_at
            && late.any(|set| set.author == add.author && set.revision > add.revision)
    }

    /// Whether a plain CLEAR of somebody who had seen the account's cart up to `base` means this line.
    pub(crate) fn shows(&self, line: usize, base: u64) -> bool {
        let sets = || self.sets(Name::Account, line);
        let newest = sets().max_by_key(|set| set.rank());
        let mut adds = self.of(Name::Account, line).filter(|past| past.add > 0);
        newest.is_some_and(|set| set.set > Some(0) && set.revision <= base)
            || adds.any(|add| add.revision <= base && !sets().any(|set| set.observed(add)))
    }

    /// SETs of a line, and the forwarded ones that brought nothing in: they had seen what they had seen.
    fn sets(&self, of: Name, line: usize) -> impl Iterator<Item = &Past> {
        self.of(of, line).filter(|past| past.add == 0)
    }

    fn of(&self, of: Name, line: usize) -> impl Iterator<Item = &Past> {
        self.past.iter().filter(move |past| past.of == of && past.line == line)
    }
}
