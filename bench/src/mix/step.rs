//! A mix is a row of steps that every visit goes through again and again.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mix {
    /// Read the cart.
    Read,
    /// Add one unit of a line that is there.
    Add,
    /// The same under an Idempotency-Key, a new one each time.
    AddKeyed,
    /// What pages of a shop ask of their cart server: 1 index, 10 browse, 2 add, 3 view, 1 checkout. Index and browse
    /// show the badge: the cart, where it changed since the page before (If-None-Match).
    Shop,
    /// A device's queue: ten adds in one call.
    Sync,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The cart, where it is not what was seen last.
    Badge,
    /// The cart.
    Read,
    /// One unit more.
    Add,
    /// One unit more, under a key.
    AddKeyed,
    /// The cart becomes an order, under a key.
    Checkout,
    /// [`SYNC_OPS`] units more, by a device.
    Sync,
}

/// Adds in one call of a device.
pub(crate) const SYNC_OPS: u64 = 10;

use Step::{AddKeyed, Badge, Checkout, Read};

/// Three looks into the cart, two things put in, eleven pages around them, and the order at the end.
const SHOP: [Step; 17] = [
    Badge, Badge, Badge, Badge, AddKeyed, Read, Badge, Badge, Badge, Badge, AddKeyed, Read, Badge, Badge,
    Badge, Read, Checkout,
];

impl Mix {
    /// The row of its steps.
    pub(crate) fn steps(self) -> &'static [Step] {
        match self {
            Mix::Read => &[Step::Read],
            Mix::Add => &[Step::Add],
            Mix::AddKeyed => &[Step::AddKeyed],
            Mix::Shop => &SHOP,
            Mix::Sync => &[Step::Sync],
        }
    }

    /// Its name, as it is typed.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

impl Step {
    /// The units that it puts into the cart.
    pub(crate) fn units(self) -> u64 {
        match self {
            Step::Add | Step::AddKeyed => 1,
            Step::Sync => SYNC_OPS,
            Step::Badge | Step::Read | Step::Checkout => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shops_mix_is_1_index_10_browse_2_add_3_view_1_checkout() {
        let count = |step| SHOP.iter().filter(|own| **own == step).count();
        assert_eq!([Badge, AddKeyed, Read, Checkout].map(count), [1 + 10, 2, 3, 1]);
    }
}
