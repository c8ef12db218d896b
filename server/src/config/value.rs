//! What one setting's text means, or the sentence that says why it means nothing.

use std::str::FromStr;

use trolley_core::time::Span;

use crate::config::raw::Raw;
use crate::config::{ConfigError, duration};

/// Whether it is to be so.
pub fn yes_or_no(raw: &Raw, setting: &str) -> Result<bool, ConfigError> {
    one_of(raw, setting, &[("true", true), ("false", false)])
}

/// A length of time.
pub fn span(raw: &Raw, setting: &str) -> Result<Span, ConfigError> {
    duration::parse(setting, raw.text(setting))
}

/// What was said, piece by piece; nothing said is an empty list.
pub fn list<T>(
    raw: &Raw,
    setting: &str,
    parse: impl Fn(&str, &str) -> Result<T, ConfigError>,
) -> Result<Vec<T>, ConfigError> {
    let pieces = raw.said(setting).into_iter().flat_map(|list| list.split(','));
    pieces.map(|piece| parse(setting, piece.trim())).collect()
}

/// One of the words that there are for it.
pub fn one_of<T: Copy>(raw: &Raw, setting: &str, choices: &[(&str, T)]) -> Result<T, ConfigError> {
    let text = raw.text(setting);
    if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    Err(ConfigError(format!("--{setting} is \"{text}\": it can be {}", names.join(" or "))))
}

/// A whole number from `least` to `most`.
pub fn number<T>(raw: &Raw, setting: &str, least: T, most: T) -> Result<T, ConfigError>
where
    T: FromStr + PartialOrd + std::fmt::Display + Copy,
{
    let text = raw.text(setting);
    match text.parse::<T>() {
        Ok(number) if number >= least && number <= most => Ok(number),
        _ => Err(ConfigError(format!(
            "--{setting} is \"{text}\": write a whole number from {least} to {most}"
        ))),
    }
}
