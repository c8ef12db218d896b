//! Checkout takes the lines out, once; a cancelled order gives them back, once.

use std::sync::Arc;

use crate::ids::{OrderId, Quantity, SessionId};
use crate::item::Item;
use crate::time::Timestamp;

use super::apply::Effect;
use super::edit::List;
use super::limits::Limits;
use super::op::{Intent, NoticeCode, OpKind, Outcome, Refusal};
use super::state::{Add, Applied, AppliedKey, Author, Cart, Notice};

/// Units of an item, as an order holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What.
    pub item: Arc<Item>,
    /// How many.
    pub quantity: Quantity,
}

/// Why there is nothing to check out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCheckout {
    /// No line is in the cart.
    #[error("the cart is empty")]
    CartEmpty,
    /// The cart was merged into another.
    #[error("this cart was merged into another")]
    Sealed,
}

impl Cart {
    /// Takes all lines out for an order: a CLEAR by the server at the present revision, then the next generation.
    pub fn checkout(
        &mut self,
        session: SessionId,
        at: Timestamp,
        limits: &Limits,
    ) -> Result<Vec<Taken>, NoCheckout> {
        if self.sealed.is_some() {
            return Err(NoCheckout::Sealed);
        }
        let taken: Vec<_> = self
            .shown()
            .filter_map(|line| Some(Taken { item: line.item.clone()?, quantity: line.quantity() }))
            .collect();
        if taken.is_empty() {
            return Err(NoCheckout::CartEmpty);
        }
        let stamp = self.server_stamp(Author::Session(session), self.revision, at);
        let cleared = self.apply(&Intent::Clear(None), &stamp, limits).map_err(|_| NoCheckout::CartEmpty)?;
        self.take_in(Effect { kind: OpKind::Checkout, ..cleared }, &stamp, limits);
        self.generation += 1;
        self.generation_start = self.revision;
        self.version += 1;
        Ok(taken)
    }

    /// Gives a cancelled order's lines back as adds, once: a second time with the same order nothing happens and the
    /// answer is false. What is over a limit goes to the saved list.
    pub fn give_back_order(
        &mut self,
        order: OrderId,
        lines: &[Taken],
        author: SessionId,
        at: Timestamp,
        limits: &Limits,
    ) -> Result<bool, Refusal> {
        if let Some(seal) = self.sealed {
            return Err(Refusal::Sealed(seal.into));
        }
        let key = AppliedKey::Cancel(order);
        if self.has_applied(key) {
            return Ok(false);
        }
        let stamp = self.server_stamp(Author::Session(author), self.revision, at);
        let kept = (self.lines.clone(), self.saved.clone());
        let mut notices: Vec<Notice> = Vec::new();
        for line in lines {
            let add: Add = stamp.add(line.quantity);
            let brought = self.bring_in(List::Cart, &line.item, &add, at, limits);
            notices.extend(brought.notices(line.item.line_id()));
        }
        let mut effect = Effect::new(OpKind::Cancel, Outcome::Applied, self.pieces_since(&kept.0, &kept.1));
        effect.notices = notices;
        self.note_applied(Applied { key, revision: stamp.revision });
        self.take_in(effect, &stamp, limits);
        self.version += 1;
        Ok(true)
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

    pub(super) fn note_applied(&mut self, applied: Applied) {
        /// More than can be under way at once: each is marked done right after it is applied.
        const APPLIED_MAX: usize = 64;
        self.applied.push(applied);
        self.applied.drain(..self.applied.len().saturating_sub(APPLIED_MAX));
    }
}

impl Notice {
    pub(super) fn of_cart(code: NoticeCode) -> Notice {
        Notice { code, line: None }
    }
}
