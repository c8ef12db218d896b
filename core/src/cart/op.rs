//! What may be asked of a cart, and what came of it: intents, ops, outcomes, refusals.

use std::sync::Arc;

use crate::ids::{CartId, ClientId, Generation, LeftoverId, OpId, Quantity, Revision, Seq, SessionId};
use crate::item::{Item, LineId};
use crate::time::{Span, Timestamp};

/// A line as a caller names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineRef {
    /// By sku and options.
    Item(Arc<Item>),
    /// By its id alone.
    Id(LineId),
}

impl LineRef {
    /// Its id.
    pub fn id(&self) -> LineId {
        match self {
            LineRef::Item(item) => item.line_id(),
            LineRef::Id(id) => *id,
        }
    }

    /// Its item, where the caller named it.
    pub fn item(&self) -> Option<&Arc<Item>> {
        match self {
            LineRef::Item(item) => Some(item),
            LineRef::Id(_) => None,
        }
    }
}

/// What a shopper wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// So many more; n ≥ 1.
    Add(LineRef, Quantity),
    /// Exactly so many; 0 means REMOVE.
    Set(LineRef, Quantity),
    /// None.
    Remove(LineRef),
    /// None of the lines named; a plain call names none and means all it had seen.
    Clear(Option<Vec<LineId>>),
    /// Off the cart, onto the saved list.
    Save(LineRef),
    /// Off the saved list, into the cart.
    Unsave(LineRef),
    /// Off the saved list, for good.
    Discard(LineRef),
    /// Take back an op: by its seq (a device's own), or by its revision (a plain call).
    Undo(u64),
    /// Out of a leftover what fits now.
    BringIn(LeftoverId),
    /// A leftover, for good.
    DropLeftover(LeftoverId),
}

/// The name of an op in history and results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpKind {
    /// ADD.
    Add,
    /// SET.
    Set,
    /// REMOVE.
    Remove,
    /// CLEAR.
    Clear,
    /// SAVE.
    Save,
    /// UNSAVE.
    Unsave,
    /// Removed from the saved list.
    Discard,
    /// UNDO.
    Undo,
    /// A guest cart came in at a sign-in.
    Merge,
    /// A checkout took the lines.
    Checkout,
    /// A cancelled order gave its lines back.
    Cancel,
    /// A leftover was brought in, as far as it fitted.
    BringIn,
    /// A leftover was dropped.
    DropLeftover,
}

impl OpKind {
    /// Its name in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            OpKind::Add => "add",
            OpKind::Set => "set",
            OpKind::Remove => "remove",
            OpKind::Clear => "clear",
            OpKind::Save => "save",
            OpKind::Unsave => "unsave",
            OpKind::Discard => "discard",
            OpKind::Undo => "undo",
            OpKind::Merge => "merge",
            OpKind::Checkout => "checkout",
            OpKind::Cancel => "cancel",
            OpKind::BringIn => "bring_in",
            OpKind::DropLeftover => "drop_leftover",
        }
    }
}

/// A change asked for by a caller without a queue: the plain REST calls.
#[derive(Clone, Debug)]
pub struct Call {
    /// Whose session.
    pub session: SessionId,
    /// The newest revision the caller had seen (`If-Match`); none means the newest there is.
    pub base: Option<Revision>,
    /// When it was received.
    pub at: Timestamp,
    /// What is wanted.
    pub intent: Intent,
}

/// A device's delivery of a part of its queue.
#[derive(Clone, Debug)]
pub struct SyncCall {
    /// Which queue.
    pub client: ClientId,
    /// When it was received.
    pub at: Timestamp,
    /// The ops, in seq order; may be empty.
    pub ops: Vec<Op>,
}

