//! The bounds that no hostile or ancient client can push a cart over. Each is a setting with its default.

use crate::ids::Quantity;
use crate::time::Span;

/// A cart's bounds (CART.md, *Bounds*).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Lines in the cart.
    pub lines: usize,
    /// Lines on the saved list.
    pub saved: usize,
    /// Units of one line.
    pub quantity: Quantity,
    /// Units of one saved line, owed ones among them: nobody may ask for so many.
    pub owed_units: Quantity,
    /// Bytes of the saved list, owed lines beyond its bound among them.
    pub saved_bytes: usize,
    /// Leftovers beside the cart.
    pub leftovers: usize,
    /// Lines of one leftover; more of them make another.
    pub leftover_lines: usize,
    /// Bytes of all of it at rest; past it the cart lets go of what is missed least.
    pub bytes: usize,
    /// Bytes of sku and option text of all lines.
    pub text_bytes: usize,
    /// Live clients; one more drops the one unseen longest.
    pub clients: usize,
    /// Adds of one line that are not folded yet; overflowing ones coalesce.
    pub line_adds: usize,
    /// The same, of the whole cart.
    pub cart_adds: usize,
    /// Tombstones; the oldest goes first.
    pub tombstones: usize,
    /// No revision younger than this is folded.
    pub fold_after: Span,
    /// A client unseen for this long lapses.
    pub lease: Span,
    /// How long a departed client is remembered.
    pub departed_for: Span,
    /// How many departed clients are remembered; then new ones are refused.
    pub departed: usize,
    /// The ring keeps at least so many changes …
    pub ring_least: usize,
    /// … and those younger than this …
    pub ring_for: Span,
    /// … but never more than this,
    pub ring_most: usize,
    /// nor more than this many pieces of detail.
    pub ring_pieces: usize,
    /// Ops of one sync call.
    pub ops: usize,
    /// Registers of merged guest carts that are kept for late ops.
    pub guest_registers: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            lines: 200,
            saved: 200,
            quantity: 9_999,
            owed_units: 1_000_000,
            saved_bytes: 60 * 1024,
            leftovers: 256,
            leftover_lines: 400,
            bytes: 100 * 1024,
            text_bytes: 32 * 1024,
            clients: 32,
            line_adds: 64,
            cart_adds: 1_024,
            tombstones: 256,
            fold_after: Span::from_days(30),
            lease: Span::from_days(90),
            departed_for: Span::from_days(365),
            departed: 256,
            ring_least: 64,
            ring_for: Span::from_hours(24),
            ring_most: 256,
            ring_pieces: 1_024,
            ops: 500,
            guest_registers: 512,
        }
    }
}
