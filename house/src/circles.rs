//! No two files import each other, not by any way around: what both need stands below both.
//!
//! A module's own file (`mod.rs`, `lib.rs`, `main.rs`) is left out: it is its parts taken together.

use std::collections::{BTreeMap, BTreeSet};

use crate::paths::{Used, module_of, used};
use crate::tree::{Breach, File, Tree};

/// What a file imports of other files, each with a use of it.
type Imports<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Used>>;

/// Every import by which a file comes back to itself.
pub fn check(tree: &Tree) -> Vec<Breach> {
    let imports = imports(tree);
    let mut breaches = Vec::new();
    for (file, others) in &imports {
        for (other, how) in others.iter().filter(|(other, _)| reaches(&imports, other, file)) {
            let what = format!("`{}`: {other} comes back here; put what both need below both", how.path);
            breaches.push(Breach::new(file, how.line, what));
        }
    }
    breaches
}

fn imports(tree: &Tree) -> Imports<'_> {
    let files: Vec<&File> = tree.ending(".rs").filter(|file| is_part(&file.path)).collect();
    let modules: BTreeMap<String, &str> =
        files.iter().map(|file| (module_of(&file.path).join("::"), &*file.path)).collect();
    let mut imports = Imports::new();
    for file in files {
        let mut others = BTreeMap::new();
        for path in used(file) {
            if let Some(other) = owner(&modules, &path.path).filter(|other| *other != file.path) {
                others.entry(other).or_insert(path);
            }
        }
        imports.insert(&file.path, others);
    }
    imports
}

fn is_part(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    path.contains("/src/") && !matches!(name, "mod.rs" | "lib.rs" | "main.rs")
}

/// The file that a path leads into: the longest module that it begins with.
fn owner<'a>(modules: &BTreeMap<String, &'a str>, mut path: &str) -> Option<&'a str> {
    loop {
        if let Some(file) = modules.get(path) {
            return Some(file);
        }
        path = path.rsplit_once("::")?.0;
    }
}

fn reaches(imports: &Imports<'_>, from: &str, to: &str) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(file) = next.pop() {
        if file == to {
            return true;
        }
        if seen.insert(file) {
            next.extend(imports.get(file).into_iter().flat_map(BTreeMap::keys));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::planted(files)).into_iter().map(|breach| breach.path).collect()
    }

    #[test]
    fn files_that_import_each_other_are_found_by_any_way_around() {
        let two = [
            ("server/src/service/order.rs", "use super::task::Task;"),
            ("server/src/service/task.rs", "fn f(_: crate::service::order::Seen) {}"),
        ];
        assert_eq!(found(&two), ["server/src/service/order.rs", "server/src/service/task.rs"]);
        let three = [
            ("core/src/a.rs", "use crate::cart::b::B;"),
            ("core/src/cart/b.rs", "use super::c::C;"),
            ("core/src/cart/c.rs", "use crate::a::A;"),
            ("core/src/d.rs", "use crate::a::A;"),
        ];
        assert_eq!(found(&three), ["core/src/a.rs", "core/src/cart/b.rs", "core/src/cart/c.rs"]);
    }

    #[test]
    fn what_both_take_from_below_and_a_modules_own_file_are_no_circle() {
        let files = [
            ("server/src/service/mod.rs", "use self::lane::Lanes;"),
            ("server/src/service/lane.rs", "use super::Service;\nuse super::terms::Terms;"),
            ("server/src/service/order.rs", "use super::terms::Terms;\nuse super::lane::Lanes;"),
            ("server/src/service/terms.rs", "use std::fmt;\n#[cfg(test)]\nmod tests { use super::*; }"),
        ];
        assert_eq!(found(&files), [""; 0]);
    }
}
