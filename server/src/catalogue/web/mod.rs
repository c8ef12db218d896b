//! A catalogue at an http(s) address: `GET <address>/<sku>`. What it said is kept for a moment; many who ask for one sku at once ask it
//! once; and one that does not answer is left alone for a while, with what it said last standing in.

mod breaker;
mod question;

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use quick_cache::sync::Cache;
use tokio::sync::{Mutex as Turn, Semaphore};
use tokio::task::JoinSet;
use trolley_core::money::Currency;
use trolley_core::time::{Span, Timestamp};

use crate::service::catalogue::listing::{Listing, Word};
use crate::service::catalogue::product::Stocked;
use crate::service::catalogue::{Catalogue, Promise, Skus};

use self::breaker::Breaker;
use self::question::{Answer, Question};

pub use self::question::NoAddress;

/// How long what was said holds.
const FRESH_FOR: Span = Span::from_ms(10_000);
/// How long a sku is not asked for again after its answer failed.
const RETRY_AFTER: Span = Span::from_ms(1_000);
/// Skus whose last word is remembered.
const HEARD_MAX: usize = 100_000;
/// Questions under way at once.
const QUESTIONS_MAX: usize = 32;
/// Who asks for a sku waits for its place in line; skus share so many of them.
const PLACES: usize = 256;

/// How long the catalogue is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For one sku.
    pub one: Duration,
    /// For all skus of a cart.
    pub all: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { one: Duration::from_secs(1), all: Duration::from_secs(2) }
    }
}

/// The catalogue.
pub struct Web(Arc<Asking>);

struct Asking {
    question: Question,
    patience: Patience,
    heard: Cache<Box<str>, Arc<Heard>>,
    places: Vec<Turn<()>>,
    hasher: RandomState,
    questions: Semaphore,
    breaker: Mutex<Breaker>,
    currency: OnceLock<Currency>,
}

/// What was said of a sku, and when.
struct Heard {
    at: Timestamp,
    word: Word,
}

impl Heard {
    fn holds(&self, now: Timestamp) -> bool {
        let holds_for = if matches!(self.word, Word::Unheard(_)) { RETRY_AFTER } else { FRESH_FOR };
        now.since(self.at) < holds_for
    }

    /// What was last known of the product.
    fn last(&self) -> Option<Arc<Stocked>> {
        match &self.word {
            Word::Known(stocked) => Some(stocked.clone()),
            Word::Unheard(last) => last.clone(),
            Word::Unknown => None,
        }
    }
}

impl Web {
    /// At that address, which is not asked for anything yet.
    pub fn new(address: &str, patience: Patience) -> Result<Web, NoAddress> {
        Ok(Web(Arc::new(Asking {
            question: Question::new(address)?,
            patience,
            heard: Cache::new(HEARD_MAX),
            places: (0..PLACES).map(|_| Turn::new(())).collect(),
            hasher: RandomState::new(),
            questions: Semaphore::new(QUESTIONS_MAX),
            breaker: Mutex::new(Breaker::default()),
            currency: OnceLock::new(),
        })))
    }
}

impl Asking {
    /// What holds of a sku without asking.
    fn at_hand(&self, sku: &str, now: Timestamp) -> Option<Word> {
        let heard = self.heard.get(sku)?;
        heard.holds(now).then(|| heard.word.clone())
    }

    /// What is known of a sku while the catalogue does not answer.
    fn last_known(&self, sku: &str) -> Word {
        Word::Unheard(self.heard.get(sku).and_then(|heard| heard.last()))
    }

    /// Asks for a sku. Who comes while another asks for it waits, and is told what that one heard.
    async fn ask(self: Arc<Self>, sku: Box<str>, now: Timestamp) -> (Box<str>, Word) {
        let place = self.hasher.hash_one(&sku) as usize % PLACES;
        let _turn = self.places[place].lock().await;
        if let Some(word) = self.at_hand(&sku, now) {
            return (sku, word);
        }
        if !self.breaker.lock().lets_through(now) {
            let word = self.last_known(&sku);
            return (sku, word);
        }
        let word = self.hear(&sku, now).await;
        self.heard.insert(sku.clone(), Arc::new(Heard { at: now, word: word.clone() }));
        (sku, word)
    }

    async fn hear(&self, sku: &str, now: Timestamp) -> Word {
        let _question = self.questions.acquire().await;
        let asked =
            tokio::time::timeout(self.patience.one, self.question.ask(sku, self.currency.get().copied()));
        let answer = asked.await.unwrap_or_else(|_| Answer::Failed("it does not answer in time".to_owned()));
        let answer = match answer {
            Answer::Product(product)
                if product.price.currency != self.currency_of(product.price.currency) =>
            {
                Answer::Malformed("its price is in another currency than those before".to_owned())
            }
            answer => answer,
        };
        match answer {
            Answer::Product(product) => {
                self.breaker.lock().well();
                Word::Known(Arc::new(Stocked::from(product)))
            }
            Answer::Unknown => {
                self.breaker.lock().well();
                Word::Unknown
            }
            // The catalogue is there, and only this product is not as it should be.
            Answer::Malformed(why) => {
                self.breaker.lock().well();
                tracing::warn!(sku, %why, "the catalogue's answer is not a product");
                self.last_known(sku)
            }
            Answer::Failed(why) => {
                self.breaker.lock().failed(now, &why);
                self.last_known(sku)
            }
        }
    }

    /// The first price says what all are in.
    fn currency_of(&self, first: Currency) -> Currency {
        *self.currency.get_or_init(|| first)
    }

    /// What is known of each sku, asked for where it has to be, in so much time and no more.
    async fn all(self: Arc<Self>, skus: Vec<Box<str>>, now: Timestamp) -> Listing {
        let mut words = HashMap::with_capacity(skus.len());
        let mut asked = JoinSet::new();
        for sku in skus {
            match self.at_hand(&sku, now) {
                Some(word) => drop(words.insert(sku, word)),
                None => {
                    words.insert(sku.clone(), self.last_known(&sku));
                    asked.spawn(Arc::clone(&self).ask(sku, now));
                }
            }
        }
        let answered = async {
            while let Some(answer) = asked.join_next().await {
                // One that panicked is one that did not answer.
                if let Ok((sku, word)) = answer {
                    words.insert(sku, word);
                }
            }
        };
        if tokio::time::timeout(self.patience.all, answered).await.is_err() {
            asked.detach_all();
        }
        Listing::Asked(Arc::new(words), self.currency.get().copied())
    }
}

impl Catalogue for Web {
    fn listing<'a>(&'a self, skus: Skus<'a>, now: Timestamp) -> Promise<'a, Listing> {
        let mut skus: Vec<Box<str>> = skus.map(Box::from).collect();
        skus.sort_unstable();
        skus.dedup();
        Box::pin(Arc::clone(&self.0).all(skus, now))
    }
}
