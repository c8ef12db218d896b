//! Arrows point down: core knows nothing of ours, an adapter nothing of another, the service nothing of HTTP.

use crate::paths::{Used, module_of, used};
use crate::rust_text::{Kind, tokens};
use crate::tree::{Breach, File, Tree};

/// One forbidden arrow: files under `from` use nothing in `to`.
struct Arrow {
    /// Paths that begin so.
    from: &'static str,
    /// But not these.
    except: &'static [&'static str],
    /// Modules that are out of their reach.
    to: &'static [&'static str],
    /// Why.
    why: &'static str,
}

const ADAPTERS: [&str; 2] = ["memory", "embedded"];

const ARROWS: &[Arrow] = &[
    Arrow {
        from: "core/",
        except: &[],
        to: &["trolley_store", "trolley"],
        why: "core is the ground: it uses nothing of ours",
    },
    Arrow {
        from: "core/src/",
        except: &[],
        to: &[
            "std::fs",
            "std::io",
            "std::net",
            "std::process",
            "std::env",
            "std::thread",
            "tokio",
            "tracing",
            "log",
        ],
        why: "core decides and does nothing: no I/O, no log, no threads",
    },
    Arrow {
        from: "core/src/session",
        except: &[],
        to: &["trolley_core::cart"],
        why: "session and cart meet in the service only; their ids are in ids.rs",
    },
    Arrow {
        from: "core/src/cart",
        except: &[],
        to: &["trolley_core::session", "trolley_core::ledger"],
        why: "session and cart meet in the service only; their ids are in ids.rs",
    },
    Arrow {
        from: "store/",
        except: &[],
        to: &["trolley", "axum", "hyper"],
        why: "the store stands below the server",
    },
    Arrow {
        from: "bench/",
        except: &[],
        to: &["trolley_core", "trolley_store", "trolley"],
        why: "what measures knows only what any client knows: HTTP",
    },
    Arrow {
        from: "server/src/service",
        except: &[],
        to: &[
            "trolley::http",
            "trolley::control_socket",
            "trolley::cli",
            "trolley::catalogue",
            "axum",
            "hyper",
            "http",
        ],
        why: "the service does not know how it is called",
    },
    Arrow {
        from: "server/src/http",
        except: &[],
        to: &["trolley::catalogue"],
        why: "a handler speaks to the service, which speaks to the catalogue's port, never to an adapter",
    },
    Arrow {
        from: "server/src/http",
        except: &["server/src/http/openapi/routes.rs"],
        to: &["axum::routing"],
        why: "a route of the API is added together with its description: openapi::routes is the only way",
    },
    Arrow {
        from: "server/src/http",
        except: &[],
        to: &["trolley::pages"],
        why: "pages stand above the API, and it does not know them: who starts the program puts them together",
    },
    Arrow {
        from: "server/src/service",
        except: &[],
        to: &["trolley::pages"],
        why: "the service does not know how it is called",
    },
    Arrow {
        from: "server/src/catalogue",
        except: &[],
        to: &["trolley::http", "trolley::cli", "axum"],
        why: "a catalogue's adapter knows the port, and nothing of who asks",
    },
    Arrow {
        from: "server/src/",
        except: &["server/src/service/random.rs"],
        to: &["getrandom", "rand"],
        why: "random bytes come from the one source that a test can replace",
    },
    Arrow {
        from: "server/src/http/problem/response.rs",
        except: &[],
        to: &["trolley::http::server", "trolley::http::routes", "trolley::http::extract", "tower"],
        why: "the problem stands on the ground: whatever borrows from it must not be borrowed from",
    },
    Arrow {
        from: "server/src/",
        except: &["server/src/main.rs", "server/src/cli", "server/src/config"],
        to: &["trolley::config"],
        why: "only main.rs and the commands see the configuration; others are handed what they need",
    },
    Arrow {
        from: "server/src/",
        // The configuration is where an adapter's own settings are checked.
        except: &["server/src/main.rs", "server/src/cli", "server/src/config"],
        to: &["trolley_store::memory", "trolley_store::embedded", "rusqlite"],
        why: "a handler or the service speaks to the port, never to an adapter",
    },
];

