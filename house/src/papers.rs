//! The front door is complete, and no crate of the workspace leaves its lints (`unsafe_code` forbidden) behind.

use crate::tree::{Breach, Tree};

const PAPERS: [&str; 8] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "docs/concepts.md",
    "docs/operate.md",
];

/// Every paper that is missing or empty, and every manifest without the workspace's lints.
pub fn check(tree: &Tree) -> Vec<Breach> {
    let missing = PAPERS
        .iter()
        .filter(|path| tree.file(path).is_none_or(|file| file.text.trim().is_empty()))
        .map(|path| Breach::new(path, 0, "is missing or empty"));
    let unlinted = tree
        .ending("/Cargo.toml")
        .filter(|manifest| !manifest.text.contains("[lints]\nworkspace = true"))
        .map(|manifest| {
            Breach::new(&manifest.path, 0, "takes the workspace's lints: [lints] workspace = true")
        });
    missing.chain(unlinted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_empty_paper_and_a_crate_without_lints_are_found() {
        let lint = ("core/Cargo.toml", "[lints]\nworkspace = true\n");
        let full: Vec<_> = PAPERS.iter().map(|path| (*path, "x")).chain([lint]).collect();
        assert_eq!(check(&Tree::planted(&full)), []);
        let mut lacking = full;
        lacking[0].1 = " \n";
        lacking.remove(1);
        lacking.push(("store/Cargo.toml", "[lints.clippy]\n"));
        assert_eq!(check(&Tree::planted(&lacking)).len(), 3);
    }
}
