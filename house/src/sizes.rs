//! Files stay under 400 lines and functions under 70, and every module opens by saying what it is.

use crate::rust_text::{Kind, Token, tokens};
use crate::tree::{Breach, File, Tree};

/// Lines of a source file, at most.
pub const FILE_LINES_MAX: usize = 400;
/// Lines of a function, at most, from `fn` to its closing brace.
pub const FUNCTION_LINES_MAX: usize = 70;

/// Every file or function that is too long, and every module that does not open with its one-line promise.
pub fn check(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let sources = [".rs", ".js", ".mjs", ".sh", ".css", ".html"];
    for file in tree.files.iter().filter(|file| sources.iter().any(|end| file.path.ends_with(end))) {
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX {
            breaches.push(Breach::new(&file.path, 0, format!("{lines} lines; {FILE_LINES_MAX} is the most")));
        }
    }
    for file in tree.ending(".rs") {
        if !file.text.lines().next().is_some_and(|first| first.len() > 4 && first.starts_with("//! ")) {
            breaches.push(Breach::new(
                &file.path,
                1,
                "a module opens with a `//!` line that says what it is",
            ));
        }
        breaches.extend(long_functions(file));
    }
    breaches
}

fn long_functions(file: &File) -> Vec<Breach> {
    let tokens = tokens(&file.text);
    let mut breaches = Vec::new();
    for at in 0..tokens.len() {
        if let [keyword, Token { kind: Kind::Word(name), .. }, rest @ ..] = &tokens[at..]
            && keyword.is_word("fn")
            && let Some(end) = body_end(rest)
        {
            let lines = end - keyword.line + 1;
            if lines > FUNCTION_LINES_MAX {
                let what = format!("fn {name} has {lines} lines; {FUNCTION_LINES_MAX} is the most");
                breaches.push(Breach::new(&file.path, keyword.line, what));
            }
        }
    }
    breaches
}

/// The line where the body ends that begins in `tokens`; none where a `;` comes first: a declaration.
fn body_end(tokens: &[Token]) -> Option<usize> {
    let mut nesting = 0;
    let mut braces = 0;
    for token in tokens {
        match token.kind {
            Kind::Mark('(' | '[') => nesting += 1,
            Kind::Mark(')' | ']') => nesting -= 1,
            // In `[u8; 3]` the semicolon is part of a type.
            Kind::Mark(';') if nesting == 0 && braces == 0 => return None,
            Kind::Mark('{') => braces += 1,
            Kind::Mark('}') => {
                braces -= 1;
                if braces == 0 {
                    return Some(token.line);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaks(text: &str) -> bool {
        !check(&Tree::planted(&[("core/src/x.rs", text)])).is_empty()
    }

    fn function(lines: usize) -> String {
        format!("//! X.\nfn long(a: [u8; 3]) -> u8 {{\n{}}}\n", "    let _ = '}';\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_of_71_lines_is_found_and_one_of_70_is_not() {
        assert!(!breaks(&function(70)));
        assert!(breaks(&function(71)));
    }

    #[test]
    fn a_declaration_is_no_function_however_far_the_next_brace() {
        let text = format!(
            "//! X.\ntrait T {{\n    fn f(&self);\n{}    fn g(&self);\n}}\n",
            "    // x\n".repeat(90)
        );
        assert!(!breaks(&text));
    }

    #[test]
    fn a_file_of_401_lines_is_found_and_one_of_400_is_not() {
        let file = |lines: usize| format!("//! X.\n{}", "// x\n".repeat(lines - 1));
        assert!(!breaks(&file(400)));
        assert!(breaks(&file(401)));
    }

    #[test]
    fn a_module_that_does_not_say_what_it_is_is_found() {
        assert!(breaks("use std::fmt;\n"));
        assert!(breaks("//!\nuse std::fmt;\n"));
        assert!(breaks(""));
        assert!(!breaks("//! What a line is of.\n"));
    }
}
