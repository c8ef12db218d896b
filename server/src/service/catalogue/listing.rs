//! What the catalogue says of the skus of one cart, at one moment.

use std::collections::HashMap;
use std::sync::Arc;

use trolley_core::cart::op::{Intent, LineRef, Refusal};
use trolley_core::cart::state::Cart;
use trolley_core::item::Item;
use trolley_core::money::{Currency, Money};

use crate::service::catalogue::product::{ProductTable, Stocked};

/// What a catalogue says of one sku.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// The shop sells it.
    Known(Arc<Stocked>),
    /// The shop has no such product, or has it no more.
    Unknown,
    /// It cannot be asked right now; this is what it said last, not too long ago to sell by.
    Last(Arc<Stocked>),
    /// Nobody can tell its price; this is what was said long ago, if anything ever was since the server started.
    Untold(Option<Arc<Stocked>>),
}

/// What was asked for, and what came back.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// By sku.
    pub words: HashMap<Box<str>, Lookup>,
    /// What the catalogue's prices are in, once that is known. A product in another currency has no price.
    pub currency: Option<Currency>,
    /// The catalogue as a whole does not answer.
    pub is_down: bool,
}

/// The same, borrowed, where there may be no catalogue either.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// There is no catalogue.
    Nothing,
    /// The shop sells it.
    Known(&'a Stocked),
    /// The shop has no such product, or has it no more.
    Unknown,
    /// It cannot be asked right now; this is what it said last, not too long ago to sell by.
    Last(&'a Stocked),
    /// Nobody can tell its price; this is what was said long ago.
    Untold(Option<&'a Stocked>),
}

/// What is known of all skus that one answer shows. It is cheap to clone.
#[derive(Clone, Debug)]
pub enum Listing {
    /// There is no catalogue: every sku is taken as it is, and no price is shown.
    Untold,
    /// The whole catalogue.
    Whole(Arc<ProductTable>),
    /// What was asked for.
    Asked(Arc<Answers>),
}

impl Listing {
    /// What is said of an item.
    pub fn of(&self, item: &Item) -> Answer<'_> {
        match self {
            Listing::Untold => Answer::Nothing,
            Listing::Whole(shelf) => {
                shelf.get(item.sku()).map_or(Answer::Unknown, |stocked| Answer::Known(stocked))
            }
            Listing::Asked(answers) => {
                let fits = |stocked: &Stocked| {
                    answers.currency.is_none_or(|currency| currency == stocked.product.price.currency)
                };
                match answers.words.get(item.sku()) {
                    Some(Lookup::Known(stocked)) if fits(stocked) => Answer::Known(stocked),
                    Some(Lookup::Unknown) => Answer::Unknown,
                    Some(Lookup::Last(stocked)) if fits(stocked) => Answer::Last(stocked),
                    Some(Lookup::Untold(Some(stocked))) if fits(stocked) => Answer::Untold(Some(stocked)),
                    Some(Lookup::Known(_) | Lookup::Last(_) | Lookup::Untold(_)) | None => {
                        Answer::Untold(None)
                    }
                }
            }
        }
    }

    /// The price that an item is sold at now.
    pub fn price(&self, item: &Item) -> Option<Money> {
        match self.of(item) {
            Answer::Known(stocked) | Answer::Last(stocked) => Some(stocked.product.price),
            Answer::Nothing | Answer::Unknown | Answer::Untold(_) => None,
        }
    }

    /// Whether the catalogue as a whole does not answer.
    pub fn is_down(&self) -> bool {
        matches!(self, Listing::Asked(answers) if answers.is_down)
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
            Listing::Asked(answers) => answers.currency,
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
            Answer::Unknown => Err(Refusal::UnknownSku),
            // Where nobody can tell, the cart keeps the wish: it is not sold before somebody can.
            Answer::Nothing | Answer::Known(_) | Answer::Last(_) | Answer::Untold(_) => Ok(()),
        }
    }

    /// Tells two states of what is said of an item apart.
    pub(crate) fn digest(&self, item: &Item) -> u64 {
        /// Marks what stands in while the catalogue as a whole does not answer: then that is told too.
        const DOWN: u64 = 0x5bd1_e995_97f4_a7c5;
        let down = if self.is_down() { DOWN } else { 0 };
        match self.of(item) {
            Answer::Nothing => 0,
            Answer::Unknown => 1,
            Answer::Known(stocked) => stocked.digest,
            Answer::Untold(None) => down ^ 2,
            Answer::Last(stocked) => down ^ stocked.digest.rotate_left(1),
            Answer::Untold(Some(stocked)) => down ^ stocked.digest.rotate_left(2),
        }
    }
}
