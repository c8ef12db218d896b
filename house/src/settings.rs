//! The README's table of settings is the list that the program takes, and the papers name no other.

use std::collections::BTreeSet;

use crate::links::prose;
use crate::tree::{Breach, Tree};

const SOURCE: &str = "server/src/config/table.rs";
const TABLE: &str = "README.md";
const PAPERS: [&str; 2] = [TABLE, "docs/operate.md"];

/// Flags in the papers that belong to `./check`, to Cargo, or to a command that is not `serve`.
const OTHERS: [&str; 9] = ["quick", "list", "release", "to", "from", "config", "default", "scope", "name"];

/// Every setting that the table lacks or has too many, and every flag in the papers that is none.
pub fn check(tree: &Tree) -> Vec<Breach> {
    if !tree.holds("server/src/config") {
        return Vec::new();
    }
    let (Some(source), Some(table)) = (tree.file(SOURCE), tree.file(TABLE)) else {
        return vec![Breach::new(SOURCE, 0, "the settings have moved: tell this rule where they are")];
    };
    let settings: BTreeSet<String> = source.text.lines().filter_map(setting).collect();
    let listed: BTreeSet<String> = prose(&table.text)
        .filter(|(_, line)| line.starts_with("| `--"))
        .flat_map(|(_, line)| first(line))
        .collect();
    let lacking =
        settings.difference(&listed).map(|name| Breach::new(TABLE, 0, format!("the table lacks --{name}")));
    let mut breaches: Vec<Breach> = lacking.collect();
    for paper in PAPERS.iter().filter_map(|path| tree.file(path)) {
        for (at, line) in paper.text.lines().enumerate() {
            let unknown =
                flags(line).filter(|flag| !settings.contains(flag) && !OTHERS.contains(&flag.as_str()));
            breaches.extend(
                unknown.map(|flag| Breach::new(&paper.path, at + 1, format!("there is no --{flag}"))),
            );
        }
    }
    breaches
}

/// `name: "guest-idle",` names a setting.
fn setting(line: &str) -> Option<String> {
    let (name, _) = line.trim().strip_prefix("name: \"")?.split_once("\",")?;
    Some(name.to_owned())
}

fn first(line: &str) -> Option<String> {
    flags(line).next()
}

/// The long flags of Trolley's own commands in a line: those in code spans, and those in a line that calls `trolley`.
fn flags(line: &str) -> impl Iterator<Item = String> {
    let calls = line.contains("trolley ") && !line.contains('`');
    let spans = if calls { vec![line] } else { line.split('`').skip(1).step_by(2).collect() };
    let words: Vec<&str> =
        spans.iter().filter(|span| calls || span.starts_with("--")).flat_map(|s| s.split(' ')).collect();
    let named = words.into_iter().filter_map(|word| word.strip_prefix("--"));
    let names = named
        .map(|name| name.split(|c: char| !(c.is_ascii_lowercase() || c == '-')).next().unwrap_or_default());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE_OF_SETTINGS: &str =
        "Setting {\n    name: \"listen\",\n},\nSetting {\n    name: \"guest-idle\",\n},";

    fn breaches(table: &str, operate: &str) -> usize {
        check(&Tree::planted(&[(SOURCE, TABLE_OF_SETTINGS), (TABLE, table), ("docs/operate.md", operate)]))
            .len()
    }

    #[test]
    fn a_setting_that_is_not_listed_and_one_that_is_not_there_are_found() {
        let whole = "| `--listen` | x |\n| `--guest-idle` | y |\nrun `./check --quick`";
        assert_eq!(breaches(whole, "use `--guest-idle 30d`\ntrolley serve --listen 1"), 0);
        assert_eq!(breaches("| `--listen` | see `--guest-idle` |", ""), 1);
        assert_eq!(breaches(whole, "`--guest-idel`"), 1);
        assert_eq!(breaches(whole, "trolley serve --listne 1 --guest-idle 2"), 1);
        assert_eq!(breaches("", ""), 2);
    }

    #[test]
    fn a_moved_source_is_found() {
        let moved = "server/src/config/settings.rs";
        assert_eq!(check(&Tree::planted(&[(TABLE, ""), (moved, TABLE_OF_SETTINGS)])).len(), 1);
    }
}
