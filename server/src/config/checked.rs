//! What the settings mean, each checked: from here on nothing can be senseless.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::MergePolicy;
use trolley_core::time::Span;
use trolley_store::embedded::settings::Durability;
use trolley_store::open::{OpenError, folder_of};

use crate::config::lifetimes::policy;
use crate::config::quotas::{keeping, rates};
use crate::config::raw::Raw;
use crate::config::secret::{SecretSource, secret};
use crate::config::value::{list, number, one_of, span, yes_or_no};
use crate::config::{ConfigError, origin};
use crate::http::extract::address::Proxies;
use crate::http::extract::cookie::SameSite;
use crate::http::extract::network::Network;
use crate::http::server::serve::ServerLimits;
use crate::http::server::state::HttpConfig;
use crate::service::settings::{AuditFor, Settings};

/// Everything `trolley serve` needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where the shop's own systems are served, if not there.
    pub admin_listen: Option<SocketAddr>,
    /// The store's address.
    pub store: String,
    /// What a power cut may take.
    pub durability: Durability,
    /// Memory for records in use.
    pub cache_mb: u64,
    /// Where the shop's catalogue is, if it has one.
    pub catalogue: Option<CatalogueSource>,
    /// How long a last known price sells.
    pub stale_prices_for: Span,
    /// Where the server's secret is.
    pub secret: SecretSource,
    /// What the service keeps to.
    pub service: Settings,
    /// What HTTP keeps to.
    pub rules: HttpConfig,
    /// The bounds of connections.
    pub bounds: ServerLimits,
    /// What is logged.
    pub log: tracing::Level,
    /// As JSON.
    pub log_json: bool,
}

/// Where a catalogue is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogueSource {
    /// In a file.
    File(PathBuf),
    /// At an http or https address.
    Address(String),
}

impl CatalogueSource {
    fn of(text: &str) -> Result<CatalogueSource, ConfigError> {
        let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("http" | "https") => Ok(CatalogueSource::Address(text.to_owned())),
            Some("file") => {
                Err(ConfigError(format!("--catalogue is \"{text}\": write the path of the file by itself")))
            }
            _ if text.contains("://") => Err(ConfigError(format!(
                "--catalogue is \"{text}\": write the path of a JSON file, or an http or https address"
            ))),
            _ => Ok(CatalogueSource::File(text.into())),
        }
    }
}

impl Config {
    /// Checks each setting, and those that depend on each other.
    pub fn new(raw: &Raw) -> Result<Config, ConfigError> {
        let listen = socket("listen", raw.text("listen"))?;
        let admin_listen = raw.said("admin-listen").map(|text| socket("admin-listen", text)).transpose()?;
        if admin_listen.is_some_and(|admin| meet(admin, listen)) {
            return Err(ConfigError(
                "--admin-listen is where --listen is: give it a port of its own".to_owned(),
            ));
        }
        let test_clock = yes_or_no(raw, "test-clock")?;
        if test_clock && !listen.ip().is_loopback() {
            let why = "whoever can reach it could end every session";
            return Err(ConfigError(format!("--test-clock goes only with a loopback --listen: {why}")));
        }
        let durability = [("strict", Durability::Strict), ("relaxed", Durability::Relaxed)];
        let levels = [
            ("error", tracing::Level::ERROR),
            ("warn", tracing::Level::WARN),
            ("info", tracing::Level::INFO),
            ("debug", tracing::Level::DEBUG),
        ];
        Ok(Config {
            listen,
            admin_listen,
            store: store(raw)?,
            durability: one_of(raw, "durability", &durability)?,
            cache_mb: number(raw, "cache-mb", 1, 1 << 20)?,
            catalogue: raw.said("catalogue").map(CatalogueSource::of).transpose()?,
            stale_prices_for: span(raw, "stale-prices-for")?,
            secret: secret(raw)?,
            service: service(raw)?,
            rules: HttpConfig {
                // Whoever reaches a public listener should not even learn what is there.
                admin: admin_listen.is_none() && listen.ip().is_loopback(),
                test_clock,
                ..rules(raw)?
            },
            bounds: ServerLimits {
                max_connections: number(raw, "max-connections", 1, 1_000_000)?,
                ..ServerLimits::default()
            },
            log: one_of(raw, "log", &levels)?,
            log_json: one_of(raw, "log-format", &[("text", false), ("json", true)])?,
        })
    }
}

