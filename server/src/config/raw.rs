//! What was typed: flags, then the environment, then `trolley.toml`. Nothing is judged here but whether it is a setting.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Senseless;

/// The settings of `trolley serve`, as text. The doc of each is its help.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Raw {
    /// A file of settings [default: trolley.toml, where there is one]
    #[arg(long, env = "TROLLEY_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, env = "TROLLEY_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Where everything is kept: file:DIR or memory: [default: file:./data]
    #[arg(long, env = "TROLLEY_STORE", value_name = "STORE")]
    pub store: Option<String>,
    /// Serve a demo shop on / [default: false]
    #[arg(long, env = "TROLLEY_DEMO", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub demo: Option<String>,
    /// Who we are behind a proxy: `https://shop.example`
    #[arg(long, env = "TROLLEY_PUBLIC_ORIGIN", value_name = "ORIGIN")]
    pub public_origin: Option<String>,
    /// Other origins whose pages may change carts, separated by commas
    #[arg(long, env = "TROLLEY_TRUSTED_ORIGIN", value_name = "ORIGINS")]
    pub trusted_origin: Option<String>,
    /// A guest unseen for this long is gone [default: 30d]
    #[arg(long, env = "TROLLEY_GUEST_IDLE", value_name = "DURATION")]
    pub guest_idle: Option<String>,
    /// A guest is gone after this, whatever it did [default: 180d]
    #[arg(long, env = "TROLLEY_GUEST_ABSOLUTE", value_name = "DURATION")]
    pub guest_absolute: Option<String>,
    /// The cookie's SameSite: lax or strict [default: lax]
    #[arg(long, env = "TROLLEY_SAME_SITE", value_name = "RULE")]
    pub same_site: Option<String>,
    /// Lines a cart holds [default: 200]
    #[arg(long, env = "TROLLEY_MAX_LINES", value_name = "N")]
    pub max_lines: Option<String>,
    /// Units a line holds [default: 9999]
    #[arg(long, env = "TROLLEY_MAX_QUANTITY", value_name = "N")]
    pub max_quantity: Option<String>,
    /// strict: on disk before the answer; relaxed: a power cut may take the last moment [default: strict]
    #[arg(long, env = "TROLLEY_DURABILITY", value_name = "RULE")]
    pub durability: Option<String>,
    /// Megabytes of memory for records that are in use [default: 256]
    #[arg(long, env = "TROLLEY_CACHE_MB", value_name = "N")]
    pub cache_mb: Option<String>,
    /// Limits on guests and attempts; only off as yet, they come with a later release [default: off]
    #[arg(long, env = "TROLLEY_RATE_LIMITS", value_name = "RULE")]
    pub rate_limits: Option<String>,
    /// Connections that may be open at once [default: 10000]
    #[arg(long, env = "TROLLEY_MAX_CONNECTIONS", value_name = "N")]
    pub max_connections: Option<String>,
    /// Requests that may be under way at once [default: 1024]
    #[arg(long, env = "TROLLEY_MAX_IN_FLIGHT", value_name = "N")]
    pub max_in_flight: Option<String>,
    /// Let POST /test/clock turn the clock; only while listening on loopback [default: false]
    #[arg(long, env = "TROLLEY_TEST_CLOCK", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub test_clock: Option<String>,
    /// What is logged: error, warn, info, or debug, which has a line a request [default: info]
    #[arg(long, env = "TROLLEY_LOG", value_name = "LEVEL")]
    pub log: Option<String>,
    /// How it is logged: text or json [default: text]
    #[arg(long, env = "TROLLEY_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<String>,
}

/// The file that is read where none is named and this one is there.
const DEFAULT_FILE: &str = "trolley.toml";

impl Raw {
    /// Fills what neither flags nor the environment say from the file, and refuses names that are no setting.
    pub fn completed(mut self, environment: impl Iterator<Item = String>) -> Result<Raw, Senseless> {
        refuse_strangers(environment)?;
        let text = match &self.config {
            Some(path) => {
                let read = std::fs::read_to_string(path);
                read.map_err(|error| {
                    Senseless(format!("--config: {} cannot be read: {error}", path.display()))
                })?
            }
            None if Path::new(DEFAULT_FILE).exists() => {
                let read = std::fs::read_to_string(DEFAULT_FILE);
                read.map_err(|error| Senseless(format!("{DEFAULT_FILE} cannot be read: {error}")))?
            }
            None => return Ok(self),
        };
        self.fill_from(&text)?;
        Ok(self)
    }

