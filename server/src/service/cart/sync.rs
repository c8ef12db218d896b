//! A device's queue: up to 500 ops are judged as a whole and taken in within one commit, each exactly once.

use std::sync::Arc;

use trolley_core::cart::op::{Intent, Op, OpResult, Outcome, Refusal, SyncCall, SyncOutcome, SyncRefusal};
use trolley_core::cart::state::Cart;
use trolley_core::ids::{ClientId, Seq};
use trolley_core::item::Item;
use trolley_core::ledger::LedgerAnswer;

use crate::service::cart::context::Context;
use crate::service::error::ServiceError;

/// A part of a device's queue, as it was sent.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Which queue.
    pub client: ClientId,
    /// In the order they were sent; may be empty.
    pub ops: Vec<Op>,
}

impl Delivery {
    /// The items that it names.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        self.ops.iter().filter_map(|op| match &op.intent {
            Ok(Intent::Add(line, _) | Intent::Set(line, _)) => line.item().map(|item| &**item),
            _ => None,
        })
    }

    /// Whether lines that were taken out may come back by it without being named.
    pub(crate) fn may_bring_back(&self) -> bool {
        self.ops.iter().any(|op| matches!(op.intent, Ok(Intent::Undo(_))))
    }

    /// Takes it in. Refused as a whole, it changes nothing.
    pub(crate) fn take_in(&self, turn: &mut Context<'_>) -> Result<SyncOutcome, ServiceError> {
        let mut sync = SyncCall { client: self.client, at: turn.at, ops: self.ops.clone() };
        if turn.listing.is_told() {
            vet(&mut sync, turn);
        }
        let stood = turn.cart.clone();
        let synced = deliver(turn, &sync)?;
        if !turn.costs_too_much_since(&stood) {
            return Ok(synced);
        }
        *turn.cart = stood;
        refuse_what_costs_too_much(&mut sync, turn);
        deliver(turn, &sync)
    }

    /// What a call is told that was taken in under its key before: each op is a duplicate, with the reason why it was
    /// refused where that is still known.
    pub fn taken_in_before(&self, cart: Option<&Cart>) -> SyncOutcome {
        let refused = |seq| cart.and_then(|cart| cart.refused(self.client, seq));
        let duplicate =
            |op: &Op| OpResult { seq: op.seq, outcome: Outcome::Duplicate, code: refused(op.seq) };
        let results: Vec<_> = self.ops.iter().map(duplicate).collect();
        let sent = self.ops.last().map_or(0, |op| op.seq);
        let acked: Seq = cart.map_or(0, |cart| cart.acked(self.client)).max(sent);
        SyncOutcome { acked, results }
    }
}

fn deliver(turn: &mut Context<'_>, sync: &SyncCall) -> Result<SyncOutcome, ServiceError> {
    Arc::make_mut(turn.cart).sync(sync, turn.limits).map_err(ServiceError::SyncRefused)
}

/// What the shop does not sell is refused by itself.
fn vet(sync: &mut SyncCall, turn: &Context<'_>) {
    for op in &mut sync.ops {
        let wrong = op.intent.as_ref().ok().and_then(|intent| turn.listing.vet(intent, turn.cart).err());
        if let Some(refusal) = wrong {
            op.intent = Err(refusal);
        }
    }
}

/// Goes through the ops one by one, beside the cart, and marks those by which the total would be no amount any more.
fn refuse_what_costs_too_much(sync: &mut SyncCall, turn: &Context<'_>) {
    let mut beside = turn.cart.clone();
    for op in &mut sync.ops {
        let before = beside.clone();
        let one = SyncCall { client: sync.client, at: sync.at, ops: vec![op.clone()] };
        let taken = Arc::make_mut(&mut beside).sync(&one, turn.limits);
        let is_told = turn.listing.worth(&beside).is_ok() || turn.listing.worth(&before).is_err();
        if taken.is_ok() && !is_told {
            op.intent = Err(Refusal::TotalTooLarge);
            beside = before;
            let refused = SyncCall { ops: vec![op.clone()], ..one };
            let _ = Arc::make_mut(&mut beside).sync(&refused, turn.limits);
        }
    }
}

/// What a ledger keeps of a refusal; of one that another try may answer otherwise, nothing.
pub(crate) fn kept(refusal: &SyncRefusal) -> Option<LedgerAnswer> {
    let number = |n: u64| {
        let mut about = [0; 16];
        about[8..].copy_from_slice(&n.to_be_bytes());
        Some(about)
    };
    let (status, code, about) = match refusal {
        SyncRefusal::ClientForked { seq } => (409, "client_forked", number(*seq)),
        SyncRefusal::ForeignCart => (409, "foreign_cart", None),
        SyncRefusal::ClientExpired => (410, "client_expired", None),
        SyncRefusal::BaseDecreased { .. } => (422, "base_decreased", None),
        SyncRefusal::TooManyOps(_) => (422, "too_many_ops", None),
        // What was sent before is still on its way, the cart is being merged, a client will leave: it passes.
        SyncRefusal::SequenceGap { .. } | SyncRefusal::Sealed(_) | SyncRefusal::TooManyClients => {
            return None;
        }
    };
    Some(LedgerAnswer { status, code: Some(code.into()), about })
}
