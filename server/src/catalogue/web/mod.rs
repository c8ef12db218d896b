//! A catalogue at an http(s) address: `GET <address>/<sku>`. What it said is kept for a moment; many who ask for one sku at once ask it
//! once; and one that does not answer is left alone for a while, with what it said last standing in.
//!
//! One sku's answer is that sku's own matter, and what one visitor asks for keeps no other waiting: strangers choose both.

mod breaker;
mod memory;
mod pace;
mod question;
mod queue;
#[cfg(test)]
mod simulated;
mod stopwatch;
mod tally;
mod turns;

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use trolley_core::time::{Span, Timestamp};

use crate::catalogue::web::breaker::{Against, Breaker};
use crate::catalogue::web::memory::Memory;
use crate::catalogue::web::pace::Came;
pub use crate::catalogue::web::question::AddressError;
use crate::catalogue::web::question::{Question, QuestionOutcome};
use crate::catalogue::web::queue::{Listener, Queue, Rank, UnderWay};
use crate::service::catalogue::asker::Asker;
use crate::service::catalogue::listing::{Answers, Listing, Lookup};
use crate::service::catalogue::{BoxFuture, Catalogue, Skus};
use crate::service::limits::limiter::Quota;

/// Products that are asked for to see whether the catalogue is there again.
const WITNESSES: usize = 16;

/// How long the catalogue is waited for, and how long its last word does.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long one answer is waited for.
    pub one: Duration,
    /// How long all answers for a cart are, and one about what is known to be a product.
    pub all: Duration,
    /// How long the last known price of a sku sells where no new one is to be had.
    pub sells_for: Span,
    /// How many questions that come to nothing an address may have; none where that is not limited.
    pub fruitless: Option<Quota>,
}

/// Six hundred at once, and then one a second: a device's whole queue of things that are sold no more.
pub const FRUITLESS: Quota = Quota { name: "unknown-skus", most: 600, within: Span::from_s(600) };

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            one: Duration::from_secs(1),
            all: Duration::from_secs(2),
            sells_for: Span::from_s(900),
            fruitless: None,
        }
    }
}

/// The catalogue.
pub struct Web(Arc<Asking>);

struct Asking {
    question: Question,
    patience: Patience,
    memory: Memory,
    queue: Arc<Queue>,
    breaker: Mutex<Breaker>,
    /// Skus that were answered well, of which one is asked for where the catalogue is to show that it is there: the shop's own
    /// products, and no visitor's choice.
    witnesses: Mutex<Vec<Box<str>>>,
    hasher: RandomState,
    /// When it was last told of an odd answer: once a second is enough for a log that strangers write.
    told_at: Mutex<Option<Timestamp>>,
}

type Words = HashMap<Box<str>, Lookup>;

/// A sku that has to be known.
struct Wanted {
    sku: Box<str>,
    stands: bool,
    asker: Asker,
}

impl Web {
    /// At that address, which is not asked for anything yet.
    pub fn new(address: &str, patience: Patience) -> Result<Web, AddressError> {
        Ok(Web(Arc::new(Asking {
            question: Question::new(address, patience.one / 2)?,
            patience,
            memory: Memory::new(patience.sells_for),
            queue: Arc::new(Queue::new(patience.one, patience.fruitless)),
            breaker: Mutex::default(),
            witnesses: Mutex::default(),
            hasher: RandomState::new(),
            told_at: Mutex::default(),
        })))
    }
}

impl Asking {
    /// What is known of each sku, asked for where it has to be, in so much time and no more.
    async fn all(self: Arc<Self>, wanted: Vec<Wanted>, now: Timestamp) -> Listing {
        self.try_again(&wanted, now).await;
        let (mut words, mut listeners) = self.join(wanted, now, stopwatch::now());
        self.start();
        let heard = async {
            for listener in &mut listeners {
                listener.heard().await;
            }
        };
        let _ = tokio::time::timeout(self.patience.all, heard).await;
        for listener in listeners {
            words.extend(listener.told().map(|word| (Box::from(&*listener.sku), word)));
        }
        let (currency, is_down) = (self.memory.currency(), self.breaker.lock().is_down());
        Listing::Asked(Arc::new(Answers { words, currency, is_down }))
    }

    /// What is known of each, and the line for those that have to be asked for.
    fn join(&self, wanted: Vec<Wanted>, now: Timestamp, at: Instant) -> (Words, Vec<Listener>) {
        let asks = !self.breaker.lock().is_open();
        let mut words = HashMap::with_capacity(wanted.len());
        let mut listeners = Vec::new();
        for Wanted { sku, stands, asker } in wanted {
            let word = self.memory.at_hand(&sku, now).unwrap_or_else(|| {
                let rank = match stands {
                    _ if self.memory.is_product(&sku) => Rank::Product,
                    true if !self.memory.is_unknown(&sku) => Rank::Stands,
                    _ => Rank::Named,
                };
                listeners.extend(asks.then(|| self.queue.join(&sku, rank, asker, now, at)).flatten());
                self.memory.stand_in(&sku, now)
            });
            words.insert(sku, word);
        }
        (words, listeners)
    }