/// One op of a queue.
#[derive(Clone, Debug)]
pub struct Op {
    /// 1, 2, 3 … per client.
    pub seq: Seq,
    /// Random.
    pub op_id: OpId,
    /// Which cart the device showed; none where it had seen none.
    pub cart: Option<CartId>,
    /// The generation it showed; only read where `base` is 0.
    pub generation: Option<Generation>,
    /// The newest revision of that cart it had when the shopper acted.
    pub base: Revision,
    /// How long ago that was; a negative age counts as none.
    pub age: Span,
    /// What is wanted, or what is wrong with it: it uses up its seq all the same.
    pub intent: Result<Intent, Refusal>,
}

/// What became of one op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it says.
    Applied,
    /// It was taken in before: a success.
    Duplicate,
    /// An UNDO whose add is gone already.
    Covered,
    /// A newer SET, REMOVE or CLEAR stands, or the cart has since been checked out.
    Superseded,
    /// An ADD of an older generation: it is in the new cart.
    Carried,
    /// It is in the cart as far as limits let it; the rest is on the saved list, or left over.
    Clamped,
    /// Refused by itself; the reason stands beside it.
    Rejected,
}

/// Why one op or plain call is refused. Nothing of the cart changes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The line is not in the cart, and its id alone does not tell what it is of.
    #[error("there is no such line in the cart")]
    LineNotFound,
    /// The quantity would pass the limit.
    #[error("a line holds at most {0} units")]
    QuantityOverLimit(Quantity),
    /// A quantity below 1.
    #[error("a quantity is at least 1")]
    QuantityZero,
    /// One line too many.
    #[error("a cart holds at most {0} lines")]
    TooManyLines(usize),
    /// One saved line too many.
    #[error("a cart holds at most {0} saved lines")]
    TooManySaved(usize),
    /// The skus and options of all lines together are too long.
    #[error("the skus and options of a cart's lines hold at most {0} bytes together")]
    TooMuchText(usize),
    /// The shop's catalogue does not have it.
    #[error("the shop has no such product")]
    UnknownSku,
    /// What the cart would cost is more than an amount can be.
    #[error("the cart's total would be larger than an amount can be")]
    TotalTooLarge,
    /// A change cannot be taken back, for this reason.
    #[error(transparent)]
    NotUndoable(#[from] NotUndoable),
    /// The op does not say what it should.
    #[error("{0}")]
    Invalid(String),
    /// The cart was merged into another; the op belongs there.
    #[error("this cart was merged into another")]
    Sealed(CartId),
    /// What is owed finds no room, not even beside the cart.
    #[error("a cart has at most {0} leftovers: bring one in or drop it first")]
    TooManyLeftovers(usize),
    /// The cart has no such leftover, or not any more.
    #[error("the cart has no such leftover")]
    LeftoverNotFound,
}

/// Why a change cannot be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUndoable {
    /// There never was such a change, or the history has let go of it.
    #[error("the history does not hold this change, or not any more")]
    Unknown,
    /// Money may have moved, or it took something back itself.
    #[error("a checkout, a cancelled order, a dropped leftover and an undo cannot be taken back")]
    Kind,
    /// It was undone before, or later changes took its place.
    #[error("nothing of this change is left that could be taken back")]
    Gone,
}

/// A refusal without its particulars, as a client's record keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the refusal of the same name")]
pub enum RefusalCode {
    LineNotFound,
    QuantityOverLimit,
    QuantityZero,
    TooManyLines,
    TooManySaved,
    TooMuchText,
    UnknownSku,
    TotalTooLarge,
    NotUndoable,
    Invalid,
    Sealed,
    TooManyLeftovers,
    LeftoverNotFound,
}