/// Whether the two would be one: also where one of them is every address of this machine.
fn meet(one: SocketAddr, other: SocketAddr) -> bool {
    let everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (everywhere || one.ip() == other.ip())
}

/// The store's address, where it is one.
fn store(raw: &Raw) -> Result<String, ConfigError> {
    let address = raw.text("store");
    match folder_of(address) {
        Ok(_) | Err(OpenError::NotInAFolder(_)) => Ok(address.to_owned()),
        Err(error) => Err(ConfigError(format!("--store: {error}"))),
    }
}

fn service(raw: &Raw) -> Result<Settings, ConfigError> {
    let policy = policy(raw)?;
    let limits = Limits {
        lines: number(raw, "max-lines", 1, 1_000)?,
        quantity: number(raw, "max-quantity", 1, 1_000_000)?,
        ..Limits::default()
    };
    let rate_limits = one_of(raw, "rate-limits", &[("on", true), ("off", false)])?;
    let merges = [
        ("sum", MergePolicy::Sum),
        ("max", MergePolicy::Max),
        ("keep_account", MergePolicy::KeepAccount),
        ("keep_guest", MergePolicy::KeepGuest),
    ];
    let merge = one_of(raw, "merge", &merges)?;
    let audit = AuditFor { events: span(raw, "audit-for")?, addresses: span(raw, "addresses-for")? };
    let (rates, keeping) = (rates(raw)?, keeping(raw)?);
    Ok(Settings { policy, limits, merge, audit, rate_limits, rates, keeping, ..Settings::default() })
}

fn rules(raw: &Raw) -> Result<HttpConfig, ConfigError> {
    let public_origin =
        raw.said("public-origin").map(|text| origin::parse("public-origin", text)).transpose()?;
    Ok(HttpConfig {
        same_site: one_of(raw, "same-site", &[("lax", SameSite::Lax), ("strict", SameSite::Strict)])?,
        public_origin,
        trusted_origins: list(raw, "trusted-origin", origin::parse)?,
        trusted_proxies: Proxies::new(list(raw, "trusted-proxy", network)?),
        demo: yes_or_no(raw, "demo")?,
        max_in_flight: number(raw, "max-in-flight", 1, 1_000_000)?,
        ..HttpConfig::default()
    })
}

/// An address and a port; a name such as localhost is looked up once, here.
fn socket(setting: &str, text: &str) -> Result<SocketAddr, ConfigError> {
    let advice = "write an address and a port, such as 127.0.0.1:8080";
    let wrong = || ConfigError(format!("--{setting} is \"{text}\": {advice}"));
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err(wrong());
    }
    text.to_socket_addrs().ok().and_then(|mut found| found.next()).ok_or_else(wrong)
}

