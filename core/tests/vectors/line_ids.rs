//! Line ids: canonical JSON and id of many skus and options, worked out by another program.

use std::path::Path;

use serde::Deserialize;
use trolley_core::item::{Item, LineId};

use crate::parse::read;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "for the reader of the file")]
    about: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    sku: String,
    /// Pairs, since their order must not matter.
    options: Vec<(String, String)>,
    canonical_json: String,
    id: String,
}

pub(crate) fn check(path: &Path) {
    let vectors = read::<File>(path).vectors;
    assert!(vectors.len() >= 20);
    for vector in &vectors {
        for options in [vector.options.clone(), vector.options.iter().rev().cloned().collect()] {
            let item = Item::new(&vector.sku, options).unwrap();
            assert_eq!(item.canonical_json(), vector.canonical_json, "{}", vector.name);
            assert_eq!(item.line_id().as_str(), vector.id, "{}", vector.name);
            assert_eq!(LineId::parse(&vector.id), Some(item.line_id()), "{}", vector.name);
        }
    }
    let mut ids: Vec<_> = vectors.iter().map(|vector| &vector.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), vectors.len(), "every vector is a line of its own");
}
