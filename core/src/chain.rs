//! A token and those it came from by renewal: each gives way to its successor when that is first presented, and not
//! before (SESSION.md, *Renewal without the usual damage*).

use crate::ids::{KeyId, TokenDigest};
use crate::time::{Span, Timestamp};

/// How many replaced tokens are known as such; older ones count as never issued.
pub const REPLACED_MAX: usize = 24;

/// The tokens of one session, or of one remember-me series. There are only digests here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenChain {
    /// The one that is good.
    pub present: TokenDigest,
    /// When that was issued, or first presented if it came by renewal: from then on counts the grace of the last one.
    pub since: Timestamp,
    /// How many renewals lie behind it: the number of the next one.
    pub renewals: u32,
    /// By which key it was made of the last one, where it came by renewal.
    pub key: Option<KeyId>,
    /// What was handed out to take its place, and was not presented yet.
    pub successor: Option<Successor>,
    /// Those that it and its predecessors took the place of, the last one first.
    pub replaced: Vec<TokenDigest>,
}

/// A token that waits to be presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Successor {
    /// SHA-256 of it.
    pub digest: TokenDigest,
    /// By which key it was made of the present one.
    pub key: KeyId,
}

/// How a successor is made of the token that a caller presents: enough to make the same one each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The renewal's number in the chain.
    pub number: u32,
    /// By which key; none where nothing was handed out yet, and the newest is taken.
    pub key: Option<KeyId>,
}

/// What a presented token is to its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenStanding {
    /// Good, and nothing else is to be done.
    Good,
    /// Good, and its successor is to be handed out.
    Due(Renewal),
    /// The successor, for the first time: [`TokenChain::advance`] puts it in the present one's place.
    Arrived,
    /// Replaced, and its grace is over: whoever holds it is not who holds the present one.
    Stolen,
    /// Not of this chain.
    Unknown,
}

impl TokenChain {
    /// A chain that begins with this token.
    pub fn new(token: TokenDigest, now: Timestamp) -> TokenChain {
        TokenChain {
            present: token,
            since: now,
            renewals: 0,
            key: None,
            successor: None,
            replaced: Vec::new(),
        }
    }

    /// What `token` is at `now`, where a token is renewed so long after it was issued or first presented.
    pub fn standing(
        &self,
        token: &TokenDigest,
        renew_after: Span,
        grace: Span,
        now: Timestamp,
    ) -> TokenStanding {
        let age = now.since(self.since);
        if *token == self.present {
            return match self.successor {
                Some(waiting) => {
                    TokenStanding::Due(Renewal { number: self.renewals, key: Some(waiting.key) })
                }
                None if age >= renew_after => {
                    TokenStanding::Due(Renewal { number: self.renewals, key: None })
                }
                None => TokenStanding::Good,
            };
        }
        if self.successor.is_some_and(|waiting| waiting.digest == *token) {
            return TokenStanding::Arrived;
        }
        match (self.replaced.iter().position(|replaced| replaced == token), self.key) {
            (None, _) => TokenStanding::Unknown,
            // It is handed the present one again: a browser that crashed may have lost what it had not written down.
            (Some(0), Some(_)) if age < grace => {
                TokenStanding::Due(Renewal { number: self.renewals.saturating_sub(1), key: self.key })
            }
            (Some(_), _) => TokenStanding::Stolen,
        }
    }

    /// Notes that `successor` is handed out.
    pub fn hand_out(&mut self, successor: Successor) {
        self.successor = Some(successor);
    }

    /// The successor was presented: the present token is replaced, and gives its last grace. Gives back the one that is
    /// too old to be known any more.
    pub fn advance(&mut self, now: Timestamp) -> Option<TokenDigest> {
        let arrived = self.successor.take()?;
        self.replaced.insert(0, self.present);
        self.present = arrived.digest;
        self.since = now;
        self.renewals = self.renewals.saturating_add(1);
        self.key = Some(arrived.key);
        if self.replaced.len() > REPLACED_MAX { self.replaced.pop() } else { None }
    }

    /// Every token that it knows.
    pub fn tokens(&self) -> impl Iterator<Item = TokenDigest> {
        let waiting = self.successor.map(|waiting| waiting.digest);
        [self.present].into_iter().chain(waiting).chain(self.replaced.iter().copied())
    }

