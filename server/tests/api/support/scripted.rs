//! A catalogue that says what a test tells it to say, also what only a broken one would.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use trolley::service::catalogue::listing::{Answers, Listing, Lookup};
use trolley::service::catalogue::product::{Product, Stocked};
use trolley::service::catalogue::{BoxFuture, Catalogue, Skus};
use trolley_core::money::{Currency, Money};
use trolley_core::time::Timestamp;

/// The catalogue; of what it was told nothing it says so. Clones are the same one.
#[derive(Clone, Default)]
pub struct Scripted(Arc<Mutex<Answers>>);

/// A product of that price in euros' cents.
pub fn product(sku: &str, price: u64, stock: Option<u64>) -> Arc<Stocked> {
    let price = Money { amount: price, currency: Currency::parse("EUR").unwrap() };
    Arc::new(Product { title: format!("The {sku}").into(), price, stock, image: None }.into())
}

impl Scripted {
    pub fn says(&self, sku: &str, word: Lookup) {
        let mut answers = self.0.lock();
        answers.currency = Currency::parse("EUR");
        answers.words.insert(sku.into(), word);
    }

    pub fn sells(&self, sku: &str, price: u64) {
        self.says(sku, Lookup::Known(product(sku, price, None)));
    }

    pub fn is_down(&self, is_down: bool) {
        self.0.lock().is_down = is_down;
    }
}

impl Catalogue for Scripted {
    fn listing<'a>(&'a self, skus: Skus<'a>, _: Timestamp) -> BoxFuture<'a, Listing> {
        let all = self.0.lock();
        let word = |sku: &str| all.words.get(sku).cloned().unwrap_or(Lookup::Untold(None));
        let words: HashMap<Box<str>, Lookup> =
            skus.map(|wanted| (wanted.sku.into(), word(wanted.sku))).collect();
        let answers = Answers { words, currency: all.currency, is_down: all.is_down };
        Box::pin(std::future::ready(Listing::Asked(Arc::new(answers))))
    }
}
