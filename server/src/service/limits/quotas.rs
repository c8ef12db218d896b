//! What a cart, a session, an account and an address may ask of the store (SESSION.md, S39): so that nobody makes it grow without
//! end. docs/security.md does the sum of the worst.
//!
//! What is done is counted once it is decided, on a `QuotaTab`: where nothing came of it, it is given back. A retry that is answered
//! from a ledger is not counted.

use trolley_core::ids::{AccountId, CartId, SeriesId, SessionId};
use trolley_core::time::Span;

use crate::service::Service;
use crate::service::error::ServiceError;
use crate::service::limits::addresses::{Payer, Source};
use crate::service::limits::allowance::Allowance;
use crate::service::limits::limiter::{Limiter, Quota, QuotaState};
use crate::service::running::Running;
use crate::service::settings::Rates;

/// Bytes that any write is counted as, besides what it brings: its row in the journal, its key, its row of the audit.
pub const WRITE: usize = 512;
/// A guest that begins: session, token, an empty cart.
pub const GUEST: usize = 1_024;
/// A sign-in: session, token, device, rows of the trail and of the audit.
pub const SIGN_IN: usize = 2_048;
/// An account that is made and signed in.
pub const ACCOUNT: usize = 4_096;

/// Sessions that one remembered device begins by itself: one in two hours is what the idle limit asks for. Past it the device is
/// served as a guest and keeps what it has, so that it shuts out neither its owner's other devices nor itself.
pub const REMEMBERED: Quota = Quota { name: "remembered-device", most: 12, within: Span::from_s(3_600) };

/// Carts, sessions, accounts and addresses that are remembered at a time.
const REMEMBERED_MAX: usize = 1 << 16;
const MINUTE: Span = Span::from_s(60);
const DAY: Span = Span::from_hours(24);
/// Bytes of a megabyte, as the setting has it.
const MB: u32 = 1 << 20;

/// The quotas of a service that has some.
pub(crate) struct Quotas {
    checkouts: Limiter<CartId>,
    checkouts_a_day: Allowance<CartId>,
    keyed: Limiter<SessionId>,
    sign_ins: Limiter<AccountId>,
    remembered: Limiter<SeriesId>,
    /// Bytes that the guests of an address bring.
    guests: Allowance<Source>,
    /// Bytes that the sessions of an account bring.
    accounts: Allowance<AccountId>,
}

impl Quotas {
    pub(crate) fn new(rates: &Rates) -> Quotas {
        let quota = |name, most, within| Quota { name, most, within };
        let bytes = |name, mb: u32| quota(name, mb.saturating_mul(MB), DAY);
        Quotas {
            checkouts: Limiter::new(quota("checkouts", rates.checkouts_per_minute, MINUTE), REMEMBERED_MAX),
            checkouts_a_day: Allowance::new(
                quota("checkouts-a-day", rates.checkouts_per_day, DAY),
                REMEMBERED_MAX,
            ),
            keyed: Limiter::new(quota("keyed-writes", rates.keyed_writes_per_minute, MINUTE), REMEMBERED_MAX),
            sign_ins: Limiter::new(
                quota("account-sign-ins", rates.sign_ins_per_hour, Span::from_hours(1)),
                REMEMBERED_MAX,
            ),
            remembered: Limiter::new(REMEMBERED, REMEMBERED_MAX),
            guests: Allowance::new(bytes("guest-bytes", rates.mb_per_day), REMEMBERED_MAX),
            accounts: Allowance::new(bytes("account-bytes", rates.account_mb_per_day), REMEMBERED_MAX),
        }
    }

    fn left(&self, payer: Payer, now: Running) -> Result<QuotaState, QuotaState> {
        match payer {
            Payer::Guests(source) => self.guests.left(source, now),
            Payer::Account(account) => self.accounts.left(account, now),
        }
    }

    fn bring(&self, payer: Payer, bytes: u32, now: Running) -> Result<QuotaState, QuotaState> {
        match payer {
            Payer::Guests(source) => self.guests.take(source, bytes, now),
            Payer::Account(account) => self.accounts.take(account, bytes, now),
        }
    }

