//! One damaged record in a real store: the program serves all others, and its commands do theirs for them and say so.

use std::process::{Command, Output};

use crate::folder::Folder;
use crate::program::Program;

fn trolley(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trolley"));
    command.args(arguments).env_remove("TROLLEY_STORE").output().expect("trolley runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
#[ignore = "system: ./check runs it"]
fn with_a_damaged_record_others_are_served_exported_and_backed_up_and_each_command_says_which_it_is() {
    let folder = Folder::new("damage");
    let path = |name: &str| folder.join(name).display().to_string();
    let store = |name: &str| format!("file:{}", path(name));
    std::fs::create_dir(folder.join("first")).expect("a folder");
    let program = Program::start(&folder.join("first"), &[]);
    let mut wire = program.wire();
    let mut carts = Vec::new();
    for sku in ["the-spoiled-one", "the-whole-one"] {
        let body = format!(r#"{{"sku":"{sku}"}}"#);
        let added = wire.send("POST", "/v1/cart/lines", &[], &body).expect("an answer");
        carts.push((added.cookie().expect("a cookie"), added.body["id"].as_str().expect("an id").to_owned()));
    }
    assert!(program.terminate().success());
    // What an import makes has no journal: each record stands once, in the table.
    let moved = trolley(&["export", "--store", &store("first"), "--to", &path("first.jsonl")]);
    assert!(moved.status.success(), "{}", said(&moved));
    let moved = trolley(&["import", "--from", &path("first.jsonl"), "--store", &store("data")]);
    assert!(moved.status.success(), "{}", said(&moved));
    let file = folder.join("data").join("trolley.db");
    let mut bytes = std::fs::read(&file).expect("the store");
    let at = bytes.windows(15).position(|some| some == b"the-spoiled-one").expect("its cart");
    bytes[at] ^= 1;
    std::fs::write(&file, bytes).expect("it is written");

    let named = format!("1 record is damaged: Cart(CartId({}))", carts[0].1);
    let program = Program::start(&folder.join("data"), &[]);
    let mut wire = program.wire();
    let mut read =
        |n: usize| wire.send("GET", "/v1/cart", &[("Cookie", &carts[n].0)], "").expect("an answer");
    assert_eq!((read(1).quantity(), read(0).status), (1, 500));
    let exported = trolley(&["export", "--store", &store("data"), "--to", &path("rest.jsonl")]);
    let copied = trolley(&["backup", "--store", &store("data"), "--to", &path("copy")]);
    assert!(program.terminate().success());
    let restored = trolley(&["restore", "--from", &path("copy"), "--store", &store("restored")]);
    for output in [&exported, &copied, &restored] {
        assert_eq!(output.status.code(), Some(1), "{}", said(output));
        assert!(said(output).contains(&named), "{}", said(output));
    }
    assert!(said(&exported).contains("exported 5 records"), "{}", said(&exported));
    let taken_in = trolley(&["import", "--from", &path("rest.jsonl"), "--store", &store("rest")]);
    assert!(said(&taken_in).contains("verified 1 carts and 2 sessions"), "{}", said(&taken_in));
    for place in ["restored", "rest"] {
        let program = Program::start(&folder.join(place), &[]);
        let cart = program.wire().send("GET", "/v1/cart", &[("Cookie", &carts[1].0)], "");
        assert_eq!(cart.expect("an answer").quantity(), 1, "{place}");
    }
}
