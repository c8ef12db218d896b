//! Numbers within a body: whole ones, by their value and however they are written (`1.0` and `1e0` are 1).

use serde_json::value::RawValue;

use crate::http::extract::json::Fields;
use crate::service::json::decimal::{Decimal, Whole};

/// The largest number that every reader of JSON takes for itself (RFC 7493, section 2.2): 2^53 - 1.
const NUMBER_MAX: u64 = (1 << 53) - 1;

impl Fields<'_> {
    /// A whole number of at least `least`, where it is there. One too large for a `u32` is the largest there is: no
    /// limit is so high, and the limit's own refusal says what it is.
    pub fn whole_number(&mut self, name: &str, least: u32) -> Option<u32> {
        let value = self.take(name)?;
        match self.number_of(name, value, u64::from(least))? {
            Whole::Number(number) => Some(u32::try_from(number).unwrap_or(u32::MAX)),
            _ => Some(u32::MAX),
        }
    }

    /// A whole number that must be there, such as a revision, up to `NUMBER_MAX`.
    pub fn number(&mut self, name: &str, least: u64) -> Option<u64> {
        let value = self.required(name)?;
        match self.number_of(name, value, least)? {
            Whole::Number(number) if number <= NUMBER_MAX => Some(number),
            _ => {
                self.fault(name, format!("Send a whole number of at most {NUMBER_MAX}."));
                None
            }
        }
    }

    /// What is no whole number is a fault, and so is one below the least. Of one beyond 64 bits it is told that it is.
    fn number_of(&mut self, name: &str, value: &RawValue, least: u64) -> Option<Whole> {
        match Decimal::parse(value.get()).map(|number| number.whole()) {
            Some(number @ Whole::TooLarge) => return Some(number),
            Some(Whole::Number(number)) if number >= least => return Some(Whole::Number(number)),
            _ => self.fault(name, format!("Send a whole number of at least {least}.")),
        }
        None
    }

    /// A whole number, where it is there: less than nothing is sent by devices too and means nothing, and more than `NUMBER_MAX` no more
    /// than that.
    pub fn clamped(&mut self, name: &str) -> Option<u64> {
        let value = self.take(name)?;
        match Decimal::parse(value.get()).map(|number| number.whole()) {
            Some(Whole::Number(number)) => Some(number.min(NUMBER_MAX)),
            Some(Whole::TooLarge) => Some(NUMBER_MAX),
            Some(Whole::Negative) => Some(0),
            Some(Whole::Fraction) | None => {
                self.fault(name, "Send a whole number.");
                None
            }
        }
    }
}