    fn give_back(&self, taken: Taken, now: Running) {
        match taken {
            Taken::Checkout(cart) => self.checkouts.give_back(cart),
            Taken::CheckoutOfDay(cart) => self.checkouts_a_day.give_back(cart, 1, now),
            Taken::Keyed(session) => self.keyed.give_back(session),
            Taken::SignIn(account) => self.sign_ins.give_back(account),
            Taken::Remembered(device) => self.remembered.give_back(device),
            Taken::Bytes(Payer::Guests(source), bytes) => self.guests.give_back(source, bytes, now),
            Taken::Bytes(Payer::Account(account), bytes) => self.accounts.give_back(account, bytes, now),
        }
    }
}

/// One thing that was counted.
#[derive(Clone, Copy)]
enum Taken {
    Checkout(CartId),
    CheckoutOfDay(CartId),
    Keyed(SessionId),
    SignIn(AccountId),
    Remembered(SeriesId),
    Bytes(Payer, u32),
}

/// What a write asks of the quotas before it is decided.
#[derive(Clone, Copy, Default)]
pub(crate) struct QuotaRequest {
    /// Under a key of this session.
    pub(crate) keyed: Option<SessionId>,
    /// An order of this cart.
    pub(crate) checkout: Option<CartId>,
    /// Whose bytes it brings.
    pub(crate) payer: Option<Payer>,
}

/// What was counted for a commit. Dropped without [`QuotaTab::keep`] it is given back: nothing was written.
pub(crate) struct QuotaTab<'a> {
    quotas: Option<&'a Quotas>,
    now: Running,
    taken: Vec<Taken>,
}

/// Where on the tab a write begins.
#[derive(Clone, Copy)]
pub(crate) struct Mark(usize);

impl<'a> QuotaTab<'a> {
    pub(crate) fn new(quotas: Option<&'a Quotas>, now: Running) -> QuotaTab<'a> {
        QuotaTab { quotas, now, taken: Vec::new() }
    }

    /// Whether anything is counted at all.
    pub(crate) fn counts(&self) -> bool {
        self.quotas.is_some()
    }

    /// Whether a write may be done; counted where it may, but for its bytes. A refused one counts nothing.
    pub(crate) fn admit(&mut self, asks: QuotaRequest) -> Result<Mark, ServiceError> {
        let mark = Mark(self.taken.len());
        let Some(quotas) = self.quotas else { return Ok(mark) };
        let admitted = self.take_all(quotas, asks);
        if admitted.is_err() {
            self.forget_since(mark);
        }
        admitted.map(|()| mark)
    }

    fn take_all(&mut self, quotas: &Quotas, asks: QuotaRequest) -> Result<(), ServiceError> {
        if let Some(payer) = asks.payer {
            quotas.left(payer, self.now).map_err(ServiceError::Limited)?;
        }
        if let Some(session) = asks.keyed {
            quotas.keyed.take(session, self.now).map_err(ServiceError::Limited)?;
            self.taken.push(Taken::Keyed(session));
        }
        if let Some(cart) = asks.checkout {
            quotas.checkouts.take(cart, self.now).map_err(ServiceError::Limited)?;
            self.taken.push(Taken::Checkout(cart));
            quotas.checkouts_a_day.take(cart, 1, self.now).map_err(ServiceError::Limited)?;
            self.taken.push(Taken::CheckoutOfDay(cart));
        }
        Ok(())
    }

    /// One more sign-in of an account; whether there may be one.
    pub(crate) fn sign_in(&mut self, account: AccountId) -> Result<(), ServiceError> {
        let Some(quotas) = self.quotas else { return Ok(()) };
        quotas.sign_ins.take(account, self.now).map_err(ServiceError::Limited)?;
        self.taken.push(Taken::SignIn(account));
        Ok(())
    }

    /// One more session of a remembered device; whether there may be one.
    pub(crate) fn remembered(&mut self, device: SeriesId) -> bool {
        let Some(quotas) = self.quotas else { return true };
        let taken = quotas.remembered.take(device, self.now).is_ok();
        self.taken.extend(taken.then_some(Taken::Remembered(device)));
        taken
    }

    /// The write that began at `mark` made no order after all.
    pub(crate) fn no_order_since(&mut self, mark: Mark) {
        let Some(quotas) = self.quotas else { return };
        let now = self.now;
        let orders: Vec<Taken> = self
            .taken
            .extract_if(mark.0.., |taken| matches!(taken, Taken::Checkout(_) | Taken::CheckoutOfDay(_)))
            .collect();
        orders.into_iter().for_each(|taken| quotas.give_back(taken, now));
    }

    /// So many bytes are brought.
    pub(crate) fn bring(&mut self, payer: Option<Payer>, bytes: usize) {
        let (Some(quotas), Some(payer)) = (self.quotas, payer) else { return };
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        // Others may have used up the rest meanwhile: what is decided is not refused any more.
        if quotas.bring(payer, bytes, self.now).is_ok() {
            self.taken.push(Taken::Bytes(payer, bytes));
        }
    }

    /// It is written: it counts.
    pub(crate) fn keep(mut self) {
        self.taken.clear();
    }

    fn forget_since(&mut self, mark: Mark) {
        let Some(quotas) = self.quotas else { return };
        for taken in self.taken.drain(mark.0..) {
            quotas.give_back(taken, self.now);
        }
    }
}

impl Drop for QuotaTab<'_> {
    fn drop(&mut self) {
        self.forget_since(Mark(0));
    }
}

