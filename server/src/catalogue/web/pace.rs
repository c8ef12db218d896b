//! How many questions may be under way at once, by how quickly the catalogue answers: additive increase, multiplicative decrease, as
//! TCP does it. What is too much for the catalogue waits here, where it is known whose it is, and not in a line of its own.
//!
//! Strange questions are those about skus that are not known to be products: a visitor makes up as many as he likes. They have places of
//! their own, few of them, and lose them first.

use std::time::{Duration, Instant};

use crate::service::catalogue::asker::Asker;

/// Questions under way at once.
pub(crate) const PLACES_MAX: usize = 32;
/// Those of them that are strange.
pub(crate) const STRANGE_MAX: usize = 8;
/// Where both begin.
pub(crate) const PLACES_START: usize = 8;
pub(crate) const STRANGE_START: usize = 4;
/// A product whose own server needs long is not to take the places of all others.
const PLACES_MIN: usize = 2;
/// One for an address that does its worst, and one for all others.
const STRANGE_MIN: usize = 2;
/// How long nothing strange is asked after a product got no answer beside strange questions: what is silent then is so by itself.
const STRANGE_REST: Duration = Duration::from_secs(5);
/// How long the catalogue may still be busy with a question that was given up.
const LINGERS: Duration = Duration::from_secs(2);

/// What came of a question, as far as its pace goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// A product.
    Product,
    /// Another answer.
    Answer,
    /// None in time.
    Silence,
    /// It never got there.
    Nowhere,
}

/// A question as it began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun {
    pub(crate) is_strange: bool,
    at: Instant,
    /// Nothing else was under way.
    is_alone: bool,
    /// Nothing strange was.
    is_clean: bool,
    all: u64,
    strange: u64,
}

pub(crate) struct Pace {
    /// How long a strange question is waited for.
    patience: Duration,
    all: Places,
    strange: Places,
    /// How long the catalogue takes for a product when nothing else is asked.
    alone: Option<Duration>,
    /// Nothing strange is asked until then.
    rests_until: Option<Instant>,
    /// Until then it may be busy with strange questions that were given up.
    busy_until: Option<Instant>,
    under_way: usize,
    strange_under_way: usize,
    /// Strange questions that were given up keep their places until then: the catalogue does not know, and works on at them.
    given_up: Vec<(Instant, Asker)>,
    begun: u64,
    strange_begun: u64,
}

struct Places {
    now: f64,
    least: f64,
    most: f64,
    /// It grows by one for each quick answer until the first slow one.
    starts_quickly: bool,
    shrunk: Option<Instant>,
}

impl Places {
    fn new(start: usize, least: usize, most: usize, starts_quickly: bool) -> Places {
        let float = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        Places { now: float(start), least: float(least), most: float(most), starts_quickly, shrunk: None }
    }

    fn grow(&mut self) {
        let by = if self.starts_quickly && self.shrunk.is_none() { 1.0 } else { 1.0 / self.now };
        self.now = (self.now + by).min(self.most);
    }

    /// Once for all that were under way together: those that began before the last time say nothing new.
    fn shrink(&mut self, began: Instant, at: Instant) {
        if self.shrunk.is_none_or(|shrunk| began >= shrunk) {
            self.now = (self.now / 2.0).max(self.least);
            self.shrunk = Some(at);
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 32")]
    fn whole(&self) -> usize {
        self.now as usize
    }
}

impl Pace {
    pub(crate) fn new(patience: Duration) -> Pace {
        Pace {
            patience,
            all: Places::new(PLACES_START, PLACES_MIN, PLACES_MAX, true),
            strange: Places::new(STRANGE_START, STRANGE_MIN, STRANGE_MAX, false),
            alone: None,
            rests_until: None,
            busy_until: None,
            under_way: 0,
            strange_under_way: 0,
            given_up: Vec::new(),
            begun: 0,
            strange_begun: 0,
        }
    }

    /// Whether there is a place for any question.
    pub(crate) fn has_place(&self) -> bool {
        self.under_way < self.all.whole()
    }

    /// Whether there is one for a strange question.
    pub(crate) fn has_strange_place(&self, at: Instant) -> bool {
        let given_up = self.given_up.iter().filter(|(until, _)| at < *until).count();
        self.has_place() && !self.rests(at) && self.strange_under_way + given_up < self.strange.whole()
    }

    /// Whether nothing strange is asked for a while.
    pub(crate) fn rests(&self, at: Instant) -> bool {
        self.rests_until.is_some_and(|until| at < until)
    }

    /// Of so many turns one is for strange questions even where products wait.
    pub(crate) fn strange_turn(&self) -> usize {
        if self.strange.whole() > STRANGE_MIN { 4 } else { 16 }
    }

    /// How many places one address may have: the others find one whatever it asks for.
    pub(crate) fn of_one(&self) -> usize {
        (self.all.whole() * 3 / 4).max(1)
    }

    /// Whether somebody may have one more strange question under way, who has so many.
    pub(crate) fn has_strange_share(&self, of: &Asker, under_way: usize, at: Instant) -> bool {
        let given_up = self.given_up.iter().filter(|(until, whose)| at < *until && whose == of).count();
        under_way + given_up < (self.strange.whole() * 3 / 4).max(1)
    }

    pub(crate) fn begin(&mut self, is_strange: bool, at: Instant) -> Begun {
        let is_calm = self.busy_until.is_none_or(|until| at >= until);
        let is_alone = self.under_way == 0 && is_calm;
        let is_clean = self.strange_under_way == 0 && is_calm;
        self.under_way += 1;
        self.begun += 1;
        if is_strange {
            self.strange_under_way += 1;
            self.strange_begun += 1;
        }
        Begun { is_strange, at, is_alone, is_clean, all: self.begun, strange: self.strange_begun }
    }

    /// Its place is free again.
    pub(crate) fn end(&mut self, begun: Begun) {
        self.under_way = self.under_way.saturating_sub(1);
        if begun.is_strange {
            self.strange_under_way = self.strange_under_way.saturating_sub(1);
        }
    }

    /// Learns from what came of a question, before it ends. Whether no strange question can be why.
    pub(crate) fn came(&mut self, begun: Begun, of: Asker, came: Came, at: Instant) -> bool {
        let is_clean = begun.is_clean && begun.strange == self.strange_begun && !begun.is_strange;
        let took = at.saturating_duration_since(begun.at);
        if came == Came::Product && begun.is_alone && begun.all == self.begun {
            self.alone = Some(self.alone.map_or(took, |alone| (alone * 3 + took) / 4));
        }
        let quick = (self.patience / 4).max(self.alone.unwrap_or_default() * 2).min(self.patience);
        match came {
            Came::Nowhere => {}
            Came::Product | Came::Answer if took <= quick => {
                self.all.grow();
                if begun.is_strange {
                    self.strange.grow();
                }
            }
            Came::Product | Came::Answer | Came::Silence => {
                self.strange.shrink(begun.at, at);
                if !begun.is_strange {
                    self.all.shrink(begun.at, at);
                }
            }
        }
        if came == Came::Silence && begun.is_strange {
            self.strange.now = self.strange.least;
            self.busy_until = Some(at + LINGERS);
            self.given_up.retain(|(until, _)| at < *until);
            self.given_up.push((at + self.patience, of));
        }
        if came == Came::Silence && !begun.is_strange && !is_clean {
            self.rests_until = Some(at + STRANGE_REST);
        }
        is_clean
    }
}
