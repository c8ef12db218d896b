//! The carts of one vector, and the little service around them: sessions have carts, a sign-in seals and merges.

use std::collections::BTreeMap;

use trolley_core::cart::checkout::{CheckedOut, Checkout, CheckoutError, GiveBack, GivenBack};
use trolley_core::cart::limits::Limits;
use trolley_core::cart::merge::Merge;
use trolley_core::cart::op::{Call, Intent, MergePolicy, Op, OpResult, Refusal, SyncCall, SyncRefusal};
use trolley_core::cart::state::{AppliedKey, Cart, Leftover};
use trolley_core::ids::LeftoverId;
use trolley_core::time::{Span, Timestamp};

use crate::edge::{intent, intent_of_op};
use crate::names;
use crate::parse::{CallStep, MergeStep, OpFields, SyncStep, Vector};
use crate::shelf::Shelf;

/// Time 0 of every vector. Late enough that a clock may be a year slow.
const EPOCH_MS: u64 = 1_700_000_000_000;

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) limits: Limits,
    pub(crate) carts: BTreeMap<String, Cart>,
    shelf: Shelf,
    orders: BTreeMap<String, Vec<CheckedOut>>,
    unknown_skus: Vec<String>,
    now: Timestamp,
}

/// What a step answered.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Synced {
        acked: u64,
        results: Vec<OpResult>,
    },
    Called(String),
    Ordered(Vec<CheckedOut>),
    /// A cancel or merge, and whether it did anything.
    Done(bool),
    /// A cancelled order keeps its lines for want of room.
    Owed,
    Refused {
        code: String,
        expected_seq: Option<u64>,
    },
    Nothing,
}

/// A cart with what is kept beside it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) cart: Cart,
    pub(crate) leftovers: Vec<Leftover>,
}

impl World {
    pub(crate) fn new(vector: &Vector) -> World {
        World {
            limits: limits(&vector.limits),
            carts: BTreeMap::new(),
            shelf: Shelf::default(),
            orders: BTreeMap::new(),
            unknown_skus: vector.unknown_skus.clone(),
            now: Timestamp::from_ms(EPOCH_MS),
        }
    }

    pub(crate) fn turn_clock_to(&mut self, ms: u64) {
        let then = Timestamp::from_ms(EPOCH_MS + ms);
        assert!(then >= self.now, "time does not run backwards: {ms}");
        self.now = then;
    }

    pub(crate) fn wait(&mut self, ms: u64) {
        self.now = self.now + Span::from_ms(ms);
    }

    pub(crate) fn cart(&mut self, name: &str) -> &mut Cart {
        let now = self.now;
        self.carts.entry(name.into()).or_insert_with(|| Cart::new(names::cart(name), now))
    }

    pub(crate) fn seen(&mut self, name: &str) -> Seen {
        let cart = self.cart(name).clone();
        let leftovers = self.shelf.of(&cart).cloned().collect();
        Seen { cart, leftovers }
    }

    /// Does something with all that is kept of a cart.
    fn with<T>(&mut self, name: &str, change: impl FnOnce(&mut Shelf, &mut Cart, &Limits) -> T) -> T {
        let mut cart = self.cart(name).clone();
        let done = change(&mut self.shelf, &mut cart, &self.limits);
        *self.cart(name) = cart;
        done
    }

    pub(crate) fn sync(&mut self, on: &str, step: &SyncStep) -> Answer {
        let ops = step.ops.iter().flat_map(|fields| self.ops(&step.client, fields)).collect();
        let sync = SyncCall { client: names::client(&step.client), at: self.now, ops };
        match self.with(on, |shelf, cart, limits| shelf.sync(cart, &sync, limits)) {
            Ok(synced) => Answer::Synced { acked: synced.acked, results: synced.results },
            Err(refusal) => refused(&refusal),
        }
    }

