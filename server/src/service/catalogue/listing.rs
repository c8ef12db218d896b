//! What the catalogue says of the skus of one cart, at one moment.

use std::collections::HashMap;
use std::sync::Arc;

use trolley_core::cart::op::{Intent, LineRef, Refusal};
use trolley_core::cart::state::Cart;
use trolley_core::item::Item;
use trolley_core::money::{Currency, Money};

use super::product::{Shelf, Stocked};

/// What a catalogue says of one sku.
#[derive(Clone, Debug)]
pub enum Word {
    /// The shop sells it.
    Known(Arc<Stocked>),
    /// The shop has no such product, or has it no more.
    Unknown,
    /// The catalogue does not answer; this is what it said last, if it ever did since the server started.
    Unheard(Option<Arc<Stocked>>),
}

/// The same, borrowed, where there may be no catalogue either.
#[derive(Clone, Copy, Debug)]
pub enum Said<'a> {
    /// There is no catalogue.
    Nothing,
    /// The shop sells it.
    Known(&'a Stocked),
    /// The shop has no such product, or has it no more.
    Unknown,
    /// The catalogue does not answer; this is what it said last.
    Unheard(Option<&'a Stocked>),
}

/// What is known of all skus that one answer shows. It is cheap to clone.
#[derive(Clone, Debug)]
pub enum Listing {
    /// There is no catalogue: every sku is taken as it is, and no price is shown.
    Untold,
    /// The whole catalogue.
    Whole(Arc<Shelf>),
    /// What was asked for, and the catalogue's currency.
    Asked(Arc<HashMap<Box<str>, Word>>, Option<Currency>),
}

impl Listing {
    /// What is said of an item.
    pub fn of(&self, item: &Item) -> Said<'_> {
        match self {
            Listing::Untold => Said::Nothing,
            Listing::Whole(shelf) => {
                shelf.get(item.sku()).map_or(Said::Unknown, |stocked| Said::Known(stocked))
            }
            Listing::Asked(words, _) => match words.get(item.sku()) {
                Some(Word::Known(stocked)) => Said::Known(stocked),
                Some(Word::Unknown) => Said::Unknown,
                Some(Word::Unheard(last)) => Said::Unheard(last.as_deref()),
                None => Said::Unheard(None),
            },
        }
    }

    /// The price that is told of an item now.
    pub fn price(&self, item: &Item) -> Option<Money> {
        match self.of(item) {
            Said::Known(stocked) => Some(stocked.product.price),
            _ => None,
        }
    }

    /// Whether there is a catalogue at all.
    pub fn is_told(&self) -> bool {
        !matches!(self, Listing::Untold)
    }

    /// The catalogue's currency, once it is known.
    pub fn currency(&self) -> Option<Currency> {
        match self {
            Listing::Untold => None,
            Listing::Whole(shelf) => Some(shelf.currency()),
            Listing::Asked(_, currency) => *currency,
        }
    }

    /// Refuses what would bring something into the cart that the shop does not sell. A line that is there keeps its rights: it can
    /// be set, saved and brought back, and is told to be unavailable.
    pub fn vet(&self, intent: &Intent, cart: &Cart) -> Result<(), Refusal> {
        let item = match intent {
            Intent::Add(LineRef::Item(item), _) => item,
            Intent::Set(LineRef::Item(item), n) if *n > 0 && cart.shown_line(item.line_id()).is_none() => {
                item
            }
            _ => return Ok(()),
        };
        match self.of(item) {
            Said::Unknown => Err(Refusal::UnknownSku),
            Said::Nothing | Said::Known(_) | Said::Unheard(_) => Ok(()),
        }
    }

    /// Tells two states of what is said of an item apart.
    pub(super) fn digest(&self, item: &Item) -> u64 {
        match self.of(item) {
            Said::Nothing => 0,
            Said::Unknown => 1,
            Said::Unheard(None) => 2,
            Said::Known(stocked) => stocked.digest,
            Said::Unheard(Some(stocked)) => stocked.digest.rotate_left(1),
        }
    }
}
