//! `trolley.toml`, written from the table: each key with what it does, why it has its default, and what overwrites it.

use std::fmt::Write as _;

use crate::config::raw::Raw;
use crate::config::table::{SETTINGS, Setting, Takes, Unsaid};

const HEAD: &str = "\
# trolley.toml: the settings of `trolley serve`. It is read from the folder that the program is started in, or from
# where --config or TROLLEY_CONFIG says. A flag overwrites a variable, and a variable overwrites what is written here.
";

/// The whole file, with what holds under `raw`. What holds nothing is there as a comment with an example.
pub fn file(raw: &Raw) -> String {
    let mut text = String::from(HEAD);
    for setting in SETTINGS {
        let Setting { name, help, why, .. } = setting;
        let default = match setting.unsaid {
            Unsaid::Is(value) => format!("Default: {value}."),
            Unsaid::Nothing(_) => "Default: none.".to_owned(),
        };
        let _ = write!(
            text,
            "\n# {help}.\n# {default} {why}\n# Overwritten by --{name} or {}.\n",
            setting.variable()
        );
        let _ = match (raw.said(name), setting.unsaid) {
            (Some(value), _) | (None, Unsaid::Is(value)) => {
                writeln!(text, "{name} = {}", written(setting, value))
            }
            (None, Unsaid::Nothing(example)) => writeln!(text, "#{name} = {}", written(setting, example)),
        };
    }
    text
}

/// A value as TOML has it. One that is no number or switch, where one should be, is written as the text it is.
fn written(setting: &Setting, value: &str) -> String {
    let bare = match setting.takes {
        Takes::Number => value.parse::<i64>().is_ok_and(|number| number.to_string() == value),
        Takes::Switch => matches!(value, "true" | "false"),
        Takes::Text(_) | Takes::List(_) | Takes::Duration => false,
    };
    match setting.takes {
        _ if bare => value.to_owned(),
        Takes::List(_) => {
            let items = value.split(',').map(|item| toml::Value::from(item.trim()));
            toml::Value::Array(items.collect()).to_string()
        }
        _ => toml::Value::from(value).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::checked::Config;

    #[test]
    fn the_printed_file_is_read_as_what_was_printed() {
        let mut said = Raw::default();
        said.fill_from("listen = '[::1]:80'\nmax-lines = 7\ndemo = true\ntrusted-origin = ['https://a.example', 'https://b.example']")
            .unwrap();
        let mut read = Raw::default();
        read.fill_from(&file(&said)).unwrap();
        for Setting { name, unsaid, .. } in SETTINGS {
            let default = if let Unsaid::Is(value) = unsaid { Some(*value) } else { None };
            assert_eq!(read.said(name), said.said(name).or(default), "{name}");
        }
    }

    #[test]
    fn the_file_of_the_defaults_is_sensible_and_names_every_setting_with_what_overwrites_it() {
        let text = file(&Raw::default());
        let mut raw = Raw::default();
        raw.fill_from(&text).unwrap();
        Config::new(&raw).unwrap();
        for setting in SETTINGS {
            let key = format!("{} = ", setting.name);
            assert!(text.lines().any(|line| line.trim_start_matches('#').starts_with(&key)), "{key}");
            assert!(text.contains(&format!("Overwritten by --{} or {}.", setting.name, setting.variable())));
        }
    }

    #[test]
    fn the_examples_are_sensible_too() {
        let text = file(&Raw::default());
        let lines = text
            .lines()
            .map(|line| line.strip_prefix('#').filter(|key| !key.starts_with(' ')).unwrap_or(line));
        let mut raw = Raw::default();
        raw.fill_from(&lines.collect::<Vec<_>>().join("\n")).unwrap();
        Config::new(&raw).unwrap();
    }
}