    fn ops(&self, client: &str, fields: &OpFields) -> Vec<Op> {
        let since = |acted: u64| self.now.since(Timestamp::from_ms(EPOCH_MS + acted)).as_ms();
        // The edge reads a negative age as none.
        let age = fields.acted_at.map_or(fields.age_ms.unwrap_or(0).max(0).unsigned_abs(), since);
        let numbered = |i: u64| {
            let seq = fields.seq + i;
            let named = fields.op_id.as_deref().map(|hex| u64::from_str_radix(hex, 16).unwrap());
            let mut wanted = fields.intent.clone();
            if let Some(serde_json::Value::String(sku)) = wanted.get_mut("sku") {
                *sku = sku.replace('#', &(i + 1).to_string());
            }
            Op {
                seq,
                op_id: named.unwrap_or_else(|| names::op_id(client, seq)),
                cart: fields.cart.as_deref().map(names::cart),
                generation: fields.generation,
                base: fields.base,
                age: Span::from_ms(age),
                intent: intent_of_op(&wanted, &self.unknown_skus),
            }
        };
        (0..fields.times.unwrap_or(1)).map(numbered).collect()
    }

    /// A plain call, so many times; the answer is the last one's, and none before it may be refused.
    pub(crate) fn call(&mut self, on: &str, step: &CallStep) -> Answer {
        let session = names::session(step.by.as_deref().unwrap_or("S"));
        let at = self.now;
        let mut answer = Answer::Nothing;
        for i in 1..=step.times.unwrap_or(1) {
            if let Answer::Refused { .. } = answer {
                panic!("call {} of many was refused", i - 1);
            }
            let mut wanted = step.intent.clone();
            if let Some(serde_json::Value::String(sku)) = wanted.get_mut("sku") {
                *sku = sku.replace('#', &i.to_string());
            }
            let called = intent(&wanted, &self.unknown_skus)
                .map(|intent| Call { session, base: step.base, at, intent })
                .and_then(|call| self.with(on, |shelf, cart, limits| shelf.call(cart, &call, limits)));
            answer = match called {
                Ok(outcome) => Answer::Called(format!("{outcome:?}").to_lowercase()),
                Err(refusal) => refused_op(&refusal),
            };
        }
        answer
    }

    pub(crate) fn checkout(&mut self, on: &str, order: &str) -> Answer {
        let (limits, at) = (self.limits.clone(), self.now);
        match self.cart(on).checkout(&Checkout::of_all(names::session("S"), at), &limits) {
            Ok(taken) => {
                self.orders.insert(order.into(), taken.clone());
                Answer::Ordered(taken)
            }
            Err(why) => {
                let code = match &why {
                    CheckoutError::CartEmpty => "cart_empty",
                    CheckoutError::CartChanged => "cart_changed",
                    CheckoutError::Refused(refusal) => refusal.code().as_str(),
                    CheckoutError::Sealed => "cart_sealed",
                };
                Answer::Refused { code: code.into(), expected_seq: None }
            }
        }
    }

    pub(crate) fn cancel(&mut self, on: &str, order: &str) -> Answer {
        let lines = self.orders.get(order).expect("an order that was made").clone();
        let (order, author, at) = (names::order(order), names::session("shop"), self.now);
        let asked = GiveBack { order, lines: &lines, author, at };
        match self.with(on, |shelf, cart, limits| shelf.give_back(cart, &asked, limits)) {
            Ok(GivenBack::Now) => Answer::Done(true),
            Ok(GivenBack::Before) => Answer::Done(false),
            Ok(GivenBack::Owed) => Answer::Owed,
            Err(refusal) => refused_op(&refusal),
        }
    }

    /// Brings a leftover in or drops it: the `nth` of the cart, from 1 on.
    pub(crate) fn leftover(&mut self, on: &str, nth: usize, intent: fn(LeftoverId) -> Intent) -> Answer {
        let (session, at) = (names::session("S"), self.now);
        let of = self.cart(on).leftovers.get(nth - 1).copied();
        let id = of.map_or(LeftoverId::from_bytes([0; 16]), |of| of.id);
        let call = Call { session, base: None, at, intent: intent(id) };
        match self.with(on, |shelf, cart, limits| shelf.call(cart, &call, limits)) {
            Ok(outcome) => Answer::Called(format!("{outcome:?}").to_lowercase()),
            Err(refusal) => refused_op(&refusal),
        }
    }

