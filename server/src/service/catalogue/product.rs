//! A product as a catalogue names it, and a whole catalogue in memory.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use trolley_core::money::{Currency, Money};

/// The largest stock: what every reader of JSON can hold exactly, 2⁵³ − 1.
pub const STOCK_MAX: u64 = Money::AMOUNT_MAX;

/// What a shop says of one sku.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// What shoppers call it.
    pub title: Box<str>,
    /// What one unit costs.
    pub price: Money,
    /// How many units there are, at most [`STOCK_MAX`]; none where the shop does not count them.
    pub stock: Option<u64>,
    /// Where its picture is.
    pub image: Option<Box<str>>,
}

impl Product {
    /// Tells two states of a product apart, the same on every node and in every run.
    pub fn digest(&self) -> u64 {
        let mut digest = Sha256::new();
        let image = self.image.as_deref().unwrap_or_default();
        for text in [&self.title, self.price.currency.as_str(), image] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        digest.update(self.price.amount.to_be_bytes());
        // No stock is that large: it stands for one that is not counted.
        digest.update(self.stock.unwrap_or(u64::MAX).to_be_bytes());
        let digest: [u8; 32] = digest.finalize().into();
        digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// A product and its digest, made once.
#[derive(Clone, Debug)]
pub struct Stocked {
    /// The product.
    pub product: Product,
    /// [`Product::digest`] of it.
    pub digest: u64,
}

impl From<Product> for Stocked {
    fn from(product: Product) -> Stocked {
        Stocked { digest: product.digest(), product }
    }
}

/// A whole catalogue: every product by its sku, all in one currency.
#[derive(Clone, Debug)]
pub struct ProductTable {
    products: HashMap<Box<str>, Arc<Stocked>>,
    currency: Currency,
}

impl ProductTable {
    /// A shelf without products, whose prices will be in `currency`.
    pub fn new(currency: Currency) -> ProductTable {
        ProductTable { products: HashMap::new(), currency }
    }

    /// Puts a product there, or another in its place: then it gives back the old one.
    pub fn put(&mut self, sku: &str, product: Product) -> Option<Arc<Stocked>> {
        self.products.insert(sku.into(), Arc::new(product.into()))
    }

    /// Takes a product away.
    pub fn take(&mut self, sku: &str) -> Option<Arc<Stocked>> {
        self.products.remove(sku)
    }

    /// The product of that sku.
    pub fn get(&self, sku: &str) -> Option<&Arc<Stocked>> {
        self.products.get(sku)
    }

    /// How many products there are.
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.products.is_empty()
    }

    /// Of what its prices are.
    pub fn currency(&self) -> Currency {
        self.currency
    }
}
