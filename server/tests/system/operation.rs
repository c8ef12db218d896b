//! What an operator and a service manager rely on: listeners, the health check, the manager's datagrams, and the drain.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::folder::Folder;
use crate::program::{Program, signal};
use crate::wire::Wire;

fn trolley(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_trolley")).args(arguments).output().expect("trolley runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
#[ignore = "system: ./check runs it"]
fn the_health_check_tells_by_its_exit_code() {
    let folder = Folder::new("healthcheck");
    let program = Program::start(folder.path(), &[]);
    let listen = program.address.to_string();
    assert_eq!(trolley(&["healthcheck", "--listen", &listen]).0, Some(0));
    let everywhere = format!("0.0.0.0:{}", program.address.port());
    assert_eq!(trolley(&["healthcheck", "--listen", &everywhere]).0, Some(0));
    program.kill();
    let (code, said) = trolley(&["healthcheck", "--listen", &listen]);
    assert!(code == Some(1) && said.contains("no server answers"), "{code:?} {said}");
    let (code, said) = trolley(&["healthcheck", "--listen", "127.0.0.1:0"]);
    assert!(code == Some(2) && said.contains("port 0"), "{code:?} {said}");
}

#[test]
#[ignore = "system: ./check runs it"]
fn the_shops_own_systems_have_a_listener_of_their_own() {
    let folder = Folder::new("admin-listen");
    let store = format!("file:{}", folder.path().display());
    let mut child = Command::new(env!("CARGO_BIN_EXE_trolley"))
        .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--store", &store])
        .stdout(Stdio::piped())
        .spawn()
        .expect("trolley starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its standard output")).lines();
    let mut address = |prefix: &str| {
        let line = lines.next().expect("a line").expect("text");
        line.strip_prefix(prefix).unwrap_or_else(|| panic!("{line}")).parse().expect("an address")
    };
    let (shop, admin) = (address("listening on http://"), address("admin on http://"));
    let status = |at, path: &str| Wire::new(at).send("GET", path, &[], "").expect("an answer").status;
    assert_eq!(
        (status(shop, "/v1/cart"), status(shop, "/metrics"), status(shop, "/readyz")),
        (200, 404, 200)
    );
    assert_eq!(
        (status(admin, "/v1/cart"), status(admin, "/metrics"), status(admin, "/readyz")),
        (404, 200, 200)
    );
    signal("TERM", child.id());
    assert!(child.wait().expect("it ends").success());
}

#[test]
#[ignore = "system: ./check runs it"]
fn the_service_manager_hears_of_the_start_of_the_end_and_in_between_that_all_is_well() {
    let folder = Folder::new("manager");
    let socket = folder.join("notify");
    let manager = UnixDatagram::bind(&socket).expect("a socket");
    manager.set_read_timeout(Some(Duration::from_secs(20))).expect("a bound");
    let hear = || {
        let mut heard = [0; 64];
        let length = manager.recv(&mut heard).expect("it is told");
        String::from_utf8_lossy(&heard[..length]).into_owned()
    };
    let mut under = Command::new("env");
    under.arg(format!("NOTIFY_SOCKET={}", socket.display())).arg("WATCHDOG_USEC=200000");
    let program = Program::start_under(under, folder.path(), &[]);
    assert_eq!(hear(), "READY=1");
    assert_eq!((hear(), hear(), hear()), ("WATCHDOG=1".into(), "WATCHDOG=1".into(), "WATCHDOG=1".into()));
    assert!(program.terminate().success());
    let last = std::iter::from_fn(|| Some(hear())).find(|heard| heard != "WATCHDOG=1");
    assert_eq!(last.as_deref(), Some("STOPPING=1"));
}

