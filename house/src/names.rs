//! One word for one thing: no public type's name stands twice in a crate, and none hides one of the prelude.

use std::collections::BTreeMap;

use crate::rust_text::{Kind, Token, tokens};
use crate::tree::{Breach, File, Tree};

/// Where a crate's own code is: each is looked at by itself.
const CRATES: [&str; 6] =
    ["core/src/", "store/src/", "store/contract/src/", "server/src/", "bench/src/", "house/src/"];

/// What Rust's prelude names: a type of ours by such a name would be read as that.
const PRELUDE: [&str; 24] = [
    "AsMut",
    "AsRef",
    "Box",
    "Clone",
    "Copy",
    "Default",
    "Drop",
    "Eq",
    "Err",
    "Extend",
    "Fn",
    "From",
    "Into",
    "IntoIterator",
    "Iterator",
    "None",
    "Ok",
    "Option",
    "Ord",
    "Result",
    "Send",
    "Some",
    "String",
    "Vec",
];

/// Every public type whose name another one of its crate has, or the prelude.
pub fn check(tree: &Tree) -> Vec<Breach> {
    CRATES.iter().flat_map(|own| in_crate(tree, own)).collect()
}

fn in_crate(tree: &Tree, own: &str) -> Vec<Breach> {
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    let mut breaches = Vec::new();
    for file in tree.ending(".rs").filter(|file| file.path.starts_with(own)) {
        for (name, line) in public_types(file) {
            if PRELUDE.contains(&name.as_str()) {
                let what = format!("`{name}` is a name of Rust's prelude: a reader takes it for that");
                breaches.push(Breach::new(&file.path, line, what));
            }
            match first.get(&name) {
                Some(other) => {
                    let what = format!("`{name}` stands in {other} too: one word for one thing");
                    breaches.push(Breach::new(&file.path, line, what));
                }
                None => drop(first.insert(name, &file.path)),
            }
        }
    }
    breaches
}

/// The types that a file offers to others, at its top level, with their lines.
fn public_types(file: &File) -> Vec<(String, usize)> {
    let tokens = tokens(&file.text);
    let mut types = Vec::new();
    let mut depth = 0_usize;
    for at in 0..tokens.len() {
        match tokens[at].kind {
            Kind::Mark('{') => depth += 1,
            Kind::Mark('}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0
            && tokens[at].is_word("pub")
            && let Some([keyword, Token { kind: Kind::Word(name), line }]) =
                after_visibility(&tokens[at + 1..])
            && ["struct", "enum", "trait", "type"].iter().any(|kind| keyword.is_word(kind))
        {
            types.push((name.clone(), *line));
        }
    }
    types
}

/// The two tokens behind `pub` and its parentheses.
fn after_visibility(rest: &[Token]) -> Option<&[Token; 2]> {
    let skipped =
        if rest.first()?.is_mark('(') { rest.iter().position(|token| token.is_mark(')'))? + 1 } else { 0 };
    rest.get(skipped..)?.first_chunk()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaks(files: &[(&str, &str)]) -> bool {
        !check(&Tree::planted(files)).is_empty()
    }

    #[test]
    fn a_name_that_stands_twice_in_a_crate_is_found_and_one_of_two_crates_is_not() {
        let order = "pub struct Order {}";
        assert!(breaks(&[("server/src/a.rs", order), ("server/src/b.rs", "pub(crate) enum Order {}")]));
        assert!(!breaks(&[("server/src/a.rs", order), ("core/src/b.rs", order)]));
        assert!(!breaks(&[("server/src/a.rs", order), ("server/src/b.rs", "struct Order {}")]));
    }

    #[test]
    fn a_name_of_the_prelude_is_found_and_what_a_trait_asks_for_is_not() {
        assert!(breaks(&[("core/src/a.rs", "pub struct From { x: u8 }")]));
        assert!(!breaks(&[("core/src/a.rs", "impl FromStr for X { type Err = Y; }")]));
    }
}
