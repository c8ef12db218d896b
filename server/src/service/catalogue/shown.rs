//! A cart as it is shown: with what the catalogue says of its lines.

use std::sync::Arc;

use trolley_core::cart::state::{Cart, Line, Notice};
use trolley_core::item::LineId;
use trolley_core::money::{Money, SumError};

use crate::service::catalogue::listing::{Answer, Listing};
use crate::service::catalogue::quote::StockLeft;

/// Somebody's cart, or the empty one of a visitor without a session.
#[derive(Clone, Debug)]
pub struct PricedCart {
    cart: Option<Arc<Cart>>,
    listing: Listing,
}

/// What the catalogue says of one line, as far as it says anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tag<'a> {
    /// What shoppers call it.
    pub title: Option<&'a str>,
    /// What one unit costs; where nobody can tell, what it cost when it was last known.
    pub unit_price: Option<Money>,
    /// Where its picture is.
    pub image: Option<&'a str>,
    /// How many units there are.
    pub available: Option<u64>,
}

/// Something that the shopper should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Of the last change.
    OfChange(Notice),
    /// A unit cost `was` when the cart last changed, and costs `is` now.
    PriceChanged {
        /// Of which line.
        line: LineId,
        /// The old price.
        was: Money,
        /// The price now.
        is: Money,
    },
    /// There are fewer units than the line asks for.
    ShortStock {
        /// Which line.
        line: LineId,
        /// How many there are.
        available: u64,
    },
    /// The shop has this no more.
    Unavailable(LineId),
    /// Nobody can tell what this costs now.
    PriceUnknown(LineId),
    /// The catalogue as a whole does not answer.
    CatalogueDown,
}

impl PricedCart {
    /// Somebody's cart.
    pub fn new(cart: Arc<Cart>, listing: Listing) -> PricedCart {
        PricedCart { cart: Some(cart), listing }
    }

    /// The empty cart of a visitor without a session.
    pub fn nobodys(listing: Listing) -> PricedCart {
        PricedCart { cart: None, listing }
    }

    /// The cart; none where it is nobody's.
    pub fn cart(&self) -> Option<&Arc<Cart>> {
        self.cart.as_ref()
    }

    /// The lines in the cart, in the order they were added.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.cart.iter().flat_map(|cart| cart.shown())
    }

    /// The lines saved for later, in the order they were saved.
    pub fn saved(&self) -> impl Iterator<Item = &Line> {
        self.cart.iter().flat_map(|cart| cart.shown_saved())
    }

    /// Units of all lines in the cart.
    pub fn quantity(&self) -> u64 {
        self.cart.as_ref().map_or(0, |cart| cart.quantity())
    }

    /// What is said of one of its lines.
    pub fn tag(&self, line: &Line) -> Tag<'_> {
        self.listing.tag(line)
    }

    /// What all lines in the cart cost; none without a catalogue, or where one of them has no price.
    pub fn subtotal(&self) -> Result<Option<Money>, SumError> {
        self.cart
            .as_ref()
            .map_or_else(|| Ok(self.listing.currency().map(Money::zero)), |cart| self.listing.subtotal(cart))
    }

    /// What those lines cost that have a price.
    pub fn worth(&self) -> Result<Option<Money>, SumError> {
        self.cart.as_ref().map_or(Ok(None), |cart| self.listing.worth(cart))
    }

    /// Tells apart two states of what the catalogue says of this cart's lines; none without a catalogue. A change of a
    /// product that is not in the cart makes no other version.
    pub fn version(&self) -> Option<u64> {
        /// An odd number without a pattern: by multiplying, each digest reaches all bits of those after it.
        const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
        if !self.listing.is_told() {
            return None;
        }
        let currency = self.listing.currency().map_or(0, |currency| {
            currency.as_str().bytes().fold(0, |number, byte| number << 8 | u64::from(byte))
        });
        let items = self.lines().chain(self.saved()).filter_map(|line| line.item.as_deref());
        Some(items.fold(currency, |version: u64, item| {
            (version ^ self.listing.digest(item)).rotate_left(29).wrapping_mul(MIX)
        }))
    }

    /// What the shopper should know: of the last change, and what changed in the shop since then. It stands until the cart's next
    /// change, for then the cart remembers the prices anew.
    pub fn notes(&self) -> Vec<Note> {
        let Some(cart) = &self.cart else { return Vec::new() };
        let mut notes: Vec<Note> = cart.notices.iter().cloned().map(Note::OfChange).collect();
        if !self.listing.is_told() {
            return notes;
        }
        let (mut down, mut left) = (false, StockLeft::default());
        let in_cart = cart.shown().map(|line| (line, true));
        for (line, is_wanted) in in_cart.chain(cart.shown_saved().map(|line| (line, false))) {
            let Some(item) = line.item.as_deref() else { continue };
            let said = self.listing.of(item);
            match said {
                Answer::Nothing => {}
                Answer::Unknown => notes.push(Note::Unavailable(line.id)),
                Answer::Untold(_) => notes.push(Note::PriceUnknown(line.id)),
                Answer::Known(stocked) | Answer::Last(stocked) => {
                    let is = stocked.product.price;
                    if let Some(was) = line.price.filter(|was| *was != is) {
                        notes.push(Note::PriceChanged { line: line.id, was, is });
                    }
                }
            }
            if let Answer::Known(stocked) = said {
                let wanted = u64::from(line.quantity());
                let stock = stocked.product.stock.filter(|_| is_wanted);
                let there = stock.map(|stock| left.take(item.sku(), stock, wanted));
                let short = there.filter(|there| *there < wanted);
                notes.extend(short.map(|available| Note::ShortStock { line: line.id, available }));
            }
            down |= self.listing.is_down() && matches!(said, Answer::Last(_) | Answer::Untold(_));
        }
        notes.extend(down.then_some(Note::CatalogueDown));
        notes
    }
}

impl Listing {
    /// What is said of a line.
    pub fn tag(&self, line: &Line) -> Tag<'_> {
        let Some(item) = line.item.as_deref() else { return Tag::default() };
        let named = match self.of(item) {
            Answer::Nothing => return Tag::default(),
            Answer::Unknown => return Tag { available: Some(0), ..Tag::default() },
            Answer::Untold(None) => {
                let fits = |price: &Money| self.currency().is_none_or(|currency| currency == price.currency);
                return Tag { unit_price: line.price.filter(fits), ..Tag::default() };
            }
            Answer::Known(stocked) | Answer::Last(stocked) | Answer::Untold(Some(stocked)) => {
                &stocked.product
            }
        };
        Tag {
            title: Some(&named.title),
            unit_price: Some(named.price),
            image: named.image.as_deref(),
            available: named.stock.filter(|_| matches!(self.of(item), Answer::Known(_))),
        }
    }

    /// What all lines in the cart cost; none where there is nothing to go by, or where one of them has no price to be sold at: a part
    /// of a total looks like one.
    pub fn subtotal(&self, cart: &Cart) -> Result<Option<Money>, SumError> {
        let price = |line: &Line| line.item.as_deref().and_then(|item| self.price(item));
        let is_whole = cart.shown().all(|line| price(line).is_some());
        Ok(self.worth(cart)?.filter(|_| is_whole))
    }

    /// What those lines in the cart cost that have a price.
    pub fn worth(&self, cart: &Cart) -> Result<Option<Money>, SumError> {
        if !self.is_told() {
            return Ok(None);
        }
        let prices = cart.shown().filter_map(|line| {
            let price = self.price(line.item.as_deref()?)?;
            Some(price.times(u64::from(line.quantity())))
        });
        Money::sum(self.currency(), prices)
    }
}
