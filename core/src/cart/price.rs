//! What each line cost when its cart last changed: by this a shopper is told later that a price is another one.

use std::sync::Arc;

use crate::item::Item;
use crate::money::Money;

use super::state::Cart;

impl Cart {
    /// Remembers the prices of all lines that are shown, saved ones too. Where no price can be told the old one stands.
    pub fn remember_prices(&mut self, price_of: impl Fn(&Item) -> Option<Money>) {
        for line in self.lines.iter_mut().chain(&mut self.saved).filter(|line| line.is_shown()) {
            let price = line.item.as_deref().and_then(&price_of);
            if price.is_some() && price != line.price {
                Arc::make_mut(line).price = price;
            }
        }
    }
}
