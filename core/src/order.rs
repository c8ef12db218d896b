//! An order draft: what a checkout froze. Nothing of it changes but that it may be cancelled, once.

use std::sync::Arc;

use crate::cart::checkout::CheckedOut;
use crate::ids::{CartId, Generation, OrderId, Quantity, Revision, SessionId};
use crate::item::Item;
use crate::money::Money;
use crate::time::Timestamp;

/// An order draft. It belongs to whoever owns the cart that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its name.
    pub id: OrderId,
    /// The version that a store compares: 1, 2 once it is cancelled, 3 once what it then owed was given back.
    pub version: u64,
    /// The cart it came from.
    pub cart: CartId,
    /// Whose session checked out.
    pub session: SessionId,
    /// Which generation of the cart it ended.
    pub generation: Generation,
    /// The checkout's revision of the cart.
    pub revision: Revision,
    /// When it was made.
    pub created_at: Timestamp,
    /// What is ordered, in the order it was added.
    pub lines: Vec<OrderLine>,
    /// What all of it costs; none without a catalogue.
    pub subtotal: Option<Money>,
    /// When it was cancelled, if it was.
    pub cancelled_at: Option<Timestamp>,
    /// It is cancelled, and its lines wait here until the cart has room for them.
    pub owed: bool,
}

/// One line of an order, as it was when it was frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderLine {
    /// What.
    pub item: Arc<Item>,
    /// How many units.
    pub quantity: Quantity,
    /// What shoppers called it.
    pub title: Option<Box<str>>,
    /// What one unit cost.
    pub unit_price: Option<Money>,
    /// What all its units cost.
    pub line_total: Option<Money>,
}

impl Order {
    /// Units of all lines together.
    pub fn quantity(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.quantity)).sum()
    }

    /// Bytes that the order takes at rest, at the most, with the link by which it is found.
    pub fn bytes_at_most(&self) -> usize {
        const HEAD: usize = 256;
        /// Its quantity, lengths, and three amounts with their currencies.
        const LINE: usize = 64;
        let line = |line: &OrderLine| {
            let options = 2 * 2 * line.item.options().len();
            LINE + line.item.text_bytes() + options + line.title.as_ref().map_or(0, |title| title.len())
        };
        HEAD + self.lines.iter().map(line).sum::<usize>()
    }

    /// What a cancelled order gives back.
    pub fn taken(&self) -> Vec<CheckedOut> {
        let taken = |line: &OrderLine| CheckedOut { item: line.item.clone(), quantity: line.quantity };
        self.lines.iter().map(taken).collect()
    }

    /// The same, cancelled at `at`; none where it was cancelled before.
    pub fn cancelled(&self, at: Timestamp) -> Option<Order> {
        let open = self.cancelled_at.is_none();
        open.then(|| Order { version: self.version + 1, cancelled_at: Some(at), ..self.clone() })
    }

    /// The same, cancelled at `at` while its cart has no room for its lines; none where it was cancelled before.
    pub fn cancelled_owing(&self, at: Timestamp) -> Option<Order> {
        self.cancelled(at).map(|order| Order { owed: true, ..order })
    }

    /// The same once its cart has its lines; none where it owes none.
    pub fn settled(&self) -> Option<Order> {
        self.owed.then(|| Order { version: self.version + 1, owed: false, ..self.clone() })
    }

    /// The name under which it is found among its cart's orders.
    pub fn link(&self) -> OrderLink {
        OrderLink::new(self.cart, self.id)
    }
}

/// Which cart an order came from: the cart's id and then the order's, so that a cart's orders stand together by age.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderLink([u8; 32]);

impl OrderLink {
    /// Of this order of this cart.
    pub fn new(cart: CartId, order: OrderId) -> OrderLink {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(cart.bytes());
        bytes[16..].copy_from_slice(order.bytes());
        OrderLink(bytes)
    }

    /// From its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> OrderLink {
        OrderLink(bytes)
    }

    /// Its 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The order.
    pub fn order(&self) -> OrderId {
        let mut order = [0; 16];
        order.copy_from_slice(&self.0[16..]);
        OrderId::from_bytes(order)
    }
}

impl std::fmt::Debug for OrderLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OrderLink({})", self.order())
    }
}

/// Which account's cart a guest's cart went into that had made orders. The sealed cart itself leaves when no device can hold a
/// queue for it any more; this stays for as long as one of its orders is kept, so that they are its account's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealing {
    /// The guest's cart.
    pub from: CartId,
    /// Counts how often it was looked at whether it is still needed.
    pub version: u64,
    /// The account's cart.
    pub into: CartId,
}

/// Which orders came along with a guest's cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedOrders {
    /// From where to where.
    pub link: SealingLink,
    /// The newest: a sealed cart makes no more.
    pub newest: OrderId,
    /// The oldest that there was then.
    pub oldest: OrderId,
}

/// Which account's cart a guest's cart that had made orders went into: the account's cart's id and then the guest's, so that all
/// those of an account stand together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SealingLink([u8; 32]);

impl SealingLink {
    /// Of this guest's cart, which went into that account's.
    pub fn new(into: CartId, from: CartId) -> SealingLink {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(into.bytes());
        bytes[16..].copy_from_slice(from.bytes());
        SealingLink(bytes)
    }

    /// From its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> SealingLink {
        SealingLink(bytes)
    }

    /// Its 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The guest's cart.
    pub fn from(&self) -> CartId {
        let mut from = [0; 16];
        from.copy_from_slice(&self.0[16..]);
        CartId::from_bytes(from)
    }
}

impl std::fmt::Debug for SealingLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealingLink({})", self.from())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_cancelled_once_and_what_it_owes_is_settled_once() {
        let id = [1; 16];
        let open = Order {
            id: OrderId::from_bytes(id),
            version: 1,
            cart: CartId::from_bytes(id),
            session: SessionId::from_bytes(id),
            generation: 0,
            revision: 2,
            created_at: Timestamp::from_ms(1),
            lines: Vec::new(),
            subtotal: None,
            cancelled_at: None,
            owed: false,
        };
        let at = Timestamp::from_ms(5);
        assert_eq!(open.settled(), None, "it owes nothing");
        assert_eq!(open.cancelled(at).and_then(|given| given.settled()), None);
        let owing = open.cancelled_owing(at).unwrap();
        assert_eq!((owing.version, owing.cancelled_at, owing.owed), (2, Some(at), true));
        assert_eq!(owing.cancelled(at), None, "it is cancelled already");
        let settled = owing.settled().unwrap();
        assert_eq!((settled.version, settled.cancelled_at, settled.owed), (3, Some(at), false));
        assert_eq!(settled.settled(), None);
    }
}
