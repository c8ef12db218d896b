//! Each command of `bench` on tiny data: that it runs, and that what it writes can be read. Never how fast anything was.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// A folder for one test's results.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("commands-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs a command where it must succeed, with its result and its chart.
fn bench(folder: &Folder, arguments: &[&str]) -> (Value, String) {
    let (json, svg) = (folder.0.join("result.json"), folder.0.join("chart.svg"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.args(arguments).arg("--dir").arg(&folder.0).arg("--json").arg(&json).arg("--plot").arg(&svg);
    let output = command.output().expect("bench runs");
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {said}");
    let result = std::fs::read_to_string(&json).expect("a result");
    let result: Value = serde_json::from_str(&result).expect("JSON");
    assert_eq!(
        result["command"].as_str().map(|command| command.starts_with("bench ")),
        Some(true),
        "{result}"
    );
    assert!(result["machine"]["cores"].as_u64().is_some_and(|cores| cores > 0), "{result}");
    (result, std::fs::read_to_string(&svg).unwrap_or_default())
}

fn is_a_chart(svg: &str) {
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(svg.contains("prefers-color-scheme:dark") && svg.contains("<path "), "{svg}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

/// A few moments, a few connections.
const TINY: [&str; 8] = ["--warm-up", "50ms", "--for", "300ms", "--runs", "1", "--connections", "4"];

#[test]
#[ignore = "system: ./check runs it"]
fn load_of_each_kind_is_counted_and_its_carts_are_exact() {
    for kind in [
        &["--mix", "read"][..],
        &["--mix", "add", "--sessions", "1"],
        &["--mix", "add-keyed", "--rate", "200"],
        &["--mix", "sync", "--sessions", "2"],
    ] {
        let folder = Folder::new();
        let (result, svg) = bench(&folder, &[&["load"], &TINY[..], kind].concat());
        let run = &result["server"]["runs"][0];
        assert!(run["answers"].as_u64().is_some_and(|answers| answers > 0), "{result}");
        assert_eq!((run["refused"].as_u64(), run["lost"].as_u64()), (Some(0), Some(0)), "{result}");
        assert!(result["limit"]["rate"]["median"].as_f64().is_some_and(|rate| rate > 0.0), "{result}");
        let exact = &result["exact"];
        assert_eq!((exact["missing"].as_u64(), exact["extra"].as_u64()), (Some(0), Some(0)), "{result}");
        assert_eq!(
            exact["acknowledged"].as_u64().is_some_and(|units| units > 0),
            kind[1] != "read",
            "{result}"
        );
        is_a_chart(&svg);

        let again = folder.0.join("again.svg");
        let mut plot = Command::new(env!("CARGO_BIN_EXE_bench"));
        plot.arg("plot").arg(folder.0.join("result.json")).arg("--to").arg(&again);
        assert!(plot.status().expect("bench runs").success());
        assert_eq!(std::fs::read_to_string(&again).expect("a chart"), svg, "a result is drawn as it was");
    }
}

#[test]
#[ignore = "system: ./check runs it"]
fn our_loop_and_wrk_are_compared() {
    let folder = Folder::new();
    let (result, _) = bench(&folder, &[&["wrk"], &TINY[..]].concat());
    for row in result["rows"].as_array().expect("rows") {
        assert!(row["share"]["median"].as_f64().is_some_and(|share| share > 0.0), "{result}");
    }
    assert_eq!(result["rows"].as_array().map(Vec::len), Some(2));
}

#[test]
#[ignore = "system: ./check runs it"]
fn cost_is_measured_over_carts_connections_and_lines() {
    let folder = Folder::new();
    let sizes = ["scale", "--carts", "200", "--connections", "1,4", "--lines", "1,5"];
    let (result, svg) = bench(&folder, &[&sizes[..], &TINY[..6]].concat());
    for (name, points) in [("carts", 1), ("connections", 2), ("lines", 2)] {
        assert_eq!(result[name].as_array().map(Vec::len), Some(points), "{result}");
        for point in result[name].as_array().expect("points") {
            assert!(point["add"]["rate"]["median"].as_f64().is_some_and(|rate| rate > 0.0), "{result}");
            assert_eq!(point["exact"]["missing"].as_u64(), Some(0), "{result}");
        }
    }
    is_a_chart(&svg);
}

#[test]
#[ignore = "system: ./check runs it"]
fn a_soak_of_some_seconds_is_sampled_and_its_carts_are_exact() {
    let folder = Folder::new();
    let how =
        ["soak", "--for", "2s", "--samples", "4", "--mix", "add-keyed", "--rate", "100", "--sessions", "3"];
    let (result, svg) = bench(&folder, &how);
    assert_eq!(result["samples"].as_array().map(Vec::len), Some(4), "{result}");
    let exact = &result["exact"];
    assert_eq!((exact["missing"].as_u64(), exact["extra"].as_u64()), (Some(0), Some(0)), "{result}");
    assert_eq!(result["failures"].as_u64(), Some(0), "{result}");
    is_a_chart(&svg);
}

#[test]
#[ignore = "system: ./check runs it"]
fn one_cart_that_many_add_to_is_counted_beside_a_peers() {
    let folder = Folder::new();
    let (result, svg) = bench(&folder, &[&["peers", "--only", "redis", "--adds", "200"], &TINY[..]].concat());
    let rows = result["rows"].as_array().expect("rows");
    assert_eq!((rows.len(), result["missing"].as_array().map(Vec::len)), (2, Some(0)), "{result}");
    for row in rows {
        assert_eq!(row["one_cart"]["there"].as_u64(), Some(200), "{result}");
    }
    assert!(svg.starts_with("<svg ") && svg.contains("one cart"), "{svg}");
}
