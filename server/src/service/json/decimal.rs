//! Numbers as JSON writes them, by their value: `1`, `1.0` and `1e0` are one number, and nothing is rounded.

/// A number: `digits` times ten to the power of `exponent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Without zeros at either end; none of zero.
    digits: String,
    exponent: i128,
}

/// What a number is to who wants a whole one that is not below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// One that is.
    Number(u64),
    /// One that is too large for 64 bits.
    TooLarge,
    /// One that is below zero.
    Negative,
    /// None: it has a fraction.
    Fraction,
}

impl Decimal {
    /// Of a JSON number; none where the text is not one. An exponent beyond 38 digits counts as the largest there is.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let leads_with_zero = whole.len() > 1 && whole.starts_with('0');
        if leads_with_zero || ![whole, fraction, power].into_iter().all(are_digits) {
            return None;
        }
        let digits = format!("{whole}{fraction}");
        let most = i128::MAX / 4;
        let power = power.parse().unwrap_or(most).min(most);
        let power = if exponent.starts_with('-') { -power } else { power };
        let significant = digits.trim_end_matches('0');
        let zeros = (digits.len() - significant.len()) as i128;
        let exponent = power - fraction.len() as i128 + zeros;
        let digits = significant.trim_start_matches('0').to_owned();
        match digits.is_empty() {
            true => Some(Decimal { negative: false, digits, exponent: 0 }),
            false => Some(Decimal { negative, digits, exponent }),
        }
    }

    /// As a whole number.
    pub fn whole(&self) -> Whole {
        if self.digits.is_empty() {
            return Whole::Number(0);
        }
        if self.exponent < 0 {
            return Whole::Fraction;
        }
        if self.negative {
            return Whole::Negative;
        }
        // A u64 has at most 20 digits.
        let zeros = usize::try_from(self.exponent).ok().filter(|zeros| self.digits.len() + zeros <= 20);
        let number = zeros.and_then(|zeros| format!("{}{}", self.digits, "0".repeat(zeros)).parse().ok());
        number.map_or(Whole::TooLarge, Whole::Number)
    }

    /// The one way to write it.
    pub fn canonical(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        match (self.digits.as_str(), self.exponent) {
            ("", _) => "0".to_owned(),
            (digits, exponent) => format!("{sign}{digits}e{exponent}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(text: &str) -> Whole {
        Decimal::parse(text).unwrap().whole()
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for one in ["1", "1.0", "1e0", "1E+0", "1.000", "10e-1", "0.1e1", "100.0e-2", "0.001e3", "1e-0"] {
            assert_eq!(whole(one), Whole::Number(1), "{one}");
        }
        for zero in ["0", "-0", "0.0", "0e400", "-0.0e-7", "0e99999999999999999999999999999999999999999999"] {
            assert_eq!(whole(zero), Whole::Number(0), "{zero}");
        }
        assert_eq!(whole("18446744073709551615"), Whole::Number(u64::MAX));
        assert_eq!(whole("1.8446744073709551615e19"), Whole::Number(u64::MAX));
    }

    #[test]
    fn what_is_no_whole_number_is_told_apart_without_rounding_and_without_a_long_sum() {
        for fraction in
            ["1.5", "0.1", "-0.5", "1e-1", "15e-1", "1.00000000000000000000000000000001", "1e-999999999999"]
        {
            assert_eq!(whole(fraction), Whole::Fraction, "{fraction}");
        }
        for large in
            ["18446744073709551616", "1e20", "1e400", "1e99999999999999999999999999999999999999999999"]
        {
            assert_eq!(whole(large), Whole::TooLarge, "{large}");
        }
        for negative in ["-1", "-1.0", "-1e400", "-10e-1"] {
            assert_eq!(whole(negative), Whole::Negative, "{negative}");
        }
        for none in ["", "-", "+1", "01", "1.", ".5", "1e", "1e+", "NaN", "0x1", "1_0", "--1", "1e1.5", "١"]
        {
            assert_eq!(Decimal::parse(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_one_for_a_value_and_another_for_another(n in any::<i64>(), places in 0_usize..30, other in any::<i64>()) {
            let canonical = |text: &str| Decimal::parse(text).unwrap().canonical();
            let spelt = format!("{n}{}e-{places}", "0".repeat(places));
            prop_assert_eq!(canonical(&spelt), canonical(&n.to_string()));
            prop_assert_eq!(canonical(&format!("{n}.{}", "0".repeat(places + 1))), canonical(&n.to_string()));
            prop_assert_eq!(canonical(&n.to_string()) == canonical(&other.to_string()), n == other);
        }
    }
}
