//! How often passwords may be guessed (SESSION.md, S29): failures count, by address and by account; successes do not. A device
//! that the account knows has places of its own, so that no stranger locks the owner out.

use std::net::IpAddr;
use std::sync::Arc;

use trolley_core::account::email::Email;
use trolley_core::ids::{AccountId, SessionId};
use trolley_core::time::Span;

use crate::service::Service;
use crate::service::account::credentials::ClientDevice;
use crate::service::error::ServiceError;
use crate::service::limits::addresses::Source;
use crate::service::limits::limiter::{Limiter, Quota, QuotaState};
use crate::service::limits::shares::{Share, Shares};
use crate::service::running::Running;
use crate::service::settings::Rates;

/// Wrong passwords from one address: an office that mistypes stays below it.
pub const BY_ADDRESS: Quota = Quota { name: "sign-ins", most: 60, within: Span::from_s(900) };
/// Wrong passwords for one account, from devices that it does not know.
pub const BY_ACCOUNT: Quota = Quota { name: "account", most: 10, within: Span::from_s(900) };
/// Wrong passwords from one device that the account knows, or within one session of it.
pub const BY_DEVICE: Quota = Quota { name: "device", most: 10, within: Span::from_s(900) };
/// Wrong passwords from all devices that an account knows, and within all its sessions, together: their rows have a bound, and no six
/// devices of one owner's are all a stranger's.
pub const BY_OWN_DEVICES: Quota = Quota { name: "own-devices", most: 60, within: Span::from_s(900) };
/// Accounts that one address may make, or ask for, unless a setting says otherwise: what is in use is told, and not to who asks for
/// thousands.
pub const SIGN_UPS: Quota = Quota { name: "sign-ups", most: 20, within: Span::from_s(3_600) };

/// Passwords of one address that are tried, or wait to be, at the same time: a quarter of all that may wait
/// (`Bounds::hashes_waiting`). An office signs in at once, and a storm from there holds nobody else up.
pub const AT_ONCE: usize = 16;

/// Addresses, accounts and devices that are remembered at a time.
const REMEMBERED_MAX: usize = 1 << 16;

/// The limits on guessing passwords.
pub(crate) struct Attempts {
    addresses: Limiter<Source>,
    accounts: Limiter<[u8; 32]>,
    devices: Limiter<[u8; 32]>,
    own_devices: Limiter<AccountId>,
    sign_ups: Limiter<Source>,
    at_once: Arc<Shares>,
}

/// A password that is about to be tried: its places are taken, and given back where it is right.
#[derive(Default)]
pub(crate) struct Attempt {
    address: Option<Source>,
    account: Option<[u8; 32]>,
    device: Option<[u8; 32]>,
    /// Whose device.
    own: Option<AccountId>,
}

impl Attempts {
    pub(crate) fn new(rates: &Rates) -> Attempts {
        Attempts {
            addresses: Limiter::new(BY_ADDRESS, REMEMBERED_MAX),
            accounts: Limiter::new(BY_ACCOUNT, REMEMBERED_MAX),
            devices: Limiter::new(BY_DEVICE, REMEMBERED_MAX),
            own_devices: Limiter::new(BY_OWN_DEVICES, REMEMBERED_MAX),
            sign_ups: Limiter::new(Quota { most: rates.sign_ups_per_hour, ..SIGN_UPS }, REMEMBERED_MAX),
            at_once: Shares::new(usize::MAX, AT_ONCE),
        }
    }
}

impl Attempts {
    /// Takes each place that is wanted and notes it, up to the first that is not free.
    fn take_all(&self, wanted: &Attempt, taken: &mut Attempt, now: Running) -> Result<(), QuotaState> {
        if let Some(address) = wanted.address {
            self.addresses.take(address, now)?;
            taken.address = Some(address);
        }
        if let Some(account) = wanted.account {
            self.accounts.take(account, now)?;
            taken.account = Some(account);
        }
        if let Some(device) = wanted.device {
            self.devices.take(device, now)?;
            taken.device = Some(device);
        }
        if let Some(account) = wanted.own {
            self.own_devices.take(account, now)?;
            taken.own = Some(account);
        }
        Ok(())
    }
}

impl Service {
    /// Whether a password may be tried for the account of this address. It makes no difference whether there is one.
    pub(crate) async fn attempt_sign_in(
        &self,
        owner: Option<AccountId>,
        email: Option<&Email>,
        from: &ClientDevice,
    ) -> Result<Attempt, ServiceError> {
        let known_by = match (owner, &from.known_by) {
            (Some(owner), Some(known_by)) if self.knows_device(owner, known_by).await? => {
                Some(known_by.digest())
            }
            _ => None,
        };
        match known_by {
            Some(device) => {
                self.take(Attempt { device: Some(*device.bytes()), own: owner, ..Attempt::default() })
            }
            None => self.take(Attempt {
                address: source(from),
                account: email.map(|email| *email.digest().bytes()),
                ..Attempt::default()
            }),
        }
    }

    /// Whether a password may be tried within a session of the account.
    pub(crate) fn attempt_within(
        &self,
        account: AccountId,
        session: SessionId,
    ) -> Result<Attempt, ServiceError> {
        let mut device = [0; 32];
        device[..16].copy_from_slice(session.bytes());
        self.take(Attempt { device: Some(device), own: Some(account), ..Attempt::default() })
    }

    fn take(&self, wanted: Attempt) -> Result<Attempt, ServiceError> {
        let Some(attempts) = &self.attempts else { return Ok(wanted) };
        let mut taken = Attempt::default();
        let refused = attempts.take_all(&wanted, &mut taken, self.running()).err();
        match refused {
            None => Ok(taken),
            Some(standing) => {
                self.was_right(&taken);
                Err(ServiceError::Limited(standing))
            }
        }
    }

    /// The password was right, or was not tried after all: the attempt counts nothing.
    pub(crate) fn was_right(&self, attempt: &Attempt) {
        let Some(attempts) = &self.attempts else { return };
        if let Some(address) = attempt.address {
            attempts.addresses.give_back(address);
        }
        if let Some(account) = attempt.account {
            attempts.accounts.give_back(account);
        }
        if let Some(device) = attempt.device {
            attempts.devices.give_back(device);
        }
        if let Some(account) = attempt.own {
            attempts.own_devices.give_back(account);
        }
    }

    /// A place among the passwords of that address that are hashed at once, right ones too: for as long as it is held.
    pub(crate) fn hashing_for(&self, from: &ClientDevice) -> Result<Option<Share>, ServiceError> {
        let Some(attempts) = &self.attempts else { return Ok(None) };
        attempts.at_once.take(source(from), 1).map(Some).map_err(|_| ServiceError::TooManyAtOnce)
    }

    /// Whether somebody may sign up; counted whether it succeeds or not.
    pub(crate) fn admit_sign_up(&self, from: &ClientDevice) -> Result<(), ServiceError> {
        let (Some(attempts), Some(source)) = (&self.attempts, source(from)) else { return Ok(()) };
        attempts.sign_ups.take(source, self.running()).map(drop).map_err(ServiceError::Limited)
    }
}

fn source(from: &ClientDevice) -> Option<Source> {
    from.device.address.parse::<IpAddr>().ok().map(Source::of)
}
