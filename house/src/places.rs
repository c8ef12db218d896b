//! No tracked text names somebody's machine or the registry a package came from: a clone works anywhere.

use crate::tree::{Breach, File, Tree};

/// Where people keep their working copies. Spelt in two halves, so that this list is not found by itself.
const MACHINE: [(&str, &str); 6] =
    [("/ro", "ot/"), ("/ho", "me/"), ("/Us", "ers/"), ("/wo", "rk/"), ("/work", "space/"), ("/m", "nt/")];

/// Hosts that packages are fetched from; a client knows them by itself, or is told otherwise by its own settings.
const REGISTRIES: [(&str, &str); 7] = [
    ("registry.npm", "js.org"),
    ("registry.yarn", "pkg.com"),
    ("index.crates", ".io"),
    ("static.crates", ".io"),
    ("py", "pi.org"),
    ("deb.debian", ".org"),
    ("proxy.gol", "ang.org"),
];

/// The one address that Cargo itself writes into a lock file, whatever mirror it used.
const CARGO_INDEX: &str = "https://github.com/rust-lang/crates.io-index";

/// Every line that names such a place.
pub fn check(tree: &Tree) -> Vec<Breach> {
    tree.files.iter().flat_map(in_file).collect()
}

fn in_file(file: &File) -> Vec<Breach> {
    let is_lock = file.path.ends_with("Cargo.lock") || file.path.ends_with("package-lock.json");
    let mut breaches = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        let mut found = |what: String| breaches.push(Breach::new(&file.path, at + 1, what));
        for path in MACHINE.map(|(a, b)| [a, b].concat()) {
            if line.match_indices(&path).any(|(at, _)| begins_a_path(&line[..at])) {
                found(format!("`{path}` is a path of somebody's machine"));
            }
        }
        for host in REGISTRIES.map(|(a, b)| [a, b].concat()) {
            if line.contains(&host) {
                found(format!("`{host}` is a registry; clients know theirs"));
            }
        }
        if is_lock && (line.contains("\"resolved\"") || names_another_source(line)) {
            found("a lock file names no host (npm: omit-lockfile-registry-resolved)".to_owned());
        }
    }
    breaches
}

/// In an address or a longer path the same letters mean something else.
fn begins_a_path(before: &str) -> bool {
    !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '~' | '}'))
}

fn names_another_source(line: &str) -> bool {
    line.starts_with("source = ") && !line.contains(CARGO_INDEX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaks(path: &str, text: &str) -> bool {
        !check(&Tree::planted(&[(path, text)])).is_empty()
    }

    #[test]
    fn a_machines_path_or_a_registry_is_found() {
        for (a, b) in MACHINE {
            assert!(breaks("docs/x.md", &format!("see `{a}{b}trolley`")), "{a}{b}");
        }
        for (a, b) in REGISTRIES {
            assert!(breaks("package.json", &format!("\"https://{a}{b}/x\"")), "{a}{b}");
        }
        assert!(breaks("Cargo.lock", "source = \"registry+https://mirror.example/index\""));
        assert!(breaks("web/package-lock.json", "\"resolved\": \"https://mirror.example/x.tgz\""));
    }

    #[test]
    fn an_address_with_such_a_part_is_not() {
        let address = ["https://example.com/ho", "me/page and ../ho", "me/x"].concat();
        assert!(!breaks("docs/x.md", &address));
        assert!(!breaks("Cargo.lock", &format!("source = \"registry+{CARGO_INDEX}\"")));
        assert!(!breaks("docs/x.md", "source = the mirror"));
    }
}
