//! What was typed: flags, then the environment, then `trolley.toml`. Nothing is judged here but whether it is a setting.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::config::ConfigError;
use crate::config::table::{LATER, SETTINGS, Setting, Takes, find};
use crate::service::secret::ServerSecret;

/// The settings of `trolley serve`, as text.
#[derive(Clone, Debug, Default)]
pub struct Raw {
    /// The file of settings, where one was named.
    config: Option<PathBuf>,
    /// What was said; the rest is as the table has it.
    said: BTreeMap<&'static str, String>,
    /// The server's secret, where the environment has it: nowhere else would it stay one.
    secret: Option<ServerSecret>,
}

/// The file that is read where none is named and this one is there.
const DEFAULT_FILE: &str = "trolley.toml";
/// The variable that names another file.
const FILE_VARIABLE: &str = "TROLLEY_CONFIG";
/// The variable that holds the server's secret itself.
const SECRET_VARIABLE: &str = "TROLLEY_SECRET";

impl Raw {
    /// As a command says it that takes nothing but these.
    pub fn of_store(store: Option<String>, config: Option<PathBuf>) -> Raw {
        Raw { config, said: store.map(|store| ("store", store)).into_iter().collect(), secret: None }
    }

    /// What was said of a setting.
    pub fn said(&self, name: &str) -> Option<&str> {
        self.said.get(name).map(String::as_str)
    }

    /// The server's secret, where the environment has it.
    pub fn secret(&self) -> Option<&ServerSecret> {
        self.secret.as_ref()
    }

    /// What holds of a setting that always has a value.
    pub fn text(&self, name: &str) -> &str {
        let default = || find(name).and_then(Setting::default).expect("the table has it, with a default");
        self.said(name).unwrap_or_else(default)
    }

    /// Fills what the flags do not say from the environment, then from the file, and refuses names that are no setting.
    pub fn completed(
        mut self,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Raw, ConfigError> {
        self.fill_from_environment(environment)?;
        let text = match &self.config {
            Some(path) => std::fs::read_to_string(path).map_err(|error| {
                ConfigError(format!("--config: {} cannot be read: {error}", path.display()))
            })?,
            // A name that leads nowhere is not the same as none: whoever put it there means to be heard.
            None if Path::new(DEFAULT_FILE).symlink_metadata().is_ok() => {
                std::fs::read_to_string(DEFAULT_FILE)
                    .map_err(|error| ConfigError(format!("{DEFAULT_FILE} cannot be read: {error}")))?
            }
            None => String::new(),
        };
        self.fill_from(&text)?;
        if let Some((name, _)) = self.said.iter().find(|(_, value)| value.trim().is_empty()) {
            return Err(ConfigError(format!(
                "--{name} is empty: give it a value, or leave it out altogether"
            )));
        }
        match self.said.keys().find_map(|said| LATER.iter().find(|(name, _)| name == said)) {
            Some((name, about)) => {
                Err(ConfigError(format!("--{name} is not there yet: {about} will come with a later release")))
            }
            None => Ok(self),
        }
    }

    /// A misspelt variable would silently be no setting at all.
    fn fill_from_environment(
        &mut self,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        for (variable, value) in environment {
            let Some(name) = variable.strip_prefix("TROLLEY_") else { continue };
            // What is no text arrives with these in it: it would name another folder than it says.
            if value.contains(char::REPLACEMENT_CHARACTER) {
                return Err(ConfigError(format!("{variable} is not UTF-8")));
            }
            if variable == FILE_VARIABLE && value.is_empty() {
                return Err(ConfigError(format!(
                    "{FILE_VARIABLE} is empty: name a file, or leave it out altogether"
                )));
            }
            if variable == FILE_VARIABLE {
                self.config.get_or_insert(value.into());
                continue;
            }
            if variable == SECRET_VARIABLE {
                let secret = ServerSecret::parse(&value);
                self.secret = Some(secret.map_err(|why| ConfigError(format!("{SECRET_VARIABLE}: {why}")))?);
                continue;
            }
            let name = name.to_ascii_lowercase().replace('_', "-");
            let name = known(&name).ok_or_else(|| {
                ConfigError(format!("the environment has {variable}, which is not a setting"))
            })?;
            self.said.entry(name).or_insert(value);
        }
        Ok(())
    }

    /// Fills what is not said yet.
    pub fn fill_from(&mut self, toml: &str) -> Result<(), ConfigError> {
        let table: BTreeMap<String, toml::Value> = toml::from_str(toml)
            .map_err(|error| ConfigError(format!("the settings file is not TOML: {}", error.message())))?;
        for (name, value) in table {
            let known = known(&name).ok_or_else(|| {
                ConfigError(format!("the settings file names {name}, which is not a setting"))
            })?;
            let takes_many = find(known).is_some_and(|setting| matches!(setting.takes, Takes::List(_)));
            let wrong = |wrong| ConfigError(format!("{name} in the settings file is {wrong}"));
            match &value {
                // None of something is the same as not saying it.
                toml::Value::Array(items) if takes_many && items.is_empty() => continue,
                toml::Value::Array(_) if !takes_many => return Err(wrong("a list, and takes one value")),
                _ => {}
            }
            self.said.entry(known).or_insert(in_text(value).map_err(wrong)?);
        }
        Ok(())
    }
}

/// The name as the table has it, of a setting that is there or will be.
fn known(name: &str) -> Option<&'static str> {
    let names = SETTINGS.iter().map(|setting| setting.name).chain(LATER.iter().map(|(name, _)| *name));
    names.into_iter().find(|known| *known == name)
}

