//! One batch of a lane: what stands in the store, what core makes of each order, and the one commit that keeps it.

use std::sync::Arc;

use trolley_core::cart::limits::Limits;
use trolley_core::cart::state::{Cart, Holder};
use trolley_core::ids::{CartId, SessionId};
use trolley_core::item::Item;
use trolley_core::ledger::{Ledger, LedgerAnswer, LedgerEntry, LedgerLookup};
use trolley_store::port::{CommitError, StoreError, Write};
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::cart::command::{Command, Outcome, Replay, kept_failure};
use crate::service::cart::context::{Context, Output};
use crate::service::cart::queue::{Pending, Reply};
use crate::service::catalogue::listing::Listing;
use crate::service::catalogue::shown::PricedCart;
use crate::service::catalogue::{Skus, named, standing};
use crate::service::error::ServiceError;
use crate::service::limits::quotas::{Mark, QuotaTab, WRITE};
use crate::service::transaction::Transaction;

/// What stood in the store when the batch was decided.
struct Loaded {
    /// The version of the cart in the store; none where it was never written.
    before: Option<u64>,
    cart: Arc<Cart>,
    tx: Transaction,
    listing: Listing,
}

/// What core made of a batch. Nothing of it happened yet.
struct Plan<'a> {
    /// One an order, in their order.
    replies: Vec<Reply>,
    writes: Vec<Write>,
    /// What they use up of quotas, once it is committed.
    tab: QuotaTab<'a>,
}

impl Service {
    /// Decides a batch, commits it, and answers each order; where somebody else changed the cart meanwhile, once more. Orders that
    /// rest on nothing any more are turned away together, and use up nobody's tries.
    pub(crate) async fn settle(&self, cart: CartId, mut waiting: Vec<Pending>) {
        let now = self.running();
        let is_overdue = |waiting: &Pending| waiting.order.claim.is_some_and(|claim| now >= claim.good_until);
        if waiting.iter().any(is_overdue) {
            let Some(left) = self.turn_away(waiting).await else { return };
            waiting = left;
        }
        let mut tries = self.settings.bounds.commit_tries;
        while tries > 0 && !waiting.is_empty() {
            let stood = match self.load_stood(cart, &waiting).await {
                Ok(stood) => stood,
                Err(ServiceError::Damaged(_)) if waiting.len() > 1 => {
                    return self.settle_each(cart, waiting).await;
                }
                Err(failure) => return answer_all(waiting, &failure),
            };
            let Plan { replies, writes, tab } = decide(stood, &waiting, &self.settings.limits, self.tab());
            if writes.is_empty() {
                // Nothing is committed that could ask for their tokens; nothing changed that could be wrong for those who stay.
                return match self.ended(&waiting).await {
                    Ok(ended) => answer_each(waiting, but_ended(replies, &ended)),
                    Err(failure) => answer_all(waiting, &failure),
                };
            }
            match self.commit_here(writes).await {
                Ok(()) => {
                    tab.keep();
                    return answer_each(waiting, replies);
                }
                Err(CommitError::Conflict(_)) => {
                    let before = waiting.len();
                    let Some(left) = self.turn_away(waiting).await else { return };
                    waiting = left;
                    // A batch gets shorter no more often than it has orders.
                    tries -= usize::from(waiting.len() == before);
                }
                Err(CommitError::Store(StoreError::Damaged { .. })) if waiting.len() > 1 => {
                    return self.settle_each(cart, waiting).await;
                }
                Err(error) => return answer_all(waiting, &error.into()),
            }
        }
        answer_all(waiting, &ServiceError::Busy);
    }

    /// Each in a commit of its own: a record that is damaged may be of one of them alone.
    async fn settle_each(&self, cart: CartId, waiting: Vec<Pending>) {
        for one in waiting {
            Box::pin(self.settle(cart, vec![one])).await;
        }
    }