    /// Those that an honest client may still send: the present one, its successor, and the last one within its grace.
    pub fn in_use(&self, grace: Span, now: Timestamp) -> impl Iterator<Item = TokenDigest> {
        let waiting = self.successor.map(|waiting| waiting.digest);
        let last = self.replaced.first().copied().filter(|_| now.since(self.since) < grace);
        [self.present].into_iter().chain(waiting).chain(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;
    const GRACE: u64 = 120_000;
    const KEY: KeyId = KeyId::from_bytes([9; 8]);

    fn token(n: u8) -> TokenDigest {
        TokenDigest::from_bytes([n; 32])
    }

    fn standing(chain: &TokenChain, n: u8, now: u64) -> TokenStanding {
        chain.standing(&token(n), Span::from_ms(HOUR), Span::from_ms(GRACE), Timestamp::from_ms(now))
    }

    fn due(number: u32, key: Option<KeyId>) -> TokenStanding {
        TokenStanding::Due(Renewal { number, key })
    }

    /// Token 0, whose successor 1 was handed out after an hour and first presented at `HOUR + 5`.
    fn renewed() -> TokenChain {
        let mut chain = TokenChain::new(token(0), Timestamp::from_ms(0));
        chain.hand_out(Successor { digest: token(1), key: KEY });
        assert_eq!(chain.advance(Timestamp::from_ms(HOUR + 5)), None);
        chain
    }

    #[test]
    fn a_token_is_renewed_after_an_hour_and_not_before() {
        let chain = TokenChain::new(token(0), Timestamp::from_ms(0));
        assert_eq!(standing(&chain, 0, HOUR - 1), TokenStanding::Good);
        assert_eq!(standing(&chain, 0, HOUR), due(0, None));
        assert_eq!(standing(&chain, 7, HOUR), TokenStanding::Unknown);
    }

    #[test]
    fn until_its_successor_is_presented_the_old_token_is_good_and_names_the_same_one() {
        let mut chain = TokenChain::new(token(0), Timestamp::from_ms(0));
        chain.hand_out(Successor { digest: token(1), key: KEY });
        for now in [HOUR, 2 * HOUR, 20 * HOUR] {
            assert_eq!(standing(&chain, 0, now), due(0, Some(KEY)));
            assert_eq!(standing(&chain, 1, now), TokenStanding::Arrived);
        }
    }

    #[test]
    fn the_grace_begins_when_the_successor_is_presented_and_is_over_at_its_end() {
        let chain = renewed();
        assert_eq!(standing(&chain, 1, HOUR + 5), TokenStanding::Good);
        assert_eq!(standing(&chain, 0, HOUR + 5 + GRACE - 1), due(0, Some(KEY)));
        assert_eq!(standing(&chain, 0, HOUR + 5 + GRACE), TokenStanding::Stolen);
        assert_eq!(standing(&chain, 1, 2 * HOUR + 4), TokenStanding::Good);
        assert_eq!(standing(&chain, 1, 2 * HOUR + 5), due(1, None));
    }

    #[test]
    fn a_token_two_renewals_old_has_no_grace() {
        let mut chain = renewed();
        chain.hand_out(Successor { digest: token(2), key: KEY });
        chain.advance(Timestamp::from_ms(2 * HOUR));
        assert_eq!(standing(&chain, 0, 2 * HOUR), TokenStanding::Stolen);
        assert_eq!(standing(&chain, 1, 2 * HOUR), due(1, Some(KEY)));
    }

    #[test]
    fn the_25th_replaced_token_lets_the_first_go() {
        let mut chain = TokenChain::new(token(0), Timestamp::from_ms(0));
        for n in 1..=25 {
            chain.hand_out(Successor { digest: token(n), key: KEY });
            let gone = chain.advance(Timestamp::from_ms(u64::from(n)));
            assert_eq!(gone, (n == 25).then(|| token(0)));
        }
        assert_eq!((chain.replaced.len(), chain.renewals), (REPLACED_MAX, 25));
        assert_eq!(standing(&chain, 0, HOUR), TokenStanding::Unknown);
        assert_eq!(chain.tokens().count(), 25);
    }

    #[test]
    fn what_an_honest_client_may_send_is_the_present_the_next_and_the_last_within_its_grace() {
        let mut chain = renewed();
        chain.hand_out(Successor { digest: token(2), key: KEY });
        let in_use = |now| chain.in_use(Span::from_ms(GRACE), Timestamp::from_ms(now)).collect::<Vec<_>>();
        assert_eq!(in_use(HOUR + 5), [token(1), token(2), token(0)]);
        assert_eq!(in_use(HOUR + 5 + GRACE), [token(1), token(2)]);
    }
}
