//! One batch of a lane: what stands in the store, what core makes of each order, and the one commit that keeps it.

use std::sync::Arc;

use trolley_core::cart::limits::Limits;
use trolley_core::cart::state::{Cart, Holder};
use trolley_core::ids::{CartId, SessionId};
use trolley_core::item::Item;
use trolley_core::ledger::{Answer, Entry, Found, Ledger};
use trolley_store::kind::{Key, Record};
use trolley_store::port::{CommitError, Write};

use super::Service;
use super::catalogue::listing::Listing;
use super::catalogue::shown::Shown;
use super::catalogue::skus;
use super::desk::Desk;
use super::failure::Failure;
use super::lane::{Reply, Waiting};
use super::order::{Done, Replayed, kept_failure};
use super::turn::{Made, Turn};

/// What stood in the store when the batch was decided.
struct Stood {
    /// The version of the cart in the store; none where it was never written.
    before: Option<u64>,
    cart: Arc<Cart>,
    desk: Desk,
    listing: Listing,
}

/// What core made of a batch. Nothing of it happened yet.
struct Plan {
    /// One an order, in their order.
    replies: Vec<Reply>,
    writes: Vec<Write>,
}

impl Service {
    /// Decides a batch, commits it, and answers each order; where somebody else changed the cart meanwhile, once more. Orders that
    /// rest on nothing any more are turned away together, and use up nobody's tries.
    pub(super) async fn settle(&self, cart: CartId, mut waiting: Vec<Waiting>) {
        let now = self.now();
        let is_overdue = |waiting: &Waiting| waiting.order.claim.is_some_and(|claim| now >= claim.good_until);
        if waiting.iter().any(is_overdue) {
            let Some(left) = self.turn_away(waiting).await else { return };
            waiting = left;
        }
        let mut tries = self.settings.bounds.commit_tries;
        while tries > 0 && !waiting.is_empty() {
            let stood = match self.load_stood(cart, &waiting).await {
                Ok(stood) => stood,
                Err(failure) => return answer_all(waiting, &failure),
            };
            let plan = decide(stood, &waiting, &self.settings.limits);
            if plan.writes.is_empty() {
                // Nothing is committed that could ask for their tokens; nothing changed that could be wrong for those who stay.
                return match self.ended(&waiting).await {
                    Ok(ended) => answer_each(waiting, but_ended(plan.replies, &ended)),
                    Err(failure) => answer_all(waiting, &failure),
                };
            }
            match self.commit_here(plan.writes).await {
                Ok(()) => return answer_each(waiting, plan.replies),
                Err(CommitError::Conflict(_)) => {
                    let before = waiting.len();
                    let Some(left) = self.turn_away(waiting).await else { return };
                    waiting = left;
                    // A batch gets shorter no more often than it has orders.
                    tries -= usize::from(waiting.len() == before);
                }
                Err(error) => return answer_all(waiting, &error.into()),
            }
        }
        answer_all(waiting, &Failure::Busy);
    }

    /// Which of the orders rest on nothing any more.
    async fn ended(&self, waiting: &[Waiting]) -> Result<Vec<bool>, Failure> {
        let mut ended = Vec::with_capacity(waiting.len());
        for waiting in waiting {
            ended.push(match &waiting.order.claim {
                Some(claim) => !self.holds(claim).await?,
                None => false,
            });
        }
        Ok(ended)
    }

    /// Answers those, and gives back the others; none where that cannot be told, and all were answered so.
    async fn turn_away(&self, waiting: Vec<Waiting>) -> Option<Vec<Waiting>> {
        let ended = match self.ended(&waiting).await {
            Ok(ended) => ended,
            Err(failure) => {
                answer_all(waiting, &failure);
                return None;
            }
        };
        let mut left = Vec::with_capacity(waiting.len());
        for (waiting, ended) in waiting.into_iter().zip(ended) {
            if ended {
                answer_all(vec![waiting], &Failure::SessionEnded);
            } else {
                left.push(waiting);
            }
        }
        Some(left)
    }

    async fn load_stood(&self, cart: CartId, waiting: &[Waiting]) -> Result<Stood, Failure> {
        let (before, cart) = match self.store.load(Key::Cart(cart)).await? {
            Some(Record::Cart(cart)) => (Some(cart.version), cart),
            Some(_) | None => (None, Arc::new(self.first_of(cart, waiting).await?)),
        };
        let mut desk = Desk::default();
        for Waiting { order, .. } in waiting {
            if let Some((session, _)) = order.keyed() {
                desk.lay_out(&*self.store, Key::Ledger(session)).await?;
            }
            for key in order.task.needs() {
                desk.lay_out(&*self.store, key).await?;
            }
        }
        let named = waiting.iter().flat_map(|waiting| waiting.order.task.items()).map(Item::sku);
        let hidden_too = waiting.iter().any(|waiting| waiting.order.task.may_bring_back());
        let stands = skus(&cart, hidden_too);
        let listing = self.listing(Box::new(stands.chain(named))).await;
        Ok(Stood { before, cart, desk, listing })
    }