    /// Which of the orders rest on nothing any more.
    async fn ended(&self, waiting: &[Pending]) -> Result<Vec<bool>, ServiceError> {
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
    async fn turn_away(&self, waiting: Vec<Pending>) -> Option<Vec<Pending>> {
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
                answer_all(vec![waiting], &ServiceError::SessionEnded);
            } else {
                left.push(waiting);
            }
        }
        Some(left)
    }

    async fn load_stood(&self, cart: CartId, waiting: &[Pending]) -> Result<Loaded, ServiceError> {
        let (before, cart) = match self.store.load(Key::Cart(cart)).await? {
            Some(Record::Cart(cart)) => (Some(cart.version), cart),
            Some(_) | None => (None, Arc::new(self.first_of(cart, waiting).await?)),
        };
        let mut tx = Transaction::default();
        for Pending { order, .. } in waiting {
            if let Some((session, _)) = order.keyed() {
                tx.read(&*self.store, Key::Ledger(session)).await?;
            }
            for key in order.task.needs() {
                tx.read(&*self.store, key).await?;
            }
        }
        let listing = self.listing(skus(&cart, waiting)).await;
        Ok(Loaded { before, cart, tx, listing })
    }

    /// A cart that was never written. It is an account's where a session that orders is signed in with it; a session that signs
    /// in between this look and the commit seals the cart that it had, and the commit is decided anew.
    async fn first_of(&self, cart: CartId, waiting: &[Pending]) -> Result<Cart, ServiceError> {
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

/// What stands in the cart, as its first visitor's question, and what each names, as its own.
fn skus<'a>(cart: &'a Cart, waiting: &'a [Pending]) -> Skus<'a> {
    let hidden_too = waiting.iter().any(|waiting| waiting.order.task.may_bring_back());
    let first = waiting.first().map(|waiting| waiting.asker).unwrap_or_default();
    let named = |waiting: &'a Pending| named(waiting.order.task.items().map(Item::sku), waiting.asker);
    Box::new(standing(cart, hidden_too, first).chain(waiting.iter().flat_map(named)))
}

fn answer_each(waiting: Vec<Pending>, replies: Vec<Reply>) {
    // Their tasks are over before anybody hears of it: who was told of an order finds it among the shop's.
    let callers: Vec<_> = waiting.into_iter().map(|waiting| waiting.reply).collect();
    for (caller, reply) in callers.into_iter().zip(replies) {
        // Who hung up does not hear it; the change stands all the same.
        let _ = caller.send(reply);
    }
}

fn answer_all(waiting: Vec<Pending>, failure: &ServiceError) {
    for waiting in waiting {
        let _ = waiting.reply.send(Err(failure.clone()));
    }
}

/// The replies, but to whoever rests on nothing any more.
fn but_ended(replies: Vec<Reply>, ended: &[bool]) -> Vec<Reply> {
    let told = |(reply, ended): (Reply, &bool)| if *ended { Err(ServiceError::SessionEnded) } else { reply };
    replies.into_iter().zip(ended).map(told).collect()
}

/// Applies the orders in turn. Each answer carries the cart as of its own order: the parts of a cart are shared, so
/// that a copy a change is cheap.
fn decide<'a>(stood: Loaded, waiting: &[Pending], limits: &Limits, tab: QuotaTab<'a>) -> Plan<'a> {
    let Loaded { before, cart, tx, listing } = stood;
    let mut deciding = Deciding { cart, tx, listing, limits, tab };
    let replies = waiting.iter().map(|waiting| deciding.one(waiting)).collect();
    let (mut writes, tab) = deciding.writes(before);
    if !writes.is_empty() {
        writes.extend(expected(waiting));
    }
    Plan { replies, writes, tab }
}

/// That each token which came with an order is still in use: of those too whose order changes nothing, since what they are told
/// is a session's to hear.
fn expected(waiting: &[Pending]) -> impl Iterator<Item = Write> {
    let mut claims: Vec<_> = waiting.iter().filter_map(|waiting| waiting.order.claim).collect();
    claims.sort_unstable_by_key(|claim| claim.token);
    claims.dedup_by_key(|claim| claim.token);
    claims.into_iter().map(|claim| claim.expected())
}

