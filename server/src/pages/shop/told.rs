//! What was done to a cart, in a shopper's words.

use trolley_core::cart::op::OpKind;
use trolley_core::cart::state::{Author, Cart, Change, Piece};
use trolley_core::ids::SessionId;
use trolley_core::item::{Item, LineId};
use trolley_core::time::Timestamp;

use crate::pages::shop::products;

/// What an item is called: `Enamel mug, blue`.
pub fn name(item: &Item) -> String {
    let title = products::of(item.sku()).map_or(item.sku(), |product| product.title.as_str());
    let mut name = title.to_owned();
    for (_, value) in item.options() {
        name.push_str(", ");
        name.push_str(value);
    }
    name
}

/// What a line of the cart is called, for as long as the cart knows what it was of.
pub fn name_of(cart: &Cart, line: LineId) -> String {
    let lines = cart.lines.iter().chain(&cart.saved).filter(|known| known.id == line);
    let item = lines.filter_map(|line| line.item.as_deref()).next();
    item.map_or_else(|| "Something that is gone".to_owned(), name)
}

/// One change as a sentence without its full stop.
pub fn sentence(cart: &Cart, change: &Change) -> String {
    let many = change.pieces.iter().map(|piece| piece.line).collect::<std::collections::BTreeSet<_>>().len();
    let about = match change.pieces.first() {
        Some(piece) if many == 1 => name_of(cart, piece.line),
        Some(_) => format!("{many} things"),
        None => "nothing".to_owned(),
    };
    let (before, after) = units(&change.pieces);
    match change.kind {
        OpKind::Add => format!("Added {} × {about}", after.saturating_sub(before)),
        OpKind::Set => format!("Changed {about} from {before} to {after}"),
        OpKind::Remove => format!("Removed {about}"),
        OpKind::Clear => format!("Emptied the cart of {about}"),
        OpKind::Save => format!("Saved {about} for later"),
        OpKind::Unsave => format!("Moved {about} back into the cart"),
        OpKind::Discard => format!("Took {about} off the saved list"),
        OpKind::Undo => format!("Took back a change of {about}"),
        OpKind::Merge => format!("The cart of a visit came in at a sign-in: {about}"),
        OpKind::Checkout => format!("Ordered {about}"),
        OpKind::Cancel => format!("A cancelled order gave back {about}"),
        OpKind::BringIn => format!("Brought in {about}, which had found no room before"),
        OpKind::DropLeftover => "Dropped what had found no room".to_owned(),
    }
}

/// Units before and after, of what it did in the cart; where it did nothing there, of what it did to the saved list.
fn units(pieces: &[Piece]) -> (u64, u64) {
    let in_cart = pieces.iter().any(|piece| !piece.saved);
    let counted = || pieces.iter().filter(|piece| piece.saved != in_cart);
    (
        counted().map(|piece| u64::from(piece.before)).sum(),
        counted().map(|piece| u64::from(piece.after)).sum(),
    )
}

/// Who acted, as far as the visitor can know: its own session, and its account's other devices by their names.
#[derive(Default)]
pub struct Known {
    /// The session of this very browser.
    pub own: Option<SessionId>,
    /// The account's devices.
    pub devices: Vec<(SessionId, Box<str>)>,
}

impl Known {
    /// Who did it.
    pub fn author(&self, author: Author) -> String {
        match author {
            Author::Session(session) if Some(session) == self.own => "you, in this browser".to_owned(),
            Author::Session(session) => {
                let device = self.devices.iter().find(|(known, name)| *known == session && !name.is_empty());
                device
                    .map_or("another browser or the shop".to_owned(), |(_, name)| format!("you, with {name}"))
            }
            Author::Device(_) => "an app on one of your devices".to_owned(),
        }
    }
}

/// How long ago that was.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(at).as_ms() / 1_000;
    let (n, unit) = match seconds {
        ..60 => return "just now".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{n} {unit}{} ago", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use trolley_core::time::Span;

    use super::*;

    #[test]
    fn a_time_is_told_in_its_largest_whole_unit() {
        let at = Timestamp::from_ms(1_000_000);
        let after = |seconds: u64| ago(at, at + Span::from_ms(seconds * 1_000));
        assert_eq!(after(59), "just now");
        assert_eq!(after(60), "1 minute ago");
        assert_eq!(after(7_199), "1 hour ago");
        assert_eq!(after(3 * 86_400), "3 days ago");
    }

    #[test]
    fn an_item_is_named_with_what_was_chosen() {
        let options = vec![("size".to_owned(), "M".to_owned()), ("colour".to_owned(), "sky".to_owned())];
        assert_eq!(name(&Item::new("tee", options).unwrap()), "Sunrise T-shirt, sky, M");
        assert_eq!(name(&Item::new("<b>", Vec::new()).unwrap()), "<b>");
    }
}
