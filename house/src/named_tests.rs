//! A test that the papers name exists: `core/src/time.rs::name` in a code span is a promise that somebody may look up.

use crate::links::prose;
use crate::rust_text::{Kind, Token, tokens};
use crate::tree::{Breach, File, Tree};

/// Every named test that is not there.
pub fn check(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for paper in tree.ending(".md") {
        for (line, path, name) in named(&paper.text) {
            let found = tree.file(&path).is_some_and(|file| has_test(file, &name));
            if !found {
                breaches.push(Breach::new(&paper.path, line, format!("there is no test `{path}::{name}`")));
            }
        }
    }
    breaches
}

/// Code spans of the form `path.rs::name`, or `path.mjs::a sentence`.
fn named(text: &str) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        for span in line.split('`').skip(1).step_by(2) {
            if let Some((path, name)) = span.split_once("::")
                && (path.ends_with(".rs") || path.ends_with(".mjs"))
            {
                let name =
                    if path.ends_with(".rs") { name.rsplit("::").next().unwrap_or(name) } else { name };
                found.push((number, path.to_owned(), name.to_owned()));
            }
        }
    }
    found
}

fn has_test(file: &File, name: &str) -> bool {
    if !file.path.ends_with(".rs") {
        return ['"', '\'', '`']
            .iter()
            .any(|quote| file.text.contains(&format!("test({quote}{name}{quote}")));
    }
    let tokens = tokens(&file.text);
    (0..tokens.len()).any(|at| match &tokens[at..] {
        [keyword, Token { kind: Kind::Word(own), .. }, ..] => {
            keyword.is_word("fn") && own == name && is_marked_as_test(&tokens[..at])
        }
        _ => false,
    })
}

/// Whether the last item's attributes, at the end of `before`, say `test`: `#[test]`, `#[tokio::test]`.
fn is_marked_as_test(before: &[Token]) -> bool {
    before
        .iter()
        .rev()
        .take_while(|token| !matches!(token.kind, Kind::Mark('{' | '}' | ';')))
        .any(|token| token.is_word("test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "
        fn a_helper() {}
        #[test]
        fn a_test() {}
        #[tokio::test(flavor = \"current_thread\")]
        /// Says more.
        async fn an_async_test() {}
        fn beside_a_test() {}
        // #[test] fn in_a_comment() {}
    ";

    fn breaks(paper: &str) -> bool {
        let browser = "test('a guest fills a cart', run);";
        let tree = Tree::planted(&[
            ("docs/a.md", paper),
            ("core/src/x.rs", SOURCE),
            ("server/tests/browser/shop.mjs", browser),
        ]);
        !check(&tree).is_empty()
    }

    #[test]
    fn a_named_test_that_is_not_there_is_found() {
        for paper in [
            "`core/src/x.rs::gone`",
            "`core/src/y.rs::a_test`",
            "`core/src/x.rs::a_helper`",
            "`core/src/x.rs::beside_a_test`",
            "`core/src/x.rs::in_a_comment`",
            "`server/tests/browser/shop.mjs::a guest`",
        ] {
            assert!(breaks(paper), "{paper}");
        }
    }

    #[test]
    fn one_that_is_there_is_not() {
        for paper in [
            "`core/src/x.rs::a_test` and `core/src/x.rs::tests::an_async_test`",
            "`server/tests/browser/shop.mjs::a guest fills a cart`",
            "`std::fmt` and core/src/x.rs::gone",
        ] {
            assert!(!breaks(paper), "{paper}");
        }
    }
}
