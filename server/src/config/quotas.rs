//! What may be asked of the store, and how much and how long it keeps, as the settings say.

use trolley_core::time::Span;

use crate::config::ConfigError;
use crate::config::raw::Raw;
use crate::config::value::{number, span};
use crate::service::settings::{Keeping, Rates};

/// More than anybody could mean; what is to be without a bound has `--rate-limits off`.
const MOST: u32 = 1_000_000;
/// Megabytes that a number of 32 bits can count in bytes.
const MB_MOST: u32 = 4_095;

/// The quotas.
pub fn rates(raw: &Raw) -> Result<Rates, ConfigError> {
    Ok(Rates {
        checkouts_per_minute: number(raw, "checkouts-per-minute", 1, MOST)?,
        checkouts_per_day: number(raw, "checkouts-per-day", 1, MOST)?,
        keyed_writes_per_minute: number(raw, "keyed-writes-per-minute", 1, MOST)?,
        sign_ins_per_hour: number(raw, "sign-ins-per-hour", 1, MOST)?,
        sign_ups_per_hour: number(raw, "sign-ups-per-hour", 1, MOST)?,
        mb_per_day: number(raw, "mb-per-day", 1, MB_MOST)?,
        account_mb_per_day: number(raw, "account-mb-per-day", 1, MB_MOST)?,
    })
}

/// What is kept.
pub fn keeping(raw: &Raw) -> Result<Keeping, ConfigError> {
    let orders = span(raw, "orders-for")?;
    if orders < Span::from_days(1) {
        let why = "who sends a checkout again within a day is owed the same order; give it at least 1d";
        return Err(ConfigError(format!("--orders-for is {}: {why}", raw.text("orders-for"))));
    }
    Ok(Keeping { guests_unproven: number(raw, "guests-unproven-most", 0, u64::from(u32::MAX))?, orders })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(toml: &str) -> Raw {
        let mut raw = Raw::default();
        raw.fill_from(toml).unwrap();
        raw
    }

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        assert_eq!(rates(&raw("")), Ok(Rates::default()));
        assert_eq!(keeping(&raw("")), Ok(Keeping::default()));
    }

    #[test]
    fn a_quota_of_nothing_and_orders_that_a_retry_would_miss_are_refused() {
        for none in
            ["checkouts-per-day = 0", "mb-per-day = 4096", "account-mb-per-day = 0", "sign-ups-per-hour = 0"]
        {
            assert!(rates(&raw(none)).is_err(), "{none}");
        }
        assert!(keeping(&raw("orders-for = '23h'")).is_err());
        let kept = keeping(&raw("orders-for = '1d'\nguests-unproven-most = 0")).unwrap();
        assert_eq!((kept.orders, kept.guests_unproven), (Span::from_days(1), 0));
    }
}