impl Service {
    /// A tab for one commit.
    pub(crate) fn tab(&self) -> QuotaTab<'_> {
        QuotaTab::new(self.quotas.as_ref(), self.running())
    }

    /// Whether somebody may bring anything more today.
    pub(crate) fn may_bring(&self, payer: Option<Payer>) -> Result<(), ServiceError> {
        self.tab().admit(QuotaRequest { payer, ..QuotaRequest::default() }).map(drop)
    }

    /// Counts bytes that were brought.
    pub(crate) fn brought(&self, payer: Option<Payer>, bytes: usize) {
        let mut tab = self.tab();
        tab.bring(payer, bytes);
        tab.keep();
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const CART: CartId = CartId::from_bytes([1; 16]);
    const SESSION: SessionId = SessionId::from_bytes([2; 16]);
    const NOW: Running = Running::from_ms(1_700_000_000_000);

    fn payer(account: Option<u8>) -> Payer {
        Payer::of(IpAddr::from([192, 0, 2, 1]), account.map(|n| AccountId::from_bytes([n; 16])))
    }

    fn asks() -> QuotaRequest {
        QuotaRequest { keyed: Some(SESSION), checkout: Some(CART), payer: Some(payer(None)) }
    }

    #[test]
    fn what_was_not_written_is_given_back_whole() {
        let quotas = Quotas::new(&Rates { checkouts_per_day: 1, mb_per_day: 1, ..Rates::default() });
        for _ in 0..1_000 {
            let mut tab = QuotaTab::new(Some(&quotas), NOW);
            tab.admit(asks()).unwrap();
            tab.bring(Some(payer(None)), 1 << 20);
            assert!(tab.admit(asks()).is_err(), "the second of one commit counts the first");
        }
        let mut tab = QuotaTab::new(Some(&quotas), NOW);
        tab.admit(asks()).unwrap();
        tab.keep();
        assert!(QuotaTab::new(Some(&quotas), NOW).admit(asks()).is_err());
    }

    #[test]
    fn a_refused_write_counts_nothing_and_one_that_made_no_order_no_checkout() {
        let quotas = Quotas::new(&Rates { checkouts_per_day: 1, ..Rates::default() });
        let mut tab = QuotaTab::new(Some(&quotas), NOW);
        for _ in 0..20 {
            let mark = tab.admit(asks()).unwrap();
            tab.no_order_since(mark);
        }
        tab.admit(asks()).unwrap();
        for _ in 0..2_000 {
            assert!(tab.admit(asks()).is_err());
        }
        tab.keep();
        let standing = quotas.keyed.take(SESSION, NOW).unwrap();
        assert_eq!(standing.remaining, 600 - 22);
    }

    #[test]
    fn neither_guests_nor_accounts_of_an_address_use_up_the_bytes_of_another_account() {
        let quotas = Quotas::new(&Rates { mb_per_day: 1, account_mb_per_day: 1, ..Rates::default() });
        let mut tab = QuotaTab::new(Some(&quotas), NOW);
        tab.bring(Some(payer(None)), 2 << 20);
        tab.bring(Some(payer(Some(1))), 2 << 20);
        tab.keep();
        let admit = |account| {
            let asks = QuotaRequest { payer: Some(payer(account)), ..QuotaRequest::default() };
            QuotaTab::new(Some(&quotas), NOW).admit(asks).map(drop)
        };
        assert!(admit(Some(2)).is_ok());
        for (account, name) in [(None, "guest-bytes"), (Some(1), "account-bytes")] {
            let Err(ServiceError::Limited(standing)) = admit(account) else { panic!("{name}") };
            assert_eq!((standing.quota.name, standing.next_in), (name, DAY));
        }
    }
}