    /// Asks as many questions as there are places for. One that was begun is brought to its end, whoever still waits for it, and then
    /// others have its place.
    fn start(self: &Arc<Self>) {
        while let Some(question) = self.queue.next(stopwatch::now()) {
            let asking = Arc::clone(self);
            tokio::spawn(async move {
                let answer = asking.answer(&question.sku, question.is_strange()).await;
                let is_given_up = question.is_strange() && matches!(answer, QuestionOutcome::Silent(_));
                asking.hear(question, answer, stopwatch::now());
                asking.start();
                if is_given_up {
                    // Only then its place is free.
                    tokio::time::sleep(asking.patience.one).await;
                    asking.start();
                }
            });
        }
    }

    /// Tells those who wait what came of a question.
    fn hear(&self, question: UnderWay, answer: QuestionOutcome, at: Instant) {
        let came = match &answer {
            QuestionOutcome::Product(_) => Came::Product,
            QuestionOutcome::Unknown | QuestionOutcome::Odd(_) => Came::Answer,
            QuestionOutcome::Silent(_) => Came::Silence,
            QuestionOutcome::Unreachable(_) => Came::Nowhere,
        };
        let is_clean = question.came(came, at);
        let word = self.judge(&question.sku, question.now, answer, is_clean);
        question.tell(word);
        drop(question);
        if self.breaker.lock().is_open() {
            self.queue.send_away();
        }
    }

    /// Where the catalogue did not answer for a while, sees whether it does: by one of its own products; where none was ever heard of,
    /// by what stands in a cart, or by what is wanted at all.
    async fn try_again(self: &Arc<Self>, wanted: &[Wanted], now: Timestamp) {
        if !self.breaker.lock().is_due(now) {
            return;
        }
        let witness = self.witnesses.lock().first().cloned();
        let of_carts = || wanted.iter().find(|wanted| wanted.stands).or(wanted.first());
        let Some(sku) = witness.or_else(|| of_carts().map(|wanted| wanted.sku.clone())) else { return };
        if self.breaker.lock().lets_try(now) {
            // It is brought to its end where the visitor who happened to come by goes away.
            let asking = Arc::clone(self);
            let trial = async move {
                let answer = asking.answer(&sku, !asking.memory.is_product(&sku)).await;
                asking.judge(&sku, now, answer, true)
            };
            let _ = tokio::spawn(trial).await;
        }
    }

    /// Asks for a sku. A product is worth waiting for longer than what anybody may have made up.
    async fn answer(&self, sku: &str, is_strange: bool) -> QuestionOutcome {
        let patience = if is_strange { self.patience.one } else { self.patience.all };
        let asked = tokio::time::timeout(patience, self.question.ask(sku));
        asked.await.unwrap_or_else(|_| QuestionOutcome::Silent("it does not answer in time".to_owned()))
    }

    /// Remembers what an answer says of its sku and of the catalogue. Silence about a product speaks against the catalogue only where no
    /// question that a visitor made up can have kept it busy.
    fn judge(&self, sku: &str, now: Timestamp, answer: QuestionOutcome, is_clean: bool) -> Lookup {
        let was_product = self.memory.is_product(sku);
        let is_well = matches!(answer, QuestionOutcome::Product(_));
        self.note_witness(sku, is_well);
        match answer {
            QuestionOutcome::Product(product) => {
                self.breaker.lock().answered(true);
                self.memory.told(sku, product, now)
            }
            QuestionOutcome::Unknown => {
                self.breaker.lock().answered(was_product);
                self.memory.unknown(sku, now)
            }
            QuestionOutcome::Odd(why) => {
                self.breaker.lock().answered(was_product);
                self.tell(sku, &why, now);
                self.memory.failed(sku, now)
            }
            QuestionOutcome::Silent(why) => {
                if was_product && is_clean {
                    let against = Against::Silent(self.hasher.hash_one(sku));
                    self.breaker.lock().failed(now, against, &why);
                }
                self.tell(sku, &why, now);
                self.memory.failed(sku, now)
            }
            QuestionOutcome::Unreachable(why) => {
                self.breaker.lock().failed(now, Against::Unreachable, &why);
                self.memory.stand_in(sku, now)
            }
        }
    }

    /// A witness that is answered well stays one; one that is not goes behind the others, for them to be asked first.
    fn note_witness(&self, sku: &str, is_well: bool) {
        let mut witnesses = self.witnesses.lock();
        let place = witnesses.iter().position(|witness| **witness == *sku);
        match place {
            Some(place) if !is_well => {
                let witness = witnesses.remove(place);
                witnesses.push(witness);
            }
            None if is_well && witnesses.len() < WITNESSES => witnesses.push(sku.into()),
            Some(_) | None => {}
        }
    }

    fn tell(&self, sku: &str, why: &str, now: Timestamp) {
        let mut told_at = self.told_at.lock();
        if told_at.is_none_or(|at| now.since(at) >= Span::from_s(1)) {
            *told_at = Some(now);
            tracing::warn!(sku, why, "the catalogue does not say what this is and costs");
        }
    }
}

impl Catalogue for Web {
    fn listing<'a>(&'a self, skus: Skus<'a>, now: Timestamp) -> BoxFuture<'a, Listing> {
        let wanted =
            skus.map(|wanted| Wanted { sku: wanted.sku.into(), stands: wanted.stands, asker: wanted.asker });
        let mut wanted: Vec<Wanted> = wanted.collect();
        // Of one that stands in the cart and is named too, the former counts.
        wanted.sort_by(|a, b| a.sku.cmp(&b.sku).then(b.stands.cmp(&a.stands)));
        wanted.dedup_by(|a, b| a.sku == b.sku);
        Box::pin(Arc::clone(&self.0).all(wanted, now))
    }
}
