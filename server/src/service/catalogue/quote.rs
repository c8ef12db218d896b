//! What a cart would cost if it were ordered now, and what of it could not be delivered.

use std::sync::Arc;

use trolley_core::cart::state::Cart;
use trolley_core::ids::Quantity;
use trolley_core::item::{Item, LineId};
use trolley_core::money::{Currency, Money, NoSum};

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
    /// Which line.
    pub line: LineId,
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

impl Quoted {
    /// Whether there are fewer units than the shopper wants.
    pub fn is_short(&self) -> bool {
        self.available.is_some_and(|available| available < self.quantity)
    }

    fn with(self, quantity: Quantity) -> Result<Quoted, NoSum> {
        let line_total = self.unit_price.map(|price| price.times(u64::from(quantity))).transpose()?;
        Ok(Quoted { quantity, line_total, ..self })
    }
}

impl Quote {
    /// Of all that is in the cart. Refused only where it costs more than an amount can be.
    pub fn of(cart: &Cart, listing: &Listing) -> Result<Quote, NoSum> {
        let lines = cart.shown().filter_map(|line| {
            let tag = listing.tag(line);
            let quoted = Quoted {
                line: line.id,
                item: line.item.clone()?,
                quantity: 0,
                title: tag.title.map(Box::from),
                unit_price: tag.unit_price,
                line_total: None,
                available: tag.available,
            };
            Some(quoted.with(line.quantity()))
        });
        Quote::summed(lines.collect::<Result<_, _>>()?, listing.currency())
    }

    /// The lines of which there are fewer units than the shopper wants.
    pub fn short(&self) -> impl Iterator<Item = &Quoted> {
        self.lines.iter().filter(|line| line.is_short())
    }

    /// The same with no more units than there are; lines of which there are none are left out.
    pub fn with_what_is_available(self) -> Result<Quote, NoSum> {
        let currency = self.subtotal.map(|subtotal| subtotal.currency);
        let lines = self.lines.into_iter().filter(|line| line.available != Some(0)).map(|line| {
            let most = line.available.unwrap_or(line.quantity).min(line.quantity);
            line.with(most)
        });
        Quote::summed(lines.collect::<Result<_, _>>()?, currency)
    }

    fn summed(lines: Vec<Quoted>, currency: Option<Currency>) -> Result<Quote, NoSum> {
        let subtotal = Money::sum(currency, lines.iter().filter_map(|line| line.line_total).map(Ok))?;
        Ok(Quote { lines, subtotal })
    }
}
