//! Durations as people write them: `45s`, `30m`, `2h`, `30d`, `2y`.

use trolley_core::time::Span;

use crate::config::ConfigError;

/// The longest that is taken: ten years. Beyond it somebody mistook the unit.
const LONGEST_S: u64 = 10 * 365 * 86_400;

/// Reads the duration of `setting`; none is ever zero.
pub fn parse(setting: &str, text: &str) -> Result<Span, ConfigError> {
    let wrong = || {
        ConfigError(format!("--{setting} is \"{text}\": write a number and a unit, such as 30m, 2h or 30d"))
    };
    let unit = text.chars().last().ok_or_else(wrong)?;
    let unit_s = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'y' => 365 * 86_400,
        _ => return Err(wrong()),
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let too_long = || ConfigError(format!("--{setting} is {text}: ten years (3650d) is the longest"));
    let number: u64 = digits.parse().map_err(|_| too_long())?;
    match number.checked_mul(unit_s) {
        Some(0) => Err(ConfigError(format!("--{setting} is {text}: nothing would live; give it some time"))),
        Some(seconds) if seconds <= LONGEST_S => Ok(Span::from_s(seconds)),
        _ => Err(too_long()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_they_are_written() {
        let read = |text| parse("x", text).map(Span::as_ms);
        assert_eq!(read("45s"), Ok(45_000));
        assert_eq!(read("30m"), Ok(1_800_000));
        assert_eq!(read("2h"), Ok(7_200_000));
        assert_eq!(read("30d"), Ok(2_592_000_000));
        assert_eq!((read("2y"), read("10y")), (read("730d"), read("3650d")));
        for wrong in [
            "",
            "30",
            "m",
            "-1m",
            "1.5h",
            "1 h",
            "0s",
            "0d",
            "3651d",
            "11y",
            "99999999999999999999s",
            "1é",
            "1w",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
