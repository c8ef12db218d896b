//! What a cart would cost if it were ordered now, and what of it could not be delivered.

use std::sync::Arc;

use trolley_core::cart::checkout::Taken;
use trolley_core::cart::state::Cart;
use trolley_core::ids::Quantity;
use trolley_core::item::Item;
use trolley_core::money::{Money, NoSum};

use super::listing::Listing;

/// A cart's lines with their prices, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The lines, in the order they were added.
    pub lines: Vec<Quoted>,
    /// What all of them cost together; none without a catalogue. A line without a price adds nothing.
    pub subtotal: Option<Money>,
}

/// One line of a quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// What it is of.
    pub item: Arc<Item>,
    /// How many the shopper wants.
    pub quantity: Quantity,
    /// What shoppers call it.
    pub title: Option<Box<str>>,
    /// What one unit costs: now, or while the catalogue is down what it cost when it was last known.
    pub unit_price: Option<Money>,
    /// What all its units cost.
    pub line_total: Option<Money>,
    /// How many units there are, where that is known; none of a product that the shop has no more.
    pub available: Option<Quantity>,
}

impl Quote {
    /// Of what an order would take out of a cart. Refused only where it costs more than an amount can be.
    pub fn of(taken: &[Taken], cart: &Cart, listing: &Listing) -> Result<Quote, NoSum> {
        let lines = taken.iter().map(|taken| {
            let tag = cart.shown_line(taken.item.line_id()).map(|line| listing.tag(line)).unwrap_or_default();
            let price = tag.unit_price.map(|price| price.times(u64::from(taken.quantity)));
            Ok(Quoted {
                item: taken.item.clone(),
                quantity: taken.quantity,
                title: tag.title.map(Box::from),
                unit_price: tag.unit_price,
                line_total: price.transpose()?,
                available: tag.available,
            })
        });
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        let subtotal =
            Money::sum(listing.currency(), lines.iter().filter_map(|line| line.line_total).map(Ok))?;
        Ok(Quote { lines, subtotal })
    }

    /// The units that the shopper wants and the shop does not have.
    pub fn missing(&self) -> Vec<Taken> {
        let short = self.lines.iter().filter_map(|line| {
            let missing = line.quantity.checked_sub(line.available?).filter(|missing| *missing > 0)?;
            Some(Taken { item: line.item.clone(), quantity: missing })
        });
        short.collect()
    }
}