struct Deciding<'a, 't> {
    cart: Arc<Cart>,
    tx: Transaction,
    listing: Listing,
    limits: &'a Limits,
    tab: QuotaTab<'t>,
}

impl<'t> Deciding<'_, 't> {
    fn one(&mut self, waiting: &Pending) -> Reply {
        let (order, terms) = (&waiting.order, &waiting.order.terms);
        if let Some((session, keyed)) = order.keyed() {
            let ledger = self.ledger(session);
            match ledger
                .map_or(LedgerLookup::New, |ledger| ledger.find(&keyed.key, &keyed.request, waiting.at))
            {
                LedgerLookup::New => {}
                LedgerLookup::Answered(answer) => {
                    return Ok(Outcome { cart: self.shown(), made: Err(Replay(answer)) });
                }
                LedgerLookup::Reused => return Err(ServiceError::KeyReused),
            }
        }
        // After the ledger: whoever was answered before is owed the same again, whatever is used up since.
        let mark = self.tab.admit(order.asks())?;
        let before = self.tab.counts().then(|| (self.cart.version, self.cart.bytes_at_most()));
        let made = if terms.strict && !terms.seen.matches(&self.cart) {
            Err(ServiceError::Stale(self.shown()))
        } else {
            self.perform(waiting)
        };
        let kept = made.as_ref().map_or_else(kept_failure, |made| Some(made.kept()));
        if let Some(before) = before {
            self.count(order, mark, &made, before);
        }
        if let Some(answer) = kept {
            self.keep(waiting, answer);
        }
        Ok(Outcome { cart: self.shown(), made: Ok(made?) })
    }

    fn perform(&mut self, Pending { order, at, .. }: &Pending) -> Result<Output, ServiceError> {
        order.task.carry_out(&mut Context {
            cart: &mut self.cart,
            tx: &mut self.tx,
            session: order.session(),
            seen: order.terms.seen,
            at: *at,
            limits: self.limits,
            listing: &self.listing,
        })
    }

    /// Counts what an order brings: a write, by how much its cart grows, and all of what it orders. One that is refused brings no
    /// more than its key, and one that changes nothing brings nothing.
    fn count(
        &mut self,
        order: &Command,
        mark: Mark,
        made: &Result<Output, ServiceError>,
        (version, bytes): (u64, usize),
    ) {
        let draft = match made {
            Ok(Output::Order(draft)) => draft.bytes_at_most(),
            _ => 0,
        };
        if draft == 0 {
            self.tab.no_order_since(mark);
        }
        if self.cart.version != version || order.keyed().is_some() {
            let grown = self.cart.bytes_at_most().saturating_sub(bytes);
            self.tab.bring(order.payer, WRITE + grown + draft);
        }
    }

    fn shown(&self) -> PricedCart {
        PricedCart::new(self.cart.clone(), self.listing.clone())
    }

    fn ledger(&self, session: SessionId) -> Option<&Arc<Ledger>> {
        match self.tx.get(&Key::Ledger(session)) {
            Some(Record::Ledger(ledger)) => Some(ledger),
            _ => None,
        }
    }

    /// Writes down under its key what a keyed order is answered.
    fn keep(&mut self, waiting: &Pending, answer: LedgerAnswer) {
        let Some((session, keyed)) = waiting.order.keyed() else { return };
        let mut ledger =
            self.ledger(session).map_or_else(|| Ledger::new(session), |ledger| (**ledger).clone());
        ledger.keep(LedgerEntry { key: keyed.key, request: keyed.request, at: waiting.at, answer });
        self.tx.put(Record::Ledger(Arc::new(ledger)), None);
    }

    fn writes(self, cart_before: Option<u64>) -> (Vec<Write>, QuotaTab<'t>) {
        let mut writes = self.tx.writes();
        match cart_before {
            Some(before) if before == self.cart.version => {}
            Some(before) => writes.push(Write::swap(before, Record::Cart(self.cart), None)),
            None if self.cart.version == 0 => {}
            None => writes.push(Write::create(Record::Cart(self.cart), None)),
        }
        (writes, self.tab)
    }
}
