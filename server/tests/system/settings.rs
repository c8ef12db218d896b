//! The law of `config check`: it succeeds exactly where `serve` starts, says the same where it does not, and leaves nothing behind.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::folder::Folder;
use crate::program::Program;

/// Values of settings, sensible ones and others. `@` is the trial's folder.
const VALUES: &[(&str, &[&str])] = &[
    (
        "store",
        &[
            "memory:",
            "file:@/new",
            "file:@/new/below",
            "file:@/old",
            "file:@/damaged",
            "file:@/plain/below",
            "file:@/taken",
            "file://./data",
            "file://host/data",
            "file://@/new",
            "file:///proc/trolley",
            "file:~/data",
            "file:",
            "postgres://x",
            "data",
            "",
        ],
    ),
    ("secret-file", &["@/secret", "@/open-secret", "@/missing", "@/plain", "@"]),
    (
        "catalogue",
        &[
            "@/catalogue.json",
            "@/missing.json",
            "@/plain",
            "@",
            "ftp://shop.example/products",
            "file:@/catalogue.json",
            "http://shop.example/products",
            "http://",
            "http://ann:pw@shop.example/",
            "https://shop.example/?q",
            "",
        ],
    ),
    ("listen", &["127.0.0.1:0", "127.0.0.1", "192.0.2.1:80", "localhost:0", "0.0.0.0:0", ":80"]),
    ("admin-listen", &["127.0.0.1:0", "192.0.2.1:80", "[::1]:0", "x"]),
    (
        "public-origin",
        &["https://shop.example", "http://shop.example", "https://shop.example/", "https://[::1"],
    ),
    ("trusted-origin", &["https://a.example,https://b.example", "*", "https://a.example,", ""]),
    ("trusted-proxy", &["10.0.0.0/8", "10.0.0.1/8", "localhost"]),
    ("grace", &["30s", "1h", "0s"]),
    ("renew-after", &["30m", "2m"]),
    ("idle", &["1h", "30h"]),
    ("demo", &["true", "perhaps"]),
    ("test-clock", &["true"]),
    ("max-lines", &["10", "0", "1e3"]),
    ("sessions", &["memory:"]),
    ("bus", &["redis://x"]),
    ("no-such-setting", &["1"]),
];

/// What the values name.
fn furnish(folder: &Path) {
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).expect("a file");
    for name in ["old", "damaged", "taken"] {
        std::fs::create_dir(folder.join(name)).expect("a folder");
    }
    Program::start(&folder.join("old"), &[]).kill();
    write("damaged/trolley.db", &[7; 8_192]);
    std::fs::create_dir(folder.join("taken/trolley.db")).expect("a folder where the database would be");
    write("plain", b"nothing in particular");
    write(
        "catalogue.json",
        br#"{"currency": "EUR", "products": [{"sku": "mug", "title": "Mug", "price": 1250}]}"#,
    );
    write("secret", "A".repeat(43).as_bytes());
    write("open-secret", "A".repeat(43).as_bytes());
    let mode = |name: &str, mode: &str| {
        assert!(Command::new("chmod").arg(mode).arg(folder.join(name)).status().expect("chmod").success());
    };
    mode("secret", "600");
    mode("open-secret", "644");
}

fn trolley(folder: &Path, command: &[&str], said: &[(&str, String)]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_trolley"));
    program.args(command).current_dir(folder).env_remove("TROLLEY_STORE").stdin(Stdio::null());
    for (at, (name, value)) in said.iter().enumerate() {
        // By flag or by variable: it is the same setting.
        match at % 2 {
            0 => program.arg(format!("--{name}={value}")),
            _ => program.env(format!("TROLLEY_{}", name.to_uppercase().replace('-', "_")), value),
        };
    }
    program
}

/// What it says where it does not start.
fn served(mut command: Command) -> Result<(), String> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("trolley starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line or none");
    if line.starts_with("listening on ") {
        child.kill().expect("it can be killed");
        child.wait().expect("it has ended");
        return Ok(());
    }
    let mut said = String::new();
    child.stderr.take().expect("its errors").read_to_string(&mut said).expect("text");
    child.wait().expect("it has ended");
    Err(said)
}

/// Every name below a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let entry = entry.expect("an entry");
            names.insert(entry.path().display().to_string());
            if entry.file_type().expect("its type").is_dir() {
                left.push(entry.path());
            }
        }
    }
    // The engine's own files beside a database come and go with whoever reads it.
    names.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
    names
}

/// Both agree on these settings; says whether they are sensible.
fn agree(said: &[(&str, &str)]) -> bool {
    let folder = Folder::new("settings");
    let path = folder.path();
    furnish(path);
    let mut said: Vec<(&str, String)> =
        said.iter().map(|(name, value)| (*name, value.replace('@', &path.display().to_string()))).collect();
    for (name, value) in [("listen", "127.0.0.1:0"), ("store", "memory:")] {
        if said.iter().all(|(named, _)| *named != name) {
            said.push((name, value.to_owned()));
        }
    }
    let before = names(path);
    let checked = trolley(path, &["config", "check"], &said).output().expect("trolley runs");
    assert_eq!(names(path), before, "config check leaves nothing behind: {said:?}");
    let served = served(trolley(path, &["serve"], &said));
    let sentence = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert_eq!(checked.status.success(), served.is_ok(), "{said:?}: {sentence} {served:?}");
    if let Err(served) = &served {
        assert_eq!(&sentence, served, "{said:?}");
        assert_eq!(sentence.trim_end().lines().count(), 1, "one sentence: {sentence}");
    }
    served.is_ok()
}

#[test]
#[ignore = "system: ./check runs it"]
fn config_check_succeeds_exactly_where_serve_starts() {
    let (mut sensible, mut refused) = (0, 0);
    let mut count = |agreed: bool| if agreed { sensible += 1 } else { refused += 1 };
    for (name, values) in VALUES {
        values.iter().for_each(|value| count(agree(&[(name, value)])));
    }
    let one = |(name, values): &'static (&'static str, &'static [&'static str])| {
        prop::option::weighted(0.3, prop::sample::select(*values))
            .prop_map(move |value| Some((*name, value?)))
    };
    let some = VALUES.iter().map(one).collect::<Vec<_>>();
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let ran = runner.run(&some, |said| {
        agree(&said.into_iter().flatten().collect::<Vec<_>>());
        Ok(())
    });
    assert!(ran.is_ok(), "{ran:?}");
    assert!(sensible >= 15 && refused >= 25, "{sensible} sensible, {refused} refused");
}

#[test]
#[ignore = "system: ./check runs it"]
fn settings_are_checked_beside_the_server_that_has_them_and_a_second_one_is_refused() {
    let folder = Folder::new("settings-in-use");
    let program = Program::start(folder.path(), &[]);
    let said =
        [("store", format!("file:{}", folder.path().display())), ("listen", program.address.to_string())];
    let checked = trolley(folder.path(), &["config", "check"], &said).output().expect("trolley runs");
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success(), "{told} {}", String::from_utf8_lossy(&checked.stderr));
    assert!(told.contains(&format!("process {}", program.pid())) && told.contains("cannot listen"), "{told}");
    let second = served(trolley(folder.path(), &["serve"], &said)).expect_err("a folder has one server");
    assert!(second.contains("is in use by another trolley"), "{second}");
    let added = program.wire().send("POST", "/v1/cart/lines", &[], r#"{"sku":"mug"}"#).expect("an answer");
    assert_eq!(added.status, 200, "the server goes on");
}
