//! The demo's outbox: the mails that a shop would send, to be read on a page. Kept in memory, the newest few.

use std::collections::VecDeque;

use parking_lot::Mutex;
use trolley_core::time::Timestamp;

/// Mails that are kept.
const MAILS_MAX: usize = 10;

/// The outbox. It is not printed: its mails hold one-time codes.
#[derive(Default)]
pub struct Outbox(Mutex<VecDeque<Mail>>);

/// A mail with a code that sets a password.
#[derive(Clone)]
pub struct Mail {
    /// Whose.
    pub to: String,
    /// The one-time code.
    pub code: String,
    /// When it was sent.
    pub at: Timestamp,
}

impl Outbox {
    /// Sends one. One that went to the same address before is void, and goes.
    pub fn send(&self, mail: Mail) {
        let mut mails = self.0.lock();
        mails.retain(|sent| sent.to != mail.to);
        mails.push_front(mail);
        mails.truncate(MAILS_MAX);
    }

    /// All of them, the newest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.0.lock().iter().cloned().collect()
    }
}
