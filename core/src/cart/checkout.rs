//! Checkout takes the lines out, once; a cancelled order gives them back, once.

use std::sync::Arc;

use crate::ids::{OrderId, Quantity, Revision, SessionId};
use crate::item::Item;
use crate::time::Timestamp;

use super::apply::Effect;
use super::edit::{Growth, List};
use super::leftover::Leftovers;
use super::limits::Limits;
use super::op::{Intent, NoticeCode, OpKind, Outcome, Refusal};
use super::owed::{Due, Source};
use super::stamp::Stamp;
use super::state::{Applied, AppliedKey, Author, Cart, LeftoverFrom, Notice};

/// Units of an item, as an order holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedOut {
    /// What.
    pub item: Arc<Item>,
    /// How many.
    pub quantity: Quantity,
}

/// A wish to order.
#[derive(Clone, Copy, Debug)]
pub struct Checkout<'a> {
    /// Whose.
    pub session: SessionId,
    /// The newest revision the shopper had seen; none means the newest there is. What came later stays in the cart.
    pub base: Option<Revision>,
    /// When it was received.
    pub at: Timestamp,
    /// Units that the shop does not have: they are left out of the order and go to the saved list.
    pub left_out: &'a [CheckedOut],
}

impl Checkout<'_> {
    /// Of all that is in the cart.
    pub fn of_all(session: SessionId, at: Timestamp) -> Checkout<'static> {
        Checkout { session, base: None, at, left_out: &[] }
    }
}

/// A cancelled order's lines, on their way back.
#[derive(Clone, Copy, Debug)]
pub struct GiveBack<'a> {
    /// Which order.
    pub order: OrderId,
    /// What it holds.
    pub lines: &'a [CheckedOut],
    /// Who cancelled it.
    pub author: SessionId,
    /// When.
    pub at: Timestamp,
}

/// What became of a cancelled order's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenBack {
    /// They are the cart's again.
    Now,
    /// They were given back before.
    Before,
    /// There is no room for them yet, not even beside the cart: the order keeps them, marked *owed*.
    Owed,
}

/// Why nothing is ordered. Nothing of the cart changes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckoutError {
    /// No line is in the cart.
    #[error("the cart is empty")]
    CartEmpty,
    /// Nothing is in the cart any more that the shopper had seen.
    #[error("nothing is in the cart that the shopper had seen")]
    CartChanged,
    /// What is left out does not fit on the saved list.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The cart was merged into another.
    #[error("this cart was merged into another")]
    Sealed,
}

impl Cart {
    /// Takes lines out for an order: a CLEAR by the server at the revision that the shopper saw, then the next generation.
    /// An order holds what the cart really lost, less what is left out.
    pub fn checkout(
        &mut self,
        asked: &Checkout<'_>,
        limits: &Limits,
    ) -> Result<Vec<CheckedOut>, CheckoutError> {
        if self.sealed.is_some() {
            return Err(CheckoutError::Sealed);
        }
        if self.shown().next().is_none() {
            return Err(CheckoutError::CartEmpty);
        }
        let base = asked.base.unwrap_or(self.revision);
        let stamp = self.server_stamp(Author::Session(asked.session), base, asked.at);
        if self.is_late(stamp.base, None) {
            return Err(CheckoutError::CartChanged);
        }
        let kept = (self.lines.clone(), self.saved.clone());
        match self.take_out(asked.left_out, &stamp, limits) {
            Ok((taken, effect)) if !taken.is_empty() => {
                self.take_in(effect, &stamp, limits);
                self.generation += 1;
                self.generation_start = self.revision;
                self.version += 1;
                Ok(taken)
            }
            taken => {
                (self.lines, self.saved) = kept;
                Err(taken.err().map_or(CheckoutError::CartChanged, CheckoutError::Refused))
            }
        }
    }

