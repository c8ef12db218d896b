//! What the server keeps of a cart. Plain data: the modules beside this one say how it changes.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::ids::{
    CartId, ClientId, Generation, LeftoverId, OpId, OrderId, Quantity, Revision, Seq, SessionId,
};
use crate::item::{Item, LineId};
use crate::money::Money;
use crate::time::Timestamp;

use super::op::{MergePolicy, NoticeCode, OpKind, RefusalCode};

/// A cart: guest's or account's. Parts are shared (`Arc`), so that a copy is cheap and an unchanged part is told by its pointer.
#[derive(Clone, Debug, PartialEq)]
pub struct Cart {
    /// Its name.
    pub id: CartId,
    /// Whose sort it is, from its first write to its end.
    pub holder: Holder,
    /// How many checkouts it had.
    pub generation: Generation,
    /// The revision at which the present generation began: that of the last checkout, or 0.
    pub generation_start: Revision,
    /// How many ops it took in.
    pub revision: Revision,
    /// Counts the stored changes: the version that a store compares. A refused op of a device uses up its seq without a
    /// revision, so the revision alone would not tell.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Its lines, in the order they were added; tombstones stand among them.
    pub lines: Vec<Arc<Line>>,
    /// Saved for later: lines of the same form.
    pub saved: Vec<Arc<Line>>,
    /// The live clients, at most 32.
    pub clients: Vec<Arc<Client>>,
    /// Digests of clients that were dropped or whose lease lapsed, oldest first.
    pub departed: Vec<Departed>,
    /// The last changes, oldest first: undo, history and live updates come from it.
    pub ring: VecDeque<Arc<Change>>,
    /// Up to this revision the cart is folded; no live or new client's base is below it.
    pub floor: Revision,
    /// The last revision of each day that had one, oldest first: how the floor knows a revision's age.
    pub marks: Vec<(Revision, Timestamp)>,
    /// Guest carts that were merged into this one and whose clients have not all left.
    pub merged: Vec<Arc<Merged>>,
    /// Merges and cancelled orders that were applied and not yet marked done at their other end.
    pub applied: Vec<Applied>,
    /// What it is owed and has no room for, oldest first: records of their own, so that the cart stays bounded.
    pub leftovers: Vec<LeftoverRef>,
    /// Where this cart went; a sealed cart takes no op.
    pub sealed: Option<Seal>,
    /// What the last change did that the shopper did not ask for.
    pub notices: Vec<Notice>,
}

/// Who can hold a cart. What is in a guest's moves into an account's; the cart itself never changes hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A session that nobody signed in.
    Guest,
    /// An account, through whatever session.
    Account,
}

/// One line: its quantity is the register's value plus the adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Derived from the item.
    pub id: LineId,
    /// What it is of; none where only its id was ever named (a REMOVE of a line the server never saw). A line that is
    /// not shown any more keeps it for history and undo, until its place is needed.
    pub item: Option<Arc<Item>>,
    /// The newest SET, REMOVE or CLEAR.
    pub register: Option<Register>,
    /// The adds that no SET, REMOVE or CLEAR had observed, by ascending revision.
    pub adds: Vec<Add>,
    /// Of each merged guest cart, that cart's register of this line.
    pub guests: Vec<GuestRegister>,
    /// What one unit cost when the cart last changed, as far as the catalogue could tell.
    pub price: Option<Money>,
    /// When it last came into the cart.
    pub added_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Who wrote: a device's queue, or a plain call of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Author {
    /// A client with its own numbering.
    Device(ClientId),
    /// A plain REST call: it has no client record and observes nothing as "its own".
    Session(SessionId),
}

/// The value that the newest SET, REMOVE or CLEAR gave a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Register {
    /// The time it counts as made at; the newer register wins by `(eff, base, author, seq)`.
    pub eff: Timestamp,
    /// The newest revision its writer had seen.
    pub base: Revision,
    /// Its writer.
    pub author: Author,
    /// Its number in the writer's queue; for a plain call its revision.
    pub seq: Seq,
    /// Its value; 0 is a tombstone, the only one there is.
    pub n: Quantity,
    /// The revision at which it was taken in.
    pub revision: Revision,
}

/// Units that were added, or a run of them that was folded into one.
#[derive(Clone, Debug, PartialEq)]
pub struct Add {
    /// Its revision, the highest of those it holds: it is observed by who has seen this one.
    pub revision: Revision,
    /// The lowest revision it holds: the same, but for folded and coalesced ones.
    pub from: Revision,
    /// The client that made all of it; none for plain calls and for folded ones.
    pub client: Option<ClientId>,
    /// Its number in the client's queue; 0 where it has no client.
    pub seq: Seq,
    /// How many units.
    pub n: Quantity,
    /// Where it came from, if a merge brought it.
    pub origin: Option<Box<Origin>>,
}

/// Where an imported add came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The guest cart.
    pub cart: CartId,
    /// Its revision there.
    pub revision: Revision,
    /// Its client there.
    pub client: Option<ClientId>,
    /// Its number in that client's queue.
    pub seq: Seq,
    /// Whether it was the guest's register (whose value it holds) and not a plain add.
    pub register: bool,
    /// Whether it was on the guest's saved list and not in its cart: limits may have put it on another list here.
    pub saved: bool,
}

