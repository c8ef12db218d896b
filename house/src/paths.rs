//! Which paths a source file uses, made absolute: `super::cart` in `core/src/session.rs` is `trolley_core::cart`.

use crate::rust_text::{Kind, Token, tokens};
use crate::tree::File;

/// A path that a file uses, such as `trolley_core::ids::CartId`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// The whole path; `crate`, `self` and `super` are resolved.
    pub path: String,
    /// Where it stands.
    pub line: usize,
}

impl Used {
    /// Whether it is `module` or something in it.
    pub fn is_in(&self, module: &str) -> bool {
        self.path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

/// Every path of two and more parts in a file, `use` trees spread out.
pub fn used(file: &File) -> Vec<Used> {
    let tokens = tokens(&file.text);
    let mut walk =
        Walk { tokens: &tokens, at: 0, module: module_of(&file.path), inline: Vec::new(), used: Vec::new() };
    walk.run();
    walk.used
}

/// The module that a file is: `server/src/http/cart.rs` is `trolley::http::cart`. A test's root is `test`.
pub fn module_of(path: &str) -> Vec<String> {
    let krate = |folder: &str| match folder {
        "core" => "trolley_core".to_owned(),
        "store" => "trolley_store".to_owned(),
        "server" => "trolley".to_owned(),
        other => other.to_owned(),
    };
    let Some((folder, inside)) = path.split_once("/src/") else {
        return vec!["test".to_owned()];
    };
    let inside = inside.trim_end_matches(".rs");
    let parts = inside.split('/').filter(|part| !matches!(*part, "mod" | "lib" | "main"));
    std::iter::once(krate(folder)).chain(parts.map(str::to_owned)).collect()
}

struct Walk<'a> {
    tokens: &'a [Token],
    at: usize,
    /// The module that the walk is in.
    module: Vec<String>,
    /// For each open brace, whether it opened an inline module.
    inline: Vec<bool>,
    used: Vec<Used>,
}

impl Walk<'_> {
    fn run(&mut self) {
        while let Some(token) = self.tokens.get(self.at) {
            match &token.kind {
                Kind::Word(word) if word == "mod" => self.enter_module(),
                Kind::Word(_) => self.path(&[]),
                Kind::Mark('{') => {
                    self.inline.push(false);
                    self.at += 1;
                }
                Kind::Mark('}') => {
                    if self.inline.pop() == Some(true) {
                        self.module.pop();
                    }
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    /// `mod name {` goes in; `mod name;` does not.
    fn enter_module(&mut self) {
        if let [_, Token { kind: Kind::Word(name), .. }, open, ..] = &self.tokens[self.at..]
            && open.is_mark('{')
        {
            self.module.push(name.clone());
            self.inline.push(true);
            self.at += 3;
        } else {
            self.at += 1;
        }
    }

    /// Reads one path from here on, below `before`, and all branches where it is a `use` tree.
    fn path(&mut self, before: &[String]) {
        let mut parts = before.to_vec();
        let line = self.tokens[self.at].line;
        while let Some(token) = self.tokens.get(self.at) {
            match &token.kind {
                Kind::Word(word) => parts.push(word.clone()),
                Kind::Mark('*') if !parts.is_empty() => parts.push("*".to_owned()),
                Kind::Mark('{') if !parts.is_empty() => return self.branches(&parts),
                _ => return,
            }
            self.at += 1;
            if self.tokens.get(self.at).is_none_or(|next| next.kind != Kind::PathSep) {
                break;
            }
            self.at += 1;
        }
        if parts.len() > 1 {
            self.used.push(Used { path: self.absolute(&parts).join("::"), line });
        }
    }

    /// The branches of `before::{...}`.
    fn branches(&mut self, before: &[String]) {
        self.at += 1;
        while let Some(token) = self.tokens.get(self.at) {
            match &token.kind {
                Kind::Mark('}') => {
                    self.at += 1;
                    return;
                }
                Kind::Word(_) | Kind::Mark('*' | '{') => self.path(before),
                _ => self.at += 1,
            }
        }
    }

    fn absolute(&self, parts: &[String]) -> Vec<String> {
        let mut base = match parts[0].as_str() {
            "crate" => vec![self.module[0].clone()],
            "self" | "super" => self.module.clone(),
            _ => return parts.to_vec(),
        };
        let mut rest = parts;
        while let Some(first) = rest.first() {
            match first.as_str() {
                "crate" | "self" => {}
                "super" => {
                    base.pop();
                }
                _ => break,
            }
            rest = &rest[1..];
        }
        base.extend_from_slice(rest);
        base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(path: &str, text: &str) -> Vec<String> {
        used(&File { path: path.to_owned(), text: text.to_owned() })
            .into_iter()
            .map(|used| used.path)
            .collect()
    }

    #[test]
    fn a_use_tree_is_spread_out() {
        let text = "use crate::{ids::{CartId, self}, time::*};\nuse std::fmt;";
        let found = paths("core/src/session.rs", text);
        let expected =
            ["trolley_core::ids::CartId", "trolley_core::ids::self", "trolley_core::time::*", "std::fmt"];
        assert_eq!(found, expected);
    }

    #[test]
    fn super_counts_from_the_module_it_stands_in() {
        let text = "use super::x;\nmod tests { use super::y; use super::super::z; fn f() { super::v(); } }\nuse super::w;";
        let found = paths("server/src/http/cart.rs", text);
        let expected = [
            "trolley::http::x",
            "trolley::http::cart::y",
            "trolley::http::z",
            "trolley::http::cart::v",
            "trolley::http::w",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_path_inside_an_expression_counts_too() {
        let text = "fn f() { g(trolley_core::cart::apply(1)); }";
        assert_eq!(paths("server/src/x.rs", text), ["trolley_core::cart::apply"]);
    }

    #[test]
    fn a_file_is_the_module_its_place_says() {
        for (path, module) in [
            ("core/src/lib.rs", "trolley_core"),
            ("core/src/cart/mod.rs", "trolley_core::cart"),
            ("server/src/http/cart.rs", "trolley::http::cart"),
            ("store/tests/contract.rs", "test"),
        ] {
            assert_eq!(module_of(path).join("::"), module);
        }
    }
}