/// Clients that hold a connection in every way that a slow or a hostile one can.
fn slow_clients(program: &Program) -> Vec<TcpStream> {
    let half_a_head = "GET /v1/cart HTTP/1.1\r\nHost: x\r\nX-Slow: ";
    let half_a_body = "POST /v1/cart/lines HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"sku\"";
    let unread = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2_000);
    let silent = "";
    let said = [half_a_head, half_a_body, &unread, silent];
    let open = |text: &&str| {
        let mut stream = TcpStream::connect(program.address).expect("a connection");
        stream.set_write_timeout(Some(Duration::from_millis(500))).expect("a bound");
        // The server may stop reading from one who does not read.
        let _ = stream.write_all(text.as_bytes());
        stream
    };
    said.iter().cycle().take(40).map(open).collect()
}

/// A page that watches its cart.
fn watching(program: &Program) -> BufReader<TcpStream> {
    let begun = program.wire().send("POST", "/v1/cart/lines", &[], r#"{"sku":"mug"}"#).expect("an answer");
    let cookie = begun.cookie().expect("a cookie");
    let mut stream = TcpStream::connect(program.address).expect("a connection");
    write!(stream, "GET /v1/cart/events HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n")
        .expect("it is asked for");
    BufReader::new(stream)
}

/// The same, once it is shown its cart.
fn shown(program: &Program) -> BufReader<TcpStream> {
    let mut stream = watching(program);
    let mut line = String::new();
    while !line.starts_with("event: cart") {
        line.clear();
        assert!(stream.read_line(&mut line).expect("a line") > 0, "the stream ended too early");
    }
    stream
}

#[test]
#[ignore = "system: ./check runs it"]
fn a_drain_ends_within_ten_seconds_whoever_holds_on_and_nothing_acknowledged_is_lost() {
    let folder = Folder::new("drain");
    let program = Program::start(folder.path(), &[]);
    let slow = slow_clients(&program);
    // Some read what they are shown, and some nothing at all before the end.
    let mut pages: Vec<_> = (0..16).map(|_| shown(&program)).collect();
    pages.extend((0..16).map(|_| watching(&program)));
    let (stop, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let (took, carts) = std::thread::scope(|scope| {
        let shoppers: Vec<_> = (0..8)
            .map(|_| {
                let (mut wire, stop, sent) = (program.wire(), &stop, &sent);
                scope.spawn(move || {
                    let first =
                        wire.send("POST", "/v1/cart/lines", &[], r#"{"sku":"mug"}"#).expect("an answer");
                    let cookie = first.cookie().expect("a cookie");
                    let mut acknowledged = first.quantity();
                    while !stop.load(Ordering::Relaxed) {
                        let headers = [("Cookie", cookie.as_str())];
                        // Once the drain has begun a connection may be closed before an answer.
                        match wire.send("POST", "/v1/cart/lines", &headers, r#"{"sku":"mug"}"#) {
                            Some(added) if added.status == 200 => acknowledged = added.quantity(),
                            _ => break,
                        }
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                    (cookie, acknowledged)
                })
            })
            .collect();
        while sent.load(Ordering::Relaxed) < 200 {
            std::thread::yield_now();
        }
        let began = Instant::now();
        assert!(program.terminate().success(), "the exit code is 0");
        let took = began.elapsed();
        stop.store(true, Ordering::Relaxed);
        let carts: Vec<_> = shoppers.into_iter().map(|shopper| shopper.join().expect("a shopper")).collect();
        (took, carts)
    });
    drop(slow);
    for page in &mut pages {
        let mut told = String::new();
        page.read_to_string(&mut told).expect("the rest of the stream");
        assert!(told.contains("event: end"), "{told}");
    }
    assert!(took < Duration::from_secs(10), "the drain took {took:?}");
    let program = Program::start(folder.path(), &[]);
    for (cookie, acknowledged) in carts {
        let cart = program.wire().send("GET", "/v1/cart", &[("Cookie", &cookie)], "").expect("an answer");
        let kept = cart.quantity();
        assert!(
            kept == acknowledged || kept == acknowledged + 1,
            "{acknowledged} were acknowledged, {kept} are there"
        );
    }
}
