//! `trolley backup` of a store that is being written to, and `trolley restore` of what it made.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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
fn a_backup_of_a_live_store_is_whole_and_comes_back() {
    let folder = Folder::new("backup");
    let (data, copy, restored) = (folder.join("data"), folder.join("copy"), folder.join("restored"));
    std::fs::create_dir(&data).expect("a folder");
    let address = |path: &std::path::Path| format!("file:{}", path.display());
    let program = Program::start(&data, &[]);
    let first = program.wire().send("POST", "/v1/cart/lines", &[], r#"{"sku":"mug"}"#).expect("an answer");
    let cookie = first.cookie().expect("a cookie");

    let (acknowledged, stop) = (AtomicU64::new(1), AtomicBool::new(false));
    let (before, after) = std::thread::scope(|scope| {
        let mut wire = program.wire();
        let (acknowledged, stop, cookie) = (&acknowledged, &stop, &cookie);
        scope.spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let headers = [("Cookie", cookie.as_str())];
                let added =
                    wire.send("POST", "/v1/cart/lines", &headers, r#"{"sku":"mug"}"#).expect("an answer");
                assert_eq!(added.status, 200, "a backup stops no writer");
                acknowledged.store(added.quantity(), Ordering::SeqCst);
            }
        });
        while acknowledged.load(Ordering::SeqCst) < 50 {
            std::thread::yield_now();
        }
        let before = acknowledged.load(Ordering::SeqCst);
        let output = trolley(&["backup", "--store", &address(&data), "--to", &copy.display().to_string()]);
        let after = acknowledged.load(Ordering::SeqCst);
        stop.store(true, Ordering::Relaxed);
        assert!(
            output.status.success() && said(&output).contains("verified 1 carts and 1 sessions"),
            "{}",
            said(&output)
        );
        (before, after)
    });

    let again = trolley(&["backup", "--store", &address(&data), "--to", &copy.display().to_string()]);
    assert!(said(&again).contains("holds a store already"), "{}", said(&again));
    let over = trolley(&["restore", "--from", &copy.display().to_string(), "--store", &address(&data)]);
    assert!(said(&over).contains("in use by another trolley"), "{}", said(&over));
    drop(program);
    let over = trolley(&["restore", "--from", &copy.display().to_string(), "--store", &address(&data)]);
    assert!(said(&over).contains("holds a store already"), "{}", said(&over));

    let output = trolley(&["restore", "--from", &copy.display().to_string(), "--store", &address(&restored)]);
    assert!(output.status.success(), "{}", said(&output));
    let program = Program::start(&restored, &[]);
    let read = program.wire().send("GET", "/v1/cart", &[("Cookie", &cookie)], "").expect("an answer");
    assert!((before..=after + 1).contains(&read.quantity()), "{} in {before}..={after}", read.quantity());
}

#[test]
#[ignore = "system: ./check runs it"]
fn a_damaged_backup_is_not_restored() {
    let folder = Folder::new("damaged");
    let (data, copy, restored) = (folder.join("data"), folder.join("copy"), folder.join("restored"));
    std::fs::create_dir(&data).expect("a folder");
    let program = Program::start(&data, &[]);
    program.wire().send("POST", "/v1/cart/lines", &[], r#"{"sku":"mug"}"#).expect("an answer");
    let (data, at) = (format!("file:{}", data.display()), format!("file:{}", restored.display()));
    let output = trolley(&["backup", "--store", &data, "--to", &copy.display().to_string()]);
    assert!(output.status.success(), "{}", said(&output));

    let file = copy.join("trolley.db");
    let whole = std::fs::read(&file).expect("the copy");
    let place = whole.windows(3).position(|bytes| bytes == b"mug").expect("the sku is in there");
    let mut damaged = whole.clone();
    damaged[place] ^= 1;
    std::fs::write(&file, damaged).expect("it is written");
    let output = trolley(&["restore", "--from", &copy.display().to_string(), "--store", &at]);
    assert!(!output.status.success() && said(&output).contains("is damaged"), "{}", said(&output));
    assert!(!restored.join("trolley.db").exists());

    std::fs::write(&file, whole).expect("it is written");
    let output = trolley(&["restore", "--from", &copy.display().to_string(), "--store", &at]);
    assert!(output.status.success(), "{}", said(&output));
}