    /// Clears what the stamp's author had seen, and puts what is left out on the saved list.
    fn take_out(
        &mut self,
        left_out: &[CheckedOut],
        stamp: &Stamp,
        limits: &Limits,
    ) -> Result<(Vec<CheckedOut>, Effect), Refusal> {
        let lines = self.lines.clone();
        let mut effect = Effect {
            kind: OpKind::Checkout,
            ..self.apply(&Intent::Clear(None), stamp, limits, &mut Leftovers::closed())?
        };
        let mut taken = Vec::with_capacity(effect.pieces.len());
        for piece in &effect.pieces {
            let item = lines.iter().find(|line| line.id == piece.line).and_then(|line| line.item.clone());
            let quantity = piece.before.saturating_sub(piece.after);
            taken.extend(item.filter(|_| quantity > 0).map(|item| CheckedOut { item, quantity }));
        }
        for CheckedOut { item, quantity } in left_out {
            let Some(place) = taken.iter().position(|taken| taken.item == *item) else { continue };
            let n = taken[place].quantity.min(*quantity);
            if n == 0 {
                continue;
            }
            let target = (item.line_id(), Some(item));
            // Nobody asked for them to be saved: they may go beyond the list's limits.
            let add = |line: &mut super::state::Line| line.add(stamp, n);
            let (piece, ()) = self.edit_as(Growth::Owed, List::Saved, target, stamp.at, limits, add)?;
            effect.pieces.push(piece);
            effect.notices.push(Notice::of_line(NoticeCode::LinesSaved, Some(item.line_id())));
            taken[place].quantity -= n;
        }
        taken.retain(|taken| taken.quantity > 0);
        Ok((taken, effect))
    }

    /// Gives a cancelled order's lines back as adds, once: a second time with the same order nothing happens and the
    /// answer is false. For a caller that keeps no leftovers: where one would be made, it is refused.
    pub fn give_back_order(
        &mut self,
        order: OrderId,
        lines: &[CheckedOut],
        author: SessionId,
        at: Timestamp,
        limits: &Limits,
    ) -> Result<bool, Refusal> {
        match self.give_back(&GiveBack { order, lines, author, at }, limits, &mut Leftovers::closed())? {
            GivenBack::Now => Ok(true),
            GivenBack::Before => Ok(false),
            GivenBack::Owed => Err(Refusal::TooManyLeftovers(limits.leftovers)),
        }
    }

    /// Gives a cancelled order's lines back as adds, once. What is over the cart's limits goes to the saved list, and what
    /// finds no room there is left over. Where that would be one leftover too many, nothing changes: the order owes all of
    /// its lines, and the same call gives them back once there is room.
    pub fn give_back(
        &mut self,
        asked: &GiveBack<'_>,
        limits: &Limits,
        leftovers: &mut Leftovers,
    ) -> Result<GivenBack, Refusal> {
        if let Some(seal) = self.sealed {
            return Err(Refusal::Sealed(seal.into));
        }
        let key = AppliedKey::Cancel(asked.order);
        if self.has_applied(key) {
            return Ok(GivenBack::Before);
        }
        let stamp = self.server_stamp(Author::Session(asked.author), self.revision, asked.at);
        let source = Source::new(LeftoverFrom::Cancel(asked.order), stamp.revision);
        let kept = self.keep(leftovers);
        let mut brought = Vec::with_capacity(asked.lines.len());
        for line in asked.lines {
            let due = Due { list: List::Cart, item: line.item.clone(), add: stamp.add(line.quantity) };
            match self.owe(&due, source, &stamp, limits, leftovers) {
                Ok(one) => brought.push(one),
                Err(_) => {
                    self.put_back(kept, leftovers);
                    return Ok(GivenBack::Owed);
                }
            }
        }
        let pieces = self.pieces_since(&kept.lines, &kept.saved);
        let effect = self.brought_effect(OpKind::Cancel, Outcome::Applied, pieces, &brought);
        self.note_applied(Applied { key, revision: stamp.revision });
        self.take_in(effect, &stamp, limits);
        self.version += 1;
        Ok(GivenBack::Now)
    }

    /// Whether a merge or a cancelled order was applied here and is not yet marked done.
    pub fn has_applied(&self, key: AppliedKey) -> bool {
        self.applied.iter().any(|applied| applied.key == key)
    }

    /// Forgets the dedupe key of something whose other end is marked done.
    pub fn forget_applied(&mut self, key: AppliedKey) {
        self.applied.retain(|applied| applied.key != key);
        self.version += 1;
    }

    /// Forgets that an order was cancelled here: the order itself is marked.
    pub fn forget_cancelled(&mut self, order: OrderId) {
        self.forget_applied(AppliedKey::Cancel(order));
    }

    pub(super) fn note_applied(&mut self, applied: Applied) {
        /// More than can be under way at once: each is marked done right after it is applied.
        const APPLIED_MAX: usize = 64;
        self.applied.push(applied);
        self.applied.drain(..self.applied.len().saturating_sub(APPLIED_MAX));
    }
}
