//! One thread's connections, and the loop that serves them: epoll, one read and one write a request, nothing else.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;

use super::actor::{Actor, Times};
use super::connection::{Connection, ReadProgress};
use super::pace::Schedule;
use super::tally::{Tally, Window};

/// How long answers may still come when the window is over.
const DRAIN: Duration = Duration::from_secs(10);
/// Bytes that one read takes at most.
const SCRATCH: usize = 64 * 1024;
/// A crew tells how far it is after so many answers.
const TELL_EVERY: u64 = 64;

/// The connections of one thread.
pub(super) struct Crew<'a, 'b> {
    address: SocketAddr,
    window: Window,
    poll: OwnedFd,
    actors: &'a mut [&'b mut dyn Actor],
    /// One for each actor; none where it is not to be had.
    connections: Vec<Option<Connection>>,
    /// Those of an open pace that wait for work, the one that waits longest first.
    idle: VecDeque<usize>,
    /// The open pace; none where the pace is closed.
    schedule: Option<Schedule>,
    tally: Tally,
    /// How many requests are under way.
    under_way: usize,
    answers: u64,
}

impl<'a, 'b> Crew<'a, 'b> {
    /// Connects each actor.
    pub(super) fn new(address: SocketAddr, actors: &'a mut [&'b mut dyn Actor]) -> io::Result<Crew<'a, 'b>> {
        let now = Instant::now();
        let poll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut crew = Crew {
            address,
            window: Window { from: now, to: now },
            poll,
            connections: Vec::with_capacity(actors.len()),
            idle: (0..actors.len()).collect(),
            actors,
            schedule: None,
            tally: Tally::new(),
            under_way: 0,
            answers: 0,
        };
        for at in 0..crew.actors.len() {
            crew.connections.push(None);
            crew.connect(at)?;
        }
        Ok(crew)
    }

    /// Runs until the window is over and what was begun is answered. `done` is told how many answers came.
    pub(super) fn run(
        mut self,
        window: Window,
        schedule: Option<Schedule>,
        done: &AtomicU64,
    ) -> io::Result<Tally> {
        (self.window, self.schedule) = (window, schedule);
        let mut scratch = vec![0; SCRATCH];
        let mut events: Vec<Event> = Vec::with_capacity(256);
        if self.schedule.is_none() {
            let now = Instant::now();
            while let Some(at) = self.idle.pop_front() {
                self.begin(at, now);
            }
        }
        let give_up = self.window.to + DRAIN;
        loop {
            let now = Instant::now();
            self.begin_what_is_due(now);
            if now >= give_up || self.is_over(now) {
                break;
            }
            let timeout = self.wait_at_most(now, give_up);
            let timeout =
                Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: i64::from(timeout.subsec_nanos()) };
            match epoll::wait(&self.poll, spare_capacity(&mut events), Some(&timeout)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in events.drain(..) {
                self.serve(event.data.u64() as usize, event.flags, &mut scratch);
            }
            if self.answers >= TELL_EVERY {
                done.fetch_add(std::mem::take(&mut self.answers), Ordering::Relaxed);
            }
        }
        done.fetch_add(self.answers, Ordering::Relaxed);
        Ok(self.finish())
    }

    /// Whether nothing is under way and nothing more will begin.
    fn is_over(&self, now: Instant) -> bool {
        let owed = self.schedule.as_ref().is_some_and(|schedule| schedule.next() < self.window.to);
        self.under_way == 0 && (self.idle_for_good() || (now >= self.window.to && !owed))
    }

    /// Whether every actor has said that it has no more to ask.
    fn idle_for_good(&self) -> bool {
        self.schedule.is_none() || self.connections.iter().all(Option::is_none)
    }

    fn wait_at_most(&self, now: Instant, give_up: Instant) -> Duration {
        let next = self.schedule.as_ref().filter(|_| !self.idle.is_empty()).map(Schedule::next);
        let next = next.filter(|next| *next < self.window.to);
        let next = next.unwrap_or(if now < self.window.to { self.window.to } else { give_up });
        next.saturating_duration_since(now)
    }

    /// Begins what an open pace owes by now, as far as connections are free.
    fn begin_what_is_due(&mut self, now: Instant) {
        while !self.idle.is_empty() {
            let Some(schedule) = self.schedule.as_mut().filter(|schedule| schedule.next() < self.window.to)
            else {
                return;
            };
            let Some(due) = schedule.take_due(now) else { return };
            if let Some(at) = self.idle.pop_front() {
                self.begin(at, due);
            }
        }
    }

    /// Lets actor `at` ask what should have begun at `began`.
    fn begin(&mut self, at: usize, began: Instant) {
        let Some(connection) = &mut self.connections[at] else { return };
        connection.out.clear();
        if !self.actors[at].ask(&mut connection.out) {
            // It has no more to ask: its connection ends.
            self.connections[at] = None;
            return;
        }
        connection.under_way = Some(began);
        self.under_way += 1;
        self.go_on(at);
    }

    /// Sends what is to be sent on `at`.
    fn go_on(&mut self, at: usize) {
        let Some(connection) = &mut self.connections[at] else { return };
        match connection.send() {
            ReadProgress::Broken => self.broken(at),
            ReadProgress::Unsent => self.watch(at, EventFlags::IN | EventFlags::OUT),
            ReadProgress::Waiting | ReadProgress::Answered => {}
        }
    }

    fn serve(&mut self, at: usize, flags: EventFlags, scratch: &mut [u8]) {
        if flags.contains(EventFlags::OUT) {
            self.watch(at, EventFlags::IN);
            self.go_on(at);
        }
        if !flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            return;
        }
        let Some(connection) = &mut self.connections[at] else { return };
        let began = connection.under_way;
        let (mut good, mut came) = (false, None);
        let actor = &mut self.actors[at];
        let progress = connection.receive(scratch, |answer| {
            let Some(due) = began else { return };
            let answered = Instant::now();
            good = actor.take(answer, Times { due, answered });
            came = Some((answer.status, Times { due, answered }));
        });
        let Some((status, times)) = came else {
            if progress == ReadProgress::Broken {
                self.broken(at);
            }
            return;
        };
        connection.under_way = None;
        self.under_way -= 1;
        self.answers += 1;
        self.tally.answered(&self.window, times, status, good);
        if progress == ReadProgress::Broken {
            self.broken(at);
        }
        if self.schedule.is_some() {
            self.idle.push_back(at);
        } else {
            // What the actor did with the answer is no part of the next request either.
            let now = Instant::now();
            if now < self.window.to {
                self.begin(at, now);
            }
        }
    }

    /// The connection is gone: what was under way on it is lost, and another takes its place.
    fn broken(&mut self, at: usize) {
        let lost = self.connections[at].take().and_then(|connection| connection.under_way);
        if let Some(began) = lost {
            self.actors[at].lose();
            self.under_way -= 1;
            self.tally.lost(&self.window, began, Instant::now());
        }
        // A server that is gone refuses: the actor then has no connection, and asks no more.
        if self.connect(at).is_err() || lost.is_none() {
            return;
        }
        if self.schedule.is_some() {
            self.idle.push_back(at);
        } else if Instant::now() < self.window.to {
            self.begin(at, Instant::now());
        }
    }

    fn connect(&mut self, at: usize) -> io::Result<()> {
        let connection = Connection::open(self.address)?;
        epoll::add(&self.poll, &connection.stream, EventData::new_u64(at as u64), EventFlags::IN)?;
        self.connections[at] = Some(connection);
        Ok(())
    }

    fn watch(&self, at: usize, flags: EventFlags) {
        if let Some(connection) = &self.connections[at] {
            // It is registered: nothing else can go wrong.
            let _ = epoll::modify(&self.poll, &connection.stream, EventData::new_u64(at as u64), flags);
        }
    }

    /// Counts what never came to its end.
    fn finish(mut self) -> Tally {
        let now = Instant::now();
        for (connection, actor) in self.connections.iter().zip(self.actors.iter_mut()) {
            if let Some(began) = connection.as_ref().and_then(|connection| connection.under_way) {
                actor.lose();
                self.tally.lost(&self.window, began, now);
            }
        }
        while let Some(schedule) = self.schedule.as_mut().filter(|schedule| schedule.next() < self.window.to)
        {
            let Some(due) = schedule.take_due(now) else { break };
            if due >= self.window.from {
                self.tally.unsent += 1;
            }
        }
        self.tally
    }
}
