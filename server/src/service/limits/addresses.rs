//! What one address may do at most: begin guests, and guess tokens (SESSION.md, S29 and S34). Only failures are counted of
//! guesses: who is known is never held up, however many strangers share the address.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr};

use parking_lot::Mutex;
use trolley_core::ids::{AccountId, TokenDigest};
use trolley_core::time::Span;

use crate::service::Service;
use crate::service::error::ServiceError;
use crate::service::limits::limiter::{Limiter, Quota, QuotaState};

/// Guests that one address may begin: five a second in the long run, a minute's worth at once. A carrier's gateway that
/// thousands of shoppers share stays below it, a script in a loop does not.
pub const GUESTS: Quota = Quota { name: "guests", most: 300, within: Span::from_s(60) };
/// Guests that all addresses together may begin. Their records of a day are some gigabytes; of those that never return a bounded
/// number is kept beyond it.
pub const GUESTS_IN_ALL: Quota = Quota { name: "guests-in-all", most: 3_000, within: Span::from_s(60) };
/// Tokens and keys that open nothing, from one address. A browser whose session is over sends its old cookie along until it has a
/// new one; the same cookie again counts nothing.
pub const GUESSES: Quota = Quota { name: "guesses", most: 100, within: Span::from_s(60) };

/// Addresses that are remembered at a time.
const ADDRESSES_MAX: usize = 1 << 16;
/// Dead cookies that are remembered at a time.
const DEAD_MAX: usize = 1 << 15;

/// Where a request comes from, as limits see it: an IPv4 address, or the /64 that an IPv6 customer has to himself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(IpAddr);

impl Source {
    /// Of an address.
    pub fn of(address: IpAddr) -> Source {
        Source(match address.to_canonical() {
            IpAddr::V4(v4) => IpAddr::V4(v4),
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        })
    }
}

/// Whose allowance of bytes a write uses up (`quotas`). An account's is its own, wherever it is used from: no neighbour of its address
/// uses it up, and it uses up no neighbour's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payer {
    /// All guests of an address.
    Guests(Source),
    /// An account.
    Account(AccountId),
}

impl Payer {
    /// A guest at this address, or whoever is signed in there.
    pub fn of(address: IpAddr, account: Option<AccountId>) -> Payer {
        account.map_or_else(|| Payer::Guests(Source::of(address)), Payer::Account)
    }
}

/// The limits of a service that has some.
pub struct AddressLimits {
    guests: Limiter<Source>,
    guests_in_all: Limiter<()>,
    guesses: Limiter<Source>,
    /// Beginnings of digests of cookies that opened nothing, in two generations.
    dead: Mutex<[HashSet<u64>; 2]>,
}

impl AddressLimits {
    /// Nobody has done anything yet.
    pub fn new() -> AddressLimits {
        AddressLimits {
            guests: Limiter::new(GUESTS, ADDRESSES_MAX),
            guests_in_all: Limiter::new(GUESTS_IN_ALL, 1),
            guesses: Limiter::new(GUESSES, ADDRESSES_MAX),
            dead: Mutex::default(),
        }
    }

    /// Notes a dead cookie; false where it was noted before.
    fn is_news(&self, digest: &TokenDigest) -> bool {
        let (beginning, _) = digest.bytes().split_first_chunk().unwrap_or((&[0; 8], &[]));
        let beginning = u64::from_be_bytes(*beginning);
        let [young, old] = &mut *self.dead.lock();
        if young.len() >= DEAD_MAX / 2 {
            *old = std::mem::take(young);
        }
        !old.contains(&beginning) && young.insert(beginning)
    }
}

impl Default for AddressLimits {
    fn default() -> AddressLimits {
        AddressLimits::new()
    }
}

/// What it was that opened nothing.
#[derive(Clone, Copy, Debug)]
pub enum Guess {
    /// A cookie of this digest.
    Cookie(TokenDigest),
    /// A token or a key in the Authorization header, whatever its form.
    Bearer,
}

impl Service {
    /// Whether `address` may begin one more guest, who brings so many bytes; counted where it may. None where there are no limits.
    pub(crate) fn admit_guest(
        &self,
        address: IpAddr,
        bytes: usize,
    ) -> Result<Option<QuotaState>, ServiceError> {
        let Some(limits) = &self.limits else { return Ok(None) };
        let (source, now) = (Source::of(address), self.running());
        let payer = Some(Payer::of(address, None));
        self.may_bring(payer)?;
        let standing = limits.guests.take(source, now).map_err(ServiceError::Limited)?;
        if let Err(in_all) = limits.guests_in_all.take((), now) {
            limits.guests.give_back(source);
            tracing::warn!("more guests begin than this server takes");
            return Err(ServiceError::Limited(in_all));
        }
        self.brought(payer, bytes);
        Ok(Some(standing))
    }

    /// Notes that something which `address` sent opened nothing; refused where it has tried too often.
    pub fn guessed(&self, address: IpAddr, guess: Guess) -> Result<(), ServiceError> {
        let Some(limits) = &self.limits else { return Ok(()) };
        match guess {
            Guess::Cookie(digest) if !limits.is_news(&digest) => Ok(()),
            Guess::Cookie(_) | Guess::Bearer => limits
                .guesses
                .take(Source::of(address), self.running())
                .map(drop)
                .map_err(ServiceError::Limited),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_customer_is_one_source_and_an_ipv4_address_another_however_it_is_written() {
        let of = |text: &str| Source::of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn a_dead_cookie_is_news_once_and_the_memory_of_them_is_bounded() {
        let limits = AddressLimits::new();
        let digest = |n: u32| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&n.to_be_bytes());
            TokenDigest::from_bytes(bytes)
        };
        assert!(limits.is_news(&digest(0)) && !limits.is_news(&digest(0)));
        assert!((1..200_000).all(|n| limits.is_news(&digest(n))));
        assert!(limits.dead.lock().iter().map(HashSet::len).sum::<usize>() <= DEAD_MAX);
        assert!(limits.is_news(&digest(0)), "it was long ago");
    }
}
