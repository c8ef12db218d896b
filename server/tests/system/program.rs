//! The `trolley` program as a process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::wire::Wire;

/// A running server; dropped, it is killed.
pub(crate) struct Program {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Program {
    /// Starts `trolley serve` on a free port with its store in `folder`, and waits until it listens.
    pub(crate) fn start(folder: &Path, more: &[&str]) -> Program {
        Program::start_by(Command::new(env!("CARGO_BIN_EXE_trolley")), folder, more)
    }

    /// The same, where `command` runs the program that its next arguments name.
    pub(crate) fn start_under(mut command: Command, folder: &Path, more: &[&str]) -> Program {
        command.arg(env!("CARGO_BIN_EXE_trolley"));
        Program::start_by(command, folder, more)
    }

    fn start_by(mut command: Command, folder: &Path, more: &[&str]) -> Program {
        let store = format!("file:{}", folder.display());
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--store", &store, "--rate-limits", "off"])
            .args(more);
        command.env_remove("TROLLEY_STORE").current_dir(folder);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("trolley starts");
        let stdout = child.stdout.take().expect("its standard output");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a first line");
        let address =
            line.trim().strip_prefix("listening on http://").and_then(|address| address.parse().ok());
        let Some(address) = address else {
            let status = child.wait();
            panic!("trolley did not start: {line:?}, {status:?}");
        };
        Program { child, address }
    }

    /// Runs `trolley` where it must refuse to start, and gives back what it said.
    pub(crate) fn refused(folder: &Path, more: &[&str]) -> (ExitStatus, String) {
        let store = format!("file:{}", folder.display());
        let output = Command::new(env!("CARGO_BIN_EXE_trolley"))
            .args(["serve", "--listen", "127.0.0.1:0", "--store", &store, "--rate-limits", "off"])
            .args(more)
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()
            .expect("trolley runs");
        (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
    }

    pub(crate) fn wire(&self) -> Wire {
        Wire::new(self.address)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: no goodbye.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it has ended");
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) {
        self.child.wait().expect("it has ended");
    }

    /// How it ends by itself, within 20 s.
    pub(crate) fn ended(mut self) -> ExitStatus {
        self.wait_for_end("by itself")
    }

    /// SIGTERM, and the exit status it ends with.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        signal("TERM", self.child.id());
        self.wait_for_end("of SIGTERM")
    }

    fn wait_for_end(&mut self, why: &str) -> ExitStatus {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait().expect("its state is known") {
                return status;
            }
            assert!(Instant::now() < end, "it did not end within 20 s {why}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Under a tracer the server is its child, and would outlive it.
        let pid = self.child.id();
        let children =
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        for child in children.split_whitespace() {
            let _ = Command::new("kill").args(["-KILL", child]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process of ours.
pub(crate) fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "kill -{name} {pid}");
}