    /// A cart that was never written. It is an account's where a session that orders is signed in with it; a session that signs
    /// in between this look and the commit seals the cart that it had, and the commit is decided anew.
    async fn first_of(&self, cart: CartId, waiting: &[Waiting]) -> Result<Cart, Failure> {
        let mut holder = Holder::Guest;
        for session in waiting.iter().filter_map(|waiting| waiting.order.session()) {
            if let Some(Record::Session(session)) = self.store.load(Key::Session(session)).await?
                && session.cart == Some(cart)
                && session.sign_in.is_some()
            {
                holder = Holder::Account;
            }
        }
        Ok(Cart::held_by(holder, cart, self.now()))
    }
}

fn answer_each(waiting: Vec<Waiting>, replies: Vec<Reply>) {
    // Their tasks are over before anybody hears of it: who was told of an order finds it among the shop's.
    let callers: Vec<_> = waiting.into_iter().map(|waiting| waiting.reply).collect();
    for (caller, reply) in callers.into_iter().zip(replies) {
        // Who hung up does not hear it; the change stands all the same.
        let _ = caller.send(reply);
    }
}

fn answer_all(waiting: Vec<Waiting>, failure: &Failure) {
    for waiting in waiting {
        let _ = waiting.reply.send(Err(failure.clone()));
    }
}

/// The replies, but to whoever rests on nothing any more.
fn but_ended(replies: Vec<Reply>, ended: &[bool]) -> Vec<Reply> {
    let told = |(reply, ended): (Reply, &bool)| if *ended { Err(Failure::SessionEnded) } else { reply };
    replies.into_iter().zip(ended).map(told).collect()
}

/// Applies the orders in turn. Each answer carries the cart as of its own order: the parts of a cart are shared, so
/// that a copy a change is cheap.
fn decide(stood: Stood, waiting: &[Waiting], limits: &Limits) -> Plan {
    let Stood { before, cart, desk, listing } = stood;
    let mut deciding = Deciding { cart, desk, listing, limits };
    let replies = waiting.iter().map(|waiting| deciding.one(waiting)).collect();
    let mut writes = deciding.writes(before);
    if !writes.is_empty() {
        writes.extend(expected(waiting));
    }
    Plan { replies, writes }
}

/// That each token which came with an order is still in use: of those too whose order changes nothing, since what they are told
/// is a session's to hear.
fn expected(waiting: &[Waiting]) -> impl Iterator<Item = Write> {
    let mut claims: Vec<_> = waiting.iter().filter_map(|waiting| waiting.order.claim).collect();
    claims.sort_unstable_by_key(|claim| claim.token);
    claims.dedup_by_key(|claim| claim.token);
    claims.into_iter().map(|claim| claim.expected())
}

struct Deciding<'a> {
    cart: Arc<Cart>,
    desk: Desk,
    listing: Listing,
    limits: &'a Limits,
}

impl Deciding<'_> {
    fn one(&mut self, waiting: &Waiting) -> Reply {
        let (order, terms) = (&waiting.order, &waiting.order.terms);
        if let Some((session, keyed)) = order.keyed() {
            let ledger = self.ledger(session);
            match ledger.map_or(Found::New, |ledger| ledger.find(&keyed.key, &keyed.request, waiting.at)) {
                Found::New => {}
                Found::Answered(answer) => {
                    return Ok(Done { cart: self.shown(), made: Err(Replayed(answer)) });
                }
                Found::Reused => return Err(Failure::KeyReused),
            }
        }
        let made = if terms.strict && !terms.seen.matches(&self.cart) {
            Err(Failure::Stale(self.shown()))
        } else {
            self.perform(waiting)
        };
        let kept = made.as_ref().map_or_else(kept_failure, |made| Some(made.kept()));
        if let Some(answer) = kept {
            self.keep(waiting, answer);
        }
        Ok(Done { cart: self.shown(), made: Ok(made?) })
    }

    fn perform(&mut self, Waiting { order, at, .. }: &Waiting) -> Result<Made, Failure> {
        order.task.carry_out(&mut Turn {
            cart: &mut self.cart,
            desk: &mut self.desk,
            session: order.session(),
            seen: order.terms.seen,
            at: *at,
            limits: self.limits,
            listing: &self.listing,
        })
    }

    fn shown(&self) -> Shown {
        Shown::new(self.cart.clone(), self.listing.clone())
    }

    fn ledger(&self, session: SessionId) -> Option<&Arc<Ledger>> {
        match self.desk.get(&Key::Ledger(session)) {
            Some(Record::Ledger(ledger)) => Some(ledger),
            _ => None,
        }
    }

    /// Writes down under its key what a keyed order is answered.
    fn keep(&mut self, waiting: &Waiting, answer: Answer) {
        let Some((session, keyed)) = waiting.order.keyed() else { return };
        let mut ledger =
            self.ledger(session).map_or_else(|| Ledger::new(session), |ledger| (**ledger).clone());
        ledger.keep(Entry { key: keyed.key, request: keyed.request, at: waiting.at, answer });
        self.desk.put(Record::Ledger(Arc::new(ledger)), None);
    }

    fn writes(self, cart_before: Option<u64>) -> Vec<Write> {
        let mut writes = self.desk.writes();
        match cart_before {
            Some(before) if before == self.cart.version => {}
            Some(before) => writes.push(Write::swap(before, Record::Cart(self.cart), None)),
            None if self.cart.version == 0 => {}
            None => writes.push(Write::create(Record::Cart(self.cart), None)),
        }
        writes
    }
}
