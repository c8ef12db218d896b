//! An account's sessions are one record: who is signed in, which devices are remembered, and an epoch. Each operation is
//! one change of it, so that a limit or a sign-out holds whatever else happens at the time (SESSION.md).

use crate::chain::TokenChain;
use crate::ids::{AccountId, KeyId, SeriesId, SessionId, TokenDigest};
use crate::session::Device;
use crate::time::{Span, Timestamp};

/// Devices that an account knows; the one unused longest leaves first.
pub const KNOWN_DEVICES_MAX: usize = 20;
/// How long an account knows a device that it does not see.
pub const KNOWN_DEVICE_FOR: Span = Span::from_days(365);

/// The sessions and remembered devices of one account. What does not stand here is not signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSessions {
    /// Whose.
    pub account: AccountId,
    /// Counts its changes: the version that a store compares.
    pub version: u64,
    /// Raised by sign-out everywhere, password change, reset and deletion: a sign-in that had read an earlier one is void.
    pub epoch: u64,
    /// The live sessions, the one signed in longest ago first.
    pub entries: Vec<SignedInEntry>,
    /// The remembered devices, the oldest password first.
    pub series: Vec<Series>,
    /// Devices from which the owner once signed in.
    pub devices: Vec<KnownDevice>,
}

/// A live session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedInEntry {
    /// Which.
    pub session: SessionId,
    /// When the account was attached to it.
    pub signed_in_at: Timestamp,
}

/// A remembered device: a row of tokens of which each use makes the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Its public name.
    pub id: SeriesId,
    /// The session that its last use made, while that lives.
    pub session: Option<SessionId>,
    /// Its tokens.
    pub tokens: TokenChain,
    /// How many sessions it has made: the number of the next one, from which that one's token is derived.
    pub uses: u32,
    /// By which key the token of `session` was derived; none where a password made it.
    pub made_by: Option<KeyId>,
    /// When it is forgotten: so long after the password.
    pub expires_at: Timestamp,
    /// The device as it was when the password was given, or when it was used last.
    pub device: Device,
    /// When the password was given.
    pub first_seen: Timestamp,
    /// When it was last used.
    pub last_seen: Timestamp,
}

/// A device from which the owner once signed in. It grants nothing by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    /// A digest of its cookie, salted with the account.
    pub digest: TokenDigest,
    /// When it was last used to sign in.
    pub last_used: Timestamp,
}

/// What an operation took out: the records of these leave in the same commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// Sessions.
    pub sessions: Vec<SessionId>,
    /// Remembered devices.
    pub series: Vec<Series>,
}

/// The account was signed out everywhere, or its password changed, since the sign-in read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the account's sessions were ended since")]
pub struct EpochError;

impl AccountSessions {
    /// Those of an account that nobody signed in to yet.
    pub fn new(account: AccountId) -> AccountSessions {
        AccountSessions {
            account,
            version: 0,
            epoch: 0,
            entries: Vec::new(),
            series: Vec::new(),
            devices: Vec::new(),
        }
    }

    /// A session comes in, or an old one anew, if the epoch is still `epoch`. Over the cap the ones signed in longest ago leave.
    pub fn enter(&mut self, entry: SignedInEntry, epoch: u64, cap: usize) -> Result<Revoked, EpochError> {
        if self.epoch != epoch {
            return Err(EpochError);
        }
        self.version += 1;
        self.entries.retain(|other| other.session != entry.session);
        self.entries.push(entry);
        let mut left = Revoked::default();
        while self.entries.len() > cap.max(1) {
            left.sessions.push(self.entries.remove(0).session);
        }
        self.forget_sessions(&left.sessions);
        Ok(left)
    }

    /// A device is remembered from now on. Over the cap the ones remembered longest leave, their sessions stay.
    pub fn remember(&mut self, series: Series, cap: usize) -> Revoked {
        self.version += 1;
        self.series.push(series);
        let over = self.series.len().saturating_sub(cap.max(1));
        Revoked { sessions: Vec::new(), series: self.series.drain(..over).collect() }
    }

