//! Every relative link in the papers leads to a file that is there, and to a heading that it has.

use crate::tree::{Breach, File, Tree};

/// Every link that leads nowhere.
pub fn check(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in tree.ending(".md") {
        for (line, target) in links(&file.text) {
            if let Err(why) = follow(tree, file, &target) {
                breaches.push(Breach::new(&file.path, line, format!("[…]({target}): {why}")));
            }
        }
    }
    breaches
}

fn follow(tree: &Tree, from: &File, target: &str) -> Result<(), String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { from.path.clone() } else { beside(&from.path, path) };
    if !tree.holds(&path) {
        return Err(format!("there is no {path}"));
    }
    match tree.file(&path) {
        Some(file) if !anchor.is_empty() && !headings(&file.text).iter().any(|own| own == anchor) => {
            Err(format!("{path} has no heading #{anchor}"))
        }
        _ => Ok(()),
    }
}

/// `../x.md` as seen from `docs/a.md` is `x.md`.
fn beside(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The lines of a paper that are not inside a fenced block, with their numbers.
pub fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            return None;
        }
        (!fenced).then_some((at + 1, line))
    })
}

fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        // What stands in a code span is no link.
        let spoken: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for (at, _) in spoken.match_indices("](") {
            if let Some((target, _)) = spoken[at + 2..].split_once(')') {
                found.push((number, target.to_owned()));
            }
        }
    }
    found
}

/// The anchors of a paper's headings, as the usual renderers make them.
fn headings(text: &str) -> Vec<String> {
    let anchor = |heading: &str| -> String {
        let kept = heading.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    prose(text)
        .filter_map(|(_, line)| line.strip_prefix('#').map(|rest| rest.trim_start_matches('#')))
        .map(anchor)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaks(text: &str) -> bool {
        let tree = Tree::planted(&[
            ("docs/a.md", text),
            ("docs/b.md", "# Back up, restore\n```\n# not one\n```\n"),
            ("ARCHITECTURE.md", "x"),
        ]);
        !check(&tree).is_empty()
    }

    #[test]
    fn a_link_to_nothing_is_found() {
        for text in
            ["[x](c.md)", "[x](../b.md)", "[x](b.md#restore)", "[x](b.md#not-one)", "see `x` [y](#none)"]
        {
            assert!(breaks(text), "{text}");
        }
    }

    #[test]
    fn a_link_to_something_is_not() {
        for text in [
            "[x](b.md)",
            "[x](b.md#back-up-restore) and [y](../ARCHITECTURE.md)",
            "[x](../docs)",
            "[x](https://example.com/none)",
            "`[x](none.md)`",
            "```\n[x](none.md)\n```",
            "# Here\n[x](#here)",
        ] {
            assert!(!breaks(text), "{text}");
        }
    }
}
