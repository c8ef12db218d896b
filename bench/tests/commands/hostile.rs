//! `bench hostile` on tiny data: that it judges what neighbours are told, and that its exit says so. Never how fast anything was.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;

use serde_json::Value;

use super::{Folder, Shop};

/// The sum of a phase's faults of one kind, `refused` or `wrong`, over all that neighbours did.
fn faults(result: &Value, phase: &str, how: &str) -> u64 {
    let rows = result["neighbours"].as_array().expect("rows").iter();
    let counts = rows.flat_map(|row| row[phase][how].as_object().expect("counts").values());
    counts.map(|times| times.as_u64().expect("a count")).sum()
}

#[test]
#[ignore = "system: ./check runs it"]
fn neighbours_of_an_attacker_are_judged_and_the_exit_says_whether_all_was_well() {
    let folder = Folder::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.args(["hostile", "--for", "2s", "--warm-up", "200ms"]);
    command.arg("--dir").arg(&folder.0).arg("--json").arg(folder.0.join("result.json"));
    let output = command.output().expect("bench runs");
    let said = String::from_utf8_lossy(&output.stderr);
    let result = std::fs::read_to_string(folder.0.join("result.json")).expect("a result");
    let result: Value = serde_json::from_str(&result).expect("JSON");
    let rows = result["neighbours"].as_array().expect("rows").iter();
    // Some of the others take longer to come to what they came for than this is long.
    for row in rows.filter(|row| row["kind"] == "read" || row["kind"] == "add") {
        let counts = ["before", "during", "after"].map(|phase| row[phase]["count"].as_u64());
        assert!(counts.iter().all(|count| count.is_some_and(|count| count > 0)), "{row}");
    }
    let attacks = result["attacks"].as_object().expect("attacks");
    assert!(attacks.values().any(|told| told.as_object().is_some_and(|told| !told.is_empty())), "{result}");
    let during = &result["vitals"][0]["during"];
    assert!(during["memory_most"].as_u64().is_some_and(|memory| memory > 0), "{result}");
    assert_eq!(faults(&result, "before", "wrong"), 0, "{result}");
    let sums = ["before", "during", "after"]
        .map(|phase| faults(&result, phase, "wrong") + faults(&result, phase, "refused"));
    assert_eq!(output.status.success(), sums == [0, 0, 0], "{sums:?} {said}");
}

#[test]
fn a_server_of_another_machine_is_not_attacked() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    let output = command.args(["hostile", "--url", "192.0.2.1:8080"]).output().expect("bench runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("this machine alone"), "{said}");
}

#[test]
#[ignore = "system: ./check runs it"]
fn a_price_that_is_not_true_is_told_and_fails() {
    let folder = Folder::new();
    let catalogue = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let server = Shop::start_with(&folder, &["--catalogue", &format!("http://{catalogue}/products")]);
    let through = liar(server.address);
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
    command.args(["hostile", "--for", "700ms", "--warm-up", "200ms", "--only", "guessing"]);
    command.args(["--url", &through.to_string(), "--catalogue", &catalogue.to_string()]);
    command.arg("--dir").arg(&folder.0).arg("--json").arg(folder.0.join("result.json"));
    let output = command.output().expect("bench runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("told what is not true"), "{said}");
    let result = std::fs::read_to_string(folder.0.join("result.json")).expect("a result");
    let result: Value = serde_json::from_str(&result).expect("JSON");
    let rows = result["neighbours"].as_array().expect("rows");
    for row in rows {
        let wrong = row["before"]["wrong"]["a wrong price"].as_u64().unwrap_or_default();
        // Only who adds something new meets it.
        assert_eq!(wrong > 0, row["kind"] == "add", "{row}");
    }
}

/// Stands before a server and hands everything on, but a product that nobody asked for before costs something else.
fn liar(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for asker in listener.incoming() {
            let mut asker = asker.expect("a connection");
            let mut asked = TcpStream::connect(server).expect("the server listens");
            let (mut from, mut to) = (asker.try_clone().expect("a file"), asked.try_clone().expect("a file"));
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(std::net::Shutdown::Write);
            });
            std::thread::spawn(move || {
                let mut part = vec![0; 1 << 16];
                while let Ok(read @ 1..) = asked.read(&mut part) {
                    let said = String::from_utf8_lossy(&part[..read]).into_owned();
                    let is_new = said.contains(r#""sku":"fresh-"#);
                    let said = if is_new { with_other_prices(&said) } else { said };
                    if asker.write_all(said.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// Other prices, as long as the true ones: the answer has told its length already.
fn with_other_prices(said: &str) -> String {
    let mut parts = said.split_inclusive(r#""unit_price":{"amount":"#);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |lie, part| {
        let (digit, rest) = part.split_at(1);
        lie + if digit == "9" { "8" } else { "9" } + rest
    })
}
