//! The disk is full: writes are refused with 503 `store_full`, reads go on, and when there is space again writes work.

use std::path::Path;
use std::process::Command;

use crate::folder::Folder;
use crate::program::Program;

/// A file system of a few megabytes, unmounted at the end.
struct SmallDisk(Folder);

impl SmallDisk {
    fn new(megabytes: u32) -> SmallDisk {
        let folder = Folder::new("small-disk");
        let size = format!("size={megabytes}m");
        let status =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "this trial mounts a small tmpfs: run it as root"
        );
        SmallDisk(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
#[ignore = "system: ./check runs it"]
fn a_full_disk_refuses_writes_and_loses_nothing() {
    let disk = SmallDisk::new(24);
    let data = disk.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    let program = Program::start(&data, &[]);
    let mut wire = program.wire();
    let first = wire.send("POST", "/v1/cart/lines", &[], r#"{"sku":"mug"}"#).expect("an answer");
    let cookie = first.cookie().expect("a cookie");
    let ballast = disk.path().join("ballast");
    fill(&ballast);

    let add = |wire: &mut crate::wire::Wire| {
        wire.send("POST", "/v1/cart/lines", &[("Cookie", &cookie)], r#"{"sku":"mug"}"#).expect("an answer")
    };
    let mut acknowledged = 1;
    let refused = (0..200_000).map(|_| add(&mut wire)).find(|answer| {
        acknowledged += u64::from(answer.status == 200);
        answer.status != 200
    });
    let refused = refused.expect("the disk fills up");
    assert_eq!((refused.status, refused.body["code"].as_str()), (503, Some("store_full")), "{refused:?}");
    assert!(refused.header("set-cookie").is_none());

    let read = wire.send("GET", "/v1/cart", &[("Cookie", &cookie)], "").expect("an answer");
    assert_eq!((read.status, read.quantity()), (200, acknowledged), "reads go on");

    std::fs::remove_file(&ballast).expect("the ballast goes");
    let after = add(&mut wire);
    assert_eq!((after.status, after.quantity()), (200, acknowledged + 1), "writes work again");

    program.kill();
    let program = Program::start(&data, &[]);
    let read = program.wire().send("GET", "/v1/cart", &[("Cookie", &cookie)], "").expect("an answer");
    assert_eq!(read.quantity(), acknowledged + 1, "nothing acknowledged is gone");
}

/// Fills what is left of the disk.
fn fill(path: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).expect("a file");
    let block = vec![1; 4096];
    while file.write_all(&block).is_ok() {}
}
