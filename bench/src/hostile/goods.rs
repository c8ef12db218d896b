//! What the shop sells: the catalogue answers by it, and neighbours judge by it what carts say.

use std::time::Duration;

/// The one currency.
pub(super) const CURRENCY: &str = "EUR";
/// A price that moves goes up each time so long has passed.
const MOVES_EVERY: Duration = Duration::from_secs(2);
/// By so much.
const RISE: u64 = 10;
/// What a moving price begins at.
const MOVING: u64 = 1_000;
/// How long after it was true a price may still be shown: what a catalogue said holds for ten seconds (docs/catalogue.md), a
/// question may take two, and the answer is on its way too.
const BELATED: Duration = Duration::from_secs(15);

/// What somebody asks the catalogue for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ware {
    /// It costs the same all day.
    Steady(u64),
    /// Its price goes up all the time.
    Moving,
    /// There is no such product.
    Gone,
    /// The catalogue trips over it, each sku in its own way.
    Odd,
}

/// What a sku is.
pub(super) fn ware(sku: &str) -> Ware {
    let kind = sku.split('-').next().unwrap_or_default();
    match kind {
        "item" | "fresh" => Ware::Steady(100 + hash(sku) % 9_900),
        "moving" => Ware::Moving,
        "odd" => Ware::Odd,
        _ => Ware::Gone,
    }
}

/// What a moving price is when the shop has been open for so long.
pub(super) fn moving(open_for: Duration) -> u64 {
    MOVING + RISE * step(open_for)
}

/// Whether a moving price is true, or was a moment ago; else since how many seconds it is not.
pub(super) fn stale(price: u64, open_for: Duration) -> Option<u64> {
    let step_shown = price.checked_sub(MOVING).filter(|above| above % RISE == 0).map(|above| above / RISE);
    let Some(shown) = step_shown.filter(|shown| *shown <= step(open_for)) else {
        // It never was the price.
        return Some(open_for.as_secs());
    };
    let ended = MOVES_EVERY * u32::try_from(shown + 1).unwrap_or(u32::MAX);
    let since = open_for.saturating_sub(ended);
    (since > BELATED).then_some(since.as_secs())
}

fn step(open_for: Duration) -> u64 {
    (open_for.as_millis() / MOVES_EVERY.as_millis()) as u64
}

/// How long the catalogue takes for its answer: between 5 and 50 ms, the same for a sku each time.
pub(super) fn takes(sku: &str) -> Duration {
    Duration::from_millis(5 + hash(sku) % 46)
}

/// FNV-1a: the same in every run.
fn hash(sku: &str) -> u64 {
    sku.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moving_price_may_be_shown_for_a_moment_after_it_moved_and_not_for_longer() {
        let at = Duration::from_secs;
        let first = moving(at(0));
        assert_eq!((first, moving(at(1)), moving(at(2))), (1_000, 1_000, 1_010));
        // It was true until second 2.
        assert_eq!((stale(first, at(1)), stale(first, at(17))), (None, None));
        assert_eq!(stale(first, at(19)), Some(17));
        assert_eq!(stale(moving(at(18)), at(19)), None);
        assert!(stale(1_005, at(1)).is_some() && stale(0, at(1)).is_some() && stale(1_010, at(1)).is_some());
    }

    #[test]
    fn skus_tell_what_they_are() {
        assert_eq!(ware("item-1"), ware("item-1"));
        assert!(matches!(ware("fresh-0-17"), Ware::Steady(price) if (100..10_000).contains(&price)));
        assert_eq!(
            [ware("moving-1"), ware("gone-1"), ware("odd-\0"), ware("")],
            [Ware::Moving, Ware::Gone, Ware::Odd, Ware::Gone]
        );
        assert!((5..=50).contains(&takes("item-1").as_millis()));
    }
}
