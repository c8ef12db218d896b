//! Each command of `bench` on tiny data: that it runs, and that what it writes can be read. Never how fast anything was.

#[path = "commands/hostile.rs"]
mod hostile;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

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
fn more_devices_than_a_cart_has_room_for_are_refused_at_once() {
    for command in ["load", "soak"] {
        let mut asked = Command::new(env!("CARGO_BIN_EXE_bench"));
        let output =
            asked.args([command, "--mix", "sync", "--sessions", "2", "--connections", "65"]).output();
        let output = output.expect("bench runs");
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("33 devices would sync one cart, which has room for 32"), "{command}: {said}");
    }
}

#[test]
#[ignore = "system: ./check runs it"]
fn every_change_is_seen_on_every_stream_and_idle_streams_are_weighed() {
    let folder = Folder::new();
    let how = ["streams", "--streams", "6", "--watchers", "2", "--rate", "50", "--idle", "70"];
    let (result, svg) = bench(&folder, &[&how[..], &TINY[..]].concat());
    let account = &result["account"];
    let number = |name: &str| account[name].as_u64();
    assert!(number("changes").is_some_and(|changes| changes > 0), "{result}");
    assert_eq!(number("due"), number("changes").map(|changes| changes * 2), "{result}");
    for wrong in ["lost", "backwards", "ended", "unlike"] {
        assert_eq!(number(wrong), Some(0), "{result}");
    }
    for delay in ["since_due_us", "since_answer_us"] {
        assert!(result[delay]["max"].as_u64() >= result[delay]["p50"].as_u64(), "{result}");
    }
    let idle = &result["idle"];
    assert_eq!((idle["streams"].as_u64(), idle["ended"].as_u64()), (Some(70), Some(0)), "{result}");
    assert!(idle["share"]["median"].as_f64().is_some_and(|share| share > 0.0), "{result}");
    assert!(idle["memory_after"].as_u64().is_some_and(|memory| memory > 0), "{result}");
    is_a_chart(&svg);
}

#[test]
#[ignore = "system: ./check runs it"]
fn an_event_that_a_stream_does_not_show_is_told_as_lost() {
    let folder = Folder::new();
    let server = Shop::start(&folder);
    let through = swallower(server.address);
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.args(["streams", "--url", &through.to_string(), "--streams", "3", "--rate", "50"]);
    command.args(["--patience", "200ms"]).args(TINY);
    command.arg("--dir").arg(&folder.0).arg("--json").arg(folder.0.join("result.json"));
    let output = command.output().expect("bench runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("did not show every change"), "{said}");
    let result = std::fs::read_to_string(folder.0.join("result.json")).expect("a result");
    let account = &serde_json::from_str::<Value>(&result).expect("JSON")["account"];
    // One stream of three showed its cart as it was in the beginning, and nothing after that.
    let number = |name: &str| account[name].as_u64().expect("a number");
    assert!(number("lost") > 0 && number("lost") < number("due"), "{account}");
    assert_eq!((number("unlike"), number("ended"), number("backwards")), (1, 0, 0), "{account}");
}

#[test]
#[ignore = "system: ./check runs it"]
fn a_queue_in_one_call_is_compared_with_single_calls() {
    let folder = Folder::new();
    let how = ["batch", "--ops", "20", "--queues", "3", "--singly", "2", "--rounds", "2"];
    let (result, _) = bench(&folder, &how);
    assert_eq!(result["rounds"].as_array().map(Vec::len), Some(2), "{result}");
    assert!(result["wall_ratio"]["median"].as_f64().is_some_and(|ratio| ratio > 0.0), "{result}");
    assert!(result["single_cpu_ms"]["median"].as_f64().is_some(), "{result}");
    // Two rounds of (3 + 2) times, and once of each before.
    assert_eq!(result["acknowledged"].as_u64(), Some(2 * (3 + 2 + 2) * 20), "{result}");
    assert_eq!(result["there"], result["acknowledged"], "{result}");
}

/// A server that the bench does not start itself.
struct Shop {
    child: Child,
    address: SocketAddr,
}

impl Shop {
    fn start(folder: &Folder) -> Shop {
        Shop::start_with(folder, &[])
    }

    fn start_with(folder: &Folder, more: &[&str]) -> Shop {
        let program = Path::new(env!("CARGO_BIN_EXE_bench")).with_file_name("trolley");
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--rate-limits", "off", "--log", "warn"]);
        command.args(more).arg("--store").arg(format!("file:{}", folder.0.join("store").display()));
        let mut child = command.stdout(Stdio::piped()).spawn().expect("trolley runs");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it has an output");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it serves");
        let address = line.trim().strip_prefix("listening on http://").expect("an address");
        Shop { child, address: address.parse().expect("an address") }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Stands before a server and hands everything on, but of one event stream only what came up to its first state.
fn swallower(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let hit = Arc::new(AtomicBool::new(false));
    std::thread::spawn(move || {
        for asker in listener.incoming() {
            let (mut asker, hit) = (asker.expect("a connection"), Arc::clone(&hit));
            let mut asked = TcpStream::connect(server).expect("the server listens");
            let (mut from, mut to) = (asker.try_clone().expect("a file"), asked.try_clone().expect("a file"));
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            std::thread::spawn(move || hand_on(&mut asked, &mut asker, &hit));
        }
    });
    address
}

fn hand_on(asked: &mut TcpStream, asker: &mut TcpStream, hit: &AtomicBool) {
    let (mut part, mut all) = (vec![0; 1 << 16], Vec::new());
    let mut swallows = false;
    while let Ok(read @ 1..) = asked.read(&mut part) {
        if swallows {
            continue;
        }
        if asker.write_all(&part[..read]).is_err() {
            return;
        }
        all.extend_from_slice(&part[..read]);
        // A state came whole: the one stream that is chosen shows no other.
        let shown = String::from_utf8_lossy(&all).contains("event: cart") && all.ends_with(b"\n\n\r\n");
        swallows = shown && !hit.swap(true, Ordering::SeqCst);
    }
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

/// The processes that were started with a path below this folder.
fn started_in(folder: &Folder) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("proc").flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    let place = format!("{}/", folder.0.display());
    lines.filter(|line| line.contains(&place)).collect()
}

#[test]
#[ignore = "system: ./check runs it"]
fn a_signal_leaves_no_server_and_no_folder_behind() {
    let folder = Folder::new();
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
    bench.args(["soak", "--for", "1h", "--dir"]).arg(&folder.0).stdout(Stdio::null());
    let mut bench = bench.spawn().expect("bench runs");
    let soon = Instant::now() + Duration::from_secs(60);
    while started_in(&folder).is_empty() {
        assert!(Instant::now() < soon, "no server was started");
        std::thread::sleep(Duration::from_millis(20));
    }
    let term = Command::new("kill").arg(bench.id().to_string()).status();
    assert!(term.expect("kill runs").success());
    assert_eq!(bench.wait().expect("it ends").code(), Some(128 + 15));
    assert_eq!(started_in(&folder), Vec::<String>::new());
    assert_eq!(std::fs::read_dir(&folder.0).expect("a folder").count(), 0, "the store is left behind");
}
