//! Money: whole minor units of a currency, and arithmetic that refuses rather than wraps.

use std::fmt;

/// A currency's code of three capital letters (ISO 4217). Its form is checked and not the list: new codes come every few years.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// From its code; none where it does not have the form.
    pub fn parse(code: &str) -> Option<Currency> {
        let code: [u8; 3] = code.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_uppercase).then_some(Currency(code))
    }

    /// Its code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many decimals of the currency its minor unit is: 2 for the euro, 0 for the yen.
    pub fn decimals(&self) -> u32 {
        const NONE: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
        const THREE: &str = "BHD IQD JOD KWD LYD OMR TND";
        const FOUR: &str = "CLF UYW";
        match self.as_str() {
            code if NONE.contains(code) => 0,
            code if THREE.contains(code) => 3,
            code if FOUR.contains(code) => 4,
            _ => 2,
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount of a currency; never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// Minor units: cents of the euro, yen of the yen.
    pub amount: u64,
    /// Of what.
    pub currency: Currency,
}

/// Why a sum cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SumError {
    /// It is more than [`Money::AMOUNT_MAX`].
    #[error("the total is larger than an amount can be")]
    TooLarge,
    /// Its parts are of different currencies.
    #[error("prices of two currencies have no total")]
    TwoCurrencies,
}

impl Money {
    /// The largest amount: what every reader of JSON can hold exactly, 2⁵³ − 1.
    pub const AMOUNT_MAX: u64 = (1 << 53) - 1;

    /// Nothing of a currency.
    pub fn zero(currency: Currency) -> Money {
        Money { amount: 0, currency }
    }

    /// So many times as much.
    pub fn times(self, n: u64) -> Result<Money, SumError> {
        self.amount.checked_mul(n).map_or(Err(SumError::TooLarge), |amount| self.of(amount))
    }

    /// Both together.
    pub fn plus(self, other: Money) -> Result<Money, SumError> {
        if self.currency != other.currency {
            return Err(SumError::TwoCurrencies);
        }
        self.amount.checked_add(other.amount).map_or(Err(SumError::TooLarge), |amount| self.of(amount))
    }

    /// All of `parts` together, beginning with nothing of `currency`; none where there is neither.
    pub fn sum(
        currency: Option<Currency>,
        mut parts: impl Iterator<Item = Result<Money, SumError>>,
    ) -> Result<Option<Money>, SumError> {
        let nothing = currency.map(Money::zero);
        parts.try_fold(nothing, |sum, part| sum.map_or(part, |sum| sum.plus(part?)).map(Some))
    }

    fn of(self, amount: u64) -> Result<Money, SumError> {
        if amount > Money::AMOUNT_MAX { Err(SumError::TooLarge) } else { Ok(Money { amount, ..self }) }
    }
}

/// As a price tag in any language has it: `EUR 12.50`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, decimals) = (self.currency.as_str(), self.currency.decimals());
        if decimals == 0 {
            return write!(f, "{code} {}", self.amount);
        }
        let unit = 10_u64.pow(decimals);
        write!(f, "{code} {}.{:0width$}", self.amount / unit, self.amount % unit, width = decimals as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: u64, currency: &str) -> Money {
        Money { amount, currency: Currency::parse(currency).unwrap() }
    }

    #[test]
    fn a_sum_is_exact_or_refused_and_never_wraps() {
        let most = money(Money::AMOUNT_MAX, "EUR");
        assert_eq!(money(1_299, "EUR").times(3), Ok(money(3_897, "EUR")));
        assert_eq!(most.times(1), Ok(most));
        assert_eq!(most.times(2), Err(SumError::TooLarge));
        assert_eq!(most.times(u64::MAX), Err(SumError::TooLarge));
        assert_eq!(money(Money::AMOUNT_MAX - 1, "EUR").plus(money(1, "EUR")), Ok(most));
        assert_eq!(most.plus(money(1, "EUR")), Err(SumError::TooLarge));
        assert_eq!(most.times(0), Ok(Money::zero(most.currency)));
        assert_eq!(money(1, "EUR").plus(money(1, "USD")), Err(SumError::TwoCurrencies));
    }

    #[test]
    fn money_is_printed_with_the_decimals_of_its_currency() {
        let printed = |amount, code| money(amount, code).to_string();
        assert_eq!(printed(1_250, "EUR"), "EUR 12.50");
        assert_eq!(printed(5, "USD"), "USD 0.05");
        assert_eq!(printed(1_250, "JPY"), "JPY 1250");
        assert_eq!(printed(1_250, "KWD"), "KWD 1.250");
        assert_eq!(printed(0, "CHF"), "CHF 0.00");
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        for wrong in ["", "EU", "EURO", "eur", "E1R", "€", "ÄÖ"] {
            assert_eq!(Currency::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Currency::parse("EUR").unwrap().as_str(), "EUR");
    }
}
