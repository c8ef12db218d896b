//! The vectors of `spec/vectors`, run against the algebra. `spec/README.md` says how to read them.

#![expect(clippy::unwrap_used, reason = "a vector that cannot be read is a failed test")]

mod compare;
mod edge;
mod interleave;
mod line_ids;
mod names;
mod parse;
mod run;
#[path = "../shelf/mod.rs"]
#[expect(dead_code, reason = "the laws ask more of it")]
mod shelf;
mod world;

use std::collections::BTreeSet;
use std::path::PathBuf;

use parse::Vector;

/// Files that hold no vectors of carts.
const OTHERS: [&str; 2] = ["line_ids.json", "starts.json"];

#[test]
fn every_vector_gives_what_it_says() {
    let starts = parse::starts(&folder().join("starts.json"));
    let mut broken = Vec::new();
    for vector in vectors() {
        if let Err(failure) = run::check(&vector, &starts) {
            broken.push(format!("{}\n  why it should hold: {}\n  {failure}", vector.name, vector.why));
        }
    }
    assert!(broken.is_empty(), "{} vectors do not hold:\n\n{}\n", broken.len(), broken.join("\n\n"));
}

#[test]
fn the_fifteen_cases_and_sixty_more_are_there_each_under_its_own_name() {
    let names: Vec<_> = vectors().into_iter().map(|vector| vector.name).collect();
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "two vectors share a name");
    for case in 1..=15 {
        let of_case = format!("case {case}: ");
        let of_half = format!("case {case}, ");
        let is_there = names.iter().any(|name| name.starts_with(&of_case) || name.starts_with(&of_half));
        assert!(is_there, "case {case} has no vector");
    }
    assert!(names.iter().filter(|name| !name.starts_with("case ")).count() >= 60);
}

#[test]
fn every_line_id_is_the_one_the_specification_gives() {
    line_ids::check(&folder().join("line_ids.json"));
}

fn vectors() -> Vec<Vector> {
    let mut files: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.retain(|path| !OTHERS.iter().any(|other| path.ends_with(other)));
    files.iter().flat_map(|path| parse::vectors(path)).collect()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors")
}