/// A merged guest cart's register of an account's line: late ops of the guest's devices compete with it alone.
#[derive(Clone, Debug, PartialEq)]
pub struct GuestRegister {
    /// The guest cart.
    pub cart: CartId,
    /// The register as it stood there; its revision and base are the guest cart's.
    pub register: Register,
    /// What of its value did not come in, since the account held as much already (policy `max`).
    pub withheld: Quantity,
}

/// One queue of one device.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// The id that the device made.
    pub id: ClientId,
    /// The highest seq taken in.
    pub last_seq: Seq,
    /// The latest `eff` of its writes.
    pub last_eff: Timestamp,
    /// When it last synced.
    pub last_seen: Timestamp,
    /// The base of its last op: the least it may still send, and what it holds of the floor.
    pub lowest_base: Revision,
    /// Its last ops, oldest first, at most 64.
    pub recent: VecDeque<Recent>,
    /// The guest cart it moved here with, until its first op with a base of this cart.
    pub guest: Option<GuestBase>,
}

/// An op a client sent lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recent {
    /// Its number.
    pub seq: Seq,
    /// Its random number: the same seq with another one is a forked queue.
    pub op_id: OpId,
    /// Why it was refused, if it was.
    pub refused: Option<RefusalCode>,
}

/// What a moved client had seen of its guest cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestBase {
    /// The guest cart.
    pub cart: CartId,
    /// The least base, in the guest cart's revisions, that it may still send.
    pub lowest_base: Revision,
}

/// What is kept for a year of a client that was dropped, so that its old queue cannot count twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departed {
    /// The first eight bytes of SHA-256 of its id.
    pub digest: [u8; 8],
    /// When it was dropped.
    pub at: Timestamp,
}

/// A guest cart that came into this one.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The guest cart.
    pub cart: CartId,
    /// The merge's revision in this cart.
    pub revision: Revision,
    /// The guest cart's revision when it was sealed.
    pub guest_revision: Revision,
    /// The revision at which the guest cart's last generation began.
    pub guest_generation_start: Revision,
    /// How many checkouts the guest cart had.
    pub guest_generation: Generation,
    /// By which policy.
    pub policy: MergePolicy,
}

/// Something from elsewhere that was applied here once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What.
    pub key: AppliedKey,
    /// At which revision.
    pub revision: Revision,
}

/// The dedupe key of something that comes in from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppliedKey {
    /// A guest cart was merged.
    Merge(CartId),
    /// An order was cancelled and gave its lines back.
    Cancel(OrderId),
}

/// A leftover, as it is kept beside its cart.
#[derive(Clone, Debug, PartialEq)]
pub struct Leftover {
    /// Its name.
    pub id: LeftoverId,
    /// The version that a store compares.
    pub version: u64,
    /// What brought it.
    pub from: LeftoverFrom,
    /// When it was made.
    pub at: Timestamp,
    /// Its lines, in the order they came; each holds adds alone.
    pub lines: Vec<LeftoverLine>,
}

/// One line of a leftover.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftoverLine {
    /// It was to come onto the saved list and not into the cart.
    pub saved: bool,
    /// Its units, each with where it came from.
    pub line: Arc<Line>,
}

/// What brought units that found no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftoverFrom {
    /// A guest's cart at a sign-in, and late ops of its devices.
    Merge(CartId),
    /// A cancelled order.
    Cancel(OrderId),
    /// Late ops of this cart's own devices.
    Late(CartId),
}

/// What a cart keeps of a leftover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftoverRef {
    /// Its name.
    pub id: LeftoverId,
    /// What brought it.
    pub from: LeftoverFrom,
    /// The revision at which it came: of the merge, the cancel, the first late op.
    pub revision: Revision,
    /// A guest had it, and it came along at the sign-in.
    pub followed: bool,
}

/// Where a sealed guest cart went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The account's cart.
    pub into: CartId,
    /// The account's cart has applied it and its dedupe key may go.
    pub done: bool,
}

/// One change, as undo and history need it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its revision.
    pub revision: Revision,
    /// When it was taken in.
    pub at: Timestamp,
    /// Who made it.
    pub author: Author,
    /// Its number in the author's queue; for a plain call its revision.
    pub seq: Seq,
    /// What it was.
    pub kind: OpKind,
    /// What it did to each line it touched.
    pub pieces: Vec<Piece>,
    /// Where it put what found no room, or from where it brought something in.
    pub leftover: Option<Box<LeftoverRef>>,
}

/// What one change did to one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// The line.
    pub line: LineId,
    /// On the saved list, not in the cart.
    pub saved: bool,
    /// Units before.
    pub before: Quantity,
    /// Units after.
    pub after: Quantity,
    /// Units that the op dropped: the register it replaced and the adds it had observed.
    pub dropped: Quantity,
}

/// Something the shopper should know of the last change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What.
    pub code: NoticeCode,
    /// Which line, if one.
    pub line: Option<LineId>,
    /// How many lines it is about; 0 where it is about none.
    pub lines: u32,
    /// What became of their units, where a quantity was over a limit.
    pub units: Option<Units>,
    /// Where lines were left over.
    pub leftover: Option<LeftoverId>,
}

/// What became of units that were brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Units {
    /// How many came.
    pub brought: Quantity,
    /// How many of them are in the cart.
    pub went_in: Quantity,
    /// How many are on the saved list; the others are left over.
    pub saved: Quantity,
}
