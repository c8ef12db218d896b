//! One batch of a lane: what stands in the store, what core makes of each order, and the one commit that keeps it.

use std::collections::HashMap;
use std::sync::Arc;

use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::Call;
use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, SessionId};
use trolley_core::ledger::{Answer, Entry, Found, Ledger};
use trolley_store::kind::{Key, Record};
use trolley_store::port::{CommitError, Write};

use super::Service;
use super::failure::Failure;
use super::lane::{Reply, Waiting};
use super::order::{Done, kept_refusal, kept_stale, kept_success};

/// What stood in the store when the batch was decided.
struct Stood {
    cart: Option<Arc<Cart>>,
    ledgers: HashMap<SessionId, Arc<Ledger>>,
}

/// What core made of a batch. Nothing of it happened yet.
struct Plan {
    /// One an order, in their order.
    replies: Vec<Reply>,
    writes: Vec<Write>,
}

impl Service {
    /// Decides a batch, commits it, and answers each order; where somebody else changed the cart meanwhile, once more.
    pub(super) async fn settle(&self, cart: CartId, mut waiting: Vec<Waiting>) {
        for _ in 0..self.settings.bounds.commit_tries {
            let stood = match self.load_stood(cart, &waiting).await {
                Ok(stood) => stood,
                Err(failure) => return answer_all(waiting, &failure),
            };
            let fresh = || Arc::new(Cart::new(cart, self.now()));
            let plan = decide(stood, fresh, &waiting, &self.settings.limits);
            if plan.writes.is_empty() {
                return answer_each(waiting, plan.replies);
            }
            match self.store.commit(plan.writes).await {
                Ok(()) => return answer_each(waiting, plan.replies),
                Err(CommitError::Conflict(Key::Session(gone))) => waiting = turn_away(waiting, gone),
                Err(CommitError::Conflict(_)) => {}
                Err(error) => return answer_all(waiting, &error.into()),
            }
        }
        answer_all(waiting, &Failure::Busy);
    }

    async fn load_stood(&self, cart: CartId, waiting: &[Waiting]) -> Result<Stood, Failure> {
        let cart = match self.store.load(Key::Cart(cart)).await? {
            Some(Record::Cart(cart)) => Some(cart),
            Some(_) | None => None,
        };
        let mut ledgers = HashMap::new();
        for order in waiting.iter().map(|waiting| &waiting.order).filter(|order| order.wish.keyed.is_some()) {
            if ledgers.contains_key(&order.session) {
                continue;
            }
            if let Some(Record::Ledger(ledger)) = self.store.load(Key::Ledger(order.session)).await? {
                ledgers.insert(order.session, ledger);
            }
        }
        Ok(Stood { cart, ledgers })
    }
}

fn answer_each(waiting: Vec<Waiting>, replies: Vec<Reply>) {
    for (waiting, reply) in waiting.into_iter().zip(replies) {
        // Who hung up does not hear it; the change stands all the same.
        let _ = waiting.reply.send(reply);
    }
}

fn answer_all(waiting: Vec<Waiting>, failure: &Failure) {
    for waiting in waiting {
        let _ = waiting.reply.send(Err(failure.clone()));
    }
}

/// The orders of a session that is gone are answered so; the others stay.
fn turn_away(waiting: Vec<Waiting>, gone: SessionId) -> Vec<Waiting> {
    let (ended, left): (Vec<_>, Vec<_>) =
        waiting.into_iter().partition(|waiting| waiting.order.session == gone);
    answer_all(ended, &Failure::SessionEnded);
    left
}

/// Applies the orders in turn. Each answer carries the cart as of its own order: the parts of a cart are shared, so
/// that a copy a change is cheap.
fn decide(stood: Stood, fresh: impl Fn() -> Arc<Cart>, waiting: &[Waiting], limits: &Limits) -> Plan {
    let before = stood.cart.as_ref().map(|cart| Record::Cart(cart.clone()).version());
    let mut deciding = Deciding {
        cart: stood.cart.unwrap_or_else(fresh),
        cart_changed: false,
        ledgers: stood.ledgers.into_iter().map(|(id, ledger)| (id, (Some(ledger.version), ledger))).collect(),
        changed_by: Vec::new(),
        limits,
    };
    let replies = waiting.iter().map(|waiting| deciding.one(waiting)).collect();
    Plan { replies, writes: deciding.writes(before) }
}

struct Deciding<'a> {
    cart: Arc<Cart>,
    cart_changed: bool,
    /// Each with the version that stands in the store.
    ledgers: HashMap<SessionId, (Option<u64>, Arc<Ledger>)>,
    /// Sessions that changed something: they must still be there when it is committed.
    changed_by: Vec<SessionId>,
    limits: &'a Limits,
}

impl Deciding<'_> {
    fn one(&mut self, waiting: &Waiting) -> Reply {
        let (order, wish) = (&waiting.order, &waiting.order.wish);
        if let Some(keyed) = wish.keyed {
            let ledger = self.ledgers.get(&order.session);
            match ledger.map_or(Found::New, |(_, ledger)| ledger.find(&keyed.key, &keyed.request, waiting.at))
            {
                Found::New => {}
                Found::Answered(answer) => {
                    return Ok(Done { cart: self.cart.clone(), replayed: Some(answer) });
                }
                Found::Reused => return Err(Failure::KeyReused),
            }
        }
        if wish.strict && !wish.seen.matches(&self.cart) {
            self.keep(waiting, kept_stale());
            return Err(Failure::Stale(Some(self.cart.clone())));
        }
        let call = Call {
            session: order.session,
            base: wish.seen.base(order.cart),
            at: waiting.at,
            intent: wish.intent.clone(),
        };
        match Arc::make_mut(&mut self.cart).call(&call, self.limits) {
            Ok(_) => {
                self.cart_changed = true;
                self.mark_changed(order.session);
                self.keep(waiting, kept_success());
                Ok(Done { cart: self.cart.clone(), replayed: None })
            }
            Err(refusal) => {
                self.keep(waiting, kept_refusal(&refusal));
                Err(Failure::Refused(refusal))
            }
        }
    }

    fn mark_changed(&mut self, session: SessionId) {
        if !self.changed_by.contains(&session) {
            self.changed_by.push(session);
        }
    }

    /// Writes down under its key what a keyed order is answered.
    fn keep(&mut self, waiting: &Waiting, answer: Answer) {
        let (session, Some(keyed)) = (waiting.order.session, waiting.order.wish.keyed) else { return };
        let (_, ledger) =
            self.ledgers.entry(session).or_insert_with(|| (None, Arc::new(Ledger::new(session))));
        let entry = Entry { key: keyed.key, request: keyed.request, at: waiting.at, answer };
        Arc::make_mut(ledger).keep(entry);
        self.mark_changed(session);
    }

    fn writes(self, cart_before: Option<u64>) -> Vec<Write> {
        let mut writes = Vec::new();
        if self.cart_changed {
            writes.push(swap_or_create(cart_before, Record::Cart(self.cart)));
        }
        for (before, ledger) in
            self.ledgers.into_values().filter(|(before, ledger)| *before != Some(ledger.version))
        {
            writes.push(swap_or_create(before, Record::Ledger(ledger)));
        }
        writes.extend(self.changed_by.into_iter().map(|session| Write::keep(Key::Session(session))));
        writes
    }
}

fn swap_or_create(before: Option<u64>, record: Record) -> Write {
    match before {
        Some(version) => Write::swap(version, record, None),
        None => Write::create(record, None),
    }
}