/// Every use of something that is out of reach.
pub fn check(tree: &Tree) -> Vec<Breach> {
    tree.ending(".rs").flat_map(|file| in_file(file, &used(file))).collect()
}

fn in_file(file: &File, used: &[Used]) -> Vec<Breach> {
    let breach =
        |path: &Used, why: &str| Breach::new(&file.path, path.line, format!("`{}`: {why}", path.path));
    let mut breaches = Vec::new();
    for arrow in ARROWS.iter().filter(|arrow| applies(arrow, &file.path)) {
        let out_of_reach = |path: &&Used| arrow.to.iter().any(|to| path.is_in(to));
        breaches.extend(used.iter().filter(out_of_reach).map(|path| breach(path, arrow.why)));
    }
    if let Some(own) = ADAPTERS.iter().find(|own| is_adapter(&file.path, own)) {
        let other = |path: &&Used| {
            ADAPTERS.iter().any(|other| other != own && path.is_in(&format!("trolley_store::{other}")))
        };
        breaches.extend(
            used.iter().filter(other).map(|path| breach(path, "adapters know nothing of each other")),
        );
    }
    breaches
}

fn applies(arrow: &Arrow, path: &str) -> bool {
    path.starts_with(arrow.from) && !arrow.except.iter().any(|except| path.starts_with(except))
}

