//! The port to the shop's catalogue: what a sku is, what it costs, how many there are. Prices come from here alone.

pub mod asker;
pub mod listing;
pub mod product;
pub mod quote;
pub mod shown;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use trolley_core::cart::state::Cart;
use trolley_core::ids::CartId;
use trolley_core::item::Item;
use trolley_core::time::Timestamp;

use crate::service::Service;
use crate::service::catalogue::asker::Asker;
use crate::service::catalogue::listing::Listing;
use crate::service::catalogue::shown::PricedCart;
use crate::service::error::ServiceError;

/// What a catalogue gives back where it may have to wait: a future that any thread may drive.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The skus that one answer is about.
pub type Skus<'a> = Box<dyn Iterator<Item = Wanted<'a>> + Send + 'a>;

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Which.
    pub sku: &'a str,
    /// It stands in a cart; else somebody just names it, and whether there is such a thing is not known yet.
    pub stands: bool,
    /// Who wants to know.
    pub asker: Asker,
}

/// A catalogue. One that cannot be asked right now says so of each sku; it never holds a cart up for long and never fails.
pub trait Catalogue: Send + Sync + 'static {
    /// What it says of these skus now. A catalogue that is at hand as a whole need not look at them. `now` never goes back, whatever
    /// the wall clock does: ages are counted by it.
    fn listing<'a>(&'a self, skus: Skus<'a>, now: Timestamp) -> BoxFuture<'a, Listing>;

    /// Gives a product another price, in minor units of its currency, and another stock; false where this catalogue takes no such
    /// change, or does not have the product. The demo's does: its visitors play shopkeeper.
    fn relabel(&self, _sku: &str, _price: u64, _stock: u64) -> bool {
        false
    }

    /// Looks whether it changed; called every second. What is wrong with a new state is for the log.
    fn refresh(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

impl Service {
    /// What the catalogue says of these skus now.
    pub async fn listing<'a>(&'a self, skus: Skus<'a>) -> Listing {
        match &self.catalogue {
            Some(catalogue) => catalogue.listing(skus, self.running().as_time()).await,
            None => Listing::Untold,
        }
    }

    /// Gives a product another price and stock, where the catalogue takes such a change from here.
    pub fn relabel(&self, sku: &str, price: u64, stock: u64) -> bool {
        self.catalogue.as_ref().is_some_and(|catalogue| catalogue.relabel(sku, price, stock))
    }

    /// The cart of that id, as it is shown.
    pub async fn cart_shown(&self, id: CartId) -> Result<PricedCart, ServiceError> {
        Ok(self.shown(self.cart(id).await?).await)
    }

    /// A cart as it is shown.
    pub async fn shown(&self, cart: Arc<Cart>) -> PricedCart {
        let listing = self.listing(standing(&cart, false, Asker::here(Some(cart.id)))).await;
        PricedCart::new(cart, listing)
    }

    /// The empty cart of a visitor without a session, as it is shown.
    pub async fn nobodys_cart(&self) -> PricedCart {
        PricedCart::nobodys(self.listing(Box::new(std::iter::empty())).await)
    }
}

/// The skus of a cart's lines, saved ones too; with those that were taken out where they may come back.
pub(crate) fn standing(cart: &Cart, hidden_too: bool, asker: Asker) -> Skus<'_> {
    let lines = cart.lines.iter().chain(&cart.saved).filter(move |line| hidden_too || line.is_shown());
    let skus = lines.filter_map(|line| line.item.as_deref()).map(Item::sku);
    Box::new(skus.map(move |sku| Wanted { sku, stands: true, asker }))
}

/// Skus that somebody names.
pub fn named<'a>(skus: impl Iterator<Item = &'a str> + Send + 'a, asker: Asker) -> Skus<'a> {
    Box::new(skus.map(move |sku| Wanted { sku, stands: false, asker }))
}
