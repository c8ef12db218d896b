//! A change of a cart as it is asked for, and what came of it.

use trolley_core::cart::op::Refusal;
use trolley_core::ids::{CartId, SessionId};
use trolley_core::ledger::Answer;

use super::abuse::Payer;
use super::catalogue::shown::Shown;
use super::claim::Claim;
use super::failure::{Failure, NotOrdered};
use super::quotas::Asks;
use super::task::Task;
use super::terms::{Keyed, Terms};
use super::turn::Made;

/// A change of a cart that waits for its turn.
#[derive(Clone, Debug)]
pub struct Order {
    /// What it rests on, still when the change is committed. None where the shop's own systems ask.
    pub claim: Option<Claim>,
    /// Of which cart.
    pub cart: CartId,
    /// Whose allowance of bytes it uses up; nobody's where the shop's own systems ask.
    pub payer: Option<Payer>,
    /// On which terms.
    pub terms: Terms,
    /// What is wanted.
    pub task: Task,
}

impl Order {
    /// Whose it is.
    pub(super) fn session(&self) -> Option<SessionId> {
        self.claim.map(|claim| claim.session)
    }

    /// Under which key of which session its answer is kept.
    pub(super) fn keyed(&self) -> Option<(SessionId, Keyed)> {
        self.session().zip(self.terms.keyed)
    }

    /// What it asks of the quotas.
    pub(super) fn asks(&self) -> Asks {
        let orders = self.claim.is_some() && matches!(self.task, Task::Checkout(_));
        Asks {
            keyed: self.keyed().map(|(session, _)| session),
            checkout: orders.then_some(self.cart),
            payer: self.payer,
        }
    }
}

/// What came of an order.
#[derive(Clone, Debug)]
pub struct Done {
    /// The cart as of this change, or for a replay as it is now.
    pub cart: Shown,
    /// Whether it was done by this order, or by an earlier one under the same key.
    pub made: Result<Made, Replayed>,
}

/// What the same key was answered before: nothing was changed by this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed(pub Answer);

/// Refusals that pass by themselves, whoever gives them: the cart is being merged, ops that were sent before are still on their
/// way, nobody can tell a price right now. Kept under its key, one would hold for a day what another try brings in.
const PASSING: [&str; 3] = ["cart_sealed", "sequence_gap", "price_unknown"];

/// What a ledger keeps of a failure: of one that the cart itself is the reason for. What another try may answer
/// otherwise (a store that is down, a session that ended) is not kept.
pub(super) fn kept_failure(failure: &Failure) -> Option<Answer> {
    let passes = |answer: &Answer| answer.code.as_deref().is_some_and(|code| PASSING.contains(&code));
    answer_of(failure).filter(|answer| !passes(answer))
}

fn answer_of(failure: &Failure) -> Option<Answer> {
    match failure {
        Failure::Refused(refusal) => Some(kept_refusal(refusal)),
        Failure::Unsynced(refusal) => super::sync::kept(refusal),
        Failure::Stale(_) => {
            Some(Answer { status: 412, code: Some("precondition_failed".into()), about: None })
        }
        // It passes: the same call is to be sold by the price that is known by then.
        Failure::NotOrdered(NotOrdered::PriceUnknown, _) => None,
        Failure::NotOrdered(why, _) => {
            Some(Answer { status: 409, code: Some(why.as_str().into()), about: None })
        }
        _ => None,
    }
}

/// What a ledger keeps of a refusal: the answer that the caller was given.
pub fn kept_refusal(refusal: &Refusal) -> Answer {
    let status = match refusal {
        Refusal::LineNotFound => 404,
        Refusal::NotUndoable(_) | Refusal::Sealed(_) => 409,
        _ => 422,
    };
    Answer { status, code: Some(refusal.code().as_str().into()), about: None }
}