impl RefusalCode {
    /// The stable name that answers carry as `code`.
    pub fn as_str(self) -> &'static str {
        match self {
            RefusalCode::LineNotFound => "line_not_found",
            RefusalCode::QuantityOverLimit => "quantity_over_limit",
            RefusalCode::QuantityZero => "invalid_quantity",
            RefusalCode::TooManyLines => "too_many_lines",
            RefusalCode::TooManySaved => "too_many_saved_lines",
            RefusalCode::TooMuchText => "cart_too_large",
            RefusalCode::UnknownSku => "unknown_sku",
            RefusalCode::TotalTooLarge => "total_too_large",
            RefusalCode::NotUndoable => "not_undoable",
            RefusalCode::Invalid => "invalid_op",
            RefusalCode::Sealed => "cart_sealed",
            RefusalCode::TooManyLeftovers => "too_many_leftovers",
            RefusalCode::LeftoverNotFound => "leftover_not_found",
        }
    }
}

impl Refusal {
    /// Its name.
    pub fn code(&self) -> RefusalCode {
        match self {
            Refusal::LineNotFound => RefusalCode::LineNotFound,
            Refusal::QuantityOverLimit(_) => RefusalCode::QuantityOverLimit,
            Refusal::QuantityZero => RefusalCode::QuantityZero,
            Refusal::TooManyLines(_) => RefusalCode::TooManyLines,
            Refusal::TooManySaved(_) => RefusalCode::TooManySaved,
            Refusal::TooMuchText(_) => RefusalCode::TooMuchText,
            Refusal::UnknownSku => RefusalCode::UnknownSku,
            Refusal::TotalTooLarge => RefusalCode::TotalTooLarge,
            Refusal::NotUndoable(_) => RefusalCode::NotUndoable,
            Refusal::Invalid(_) => RefusalCode::Invalid,
            Refusal::Sealed(_) => RefusalCode::Sealed,
            Refusal::TooManyLeftovers(_) => RefusalCode::TooManyLeftovers,
            Refusal::LeftoverNotFound => RefusalCode::LeftoverNotFound,
        }
    }
}

/// Why a whole sync call is refused. Nothing of the cart or the client changes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyncRefusal {
    /// A seq was skipped.
    #[error("the next op of this client is {expected}")]
    SequenceGap {
        /// The seq that should have come.
        expected: Seq,
    },
    /// The same seq came with another op id: the queue was copied.
    #[error("seq {seq} was taken in with another op_id")]
    ClientForked {
        /// That seq.
        seq: Seq,
    },
    /// An op names another cart.
    #[error("an op names a cart that is not this one")]
    ForeignCart,
    /// The client was dropped, or is unknown and does not begin at seq 1 with a base above the floor.
    #[error("this client has expired")]
    ClientExpired,
    /// Too many clients came and went.
    #[error("this cart has seen too many devices")]
    TooManyClients,
    /// A base below the client's last one.
    #[error("op {seq} has base {base}, and the one before it {lowest}")]
    BaseDecreased {
        /// The op.
        seq: Seq,
        /// Its base.
        base: Revision,
        /// The least it may be.
        lowest: Revision,
    },
    /// More ops than a call may hold.
    #[error("a call holds at most {0} ops")]
    TooManyOps(usize),
    /// The cart was merged into another; the ops belong there.
    #[error("this cart was merged into another")]
    Sealed(CartId),
}

/// What became of one op of a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpResult {
    /// Its number.
    pub seq: Seq,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was refused, now or when it first came.
    pub code: Option<RefusalCode>,
}

/// What a sync did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncOutcome {
    /// The highest seq taken in.
    pub acked: Seq,
    /// One result an op, in the order they came.
    pub results: Vec<OpResult>,
}

/// How a guest's cart comes into an account's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MergePolicy {
    /// Both adds were real.
    #[default]
    Sum,
    /// Of each line the larger quantity.
    Max,
    /// The guest's lines go to the saved list.
    KeepAccount,
    /// The account's lines go to the saved list, the guest's come in.
    KeepGuest,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeCode {
    /// A guest's cart came in.
    CartsMerged,
    /// A quantity was over its limit.
    QuantityClamped,
    /// Lines went to the saved list.
    LinesSaved,
    /// Lines found room neither in the cart nor on the saved list.
    LinesLeftOver,
    /// A newer change stood against the op.
    Superseded,
}