fn is_adapter(path: &str, name: &str) -> bool {
    path.strip_prefix("store/src/")
        .and_then(|path| path.strip_prefix(name))
        .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// Every rule that names a place which is not there: such a rule cannot fail.
pub fn check_rules(tree: &Tree) -> Vec<Breach> {
    let own = "house/src/arrows.rs";
    let mut breaches = Vec::new();
    for arrow in ARROWS {
        for place in arrow.except.iter().copied().chain([arrow.from]) {
            if !is_there(tree, place) {
                breaches.push(Breach::new(own, 0, format!("a rule is about {place}, which is not there")));
            }
        }
        for module in arrow.to.iter().copied().filter(|module| is_ours(module)) {
            if !tree.ending(".rs").any(|file| module_of(&file.path).join("::").starts_with(module)) {
                breaches.push(Breach::new(own, 0, format!("a rule forbids {module}, which is not there")));
            }
        }
    }
    breaches
}

fn is_there(tree: &Tree, place: &str) -> bool {
    tree.files.iter().any(|file| {
        file.path
            .strip_prefix(place)
            .is_some_and(|rest| place.ends_with('/') || rest.is_empty() || rest.starts_with(['/', '.']))
    })
}

fn is_ours(module: &str) -> bool {
    ["trolley", "trolley_core", "trolley_store"].contains(&module.split("::").next().unwrap_or_default())
}

/// Every name that is taken from a crate's root instead of from the module that owns it, and every root that offers one.
pub fn check_roots(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in tree.ending(".rs") {
        for path in used(file) {
            if let Some((root, name)) = path.path.split_once("::")
                && matches!(root, "trolley_core" | "trolley_store" | "trolley")
                && name.starts_with(char::is_uppercase)
            {
                breaches.push(Breach::new(
                    &file.path,
                    path.line,
                    format!("`{}`: name its module", path.path),
                ));
            }
        }
        if file.path.ends_with("/src/lib.rs") {
            breaches.extend(re_exports(file));
        }
    }
    breaches
}

fn re_exports(file: &File) -> Vec<Breach> {
    let tokens = tokens(&file.text);
    let is_word = |kind: &Kind, word: &str| matches!(kind, Kind::Word(own) if own == word);
    tokens
        .windows(2)
        .filter(|pair| is_word(&pair[0].kind, "pub") && is_word(&pair[1].kind, "use"))
        .map(|pair| Breach::new(&file.path, pair[0].line, "a crate's root re-exports nothing"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaks(path: &str, text: &str) -> bool {
        !check(&Tree::planted(&[(path, text)])).is_empty()
    }

    #[test]
    fn arrows_that_point_up_or_across_are_found() {
        for (path, text) in [
            ("core/src/cart/apply.rs", "use trolley_store::kind::Key;"),
            ("core/tests/laws.rs", "use trolley::service::Service;"),
            ("core/src/item.rs", "use std::{fmt, fs};"),
            ("core/src/session.rs", "use crate::cart::state::Cart;"),
            ("core/src/session.rs", "fn f(_: &super::cart::state::Cart) {}"),
            ("core/src/cart/state.rs", "use crate::{ids::CartId, session::Session};"),
            ("store/src/memory.rs", "use crate::embedded::journal::Row;"),
            ("store/src/embedded/writer.rs", "use super::super::memory::Memory;"),
            ("store/src/port.rs", "use trolley::service;"),
            ("bench/src/cmd/load.rs", "use trolley_core::ids::CartId;"),
            ("bench/tests/commands.rs", "use trolley::service::Service;"),
            ("server/src/service/cart.rs", "use crate::http::error::Problem;"),
            ("server/src/service/cart.rs", "use axum::Json;"),
            ("server/src/service/batch.rs", "use crate::catalogue::file::File;"),
            ("server/src/http/routes/cart/lines.rs", "use crate::pages::shop::frame::Frame;"),
            ("server/src/catalogue/file.rs", "use crate::http::error::Problem;"),
            ("server/src/http/cart.rs", "use axum::routing::get;"),
            ("server/src/http/problem/response.rs", "use super::super::server::edge::Edge;"),
            ("server/src/http/page.rs", "fn f() { getrandom::fill(&mut bytes); }"),
            ("server/src/http/cart.rs", "use crate::config::Config;"),
            ("server/src/http/cart.rs", "use trolley_store::embedded::Embedded;"),
        ] {
            assert!(breaks(path, text), "{path}: {text}");
        }
    }

    #[test]
    fn arrows_that_point_down_are_not() {
        for (path, text) in [
            ("core/src/session.rs", "use crate::ids::CartId; // never crate::cart"),
            ("core/src/cart/apply.rs", "use super::state::Cart;\n#[cfg(test)]\nmod tests { use super::*; }"),
            ("core/tests/vectors.rs", "use std::fs;"),
            ("bench/src/cmd/load.rs", "use crate::host::programs;\nuse super::asked::Runs;"),
            ("store/src/open.rs", "use crate::memory::Memory;\nuse crate::embedded::Embedded;"),
            ("store/src/embedded/writer.rs", "use super::journal::Row;\nuse crate::kind::Key;"),
            ("server/src/main.rs", "use trolley::config::Config;"),
            ("server/src/pages/shop/mod.rs", "use axum::routing::get;"),
            ("server/src/cli/serve.rs", "use crate::config::Config;\nuse trolley_store::open;"),
            ("server/src/http/cart.rs", "use crate::service::cart::Carts;\nuse trolley_store::port::Store;"),
        ] {
            assert!(!breaks(path, text), "{path}: {text}");
        }
    }

    #[test]
    fn a_name_taken_from_a_root_is_found_and_one_from_its_owner_is_not() {
        let found = |path: &str, text: &str| !check_roots(&Tree::planted(&[(path, text)])).is_empty();
        assert!(found("server/src/service/cart.rs", "use trolley_core::{ids::CartId, Cart};"));
        assert!(found("store/src/port.rs", "fn f() -> trolley_core::Cart {}"));
        assert!(found("store/src/memory.rs", "use crate::Store;"));
        assert!(found("core/src/lib.rs", "pub mod ids;\npub use ids::CartId;"));
        assert!(!found("server/src/service/cart.rs", "use trolley_core::ids::{CartId, SessionId};"));
        assert!(!found("core/src/lib.rs", "pub mod ids;"));
        assert!(!found("core/src/time.rs", "struct Span;\n#[cfg(test)]\nmod tests { use super::Span; }"));
    }
}
