//! Whose turn it is on a connection: one answer at a time, the next once the last was taken, and others in between. And a
//! client that said it will send no more is heard to have left once it has its answer.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Waker};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// What a connection's client is owed.
const NOTHING: u8 = 0;
const AN_ANSWER: u8 = 1;
/// The answer is there, and not yet with the kernel.
const ITS_BYTES: u8 = 2;
/// An answer, once its request is a whole one.
const A_HEARING: u8 = 3;
/// How often the end is told later while a request is heard: what hyper has of its body goes to its handler first.
const LATER: u8 = 3;

/// What is shared by a connection's socket and its requests, all of them in one task.
#[derive(Default)]
pub struct Turn {
    owes: AtomicU8,
    later: AtomicU8,
    /// An answer was given since the socket last had nothing to read.
    had: AtomicBool,
    /// What was to be written waits for the client to read.
    unread: AtomicBool,
    written: Notify,
    /// Who is to be told of the end of what the client sends.
    end: Mutex<Option<Waker>>,
}

impl Turn {
    /// A request is there. Waits until its answer may be made: pipelined requests are answered one by one, each once the last
    /// answer is with the kernel, and other connections have their turn in between.
    pub async fn next(&self) {
        self.owes();
        while self.unread.load(Ordering::Relaxed) {
            self.written.notified().await;
        }
        if self.had.swap(true, Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
    }

    /// All of a request is there, and it is to be answered.
    pub fn owes(&self) {
        self.owes.store(AN_ANSWER, Ordering::Relaxed);
    }

    /// The client is waited for: should it leave now, its request is no whole one.
    pub fn hears(&self) {
        self.later.store(LATER, Ordering::Relaxed);
        self.owes.store(A_HEARING, Ordering::Relaxed);
    }

    /// The answer is there.
    pub fn answered(&self) {
        self.owes.store(ITS_BYTES, Ordering::Relaxed);
    }

    /// The socket has nothing to read: whatever was asked is under way.
    pub fn rests(&self) {
        self.had.store(false, Ordering::Relaxed);
    }

    /// A write waits for the client to read, or one did not have to.
    pub fn is_read(&self, read: bool) {
        if self.unread.swap(!read, Ordering::Relaxed) && read {
            self.written.notify_one();
        }
    }

    /// All that was to be written is with the kernel.
    pub fn flushed(&self) {
        let ended = self.owes.compare_exchange(ITS_BYTES, NOTHING, Ordering::Relaxed, Ordering::Relaxed);
        if ended.is_ok()
            && let Some(end) = self.end.lock().take()
        {
            end.wake();
        }
    }

    /// Whether the end of what the client sends is to be told now. Told while it is owed an answer, hyper would take it for gone.
    pub fn tells_end(&self, cx: &Context<'_>) -> bool {
        match (self.owes.load(Ordering::Relaxed), self.later.load(Ordering::Relaxed)) {
            (NOTHING, _) | (A_HEARING, 0) => return true,
            (A_HEARING, later) => {
                self.later.store(later - 1, Ordering::Relaxed);
                cx.waker().wake_by_ref();
                return false;
            }
            _ => {}
        }
        *self.end.lock() = Some(cx.waker().clone());
        false
    }
}
