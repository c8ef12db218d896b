//! Commands that reach a running server through the socket in its store's folder.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::folder::Folder;
use crate::program::Program;

pub(crate) fn api_key(store: &Path, arguments: &[&str]) -> Output {
    let store = format!("file:{}", store.display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_trolley"));
    command.arg("api-key").args(arguments).args(["--store", &store]);
    command.env_remove("TROLLEY_STORE").output().expect("trolley runs")
}

pub(crate) fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("text")
}

fn error(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("text")
}

/// Whether any file of the folder holds these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).expect("the folder").any(|file| {
        let held = std::fs::read(file.expect("a file").path()).unwrap_or_default();
        held.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[test]
#[ignore = "system: ./check runs it"]
fn a_key_is_made_listed_and_revoked_at_the_running_server_and_outlives_it() {
    let folder = Folder::new("api-keys");
    let program = Program::start(folder.path(), &[]);
    let made = api_key(folder.path(), &["new", "--scope", "orders:read,audit", "--name", "the warehouse"]);
    assert!(made.status.success(), "{}", error(&made));
    let secret = out(&made).trim_end();
    assert!(secret.starts_with("trk_") && secret.len() == 47, "the key stands alone: {secret:?}");
    assert!(!error(&made).contains(secret));
    program.kill();
    assert!(!holds(folder.path(), secret.as_bytes()), "a key is hashed at rest");

    let program = Program::start(folder.path(), &[]);
    let listed = api_key(folder.path(), &["list"]);
    let line = out(&listed).trim_end();
    assert!(line.ends_with("orders:read,audit  the warehouse") && !line.contains(secret), "{line}");
    let id = line.split(' ').next().expect("an id");
    let revoked = api_key(folder.path(), &["revoke", id]);
    assert!(revoked.status.success() && out(&revoked).contains(id), "{}", error(&revoked));
    let again = api_key(folder.path(), &["revoke", id]);
    assert_eq!(again.status.code(), Some(2));
    assert!(error(&again).contains("no key with the id"), "{}", error(&again));
    assert_eq!(out(&api_key(folder.path(), &["list"])), "");
    assert!(program.terminate().success());
    assert!(!folder.join("trolley.sock").exists(), "the socket goes with the server");
}

#[test]
#[ignore = "system: ./check runs it"]
fn a_senseless_command_is_refused_with_a_sentence() {
    let folder = Folder::new("commands");
    let nobody = api_key(folder.path(), &["list"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(error(&nobody).contains("no server runs on"), "{}", error(&nobody));
    let program = Program::start(folder.path(), &[]);
    for (arguments, says) in [
        (&["new", "--scope", "everything"][..], "the scopes are orders"),
        (&["new"], "--scope"),
        (&["new", "--scope", "audit", "--name", "a\nb"], "control character"),
        (&["revoke", "trk_x"], "a key's id is a UUID"),
    ] {
        let refused = api_key(folder.path(), arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(error(&refused).contains(says), "{arguments:?}: {}", error(&refused));
    }
    drop(program);
}

#[test]
#[ignore = "system: ./check runs it"]
fn the_socket_is_its_owners_alone_also_where_a_killed_server_left_one_and_its_path_is_long() {
    let folder = Folder::new("socket");
    let deep = folder.join(&"d".repeat(120));
    std::fs::create_dir(&deep).expect("a folder");
    Program::start(&deep, &[]).kill();
    assert!(deep.join("trolley.sock").exists(), "a killed server leaves its socket");
    let program = Program::start(&deep, &[]);
    let mode = std::fs::metadata(deep.join("trolley.sock")).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(api_key(&deep, &["list"]).status.success());
    drop(program);
}