/// A value of the file as one would type it.
fn in_text(value: toml::Value) -> Result<String, &'static str> {
    match value {
        toml::Value::String(text) => Ok(text),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Boolean(yes) => Ok(yes.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(toml::Value::as_str).collect();
            items.map(|items| items.join(",")).ok_or("a list of something else than text")
        }
        _ => Err("neither text, number nor true or false"),
    }
}

/// One flag a setting, made of the table.
impl clap::Args for Raw {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help(format!(
                "A file of settings [env: {FILE_VARIABLE}] [default: {DEFAULT_FILE}, where there is one]"
            ));
        let later = LATER.iter().map(|(name, _)| {
            Arg::new(*name).long(*name).hide(true).num_args(0..=1).default_missing_value("true")
        });
        command.arg(file).args(SETTINGS.iter().map(flag)).args(later)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Raw::augment_args(command)
    }
}

fn flag(setting: &'static Setting) -> Arg {
    let default = setting.default().map(|value| format!(" [default: {value}]")).unwrap_or_default();
    let help = format!("{}{default} [env: {}]", setting.help, setting.variable());
    let flag = Arg::new(setting.name).long(setting.name).help(help);
    match setting.takes {
        Takes::Text(name) => flag.value_name(name),
        Takes::List(name) => flag.value_name(name).action(ArgAction::Append),
        Takes::Number => flag.value_name("N"),
        Takes::Duration => flag.value_name("DURATION"),
        Takes::Switch => {
            flag.value_name("true|false").num_args(0..=1).default_missing_value("true").require_equals(true)
        }
    }
}