fn network(setting: &str, text: &str) -> Result<Network, ConfigError> {
    text.parse().map_err(|wrong| ConfigError(format!("--{setting} is \"{text}\": {wrong}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::web::Patience;
    use trolley_core::session::SessionPolicy;

    /// Settings that differ from the defaults by a file of that text.
    fn checked(toml: &str) -> Result<Config, ConfigError> {
        let mut raw = Raw::default();
        raw.fill_from(toml)?;
        Config::new(&raw)
    }

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        let checked = checked("").unwrap();
        assert_eq!(checked.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(checked.store, "file:./data");
        assert_eq!(checked.durability, Durability::Strict);
        assert!(!checked.rules.demo && !checked.rules.test_clock);
        assert_eq!(checked.service.policy, SessionPolicy::default());
        assert!(checked.service.rate_limits);
        assert_eq!(checked.stale_prices_for, Patience::default().sells_for);
        assert_eq!(checked.service.limits, Limits::default());
        assert_eq!(checked.rules.same_site, SameSite::Lax);
        assert_eq!((checked.bounds.max_connections, checked.rules.max_in_flight), (10_000, 1_024));
    }

    #[test]
    fn the_shops_own_systems_are_served_on_loopback_or_on_a_listener_of_their_own() {
        for (toml, beside_the_rest) in [
            ("", true),
            ("listen = '[::1]:80'", true),
            ("listen = '0.0.0.0:80'", false),
            ("listen = '0.0.0.0:80'\nadmin-listen = '127.0.0.1:81'", false),
            ("admin-listen = '127.0.0.1:81'", false),
        ] {
            assert_eq!(checked(toml).unwrap().rules.admin, beside_the_rest, "{toml}");
        }
    }

    #[test]
    fn senseless_settings_are_refused_with_a_sentence_that_names_them() {
        for (toml, names) in [
            ("listen = '127.0.0.1'", "--listen"),
            ("listen = '127.0.0.1:65536'", "--listen"),
            ("listen = ':8080'", "--listen"),
            ("stale-prices-for = '0s'", "--stale-prices-for"),
            ("guest-idle = '0d'", "--guest-idle"),
            ("guest-idle = '200d'", "--guest-absolute"),
            ("guest-absolute = '1d'", "--guest-idle"),
            ("idle = '25h'", "--idle"),
            ("idle = '400000d'", "--idle"),
            ("guest-absolute = '99999999999999999999d'", "--guest-absolute"),
            ("max-quantity = 4294967296", "--max-quantity"),
            ("max-connections = 4294967296", "--max-connections"),
            ("cache-mb = 4294967296", "--cache-mb"),
            ("grace = '1h'", "--grace"),
            ("renew-after = '2m'", "--grace"),
            ("session-cap = 0", "--session-cap"),
            ("session-cache-ms = 2001", "--session-cache-ms"),
            ("remember-for = '0s'", "--remember-for"),
            ("same-site = 'none'", "--same-site"),
            ("merge = 'newest'", "--merge"),
            ("audit-for = '0d'", "--audit-for"),
            ("addresses-for = 'ever'", "--addresses-for"),
            ("max-lines = 0", "--max-lines"),
            ("max-quantity = -1", "--max-quantity"),
            ("durability = 'some'", "--durability"),
            ("cache-mb = 'x'", "--cache-mb"),
            ("rate-limits = 'some'", "--rate-limits"),
            ("public-origin = 'http://shop.example'", "--public-origin"),
            ("trusted-origin = 'https://a.example,*'", "--trusted-origin"),
            ("trusted-proxy = '10.0.0.1/8'", "--trusted-proxy"),
            ("trusted-proxy = ['10.0.0.1', '*']", "--trusted-proxy"),
            ("admin-listen = '8081'", "--admin-listen"),
            ("admin-listen = '127.0.0.1:8080'", "--admin-listen"),
            ("admin-listen = '0.0.0.0:8080'", "--admin-listen"),
            ("admin-listen = '[::]:8080'", "--admin-listen"),
            ("store = 'file://./data'", "--store: \"file://./data\" names a machine"),
            ("store = 'postgres://shop'", "--store"),
            ("store = './data'", "--store"),
            ("store = 'sqlite:./data'\nsecret-file = 'secret'", "--store"),
            ("catalogue = 'ftp://shop.example/products'", "--catalogue"),
            ("catalogue = 'file:./catalogue.json'", "--catalogue"),
            ("public-origin = 'https://[::1'", "--public-origin"),
            ("public-origin = 'https://shop..example'", "--public-origin"),
            ("trusted-origin = 'https://-.example'", "--trusted-origin"),
            ("trusted-origin = 'https://10.0.0.256'", "--trusted-origin"),
            ("demo = 'yes'", "--demo"),
            ("test-clock = true\nlisten = '0.0.0.0:80'", "--test-clock"),
            ("test-clock = true\nlisten = '[::]:80'", "--test-clock"),
            ("test-clock = true\nlisten = '192.0.2.1:80'", "--test-clock"),
            ("log = 'loud'", "--log"),
            ("max-in-flight = 0", "--max-in-flight"),
        ] {
            let sentence = checked(toml).map(|_| ()).unwrap_err().to_string();
            assert!(sentence.contains(names), "{toml}: {sentence}");
        }
    }
}