    /// A session is over by its time or by the cap: the device that it belongs to stays remembered.
    pub fn expire(&mut self, session: SessionId) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.session != session);
        self.forget_sessions(&[session]);
        let changed = self.entries.len() != before;
        self.version += u64::from(changed);
        changed
    }

    /// A remembered device's time is over: its session stays.
    pub fn forget(&mut self, series: SeriesId) -> Revoked {
        self.take(|_| false, |other| other.id == series)
    }

    /// A session and the remembered device that it belongs to go: sign-out, or a stolen token.
    pub fn leave(&mut self, session: SessionId) -> Revoked {
        self.take(|entry| entry.session == session, |series| series.session == Some(session))
    }

    /// A remembered device and its session go.
    pub fn leave_series(&mut self, series: SeriesId) -> Revoked {
        let session = self.series(series).and_then(|series| series.session);
        self.take(|entry| Some(entry.session) == session, |other| other.id == series)
    }

    /// Everything but one session and its device goes. Sign-ins under way are void.
    pub fn keep_only(&mut self, session: SessionId) -> Revoked {
        self.epoch += 1;
        self.take(|entry| entry.session != session, |series| series.session != Some(session))
    }

    /// Everything goes: sign-out everywhere, reset, deletion. Sign-ins under way are void.
    pub fn leave_all(&mut self) -> Revoked {
        self.epoch += 1;
        self.take(|_| true, |_| true)
    }

    /// The password is another one: everything but the session that changed it goes. Devices stay known: that opens nothing, and
    /// without it a stranger who guesses on would lock the owner out of the new password too.
    pub fn password_changed(&mut self, by: Option<SessionId>) -> Revoked {
        match by {
            Some(session) => self.keep_only(session),
            None => self.leave_all(),
        }
    }

    /// Whether the session stands here.
    pub fn holds(&self, session: SessionId) -> bool {
        self.entries.iter().any(|entry| entry.session == session)
    }

    /// The remembered device of that name.
    pub fn series(&self, id: SeriesId) -> Option<&Series> {
        self.series.iter().find(|series| series.id == id)
    }

    /// The remembered device that the session belongs to.
    pub fn series_of(&self, session: SessionId) -> Option<&Series> {
        self.series.iter().find(|series| series.session == Some(session))
    }

    /// The remembered device of that name, to be changed; it counts as a change.
    pub fn series_mut(&mut self, id: SeriesId) -> Option<&mut Series> {
        let series = self.series.iter_mut().find(|series| series.id == id)?;
        self.version += 1;
        Some(series)
    }

    /// Whether the owner once signed in from that device, not too long ago.
    pub fn knows(&self, device: &TokenDigest, now: Timestamp) -> bool {
        let lately = |known: &&KnownDevice| now.since(known.last_used) < KNOWN_DEVICE_FOR;
        self.devices.iter().filter(lately).any(|known| known.digest == *device)
    }

    /// The owner signs in from that device.
    pub fn note_device(&mut self, digest: TokenDigest, now: Timestamp) {
        self.version += 1;
        self.devices.retain(|known| known.digest != digest && now.since(known.last_used) < KNOWN_DEVICE_FOR);
        self.devices.push(KnownDevice { digest, last_used: now });
        let over = self.devices.len().saturating_sub(KNOWN_DEVICES_MAX);
        self.devices.drain(..over);
    }

    fn take(&mut self, entry: impl Fn(&SignedInEntry) -> bool, series: impl Fn(&Series) -> bool) -> Revoked {
        let sessions: Vec<SessionId> =
            self.entries.iter().filter(|&other| entry(other)).map(|entry| entry.session).collect();
        self.entries.retain(|other| !entry(other));
        let left = self.series.extract_if(.., |other| series(other)).collect();
        self.forget_sessions(&sessions);
        self.version += 1;
        Revoked { sessions, series: left }
    }

    fn forget_sessions(&mut self, gone: &[SessionId]) {
        for series in &mut self.series {
            if series.session.is_some_and(|session| gone.contains(&session)) {
                series.session = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(n: u8) -> SessionId {
        SessionId::from_bytes([n; 16])
    }

    fn entry(n: u8, at: u64) -> SignedInEntry {
        SignedInEntry { session: session(n), signed_in_at: Timestamp::from_ms(at) }
    }

    fn series(n: u8, of: Option<u8>) -> Series {
        Series {
            id: SeriesId::from_bytes([n; 16]),
            session: of.map(session),
            tokens: TokenChain::new(TokenDigest::from_bytes([n; 32]), Timestamp::from_ms(0)),
            uses: 0,
            made_by: None,
            expires_at: Timestamp::from_ms(1_000),
            device: Device { name: "a browser".into(), address: "192.0.2.1".into() },
            first_seen: Timestamp::from_ms(0),
            last_seen: Timestamp::from_ms(0),
        }
    }

    /// Sessions 1 to 4, of which 2 and 3 belong to remembered devices; device 9 has no session.
    fn account() -> AccountSessions {
        let mut account = AccountSessions::new(AccountId::from_bytes([0; 16]));
        for n in 1..=4 {
            assert_eq!(account.enter(entry(n, u64::from(n)), 0, 20), Ok(Revoked::default()));
        }
        for (n, of) in [(2, Some(2)), (3, Some(3)), (9, None)] {
            assert_eq!(account.remember(series(n, of), 20), Revoked::default());
        }
        account
    }

    fn standing(account: &AccountSessions) -> (Vec<u8>, Vec<u8>) {
        let sessions = account.entries.iter().map(|entry| entry.session.bytes()[0]).collect();
        (sessions, account.series.iter().map(|series| series.id.bytes()[0]).collect())
    }

    #[test]
    fn over_the_cap_the_one_signed_in_longest_ago_leaves_and_its_device_stays_remembered() {
        let mut account = account();
        account.enter(entry(1, 10), 0, 4).unwrap();
        let left = account.enter(entry(5, 11), 0, 4).unwrap();
        assert_eq!((left.sessions, left.series), (vec![session(2)], vec![]));
        assert_eq!(standing(&account), (vec![3, 4, 1, 5], vec![2, 3, 9]));
        assert_eq!(account.series(SeriesId::from_bytes([2; 16])).unwrap().session, None);
    }

    #[test]
    fn a_device_over_the_cap_is_forgotten_and_its_session_stays() {
        let mut account = account();
        let left = account.remember(series(10, Some(4)), 3);
        assert_eq!((left.sessions.len(), left.series[0].id.bytes()[0]), (0, 2));
        assert_eq!(standing(&account), (vec![1, 2, 3, 4], vec![3, 9, 10]));
    }

    #[test]
    fn a_sign_out_takes_the_session_and_its_device() {
        let mut account = account();
        let left = account.leave(session(2));
        assert_eq!((left.sessions, left.series.len()), (vec![session(2)], 1));
        assert_eq!(standing(&account), (vec![1, 3, 4], vec![3, 9]));
        assert_eq!(account.leave_series(SeriesId::from_bytes([3; 16])).sessions, [session(3)]);
        assert_eq!(account.leave_series(SeriesId::from_bytes([9; 16])).sessions, []);
        assert_eq!((standing(&account), account.epoch), ((vec![1, 4], vec![]), 0));
    }

    #[test]
    fn expiry_takes_a_session_alone() {
        let mut account = account();
        let version = account.version;
        assert!(account.expire(session(3)) && !account.expire(session(3)));
        assert_eq!((standing(&account), account.version), ((vec![1, 2, 4], vec![2, 3, 9]), version + 1));
        assert_eq!(account.series_of(session(3)), None);
        assert_eq!(account.forget(SeriesId::from_bytes([2; 16])).sessions, []);
        assert_eq!(standing(&account), (vec![1, 2, 4], vec![3, 9]));
    }

    #[test]
    fn to_keep_one_ends_all_others_and_voids_the_sign_ins_under_way() {
        let mut account = account();
        let left = account.keep_only(session(2));
        assert_eq!((left.sessions.len(), left.series.len()), (3, 2));
        assert_eq!(standing(&account), (vec![2], vec![2]));
        assert_eq!(account.enter(entry(7, 9), 0, 20), Err(EpochError));
        assert_eq!(account.enter(entry(7, 9), 1, 20), Ok(Revoked::default()));
    }

    #[test]
    fn everywhere_is_everything_and_so_is_a_new_password_and_devices_stay_known() {
        let (mut everywhere, mut changed, mut reset) = (account(), account(), account());
        let device = TokenDigest::from_bytes([7; 32]);
        for account in [&mut everywhere, &mut changed, &mut reset] {
            account.note_device(device, Timestamp::from_ms(5));
            assert!(account.knows(&device, Timestamp::from_ms(6)));
        }
        assert_eq!(everywhere.leave_all().sessions.len(), 4);
        changed.password_changed(Some(session(4)));
        reset.password_changed(None);
        let stand = [&everywhere, &changed, &reset].map(standing);
        assert_eq!(stand, [(vec![], vec![]), (vec![4], vec![]), (vec![], vec![])]);
        assert_eq!([&everywhere, &changed, &reset].map(|account| account.epoch), [1, 1, 1]);
        let known =
            [&everywhere, &changed, &reset].map(|account| account.knows(&device, Timestamp::from_ms(6)));
        assert_eq!(known, [true, true, true]);
    }

    #[test]
    fn a_device_is_known_for_a_year_and_the_21st_takes_the_place_of_the_first() {
        let mut account = account();
        for n in 0..=20 {
            account.note_device(TokenDigest::from_bytes([n; 32]), Timestamp::from_ms(u64::from(n)));
        }
        let year = KNOWN_DEVICE_FOR.as_ms();
        let knows = |n, at| account.knows(&TokenDigest::from_bytes([n; 32]), Timestamp::from_ms(at));
        assert!(!knows(0, 21) && knows(1, 21) && knows(1, year) && !knows(1, year + 1));
        assert_eq!(account.devices.len(), KNOWN_DEVICES_MAX);
    }

    #[test]
    fn every_operation_advances_the_version() {
        let mut account = account();
        let mut versions = vec![account.version];
        account.leave(session(1));
        versions.push(account.version);
        account.series_mut(SeriesId::from_bytes([9; 16])).unwrap();
        versions.push(account.version);
        account.leave_all();
        versions.push(account.version);
        assert!(versions.windows(2).all(|pair| pair[0] < pair[1]), "{versions:?}");
    }
}
