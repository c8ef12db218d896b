//! The table of settings: the one place that names them. Flags, environment, file, help, the printed `trolley.toml` and the
//! README's table follow from it. What a setting means is checked beside it, in `checked`.

use crate::config::table::Takes::{Duration, List, Number, Switch, Text};
use crate::config::table::Unsaid::{Is, Nothing};

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// The flag without its dashes and the key of the file. As a variable: `TROLLEY_`, upper case, underscores.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What holds where it is not said.
    pub unsaid: Unsaid,
    /// What it does.
    pub help: &'static str,
    /// Why the default is what it is, or what to think of when changing it.
    pub why: &'static str,
}

/// What a setting takes, and what that is called in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Some text.
    Text(&'static str),
    /// Several, separated by commas, or said several times; a list in the file.
    List(&'static str),
    /// A whole number.
    Number,
    /// `45s`, `30m`, `2h`, `30d`.
    Duration,
    /// `true` or `false`; the flag alone is `true`.
    Switch,
}

/// What holds where a setting is not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// This.
    Is(&'static str),
    /// Nothing; said, it could look so.
    Nothing(&'static str),
}

impl Setting {
    /// Its variable.
    pub fn variable(&self) -> String {
        format!("TROLLEY_{}", self.name.to_ascii_uppercase().replace('-', "_"))
    }

    /// What holds where it is not said.
    pub fn default(&self) -> Option<&'static str> {
        let Is(value) = self.unsaid else { return None };
        Some(value)
    }
}

/// The setting of that name.
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// Settings of the contract whose feature is not there yet, each with what it is about. Named, they are refused with a
/// sentence: a shop that relies on one learns so at start, and not later.
pub const LATER: &[(&str, &str)] = &[
    ("sessions", "sessions in another store than the carts"),
    ("bus", "several nodes"),
    ("wait-for-store", "a store that is asked over a network"),
    ("jwt-issuer", "access tokens"),
    ("jwt-audience", "access tokens"),
];

/// Every setting of `trolley serve`, in the order of the help.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "listen",
        takes: Text("ADDRESS"),
        unsaid: Is("127.0.0.1:8080"),
        help: "Where to listen; port 0 takes a free one",
        why: "Nothing outside this machine reaches it until you say so.",
    },
    Setting {
        name: "admin-listen",
        takes: Text("ADDRESS"),
        unsaid: Nothing("127.0.0.1:8081"),
        help: "Where /metrics and /v1/admin/* are served instead of on --listen",
        why: "Without it they are on --listen, and only while that is loopback.",
    },
    Setting {
        name: "store",
        takes: Text("STORE"),
        unsaid: Is("file:./data"),
        help: "Where everything is kept: file:DIR, or memory: until the process ends",
        why: "One folder on a local disk; a network file system promises less than a cart needs.",
    },
    Setting {
        name: "durability",
        takes: Text("RULE"),
        unsaid: Is("strict"),
        help: "strict: an answer waits for the disk; relaxed: a power cut may take the last moment",
        why: "An item that was acknowledged is there after a power cut.",
    },
    Setting {
        name: "cache-mb",
        takes: Number,
        unsaid: Is("256"),
        help: "Megabytes of memory for records in use",
        why: "Room for some hundred thousand carts; more helps where more are in use at once.",
    },
    Setting {
        name: "demo",
        takes: Switch,
        unsaid: Is("false"),
        help: "Serve a demo shop on /",
        why: "For trying out, and for nothing else.",
    },
    Setting {
        name: "catalogue",
        takes: Text("PLACE"),
        unsaid: Nothing("./catalogue.json"),
        help: "What names title, price, stock and image of a sku: a JSON file, or an http(s) address",
        why: "Without one every sku is taken as it is, and no price is shown; the demo shop has its own.",
    },
    Setting {
        name: "stale-prices-for",
        takes: Duration,
        unsaid: Is("15m"),
        help: "How long the last known price of a sku sells while its catalogue does not tell a new one",
        why: "A short outage costs no order; after a longer one nobody knows any more what a thing costs.",
    },
    Setting {
        name: "public-origin",
        takes: Text("ORIGIN"),
        unsaid: Nothing("https://shop.example"),
        help: "Who we are behind a proxy",
        why: "Needed where the proxy changes Host: the cross-site check compares the page's origin with it.",
    },
    Setting {
        name: "trusted-origin",
        takes: List("ORIGINS"),
        unsaid: Nothing("https://app.shop.example"),
        help: "Other origins whose pages may read and change carts, exactly",
        why: "No page of another origin is believed until you name it.",
    },
    Setting {
        name: "trusted-proxy",
        takes: List("ADDRESSES"),
        unsaid: Nothing("10.0.0.0/8"),
        help: "Proxies whose word counts on where a request came from: addresses or networks",
        why: "Anybody can write X-Forwarded-For. Name yours, or all shoppers count as its one address.",
    },
    Setting {
        name: "same-site",
        takes: Text("RULE"),
        unsaid: Is("lax"),
        help: "The cookie's SameSite: lax or strict",
        why: "With strict a shopper who comes from a link or back from a payment page finds an empty cart at first.",
    },
    Setting {
        name: "guest-unproven",
        takes: Duration,
        unsaid: Is("14d"),
        help: "A guest who was never seen again, and holds a cart, is gone after this; without a cart after a day",
        why: "Who closed the tab comes back on Sunday. What was never used again may as well be a crawler's.",
    },
    Setting {
        name: "guests-unproven-most",
        takes: Number,
        unsaid: Is("1000000"),
        help: "Guests never seen again that are kept; past it the oldest over a day leave first",
        why: "About 2 GB. A flood pushes out others of its kind, and nobody who ever came back.",
    },
    Setting {
        name: "guest-idle",
        takes: Duration,
        unsaid: Is("30d"),
        help: "A guest unseen for this long is gone",
        why: "Guests expect their cart after a weekend, and after the next pay day.",
    },
    Setting {
        name: "guest-absolute",
        takes: Duration,
        unsaid: Is("180d"),
        help: "A guest is gone after this, whatever it did",
        why: "No token lives for ever.",
    },
    Setting {
        name: "merge",
        takes: Text("POLICY"),
        unsaid: Is("sum"),
        help: "How a guest's cart comes into the account's at sign-in: sum, max, keep_account or keep_guest",
        why: "Both adds were real. Nothing is dropped by any of them: what does not come in is saved for later.",
    },
    Setting {
        name: "audit-for",
        takes: Duration,
        unsaid: Is("90d"),
        help: "What happened to accounts and sessions is told for this long",
        why: "Long enough to look into what was noticed late; an account's own trail is bounded by its rows besides.",
    },
    Setting {
        name: "addresses-for",
        takes: Duration,
        unsaid: Is("30d"),
        help: "Network addresses in the audit and in the trails of accounts are kept for this long",
        why: "An address is personal data: it is of use against an attacker for days, not for ever.",
    },
    Setting {
        name: "orders-for",
        takes: Duration,
        unsaid: Is("2y"),
        help: "Order drafts are kept for this long, at least a day; until then they can be cancelled",
        why: "The shop has them in its own books by then.",
    },
    Setting {
        name: "idle",
        takes: Duration,
        unsaid: Is("2h"),
        help: "A signed-in session unseen for this long is over",
        why: "Whoever walks away from a screen leaves an account behind.",
    },
    Setting {
        name: "absolute",
        takes: Duration,
        unsaid: Is("24h"),
        help: "A signed-in session is over this long after its sign-in, whatever it did",
        why: "A stolen session ends with the day; NIST SP 800-63B asks for no longer at AAL2.",
    },
    Setting {
        name: "renew-after",
        takes: Duration,
        unsaid: Is("1h"),
        help: "The token of a signed-in session is renewed after so long in use",
        why: "A copied token is noticed when both it and its successor are used.",
    },
    Setting {
        name: "grace",
        takes: Duration,
        unsaid: Is("120s"),
        help: "How long a replaced token is good once its successor was presented; below --renew-after",
        why: "Requests under way still carry it, and browsers write cookies to disk half a minute late.",
    },
    Setting {
        name: "remember-for",
        takes: Duration,
        unsaid: Is("30d"),
        help: "A device that is to be remembered is, for so long after the password",
        why: "Convenience without an immortal session.",
    },
    Setting {
        name: "session-cap",
        takes: Number,
        unsaid: Is("20"),
        help: "Live sessions an account may have; the one signed in longest ago leaves first",
        why: "More than anybody's devices, and a bound on what a stolen password can leave behind.",
    },
    Setting {
        name: "session-cache-ms",
        takes: Number,
        unsaid: Is("0"),
        help: "How old what a node believes of a session may be, up to 2000; on one machine it is never old",
        why: "A sign-out counts at once; it matters only where several nodes share a store.",
    },
    Setting {
        name: "secret-file",
        takes: Text("FILE"),
        unsaid: Nothing("/etc/trolley/secret"),
        help: "The server's secret, the newest key first; or TROLLEY_SECRET has it. See docs/operate.md",
        why: "Beside a file: store it is made once, for the owner alone; the same on all nodes.",
    },
    Setting {
        name: "max-lines",
        takes: Number,
        unsaid: Is("200"),
        help: "Lines a cart holds",
        why: "More than a shopper fills by hand, few enough to answer whole.",
    },
    Setting {
        name: "max-quantity",
        takes: Number,
        unsaid: Is("9999"),
        help: "Units a line holds",
        why: "A larger number is a slip of the keyboard more often than an order.",
    },
    Setting {
        name: "max-connections",
        takes: Number,
        unsaid: Is("10000"),
        help: "Connections that may be open at once",
        why: "Each takes a file descriptor and some kilobytes; the process needs the descriptors (ulimit -n).",
    },
    Setting {
        name: "max-in-flight",
        takes: Number,
        unsaid: Is("1024"),
        help: "Requests that may be under way at once; beyond it 503 with Retry-After, at once",
        why: "Beyond it waiting helps nobody: the disk is the bound.",
    },
    Setting {
        name: "rate-limits",
        takes: Text("RULE"),
        unsaid: Is("on"),
        help: "Limits, shares and quotas for each address: on or off. The bounds in all hold either way",
        why: "A script cannot fill the store. off is for tests, which come from one address.",
    },
    Setting {
        name: "checkouts-per-minute",
        takes: Number,
        unsaid: Is("10"),
        help: "Orders of one cart in a minute",
        why: "Nobody orders faster; a script does.",
    },
    Setting {
        name: "checkouts-per-day",
        takes: Number,
        unsaid: Is("200"),
        help: "Orders of one cart in a day",
        why: "Each is kept for --orders-for.",
    },
    Setting {
        name: "keyed-writes-per-minute",
        takes: Number,
        unsaid: Is("600"),
        help: "Writes of one session under an Idempotency-Key in a minute",
        why: "A device that delivers its queue stays far below it.",
    },
    Setting {
        name: "sign-ins-per-hour",
        takes: Number,
        unsaid: Is("30"),
        help: "Sign-ins of one account in an hour, with the right password",
        why: "Each leaves a session and rows of the audit. Wrong passwords and remembered devices have limits of their own.",
    },
    Setting {
        name: "sign-ups-per-hour",
        takes: Number,
        unsaid: Is("20"),
        help: "Sign-ups from one address in an hour, and questions whether an address is in use",
        why: "Few share an address and sign up within one hour; who makes accounts by script does.",
    },
    Setting {
        name: "mb-per-day",
        takes: Number,
        unsaid: Is("1024"),
        help: "Megabytes that the guests of one address bring in a day",
        why: "A carrier's gateway with thousands of shoppers stays below it; the sum is in docs/security.md.",
    },
    Setting {
        name: "account-mb-per-day",
        takes: Number,
        unsaid: Is("16"),
        help: "Megabytes that one account brings in a day, from wherever it is used",
        why: "Two hundred of the largest orders fit, or thirty thousand changes; no neighbour uses it up.",
    },
    Setting {
        name: "log",
        takes: Text("LEVEL"),
        unsaid: Is("info"),
        help: "What is logged on standard error: error, warn, info, or debug with a line a request",
        why: "A line for each beginning and end of a session, none for each request.",
    },
    Setting {
        name: "log-format",
        takes: Text("FORMAT"),
        unsaid: Is("text"),
        help: "How it is logged: text or json",
        why: "People read it first; json is for a collector.",
    },
    Setting {
        name: "test-clock",
        takes: Switch,
        unsaid: Is("false"),
        help: "Let POST /test/clock turn the clock, for integrators' own tests; on loopback only",
        why: "Whoever can turn the clock can end every session.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_comes_twice_and_each_can_be_typed() {
        let names: Vec<&str> =
            SETTINGS.iter().map(|setting| setting.name).chain(LATER.iter().map(|later| later.0)).collect();
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{name} comes twice");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{name}");
        }
    }

    #[test]
    fn every_setting_says_what_it_does_and_why() {
        for setting in SETTINGS {
            assert!(!setting.help.ends_with('.') && setting.help.len() <= 100, "{}", setting.name);
            assert!(setting.why.ends_with('.') && setting.why.len() <= 110, "{}", setting.name);
        }
    }
}
