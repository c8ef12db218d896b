//! Time comes in from outside: one file reads the system's clock, and nothing that decides anything does.

use crate::paths::used;
use crate::tree::{Breach, Tree};

const CLOCKS: [&str; 4] = ["SystemTime::now", "Instant::now", "clock_gettime", "thread::sleep"];
/// Where time is asked for by value; `tests` of the server drive a real program and may wait for it.
const TIMELESS: [&str; 3] = ["core/", "server/src/", "store/src/"];
/// The files that may read a clock, and why.
const KEEPERS: [&str; 4] = [
    // The one clock: the system's, ahead by what the test clock was turned.
    "server/src/service/clock.rs",
    // How long an answer took, for the log line alone: a stopwatch, by which nothing is decided.
    "server/src/http/server/edge.rs",
    // The same for the metrics.
    "server/src/http/metrics/route_metrics.rs",
    // How long a catalogue took: how many questions it is asked at once follows from it, and no price does.
    "server/src/catalogue/web/stopwatch.rs",
];

/// Every clock that is read where none should be.
pub fn check(tree: &Tree) -> Vec<Breach> {
    let timeless = tree
        .ending(".rs")
        .filter(|file| TIMELESS.iter().any(|part| file.path.starts_with(part)))
        .filter(|file| !KEEPERS.contains(&file.path.as_str()));
    let mut breaches = Vec::new();
    for file in timeless {
        for path in used(file) {
            if CLOCKS.iter().any(|clock| path.path == *clock || path.path.ends_with(&format!("::{clock}"))) {
                let what = format!("`{}`: time comes in as an argument, from the clock", path.path);
                breaches.push(Breach::new(&file.path, path.line, what));
            }
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_read_outside_the_clock_is_found() {
        for (path, text, expected) in [
            ("core/src/session.rs", "fn f() { std::time::SystemTime::now(); }", true),
            ("core/tests/laws.rs", "fn f() { std::thread::sleep(d); }", true),
            ("server/src/service/cart.rs", "fn f() { Instant::now(); }", true),
            ("server/src/service/cart.rs", "fn f() { rustix::time::clock_gettime(id); }", true),
            ("store/src/embedded/writer.rs", "fn f() { tokio::time::Instant::now(); }", true),
            ("server/src/service/clock.rs", "fn f() { SystemTime::now(); }", false),
            ("server/src/service/cart.rs", "// not SystemTime::now()\nfn f() { self.clock.now(); }", false),
            ("server/tests/crash/main.rs", "fn f() { Instant::now(); }", false),
        ] {
            assert_eq!(!check(&Tree::planted(&[(path, text)])).is_empty(), expected, "{path}: {text}");
        }
    }
}
