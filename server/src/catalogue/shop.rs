//! A catalogue in memory whose prices and stock can be changed while it is served: the demo shop's.

use std::sync::Arc;

use parking_lot::RwLock;
use trolley_core::time::Timestamp;

use crate::service::catalogue::listing::Listing;
use crate::service::catalogue::product::{Product, ProductTable};
use crate::service::catalogue::{BoxFuture, Catalogue, Skus};

/// The catalogue. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Shop(Arc<RwLock<Arc<ProductTable>>>);

impl Shop {
    /// With these products at first.
    pub fn new(shelf: ProductTable) -> Shop {
        Shop(Arc::new(RwLock::new(Arc::new(shelf))))
    }

    /// Changes one product; false where the shop does not have it. Answers that are being made keep what they saw.
    pub fn change(&self, sku: &str, change: impl FnOnce(&mut Product)) -> bool {
        let mut shelf = self.0.write();
        let Some(mut product) = shelf.get(sku).map(|stocked| stocked.product.clone()) else { return false };
        change(&mut product);
        Arc::make_mut(&mut shelf).put(sku, product);
        true
    }

    /// Takes a product out of the shop, or says that there was none.
    pub fn withdraw(&self, sku: &str) -> bool {
        Arc::make_mut(&mut self.0.write()).take(sku).is_some()
    }

    /// Everything as it is now.
    pub fn shelf(&self) -> Arc<ProductTable> {
        self.0.read().clone()
    }
}

impl Catalogue for Shop {
    fn listing<'a>(&'a self, _skus: Skus<'a>, _now: Timestamp) -> BoxFuture<'a, Listing> {
        Box::pin(std::future::ready(Listing::Whole(self.shelf())))
    }

    fn relabel(&self, sku: &str, price: u64, stock: u64) -> bool {
        self.change(sku, |product| {
            product.price.amount = price;
            product.stock = Some(stock);
        })
    }
}
