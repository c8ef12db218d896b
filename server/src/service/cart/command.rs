//! A change of a cart as it is asked for, and what came of it.

use trolley_core::cart::op::{NotUndoable, Refusal};
use trolley_core::ids::{CartId, SessionId};
use trolley_core::ledger::LedgerAnswer;

use crate::service::cart::context::Output;
use crate::service::cart::kind::CommandKind;
use crate::service::cart::preconditions::{IdempotencyKey, Preconditions};
use crate::service::catalogue::shown::PricedCart;
use crate::service::error::{CheckoutRefusal, ServiceError};
use crate::service::limits::addresses::Payer;
use crate::service::limits::quotas::QuotaRequest;
use crate::service::session::claim::Claim;

/// A change of a cart that waits for its turn.
#[derive(Clone, Debug)]
pub struct Command {
    /// What it rests on, still when the change is committed. None where the shop's own systems ask.
    pub claim: Option<Claim>,
    /// Of which cart.
    pub cart: CartId,
    /// Whose allowance of bytes it uses up; nobody's where the shop's own systems ask.
    pub payer: Option<Payer>,
    /// On which terms.
    pub terms: Preconditions,
    /// What is wanted.
    pub task: CommandKind,
}

impl Command {
    /// Whose it is.
    pub(crate) fn session(&self) -> Option<SessionId> {
        self.claim.map(|claim| claim.session)
    }

    /// Under which key of which session its answer is kept.
    pub(crate) fn keyed(&self) -> Option<(SessionId, IdempotencyKey)> {
        self.session().zip(self.terms.keyed)
    }

    /// What it asks of the quotas.
    pub(crate) fn asks(&self) -> QuotaRequest {
        let orders = self.claim.is_some() && matches!(self.task, CommandKind::Checkout(_));
        QuotaRequest {
            keyed: self.keyed().map(|(session, _)| session),
            checkout: orders.then_some(self.cart),
            payer: self.payer,
        }
    }
}

/// What came of an order.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The cart as of this change, or for a replay as it is now.
    pub cart: PricedCart,
    /// Whether it was done by this order, or by an earlier one under the same key.
    pub made: Result<Output, Replay>,
}

/// What the same key was answered before: nothing was changed by this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay(pub LedgerAnswer);

/// Refusals that pass by themselves, whoever gives them: the cart is being merged, ops that were sent before are still on their
/// way, nobody can tell a price right now. Kept under its key, one would hold for a day what another try brings in.
const PASSING: [&str; 3] = ["cart_sealed", "sequence_gap", "price_unknown"];

/// What a ledger keeps of a failure: of one that the cart itself is the reason for. What another try may answer
/// otherwise (a store that is down, a session that ended) is not kept.
pub(crate) fn kept_failure(failure: &ServiceError) -> Option<LedgerAnswer> {
    let passes = |answer: &LedgerAnswer| answer.code.as_deref().is_some_and(|code| PASSING.contains(&code));
    answer_of(failure).filter(|answer| !passes(answer))
}

fn answer_of(failure: &ServiceError) -> Option<LedgerAnswer> {
    match failure {
        ServiceError::Refused(refusal) => Some(kept_refusal(refusal)),
        ServiceError::SyncRefused(refusal) => crate::service::cart::sync::kept(refusal),
        ServiceError::Stale(_) => {
            Some(LedgerAnswer { status: 412, code: Some("precondition_failed".into()), about: None })
        }
        // It passes: the same call is to be sold by the price that is known by then.
        ServiceError::CheckoutRefused(CheckoutRefusal::PriceUnknown, _) => None,
        ServiceError::CheckoutRefused(why, _) => {
            Some(LedgerAnswer { status: 409, code: Some(why.as_str().into()), about: None })
        }
        _ => None,
    }
}

/// What a ledger keeps of a refusal: the answer that the caller was given, with the number that is in its words.
pub fn kept_refusal(refusal: &Refusal) -> LedgerAnswer {
    let status = match refusal {
        Refusal::LineNotFound => 404,
        Refusal::NotUndoable(_) | Refusal::Sealed(_) => 409,
        _ => 422,
    };
    let number = match refusal {
        Refusal::QuantityOverLimit(most) => Some(u64::from(*most)),
        Refusal::TooManyLines(most) | Refusal::TooManySaved(most) | Refusal::TooMuchText(most) => {
            u64::try_from(*most).ok()
        }
        Refusal::NotUndoable(why) => NOT_UNDOABLE.iter().position(|other| other == why).map(|n| n as u64),
        _ => None,
    };
    let about = number.map(|number| u128::from(number).to_be_bytes());
    LedgerAnswer { status, code: Some(refusal.code().as_str().into()), about }
}

/// Why a change cannot be taken back, by number.
const NOT_UNDOABLE: [NotUndoable; 3] = [NotUndoable::Unknown, NotUndoable::Kind, NotUndoable::Gone];

/// The refusal that a ledger kept, as the caller was told it; none where it was another failure.
pub fn refused_before(answer: &LedgerAnswer) -> Option<Refusal> {
    let number = || answer.about.map(u128::from_be_bytes);
    let most = || number().and_then(|number| usize::try_from(number).ok());
    Some(match answer.code.as_deref()? {
        "line_not_found" => Refusal::LineNotFound,
        "quantity_over_limit" => Refusal::QuantityOverLimit(number()?.try_into().ok()?),
        "invalid_quantity" => Refusal::QuantityZero,
        "too_many_lines" => Refusal::TooManyLines(most()?),
        "too_many_saved_lines" => Refusal::TooManySaved(most()?),
        "cart_too_large" => Refusal::TooMuchText(most()?),
        "unknown_sku" => Refusal::UnknownSku,
        "total_too_large" => Refusal::TotalTooLarge,
        "not_undoable" => Refusal::NotUndoable(*NOT_UNDOABLE.get(most()?)?),
        _ => return None,
    })
}
