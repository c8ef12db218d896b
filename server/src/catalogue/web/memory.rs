//! What the catalogue said of skus, and when. Products are remembered apart from everything else, so that no number of odd skus
//! pushes one out.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use quick_cache::sync::Cache;
use trolley_core::money::Currency;
use trolley_core::time::{Span, Timestamp};

use crate::service::catalogue::listing::Lookup;
use crate::service::catalogue::product::{Product, Stocked};

/// How long what was said holds, where it may be sold by for so long.
const FRESH_FOR: Span = Span::from_ms(10_000);
/// How long a sku is not asked for again after it got no good answer; each time in a row twice as long.
const RETRY_AFTER: Span = Span::from_ms(1_000);
/// And never longer.
const RETRY_DOUBLINGS: u32 = 5;
/// Products that are remembered.
const PRODUCTS_MAX: usize = 100_000;
/// Other skus of which it is remembered that they are none, or got no good answer.
const OTHERS_MAX: usize = 20_000;

pub(crate) struct Memory {
    products: Cache<Box<str>, Arc<Told>>,
    others: Cache<Box<str>, Arc<Other>>,
    currencies: Mutex<Currencies>,
    /// How long the last known price sells.
    sells_for: Span,
}

/// A product as it was told.
struct Told {
    stocked: Arc<Stocked>,
    at: Timestamp,
    failed: Failed,
}

/// A sku that is no product, as far as is known.
struct Other {
    /// It was said that there is no such product, then.
    unknown_at: Option<Timestamp>,
    failed: Failed,
}

/// How often in a row there was no good answer, and when that was last.
#[derive(Clone, Copy, Debug, Default)]
struct Failed {
    times: u32,
    at: Timestamp,
}

impl Failed {
    fn once_more(self, at: Timestamp) -> Failed {
        Failed { times: self.times.saturating_add(1), at }
    }

    fn rests(self, now: Timestamp) -> bool {
        let doublings = self.times.saturating_sub(1).min(RETRY_DOUBLINGS);
        self.times > 0 && now.since(self.at) < Span::from_ms(RETRY_AFTER.as_ms() << doublings)
    }
}

/// How many products are in which currency: that of most is the catalogue's. So one odd product, were it the first to be asked
/// for, condemns no other. A product that was forgotten and is told again counts twice: of so many it changes nothing.
#[derive(Default)]
struct Currencies {
    products: HashMap<Currency, u64>,
    leading: Option<Currency>,
}

impl Currencies {
    fn count(&mut self, before: Option<Currency>, now: Option<Currency>) {
        if before == now {
            return;
        }
        if let Some(now) = now {
            *self.products.entry(now).or_default() += 1;
        }
        if let Some(before) = before
            && let Some(left) = self.products.get_mut(&before)
        {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.products.remove(&before);
            }
        }
        // Of several with as many the one stays that led before.
        let of = |currency: &Currency| self.products.get(currency).copied().unwrap_or_default();
        let most = self.products.keys().copied().max_by_key(of);
        if most.is_some_and(|most| self.leading.is_none_or(|leading| of(&most) > of(&leading))) {
            self.leading = most;
        }
    }
}

impl Memory {
    /// Nothing was said yet; the last known price of a product will sell for so long.
    pub(crate) fn new(sells_for: Span) -> Memory {
        Memory {
            products: Cache::new(PRODUCTS_MAX),
            others: Cache::new(OTHERS_MAX),
            currencies: Mutex::default(),
            sells_for,
        }
    }

    /// What holds of a sku without asking.
    pub(crate) fn at_hand(&self, sku: &str, now: Timestamp) -> Option<Lookup> {
        if let Some(told) = self.products.get(sku) {
            let is_fresh = told.failed.times == 0 && now.since(told.at) < FRESH_FOR.min(self.sells_for);
            if is_fresh {
                return Some(Lookup::Known(told.stocked.clone()));
            }
            return told.failed.rests(now).then(|| self.stand_in(sku, now));
        }
        let other = self.others.get(sku)?;
        match other.unknown_at {
            Some(at) if now.since(at) < FRESH_FOR => Some(Lookup::Unknown),
            Some(_) => None,
            None => other.failed.rests(now).then_some(Lookup::Untold(None)),
        }
    }

    /// What stands in for an answer: what was said last, if that is not too long ago to sell by.
    pub(crate) fn stand_in(&self, sku: &str, now: Timestamp) -> Lookup {
        match self.products.get(sku) {
            Some(told) if now.since(told.at) < self.sells_for => Lookup::Last(told.stocked.clone()),
            told => Lookup::Untold(told.map(|told| told.stocked.clone())),
        }
    }

    /// Whether it was a product when it was last answered for.
    pub(crate) fn is_product(&self, sku: &str) -> bool {
        self.products.get(sku).is_some()
    }

    /// Whether it was said that there is no such product.
    pub(crate) fn is_unknown(&self, sku: &str) -> bool {
        self.others.get(sku).is_some_and(|other| other.unknown_at.is_some())
    }

    /// What all prices are in, once one is known.
    pub(crate) fn currency(&self) -> Option<Currency> {
        self.currencies.lock().leading
    }