    /// Fills what is not said yet.
    pub fn fill_from(&mut self, toml: &str) -> Result<(), Senseless> {
        let table: BTreeMap<String, toml::Value> = toml::from_str(toml)
            .map_err(|error| Senseless(format!("the settings file is not TOML: {}", error.message())))?;
        for (name, value) in table {
            let place = self.place(&name).ok_or_else(|| {
                Senseless(format!("the settings file names {name}, which is not a setting"))
            })?;
            let text = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(yes) => yes.to_string(),
                toml::Value::Array(items) => {
                    let items: Option<Vec<_>> = items.iter().map(toml::Value::as_str).collect();
                    let wrong = || {
                        Senseless(format!(
                            "{name} in the settings file is a list of something else than text"
                        ))
                    };
                    items.ok_or_else(wrong)?.join(",")
                }
                _ => {
                    return Err(Senseless(format!(
                        "{name} in the settings file is neither text, number nor true or false"
                    )));
                }
            };
            place.get_or_insert(text);
        }
        Ok(())
    }

    /// The setting of that name. There is no setting that is not here, so that a file says what a flag can.
    fn place(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "listen" => &mut self.listen,
            "store" => &mut self.store,
            "demo" => &mut self.demo,
            "public-origin" => &mut self.public_origin,
            "trusted-origin" => &mut self.trusted_origin,
            "guest-idle" => &mut self.guest_idle,
            "guest-absolute" => &mut self.guest_absolute,
            "same-site" => &mut self.same_site,
            "max-lines" => &mut self.max_lines,
            "max-quantity" => &mut self.max_quantity,
            "durability" => &mut self.durability,
            "cache-mb" => &mut self.cache_mb,
            "rate-limits" => &mut self.rate_limits,
            "max-connections" => &mut self.max_connections,
            "max-in-flight" => &mut self.max_in_flight,
            "test-clock" => &mut self.test_clock,
            "log" => &mut self.log,
            "log-format" => &mut self.log_format,
            _ => return None,
        })
    }
}

/// A misspelt variable would silently be no setting at all.
fn refuse_strangers(environment: impl Iterator<Item = String>) -> Result<(), Senseless> {
    let mut known = Raw::default();
    for variable in environment {
        let Some(name) = variable.strip_prefix("TROLLEY_") else { continue };
        let name = name.to_ascii_lowercase().replace('_', "-");
        if name != "config" && known.place(&name).is_none() {
            return Err(Senseless(format!("the environment has {variable}, which is not a setting")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_fills_what_is_not_said_and_says_nothing_else() {
        let mut raw = Raw { listen: Some("127.0.0.1:1".into()), ..Raw::default() };
        raw.fill_from(
            "listen = '127.0.0.1:2'\nmax-lines = 7\ndemo = true\ntrusted-origin = ['https://a', 'https://b']",
        )
        .unwrap();
        assert_eq!(raw.listen.as_deref(), Some("127.0.0.1:1"));
        assert_eq!((raw.max_lines.as_deref(), raw.demo.as_deref()), (Some("7"), Some("true")));
        assert_eq!(raw.trusted_origin.as_deref(), Some("https://a,https://b"));
        for wrong in
            ["lisen = 'x'", "idle = '2h'", "listen = 1.5", "[listen]", "trusted-origin = [1]", "listen"]
        {
            assert!(Raw::default().fill_from(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_misspelt_variable_is_refused() {
        let check = |name: &str| refuse_strangers([name.to_owned()].into_iter());
        assert_eq!(check("TROLLEY_MAX_LINES"), Ok(()));
        assert_eq!(check("OTHER_MAX_LINS"), Ok(()));
        assert!(check("TROLLEY_MAX_LINS").is_err());
    }

    #[test]
    fn every_flag_is_a_setting_of_the_file_too() {
        let command = <Raw as clap::Args>::augment_args(clap::Command::new("serve"));
        for flag in command.get_arguments().filter_map(clap::Arg::get_long).filter(|flag| *flag != "config") {
            assert!(Raw::default().place(flag).is_some(), "{flag}");
        }
    }
}
