//! A server that we started: waited for until it serves, and ended by its own process id.

use std::io::{self, BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take to end before it is killed.
const END_WITHIN: Duration = Duration::from_secs(12);

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
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("it has no standard output"))?;
        let (mut stdout, mut line) = (BufReader::new(stdout), String::new());
        stdout.read_line(&mut line)?;
        let ready_after = began.elapsed();
        let address =
            line.trim().strip_prefix("listening on http://").and_then(|address| address.parse().ok());
        let Some(address) = address else {
            let _ = child.kill();
            let status = child.wait()?;
            return Err(io::Error::other(format!("it did not start ({status}): {}", line.trim())));
        };
        Ok(Server { child, _stdout: Some(stdout), address, ready_after })
    }

    /// Starts a server that says nothing, and waits until something listens at `address`.
    pub(crate) fn silent(command: &mut Command, address: SocketAddr, within: Duration) -> io::Result<Server> {
        let began = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        while TcpStream::connect(address).is_err() {
            if let Some(status) = child.try_wait()? {
                return Err(io::Error::other(format!("it did not start ({status})")));
            }
            if began.elapsed() > within {
                let _ = child.kill();
                let _ = child.wait();
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
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
        let began = Instant::now();
        while began.elapsed() < END_WITHIN {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
}