    /// It is this product.
    pub(crate) fn told(&self, sku: &str, product: Product, at: Timestamp) -> Lookup {
        let before = self.products.get(sku).map(|told| told.stocked.product.price.currency);
        self.currencies.lock().count(before, Some(product.price.currency));
        let stocked = Arc::new(Stocked::from(product));
        let told = Told { stocked: stocked.clone(), at, failed: Failed::default() };
        self.products.insert(sku.into(), Arc::new(told));
        self.others.remove(sku);
        Lookup::Known(stocked)
    }

    /// There is no such product.
    pub(crate) fn unknown(&self, sku: &str, at: Timestamp) -> Lookup {
        if let Some((_, told)) = self.products.remove(sku) {
            self.currencies.lock().count(Some(told.stocked.product.price.currency), None);
        }
        let other = Other { unknown_at: Some(at), failed: Failed::default() };
        self.others.insert(sku.into(), Arc::new(other));
        Lookup::Unknown
    }

    /// It got no good answer: that is its own matter, and it is left alone for a while.
    pub(crate) fn failed(&self, sku: &str, at: Timestamp) -> Lookup {
        if let Some(told) = self.products.get(sku) {
            let Told { stocked, at: told_at, failed } = &*told;
            let told = Told { stocked: stocked.clone(), at: *told_at, failed: failed.once_more(at) };
            self.products.insert(sku.into(), Arc::new(told));
        } else {
            let failed = self.others.get(sku).map(|other| other.failed).unwrap_or_default().once_more(at);
            self.others.insert(sku.into(), Arc::new(Other { unknown_at: None, failed }));
        }
        self.stand_in(sku, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trolley_core::money::Money;

    fn product(currency: &str) -> Product {
        let price = Money { amount: 1, currency: Currency::parse(currency).unwrap() };
        Product { title: "A".into(), price, stock: None, image: None }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_ms(1_000 * seconds)
    }

    #[test]
    fn no_number_of_skus_that_are_no_product_pushes_a_product_out() {
        let memory = Memory::new(Span::from_s(900));
        memory.told("mug", product("EUR"), at(0));
        for n in 0..200_000 {
            let sku = n.to_string();
            if n % 2 == 0 {
                memory.unknown(&sku, at(0))
            } else {
                memory.failed(&sku, at(0))
            };
        }
        assert!(matches!(memory.at_hand("mug", at(9)), Some(Lookup::Known(_))));
        assert!(memory.others.len() <= OTHERS_MAX, "{}", memory.others.len());
    }

    #[test]
    fn the_last_known_price_sells_for_so_long_and_not_longer() {
        let memory = Memory::new(Span::from_s(900));
        memory.told("mug", product("EUR"), at(0));
        for second in [10, 300, 899] {
            assert!(matches!(memory.failed("mug", at(second)), Lookup::Last(_)), "{second}");
        }
        assert!(matches!(memory.stand_in("mug", at(900)), Lookup::Untold(Some(_))));
        assert!(matches!(memory.failed("mug", at(901)), Lookup::Untold(Some(_))), "to ask is not to be told");
        memory.told("mug", product("EUR"), at(902));
        assert!(matches!(memory.at_hand("mug", at(903)), Some(Lookup::Known(_))));
    }

    #[test]
    fn nothing_is_fresh_for_longer_than_it_sells() {
        let memory = Memory::new(Span::from_s(2));
        memory.told("mug", product("EUR"), at(0));
        assert!(matches!(memory.at_hand("mug", at(1)), Some(Lookup::Known(_))));
        assert!(memory.at_hand("mug", at(2)).is_none(), "it is asked for again");
        assert!(matches!(memory.failed("mug", at(2)), Lookup::Untold(Some(_))));
    }

    #[test]
    fn a_sku_that_gets_no_good_answer_is_asked_for_less_and_less_and_still_twice_a_minute() {
        let memory = Memory::new(Span::from_s(900));
        let mut asked = Vec::new();
        for second in 0..200 {
            if memory.at_hand("odd", at(second)).is_none() {
                asked.push(second);
                memory.failed("odd", at(second));
            }
        }
        assert_eq!(asked, [0, 1, 3, 7, 15, 31, 63, 95, 127, 159, 191]);
    }

    #[test]
    fn one_odd_product_does_not_say_what_all_prices_are_in() {
        let memory = Memory::new(Span::from_s(900));
        let leads = |sku: &str, currency: &str| {
            memory.told(sku, product(currency), at(0));
            memory.currency().unwrap().as_str().to_owned()
        };
        assert_eq!((leads("odd", "USD"), leads("mug", "EUR")), ("USD".into(), "USD".into()));
        assert_eq!((leads("odd", "USD"), leads("lamp", "EUR")), ("USD".into(), "EUR".into()));
        assert_eq!((leads("other", "USD"), leads("pen", "EUR")), ("EUR".into(), "EUR".into()));
        for sku in ["mug", "lamp", "pen"] {
            memory.unknown(sku, at(1));
        }
        assert_eq!(memory.currency().unwrap().as_str(), "USD");
    }
}
