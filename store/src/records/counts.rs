//! How many records there are of the kinds that are counted.

use trolley_core::cart::state::Holder;

use crate::records::Record;

/// How many records there are of the kinds that are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Carts of guests.
    pub guest_carts: u64,
    /// Carts of accounts.
    pub account_carts: u64,
    /// Carts of guests that went into an account's, kept for what their devices still send.
    pub merged_carts: u64,
    /// Sessions of guests.
    pub guest_sessions: u64,
    /// Sessions that are signed in.
    pub account_sessions: u64,
    /// Sessions of guests whose token never came back: they are among the sessions of guests too.
    pub unproven_guests: u64,
}

impl Counts {
    /// All carts.
    pub fn carts(&self) -> u64 {
        self.guest_carts + self.account_carts + self.merged_carts
    }

    /// All sessions.
    pub fn sessions(&self) -> u64 {
        self.guest_sessions + self.account_sessions
    }

    /// Each with its name, in the order and by the names that a store keeps them under.
    pub(crate) fn each(mut self) -> [(&'static str, u64); 6] {
        self.each_mut().map(|(name, count)| (name, *count))
    }

    /// The same, to be filled in.
    pub(crate) fn each_mut(&mut self) -> [(&'static str, &mut u64); 6] {
        let Counts {
            guest_carts,
            account_carts,
            merged_carts,
            guest_sessions,
            account_sessions,
            unproven_guests,
        } = self;
        [
            ("guest_carts", guest_carts),
            ("account_carts", account_carts),
            ("merged_carts", merged_carts),
            ("guest_sessions", guest_sessions),
            ("account_sessions", account_sessions),
            ("unproven_guests", unproven_guests),
        ]
    }

    /// Counts what stands under a key from now on, instead of what stood there and was counted.
    pub fn change(&mut self, stood: Option<&Record>, stands: Option<&Record>) {
        if let Some(count) = stood.and_then(|record| self.of(record)) {
            *count -= 1;
        }
        if let Some(count) = stands.and_then(|record| self.of(record)) {
            *count += 1;
        }
        self.unproven_guests -= u64::from(stood.is_some_and(is_unproven));
        self.unproven_guests += u64::from(stands.is_some_and(is_unproven));
    }

    /// The count that a record is part of, if any is kept of its kind.
    fn of(&mut self, record: &Record) -> Option<&mut u64> {
        match record {
            Record::Cart(cart) if cart.sealed.is_some() => Some(&mut self.merged_carts),
            Record::Cart(cart) => match cart.holder {
                Holder::Guest => Some(&mut self.guest_carts),
                Holder::Account => Some(&mut self.account_carts),
            },
            Record::Session(session) if session.sign_in.is_none() => Some(&mut self.guest_sessions),
            Record::Session(_) => Some(&mut self.account_sessions),
            _ => None,
        }
    }
}

fn is_unproven(record: &Record) -> bool {
    matches!(record, Record::Session(session) if session.is_unproven())
}
