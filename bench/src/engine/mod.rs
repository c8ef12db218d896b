//! The load generator: many kept connections on a few threads, and each request timed from when it should have begun.

pub(crate) mod actor;
mod connection;
mod crew;
pub(crate) mod pace;
pub(crate) mod tally;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Barrier, OnceLock};
use std::time::{Duration, Instant};

use self::actor::Actor;
use self::crew::Crew;
use self::pace::{Pace, Schedule};
use self::tally::{Tally, Window};

/// What a run is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    /// The server.
    pub(crate) address: SocketAddr,
    /// Threads that the connections are shared out to.
    pub(crate) threads: usize,
    /// How requests follow each other.
    pub(crate) pace: Pace,
    /// How long the server is warmed up: what begins then is not counted.
    pub(crate) warm_up: Duration,
    /// How long is counted.
    pub(crate) length: Duration,
}

/// Lets each actor speak over a connection of its own, and counts. `told` is called now and then with how far it is,
/// from 0 to 1, and the number of answers so far.
pub(crate) fn run(
    load: &Workload,
    actors: &mut [&mut dyn Actor],
    mut told: impl FnMut(f64, u64),
) -> io::Result<Tally> {
    let threads = load.threads.clamp(1, actors.len().max(1));
    let share = actors.len().div_ceil(threads);
    let (done, ended) = (AtomicU64::new(0), AtomicUsize::new(0));
    // All crews connect first, however long that takes, then begin at the same moment.
    let crews = actors.chunks(share.max(1)).len();
    let (connected, began) = (Barrier::new(crews), OnceLock::new());
    let work = |(thread, actors): (usize, &mut [&mut dyn Actor])| {
        let crew = Crew::new(load.address, actors);
        connected.wait();
        let began = *began.get_or_init(Instant::now);
        let schedule = match load.pace {
            Pace::Closed => None,
            Pace::Open(per_second) => Some(Schedule::new(began, per_second, thread, threads)),
        };
        let from = began + load.warm_up;
        crew?.run(Window { from, to: from + load.length }, schedule, &done)
    };
    let (work, ended) = (&work, &ended);
    let parts: Vec<io::Result<Tally>> = std::thread::scope(|scope| {
        let crews: Vec<_> = actors
            .chunks_mut(share.max(1))
            .enumerate()
            .map(|part| {
                scope.spawn(move || {
                    let result = work(part);
                    ended.fetch_add(1, Ordering::SeqCst);
                    result
                })
            })
            .collect();
        while ended.load(Ordering::SeqCst) < crews.len() {
            std::thread::sleep(Duration::from_millis(20));
            let gone = began.get().map_or(Duration::ZERO, Instant::elapsed);
            let part = gone.as_secs_f64() / (load.warm_up + load.length).as_secs_f64();
            told(part.min(1.0), done.load(Ordering::Relaxed));
        }
        let joined = crews.into_iter().map(|crew| crew.join().expect("a crew does not panic"));
        joined.collect()
    });
    let mut whole = Tally::new();
    for part in parts {
        whole.add(&part?);
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use crate::wire::answer::Answer;

    use super::actor::Times;
    use super::*;

    /// Asks for so many, and notes what came of them.
    #[derive(Default)]
    struct Asker {
        most: usize,
        asked: usize,
        taken: usize,
        lost: usize,
    }

    impl Actor for Asker {
        fn ask(&mut self, out: &mut Vec<u8>) -> bool {
            self.asked += 1;
            out.extend_from_slice(b"GET / HTTP/1.1\r\n\r\n");
            self.asked <= self.most
        }

        fn take(&mut self, answer: &Answer<'_>, _times: Times) -> bool {
            self.taken += 1;
            answer.status == 200
        }

        fn lose(&mut self) {
            self.lost += 1;
        }
    }

    /// A server that answers request `n` as `answer(n)` has it; nothing ends the connection.
    fn serve(answer: impl Fn(usize) -> &'static [u8] + Send + Sync + 'static) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        std::thread::spawn(move || {
            let mut n = 0;
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut request = [0; 1024];
                while stream.read(&mut request).is_ok_and(|read| read > 0) {
                    let answer = answer(n);
                    n += 1;
                    if answer.is_empty() || stream.write_all(answer).is_err() {
                        break;
                    }
                }
            }
        });
        address
    }

    const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

    fn load(address: SocketAddr, pace: Pace, length: Duration) -> Workload {
        Workload { address, threads: 1, pace, warm_up: Duration::ZERO, length }
    }

    #[test]
    fn what_a_stall_kept_from_beginning_counts_from_when_it_should_have_begun() {
        let stall = Duration::from_millis(300);
        let address = serve(move |n| {
            if n == 5 {
                std::thread::sleep(stall);
            }
            OK
        });
        let mut asker = Asker { most: usize::MAX, ..Asker::default() };
        let load = load(address, Pace::Open(100.0), Duration::from_millis(500));
        let tally = run(&load, &mut [&mut asker], |_, _| {}).expect("it runs");
        // One request met the stall; those of the next 0.3 s stood in the queue behind it. Half of them for 150 ms and more.
        let slow = tally.latency.count_between(140_000, 60_000_000);
        assert!(slow >= 15, "{slow} of {} were slow", tally.latency.len());
        assert_eq!((tally.answers(), tally.lost, tally.unsent), (50, 0, 0));
    }

    #[test]
    fn an_actor_that_has_no_more_to_ask_ends_the_run() {
        let address = serve(|_| OK);
        let mut asker = Asker { most: 20, ..Asker::default() };
        let load = load(address, Pace::Closed, Duration::from_secs(600));
        let tally = run(&load, &mut [&mut asker], |_, _| {}).expect("it runs");
        assert_eq!((tally.answers(), asker.taken, asker.lost), (20, 20, 0));
    }

    #[test]
    fn a_connection_that_ends_before_its_answer_is_told_and_another_takes_its_place() {
        let address = serve(|n| if n == 3 { b"" } else { OK });
        let mut asker = Asker { most: 10, ..Asker::default() };
        let load = load(address, Pace::Closed, Duration::from_secs(600));
        let tally = run(&load, &mut [&mut asker], |_, _| {}).expect("it runs");
        assert_eq!((tally.answers(), tally.lost), (9, 1));
        assert_eq!((asker.taken, asker.lost), (9, 1));
    }
}
