//! `trolley export` of a store that is being written to, and `trolley import` of that and of a dump written by hand.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::folder::Folder;
use crate::program::Program;

fn trolley(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trolley"));
    command.args(arguments).env_remove("TROLLEY_STORE").output().expect("trolley runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn export(data: &Path, to: &Path) -> Output {
    trolley(&["export", "--store", &format!("file:{}", data.display()), "--to", &to.display().to_string()])
}

fn import(from: &Path, data: &Path) -> Output {
    trolley(&[
        "import",
        "--from",
        &from.display().to_string(),
        "--store",
        &format!("file:{}", data.display()),
    ])
}

/// The lines between header and end: what is in a dump, whenever it was written.
fn records(dump: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(dump).expect("the dump");
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines[1..lines.len() - 1].to_vec()
}

#[test]
#[ignore = "system: ./check runs it"]
fn a_dump_of_a_live_store_is_whole_and_comes_back_in_another() {
    let folder = Folder::new("dump");
    let place = |name| folder.join(name);
    std::fs::create_dir(place("data")).expect("a folder");
    let program = Program::start(&place("data"), &[]);
    let stop = AtomicBool::new(false);
    let cookie = std::thread::scope(|scope| {
        let mut wire = program.wire();
        let first = wire.send("POST", "/v1/cart/lines", &[], r#"{"sku":"mug"}"#).expect("an answer");
        let cookie = first.cookie().expect("a cookie");
        let writer = cookie.clone();
        let stop = &stop;
        scope.spawn(move || {
            let headers = [("Cookie", writer.as_str()), ("Idempotency-Key", "once")];
            while !stop.load(Ordering::Relaxed) {
                wire.send("POST", "/v1/cart/lines", &headers[..1], r#"{"sku":"lamp"}"#).expect("an answer");
                wire.send("POST", "/v1/cart/lines", &headers, r#"{"sku":"once"}"#).expect("an answer");
            }
        });
        let output = export(&place("data"), &place("live.jsonl"));
        stop.store(true, Ordering::Relaxed);
        assert!(output.status.success(), "{}", said(&output));
        cookie
    });
    let output = export(&place("data"), &place("live.jsonl"));
    assert!(said(&output).contains("is there already"), "{}", said(&output));
    let live =
        program.wire().send("GET", "/v1/cart", &[("Cookie", &cookie)], "").expect("an answer").quantity();
    assert!(program.terminate().success());

    let output = import(&place("live.jsonl"), &place("then"));
    assert!(said(&output).contains("verified 1 carts and 1 sessions"), "{}", said(&output));

    // Of the store at rest: what comes back is what went out, record by record.
    let output = export(&place("data"), &place("rest.jsonl"));
    assert!(output.status.success(), "{}", said(&output));
    let output = import(&place("rest.jsonl"), &place("again"));
    assert!(output.status.success(), "{}", said(&output));
    let output = export(&place("again"), &place("again.jsonl"));
    assert!(output.status.success(), "{}", said(&output));
    assert!(records(&place("rest.jsonl")).len() >= 4, "cart, session, token, ledger");
    assert_eq!(records(&place("rest.jsonl")), records(&place("again.jsonl")));
    let program = Program::start(&place("again"), &[]);
    let read = program.wire().send("GET", "/v1/cart", &[("Cookie", &cookie)], "").expect("an answer");
    assert_eq!(read.quantity(), live);

    let over = import(&place("rest.jsonl"), &place("again"));
    assert!(said(&over).contains("in use by another trolley"), "{}", said(&over));
    drop(program);
    let over = import(&place("rest.jsonl"), &place("again"));
    assert!(said(&over).contains("holds a store already"), "{}", said(&over));
}

#[test]
#[ignore = "system: ./check runs it"]
fn a_guests_cart_that_was_written_by_hand_is_opened_by_its_token_and_a_wrong_dump_leaves_no_store() {
    use sha2::{Digest as _, Sha256};

    let folder = Folder::new("by-hand");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let token = "A".repeat(43);
    let write = |name: &str, guest: &str| {
        let header = r#"{"trolley_dump":{"format":1,"written_by":"another shop","at_ms":0}}"#;
        let before = format!("{header}\n{guest}\n");
        let sum = hex(&Sha256::digest(&before));
        let path = folder.join(name);
        std::fs::write(&path, format!("{before}{{\"end\":{{\"lines\":1,\"sha256\":\"{sum}\"}}}}\n"))
            .expect("it is written");
        path
    };
    let digest = hex(&Sha256::digest(&token));
    let guest = |quantity: u32| {
        let lines = format!(
            r#"[{{"sku":"mug","options":{{"size":"L"}},"quantity":{quantity}}},{{"sku":"lamp","quantity":1}}]"#
        );
        format!(r#"{{"guest":{{"token_sha256":"{digest}","lines":{lines}}}}}"#)
    };
    let wrong = write("wrong.jsonl", &guest(10_000));
    let output = import(&wrong, &folder.join("none"));
    assert!(!output.status.success() && said(&output).contains("line 2: mug"), "{}", said(&output));
    let cut = folder.join("cut.jsonl");
    std::fs::write(&cut, &std::fs::read(&wrong).expect("it is there")[..200]).expect("it is written");
    let output = import(&cut, &folder.join("none"));
    assert!(!output.status.success() && said(&output).contains("cut off"), "{}", said(&output));
    assert!(!folder.join("none").join("trolley.db").exists(), "all of it or nothing");

    let right = write("right.jsonl", &guest(3));
    let output = import(&right, &folder.join("data"));
    assert!(output.status.success(), "{}", said(&output));
    let program = Program::start(&folder.join("data"), &[]);
    let cookie = format!("__Host-trolley={token}");
    let read = program.wire().send("GET", "/v1/cart", &[("Cookie", &cookie)], "").expect("an answer");
    assert_eq!(read.quantity(), 4);
}