impl clap::FromArgMatches for Raw {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Raw, clap::Error> {
        let mut raw = Raw::default();
        raw.update_from_arg_matches(matches)?;
        Ok(raw)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.config = matches.get_one::<PathBuf>("config").cloned().or(self.config.take());
        let names = SETTINGS.iter().map(|setting| setting.name).chain(LATER.iter().map(|(name, _)| *name));
        for name in names {
            if let Some(values) = matches.get_many::<String>(name) {
                let values: Vec<&str> = values.map(String::as_str).collect();
                self.said.insert(name, values.join(","));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args as _, FromArgMatches as _};

    fn typed(flags: &[&str]) -> Result<Raw, clap::Error> {
        let command = Raw::augment_args(Command::new("serve"));
        let matches = command.try_get_matches_from([&["serve"], flags].concat())?;
        Raw::from_arg_matches(&matches)
    }

    fn variables(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        pairs.collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_file_and_that_over_the_default() {
        let mut raw = typed(&["--listen", "127.0.0.1:1", "--demo"]).unwrap();
        raw.fill_from_environment(variables(&[
            ("TROLLEY_LISTEN", "127.0.0.1:2"),
            ("TROLLEY_MAX_LINES", "2"),
            ("PATH", "x"),
        ]))
        .unwrap();
        raw.fill_from("listen = '127.0.0.1:3'\nmax-lines = 3\nmax-quantity = 3\ntrusted-origin = ['https://a', 'https://b']")
            .unwrap();
        assert_eq!(
            (raw.text("listen"), raw.text("max-lines"), raw.text("max-quantity")),
            ("127.0.0.1:1", "2", "3")
        );
        assert_eq!((raw.text("demo"), raw.text("guest-idle")), ("true", "30d"));
        assert_eq!(raw.said("trusted-origin"), Some("https://a,https://b"));
        assert_eq!(raw.said("public-origin"), None);
    }

    #[test]
    fn an_empty_value_is_none_and_is_refused_wherever_it_is_said() {
        for name in ["catalogue", "store", "trusted-origin", "max-lines", "demo"] {
            let flag = typed(&[&format!("--{name}=")]).unwrap().completed(std::iter::empty());
            let variable = format!("TROLLEY_{}", name.to_ascii_uppercase().replace('-', "_"));
            let variable = Raw::default().completed(variables(&[(&variable, " ")]));
            for refused in [flag, variable] {
                let sentence = refused.map(drop).unwrap_err().0;
                assert!(sentence.contains(&format!("--{name} is empty")), "{sentence}");
            }
        }
        for (variable, value) in
            [("TROLLEY_CONFIG", ""), ("TROLLEY_SECRET", ""), ("TROLLEY_STORE", "file:caf\u{fffd}")]
        {
            assert!(Raw::default().completed(variables(&[(variable, value)])).is_err(), "{variable}");
        }
    }

    #[test]
    fn a_list_may_be_said_in_one_piece_or_in_several() {
        let raw =
            typed(&["--trusted-origin", "https://a,https://b", "--trusted-origin", "https://c"]).unwrap();
        assert_eq!(raw.said("trusted-origin"), Some("https://a,https://b,https://c"));
        assert!(typed(&["--listen", "127.0.0.1:1", "--listen", "127.0.0.1:2"]).is_err());
        let mut none = Raw::default();
        none.fill_from("trusted-origin = []").unwrap();
        assert_eq!(none.said("trusted-origin"), None);
    }

    #[test]
    fn what_is_no_setting_is_refused_wherever_it_is_said() {
        assert!(typed(&["--lisen", "x"]).is_err());
        let unknown =
            Raw::default().fill_from_environment(variables(&[("TROLLEY_MAX_LINS", "1")])).unwrap_err();
        assert!(unknown.0.contains("TROLLEY_MAX_LINS"), "{unknown}");
        for wrong in [
            "lisen = 'x'",
            "listen = 1.5",
            "[listen]",
            "trusted-origin = [1]",
            "store = ['file:a', 'b']",
            "listen",
        ] {
            assert!(Raw::default().fill_from(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_setting_of_the_contract_that_is_not_there_yet_is_refused_with_a_sentence_that_says_so() {
        for (name, _) in LATER {
            let flag = typed(&[&format!("--{name}"), "x"]).unwrap().completed(std::iter::empty());
            let variable = format!("TROLLEY_{}", name.to_ascii_uppercase().replace('-', "_"));
            let variable = Raw::default().completed(variables(&[(&variable, "x")]));
            for refused in [flag, variable] {
                let sentence = refused.map(drop).unwrap_err().0;
                assert!(sentence.contains(name) && sentence.contains("later release"), "{sentence}");
            }
        }
    }

    #[test]
    fn every_default_of_the_table_is_what_one_could_type() {
        for setting in SETTINGS {
            let Some(default) = setting.default() else { continue };
            let raw = typed(&[&format!("--{}={default}", setting.name)]).unwrap();
            assert_eq!(raw.text(setting.name), default);
        }
    }
}
