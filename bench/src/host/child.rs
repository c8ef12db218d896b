//! A server that we started: waited for until it serves, and ended by its own process id.

use std::io::{self, BufRead as _, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::param::clock_ticks_per_second;

use super::leave;

/// How long a server may take until it says where it listens.
const ANNOUNCED_WITHIN: Duration = Duration::from_secs(60);

/// How long what a process said may take to reach us when it has ended.
const SAID_WITHIN: Duration = Duration::from_secs(5);

/// A server that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Kept open: who prints to a closed pipe would be ended by it.
    _stdout: Option<BufReader<ChildStdout>>,
    /// Where it serves.
    pub(crate) address: SocketAddr,
    /// How long it took from its start until it served.
    pub(crate) ready_after: Duration,
}

impl Server {
    /// Starts a server that says `listening on http://ADDRESS` in its first line.
    pub(crate) fn announced(command: &mut Command) -> io::Result<Server> {
        let began = Instant::now();
        let mut child = leave::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("it has no standard output"))?;
        let (told, line) = mpsc::channel();
        std::thread::spawn(move || {
            let (mut stdout, mut line) = (BufReader::new(stdout), String::new());
            let read = stdout.read_line(&mut line);
            // Nobody listens any more where it took too long.
            let _ = told.send((stdout, read.map(|_| line).unwrap_or_default()));
        });
        let said = line.recv_timeout(ANNOUNCED_WITHIN).ok();
        let ready_after = began.elapsed();
        let line = said.as_ref().map_or("", |(_, line)| line.trim());
        let address = line.strip_prefix("listening on http://").and_then(|address| address.parse().ok());
        let Some(address) = address else {
            leave::end(&mut child);
            return Err(io::Error::other(format!("it did not start: {line}")));
        };
        Ok(Server { child, _stdout: said.map(|(stdout, _)| stdout), address, ready_after })
    }

    /// Starts a server that says nothing, and waits until something listens at `address`.
    pub(crate) fn silent(command: &mut Command, address: SocketAddr, within: Duration) -> io::Result<Server> {
        let began = Instant::now();
        let mut child = leave::spawn(command.stdin(Stdio::null()).stdout(Stdio::null()))?;
        while TcpStream::connect(address).is_err() {
            if let Some(status) = child.try_wait()? {
                leave::forget(&child);
                return Err(io::Error::other(format!("it did not start ({status})")));
            }
            if began.elapsed() > within {
                leave::end(&mut child);
                return Err(io::Error::other(format!("it does not listen after {} s", within.as_secs())));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Server { child, _stdout: None, address, ready_after: began.elapsed() })
    }

    /// Bytes of memory that it has in use; 0 where that cannot be told.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kib.unwrap_or_default() * 1024
    }

    /// The processor time that it took until now, in the program and in the kernel, to a hundredth of a second.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let ticks =
            ticks(&stat).ok_or_else(|| io::Error::other("the server's processor time is not told"))?;
        Ok(Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64))
    }
}

/// `utime` and `stime`, the 14th and 15th field. The second is the program's name in brackets, which may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

impl Drop for Server {
    fn drop(&mut self) {
        leave::end(&mut self.child);
    }
}

/// Runs a command to its end, `within` at most, with `waited` called now and then. Where it fails, what it said last is
/// the reason.
pub(crate) fn done(command: &mut Command, within: Duration, mut waited: impl FnMut()) -> io::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let named = |what: String| io::Error::other(format!("{program}: {what}"));
    let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = leave::spawn(piped).map_err(|error| named(error.to_string()))?;
    let (out, err) = (text_of(child.stdout.take()), text_of(child.stderr.take()));
    let began = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if began.elapsed() <= within => {}
            _ => {
                leave::end(&mut child);
                return Err(named(format!("it was not done after {} s", within.as_secs())));
            }
        }
        waited();
        std::thread::sleep(Duration::from_millis(5));
    };
    leave::forget(&child);
    // What it said is whole, unless it left somebody behind who holds its output open.
    let text = |said: &mpsc::Receiver<String>| said.recv_timeout(SAID_WITHIN).unwrap_or_default();
    if status.success() {
        return Ok(text(&out));
    }
    let said = text(&err);
    // The sentence, without the trace of who called whom.
    let sentences = said.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("at "));
    let end: Vec<_> = sentences.collect();
    Err(named(end[end.len().saturating_sub(5)..].join("; ")))
}

/// Reads beside us: who fills a pipe that nobody empties never ends.
fn text_of(output: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (told, said) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut output) = output {
            // What was read before it failed is what there is.
            let _ = output.read_to_end(&mut bytes);
        }
        let _ = told.send(String::from_utf8_lossy(&bytes).trim().to_owned());
    });
    said
}

/// A port of loopback that is free now, for servers that cannot take one by themselves.
pub(crate) fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_whatever_the_program_is_called() {
        let stat = "42 (a) b ( c) S 1 42 42 0 -1 4194560 100 0 0 0 700 34 5 6 20 0 9 0 1000 1 2";
        assert_eq!(ticks(stat), Some(734));
        assert_eq!(ticks("42 (a"), None);
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_command_that_takes_too_long_ends_with_all_that_it_started() {
        let began = Instant::now();
        let slow = done(&mut shell("sleep 600 & wait"), Duration::from_millis(50), || {});
        assert!(slow.is_err_and(|error| error.to_string().contains("not done")));
        assert!(began.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn what_a_command_said_last_is_why_it_failed() {
        let long = Duration::from_secs(60);
        assert_eq!(done(&mut shell("echo yes"), long, || {}).expect("it ends"), "yes");
        let failed =
            done(&mut shell("echo 'no such thing' >&2; echo '  at line 1' >&2; exit 1"), long, || {});
        assert_eq!(failed.expect_err("it fails").to_string(), "sh: no such thing");
        // More than a pipe holds.
        let much = done(&mut shell("head -c 300000 /dev/zero | tr '\\0' x"), long, || {});
        assert_eq!(much.expect("it ends").len(), 300_000);
    }

    #[test]
    fn a_server_that_announces_nothing_is_told_with_what_it_said() {
        let failed = Server::announced(&mut shell("echo no room"));
        assert_eq!(failed.expect_err("it serves nothing").to_string(), "it did not start: no room");
    }
}
