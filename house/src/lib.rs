//! The house rules, as tests. Each rule is a function from a tree of files to its breaches, tried on a planted
//! bad tree before it is believed on ours: a rule that cannot fail protects nothing.

pub mod arrows;
pub mod circles;
pub mod clocks;
pub mod links;
pub mod named_tests;
pub mod names;
pub mod papers;
pub mod paths;
pub mod places;
pub mod rust_text;
pub mod settings;
pub mod sizes;
pub mod tree;

#[cfg(test)]
mod tests {
    use crate::tree::{Breach, Tree};
    use crate::{arrows, circles, clocks, links, named_tests, names, papers, places, settings, sizes};

    fn holds(rule: fn(&Tree) -> Vec<Breach>) {
        let breaches = rule(&Tree::ours());
        assert!(
            breaches.is_empty(),
            "\n{}\n",
            breaches.iter().map(Breach::to_string).collect::<Vec<_>>().join("\n")
        );
    }

    #[test]
    fn no_part_reaches_above_itself() {
        holds(arrows::check);
    }

    #[test]
    fn no_files_import_each_other_in_a_circle() {
        holds(circles::check);
    }

    #[test]
    fn no_name_is_imported_through_a_crates_root() {
        holds(arrows::check_roots);
    }

    #[test]
    fn time_comes_in_from_outside() {
        holds(clocks::check);
    }

    #[test]
    fn files_functions_and_openings_keep_their_size_and_form() {
        holds(sizes::check);
    }

    #[test]
    fn no_public_type_has_the_name_of_another() {
        holds(names::check);
    }

    #[test]
    fn what_a_rule_names_is_there() {
        holds(arrows::check_rules);
    }

    #[test]
    fn no_text_names_a_machine_or_a_registry() {
        holds(places::check);
    }

    #[test]
    fn every_link_in_the_docs_leads_somewhere() {
        holds(links::check);
    }

    #[test]
    fn every_test_that_the_docs_name_exists() {
        holds(named_tests::check);
    }

    #[test]
    fn the_papers_name_the_settings_that_there_are() {
        holds(settings::check);
    }

    #[test]
    fn the_papers_are_there_and_every_crate_takes_the_workspaces_lints() {
        holds(papers::check);
    }

    #[test]
    fn our_own_tree_is_read_and_not_an_empty_one() {
        let tree = Tree::ours();
        for part in ["core/src/", "store/src/", "server/src/", "house/src/", "Cargo.toml"] {
            assert!(tree.files.iter().any(|file| file.path.starts_with(part)), "{part}");
        }
        assert!(!tree.files.iter().any(|file| file.path.starts_with("target/")));
    }
}
