//! The account at the end: what was acknowledged against what the carts hold.

use serde::{Deserialize, Serialize};

use super::visit::Visit;

/// What stands in a session's cart before and after.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stock {
    /// Units before the first run.
    pub(crate) before: u64,
    /// Units after the last.
    pub(crate) after: u64,
}

/// Whether everything that was acknowledged is there, once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exact {
    /// Carts that were compared.
    pub(crate) carts: u64,
    /// Units whose adding was acknowledged.
    pub(crate) acknowledged: u64,
    /// Units that left with orders.
    pub(crate) ordered: u64,
    /// Units whose adding nobody was told of: the connection ended.
    pub(crate) unknown: u64,
    /// Acknowledged units that are not there.
    pub(crate) missing: u64,
    /// Units that nobody was told of and nobody asked for.
    pub(crate) extra: u64,
    /// Carts left out, since an order may have been made that nobody was told of.
    pub(crate) unsure: u64,
}

impl Exact {
    /// Compares each session's stock with the account of all its visits.
    pub(crate) fn compare<'a>(stocks: &[Stock], visits: impl Iterator<Item = &'a Visit>) -> Exact {
        let mut sums = vec![Visit::default(); stocks.len()];
        for visit in visits {
            let sum = &mut sums[visit.session];
            sum.acknowledged += visit.acknowledged;
            sum.unknown += visit.unknown;
            sum.ordered += visit.ordered;
            sum.unsure |= visit.unsure;
        }
        let mut exact = Exact::default();
        for (stock, sum) in stocks.iter().zip(&sums) {
            if sum.unsure {
                exact.unsure += 1;
                continue;
            }
            let (least, found) = (stock.before + sum.acknowledged, stock.after + sum.ordered);
            exact.carts += 1;
            exact.acknowledged += sum.acknowledged;
            exact.ordered += sum.ordered;
            exact.unknown += sum.unknown;
            exact.missing += least.saturating_sub(found);
            exact.extra += found.saturating_sub(least + sum.unknown);
        }
        exact
    }

    /// Whether nothing is missing and nothing is too much.
    pub(crate) fn holds(&self) -> bool {
        self.missing == 0 && self.extra == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_and_a_doubled_unit_are_found_and_an_unanswered_one_may_be_either() {
        let visit = |session, acknowledged, unknown, ordered| Visit {
            session,
            acknowledged,
            unknown,
            ordered,
            ..Visit::default()
        };
        let stock = |before, after| Stock { before, after };
        let check = |after, unknown, ordered| {
            let visits = [visit(0, 5, unknown, ordered), visit(0, 5, 0, 0)];
            let exact = Exact::compare(&[stock(2, after)], visits.iter());
            (exact.missing, exact.extra, exact.holds())
        };
        assert_eq!(check(12, 0, 0), (0, 0, true));
        assert_eq!(check(11, 0, 0), (1, 0, false));
        assert_eq!(check(13, 0, 0), (0, 1, false));
        assert_eq!(check(13, 1, 0), (0, 0, true));
        assert_eq!(check(4, 0, 8), (0, 0, true));
    }
}