    /// A sign-in: seal the guest's cart by compare-and-set, apply with its key, mark done; every step repeatable.
    pub(crate) fn merge(&mut self, on: &str, step: &MergeStep) -> Answer {
        let (into, at, author) = (names::cart(on), self.now, names::session("S"));
        let open = self.cart(&step.guest).clone();
        let guest = self.cart(&step.guest);
        guest.seal(into);
        let seal = guest.sealed.expect("just sealed");
        if seal.into != into {
            return refused_op(&Refusal::Sealed(seal.into));
        }
        if seal.done {
            return Answer::Done(false);
        }
        let guest = guest.clone();
        if step.crash_after.as_deref() == Some("seal") {
            return Answer::Nothing;
        }
        let asked = Merge { guest: &guest, policy: policy(&step.policy), author, at };
        match self.with(on, |shelf, cart, limits| shelf.merge(cart, &asked, limits)) {
            Err(refusal) => {
                // All of a sign-in is one commit: the seal goes too.
                *self.cart(&step.guest) = open;
                refused_op(&refusal)
            }
            Ok(done) => {
                if step.crash_after.as_deref() != Some("apply") {
                    self.cart(&step.guest).mark_merged();
                    self.cart(on).forget_applied(AppliedKey::Merge(guest.id));
                }
                Answer::Done(done)
            }
        }
    }
}

fn policy(name: &str) -> MergePolicy {
    match name {
        "sum" => MergePolicy::Sum,
        "max" => MergePolicy::Max,
        "keep_account" => MergePolicy::KeepAccount,
        "keep_guest" => MergePolicy::KeepGuest,
        other => panic!("no policy is called {other}"),
    }
}

fn refused_op(refusal: &Refusal) -> Answer {
    Answer::Refused { code: refusal.code().as_str().into(), expected_seq: None }
}

fn refused(refusal: &SyncRefusal) -> Answer {
    let (code, expected_seq) = match refusal {
        SyncRefusal::SequenceGap { expected } => ("sequence_gap", Some(*expected)),
        SyncRefusal::ClientForked { .. } => ("client_forked", None),
        SyncRefusal::ForeignCart => ("foreign_cart", None),
        SyncRefusal::ClientExpired => ("client_expired", None),
        SyncRefusal::TooManyClients => ("too_many_clients", None),
        SyncRefusal::BaseDecreased { .. } => ("base_decreased", None),
        SyncRefusal::TooManyOps(_) => ("too_many_ops", None),
        SyncRefusal::Sealed(_) => ("cart_sealed", None),
    };
    Answer::Refused { code: code.into(), expected_seq }
}

fn limits(overrides: &BTreeMap<String, u64>) -> Limits {
    let mut limits = Limits::default();
    for (name, &value) in overrides {
        let count = usize::try_from(value).unwrap();
        match &**name {
            "lines" => limits.lines = count,
            "saved" => limits.saved = count,
            "quantity" => limits.quantity = value.try_into().unwrap(),
            "owed_units" => limits.owed_units = value.try_into().unwrap(),
            "saved_bytes" => limits.saved_bytes = count,
            "leftovers" => limits.leftovers = count,
            "leftover_lines" => limits.leftover_lines = count,
            "text_bytes" => limits.text_bytes = count,
            "clients" => limits.clients = count,
            "line_adds" => limits.line_adds = count,
            "cart_adds" => limits.cart_adds = count,
            "tombstones" => limits.tombstones = count,
            "fold_after_ms" => limits.fold_after = Span::from_ms(value),
            "lease_ms" => limits.lease = Span::from_ms(value),
            "departed_for_ms" => limits.departed_for = Span::from_ms(value),
            "departed" => limits.departed = count,
            "ring_least" => limits.ring_least = count,
            "ring_for_ms" => limits.ring_for = Span::from_ms(value),
            "ring_most" => limits.ring_most = count,
            "ops" => limits.ops = count,
            other => panic!("no limit is called {other}"),
        }
    }
    limits
}
