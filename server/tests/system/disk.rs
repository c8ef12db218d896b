//! The disk fails: a sync says so once, and nobody can know any more what is on it.

use std::process::Command;

use crate::folder::Folder;
use crate::program::Program;

/// The kernel may drop what it could not write and report success the next time, so that the only honest thing left is to
/// end and to find out by reading.
#[test]
#[ignore = "system: ./check runs it"]
fn a_failed_sync_ends_the_process_and_loses_nothing() {
    let folder = Folder::new("failing-disk");
    let mut strace = Command::new("strace");
    // From the 40th sync on, each one fails: the first ones make the store and its first changes.
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"]);
    strace.args(["-e", "inject=fsync,fdatasync:error=EIO:when=40+"]);
    let program = Program::start_under(strace, folder.path(), &[]);
    let mut wire = program.wire();
    let first = wire.send("POST", "/v1/cart/lines", &[], r#"{"sku":"mug"}"#).expect("an answer");
    let cookie = first.cookie().expect("a cookie");
    let mut acknowledged = 1;
    let last = loop {
        assert!(acknowledged < 1_000, "the disk never failed");
        match wire.send("POST", "/v1/cart/lines", &[("Cookie", &cookie)], r#"{"sku":"mug"}"#) {
            Some(answer) if answer.status == 200 => acknowledged = answer.quantity(),
            other => break other,
        }
    };
    // What could not be made durable is answered with an error or not at all.
    assert!(last.is_none_or(|answer| answer.status >= 500));
    assert!(!program.ended().success(), "it ended by itself");

    let program = Program::start(folder.path(), &[]);
    let read = program.wire().send("GET", "/v1/cart", &[("Cookie", &cookie)], "").expect("an answer");
    assert!(
        (acknowledged..=acknowledged + 1).contains(&read.quantity()),
        "{} of {acknowledged}",
        read.quantity()
    );
}
