//! What a cart would cost if it were ordered now, and what of it could not be delivered.

use std::collections::HashMap;
use std::sync::Arc;

use trolley_core::cart::checkout::CheckedOut;
use trolley_core::cart::state::Cart;
use trolley_core::ids::Quantity;
use trolley_core::item::Item;
use trolley_core::money::{Money, SumError};

use crate::service::catalogue::listing::{Answer, Listing};

/// A cart's lines with their prices, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The lines, in the order they were added.
    pub lines: Vec<Quoted>,
    /// What all of them cost together; none without a catalogue, or where one of them has no price.
    pub subtotal: Option<Money>,
    /// What those cost together that have a price; none without a catalogue.
    pub priced: Option<Money>,
    /// There is a line whose price nobody can tell.
    pub is_untold: bool,
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
    /// What one unit costs: now, or while the catalogue cannot be asked what it cost a while ago.
    pub unit_price: Option<Money>,
    /// What all its units cost.
    pub line_total: Option<Money>,
    /// How many units there are, where that is known; none of a product that the shop has no more.
    pub available: Option<u64>,
}

impl Quote {
    /// Of what an order would take out of a cart. Refused only where it costs more than an amount can be.
    pub fn of(taken: &[CheckedOut], cart: &Cart, listing: &Listing) -> Result<Quote, SumError> {
        let lines = taken.iter().map(|taken| {
            let tag = cart.shown_line(taken.item.line_id()).map(|line| listing.tag(line)).unwrap_or_default();
            let unit_price = listing.price(&taken.item);
            let line_total = unit_price.map(|price| price.times(u64::from(taken.quantity)));
            Ok(Quoted {
                item: taken.item.clone(),
                quantity: taken.quantity,
                title: tag.title.map(Box::from),
                unit_price,
                line_total: line_total.transpose()?,
                available: tag.available,
            })
        });
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        let totals = lines.iter().filter_map(|line| line.line_total);
        let priced = Money::sum(listing.currency(), totals.map(Ok))?;
        let is_whole = lines.iter().all(|line| line.line_total.is_some());
        let is_untold = taken.iter().any(|taken| matches!(listing.of(&taken.item), Answer::Untold(_)));
        Ok(Quote { lines, subtotal: priced.filter(|_| is_whole), priced, is_untold })
    }

    /// The units that the shopper wants and the shop does not have. Lines of one sku share its stock, the earlier ones first.
    pub fn missing(&self) -> Vec<CheckedOut> {
        let mut left = StockLeft::default();
        let short = self.lines.iter().filter_map(|line| {
            let available = left.take(line.item.sku(), line.available?, u64::from(line.quantity));
            let available = Quantity::try_from(available).unwrap_or(Quantity::MAX);
            let missing = line.quantity.checked_sub(available).filter(|missing| *missing > 0)?;
            Some(CheckedOut { item: line.item.clone(), quantity: missing })
        });
        short.collect()
    }
}

/// What is left of each sku's stock for lines that come later.
#[derive(Default)]
pub(crate) struct StockLeft<'a>(HashMap<&'a str, u64>);

impl<'a> StockLeft<'a> {
    /// How many units there are for a line that wants so many; they are none of a later line's.
    pub(crate) fn take(&mut self, sku: &'a str, stock: u64, wanted: u64) -> u64 {
        let left = self.0.entry(sku).or_insert(stock);
        std::mem::replace(left, left.saturating_sub(wanted))
    }
}
