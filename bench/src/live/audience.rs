//! Many event streams, read by one thread: what came on each of them, and when.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;

use crate::mix::visit::Visit;
use crate::wire::request;

use super::account::Seen;
use super::changer::revision_of;
use super::feed::{Feed, Item};

/// So many streams are opened before those have to have their first state: a listener's queue is short.
const AT_ONCE: usize = 64;
/// How often it is looked whether there is more to wait for.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Bytes that one read takes at most.
const SCRATCH: usize = 64 * 1024;

/// The streams.
pub(crate) struct Audience {
    poll: OwnedFd,
    seats: Vec<Seat>,
    scratch: Vec<u8>,
    /// Events that were no newer than what their stream had shown already.
    pub(crate) backwards: u64,
}

/// One stream.
pub(crate) struct Seat {
    stream: TcpStream,
    feed: Feed,
    /// Whose cart it shows.
    pub(crate) session: usize,
    /// What came since that was asked for last, in order.
    pub(crate) seen: Vec<Seen>,
    /// The newest revision that ever came.
    newest: Option<u64>,
    /// The newest state.
    pub(crate) last: String,
    /// It came to its end.
    ended: bool,
}

/// What the streams are waited for.
pub(crate) struct Goal {
    /// The revision that each session's streams should show.
    pub(crate) revisions: Vec<u64>,
    /// When that is given up.
    pub(crate) by: Instant,
}

impl Audience {
    /// Opens a stream for each of these, and waits until each has shown its cart.
    pub(crate) fn open<'a>(
        address: SocketAddr,
        sessions: impl Iterator<Item = &'a Visit>,
        patience: Duration,
    ) -> io::Result<Audience> {
        let mut audience = Audience {
            poll: epoll::create(CreateFlags::CLOEXEC)?,
            seats: Vec::new(),
            scratch: vec![0; SCRATCH],
            backwards: 0,
        };
        let mut sessions = sessions.peekable();
        while sessions.peek().is_some() {
            let first = audience.seats.len();
            for visit in sessions.by_ref().take(AT_ONCE) {
                audience.seat(address, visit)?;
            }
            let by = Instant::now() + patience;
            while audience.seats[first..].iter().any(|seat| seat.newest.is_none()) {
                if Instant::now() > by || audience.seats[first..].iter().any(|seat| seat.ended) {
                    return Err(io::Error::other("an event stream did not begin with its cart"));
                }
                audience.attend_once()?;
            }
        }
        Ok(audience)
    }

    fn seat(&mut self, address: SocketAddr, visit: &Visit) -> io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut asks = Vec::with_capacity(256);
        let (host, path) = (address.to_string(), "/v1/cart/events");
        request::put(&mut asks, "GET", path, &host, &[&visit.cookie, "accept: text/event-stream\r\n"], b"");
        stream.write_all(&asks)?;
        stream.set_nonblocking(true)?;
        epoll::add(&self.poll, &stream, EventData::new_u64(self.seats.len() as u64), EventFlags::IN)?;
        self.seats.push(Seat {
            stream,
            feed: Feed::default(),
            session: visit.session,
            seen: Vec::new(),
            newest: None,
            last: String::new(),
            ended: false,
        });
        Ok(())
    }

    /// The streams.
    pub(crate) fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// How many streams ended.
    pub(crate) fn ended(&self) -> u64 {
        self.seats.iter().filter(|seat| seat.ended).count() as u64
    }

    /// What came until now is settled: only what comes from now on will stand in `seen`.
    pub(crate) fn forget(&mut self) {
        self.seats.iter_mut().for_each(|seat| seat.seen.clear());
    }

    /// Reads until a goal is set and reached, or given up.
    pub(crate) fn attend(&mut self, goal: &OnceLock<Goal>) -> io::Result<()> {
        loop {
            self.attend_once()?;
            if goal.get().is_some_and(|goal| self.is_at(goal) || Instant::now() > goal.by) {
                return Ok(());
            }
        }
    }

    /// Reads what is there already.
    pub(crate) fn catch_up(&mut self) -> io::Result<()> {
        while self.attend_once()? > 0 {}
        Ok(())
    }

    fn is_at(&self, goal: &Goal) -> bool {
        self.seats.iter().all(|seat| seat.ended || seat.newest >= Some(goal.revisions[seat.session]))
    }

    /// Waits a little for what comes, and reads it; says how many streams brought something.
    fn attend_once(&mut self) -> io::Result<usize> {
        let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(LOOK_EVERY.subsec_nanos()) };
        let mut ready: Vec<Event> = Vec::with_capacity(256);
        match epoll::wait(&self.poll, spare_capacity(&mut ready), Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let brought = ready.len();
        for event in ready {
            let seat = &mut self.seats[event.data.u64() as usize];
            self.backwards += seat.read(&mut self.scratch);
            if seat.ended {
                // It is registered: nothing else can go wrong.
                let _ = epoll::delete(&self.poll, &seat.stream);
            }
        }
        Ok(brought)
    }
}

impl Seat {
    /// Reads once; says how many events went backwards.
    fn read(&mut self, scratch: &mut [u8]) -> u64 {
        let read = match self.stream.read(scratch) {
            Ok(0) => 0,
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return 0,
            Err(_) => 0,
        };
        let at = Instant::now();
        let Seat { feed, seen, newest, last, ended, .. } = self;
        let mut backwards = 0;
        let taken = feed.take(&scratch[..read], |item| match item {
            Item::End => *ended = true,
            Item::Cart { id, data } => match revision_of(id) {
                Some(revision) if newest.is_none_or(|newest| newest < revision) => {
                    *newest = Some(revision);
                    seen.push(Seen { revision, at });
                    data.clone_into(last);
                }
                _ => backwards += 1,
            },
        });
        *ended |= read == 0 || taken.is_err();
        backwards
    }
}
