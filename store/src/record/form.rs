//! The records' forms: which fields, in which order, since which format, and which number each name has.

use trolley_core::access::Scope;
use trolley_core::account::Account;
use trolley_core::account::audit::{AuditEntry, AuditEvent, EventKind, Trail};
use trolley_core::account::sessions::{AccountSessions, KnownDevice, Series, SignedInEntry as SignedIn};
use trolley_core::cart::op::{MergePolicy, NoticeCode, OpKind, RefusalCode};
use trolley_core::cart::state::{
    Add, Applied, AppliedKey, Author, Cart, Change, Client, Departed, GuestBase, GuestRegister, Holder,
    Leftover, LeftoverFrom, LeftoverLine, LeftoverRef, Line, Merged, Notice, Origin, Piece, Recent, Register,
    Seal, Units,
};
use trolley_core::chain::{Successor, TokenChain};
use trolley_core::ledger::{Ledger, LedgerAnswer, LedgerEntry};
use trolley_core::money::Money;
use trolley_core::order::{Order, OrderLine, SealedOrders, Sealing};
use trolley_core::session::{Device, Session, SignIn, Transport};

use crate::record::bytes::{DecodeError, Reader, Writer};
use crate::record::field::{Field, fields, numbered, tagged};
use crate::records::Record;
use crate::records::own::{ApiKey, Clock, Data, EmailOwner, Remember, ResetToken, Token};
use crate::records::table::table;

fields! {
    Cart as Cart {
        id, holder, generation, generation_start, revision, version, created_at, updated_at, lines, saved, clients,
        departed, ring, floor, marks, merged, applied, leftovers, sealed, notices,
    }
    Line as Line { id, item, register, adds, guests, price, added_at, updated_at }
    Money as Money { amount, currency }
    Register as Register { eff, base, author, seq, n, revision }
    Add as Add { revision, from, client, seq, n, origin }
    Origin as Origin { cart, revision, client, seq, register, saved }
    GuestRegister as GuestRegister { cart, register, withheld }
    Client as Client { id, last_seq, last_eff, last_seen, lowest_base, recent, guest }
    GuestBase as GuestBase { cart, lowest_base }
    Departed as Departed { digest, at }
    Merged as Merged { cart, revision, guest_revision, guest_generation_start, guest_generation, policy }
    Applied as Applied { key, revision }
    Seal as Seal { into, done }
    Change as Change { revision, at, author, seq, kind, pieces, leftover }
    Piece as Piece { line, saved, before, after, dropped }
    Notice as Notice { code, line, lines, units, leftover }
    Units as Units { brought, went_in, saved }
    LeftoverRef as LeftoverRef { id, from, revision, followed }
    LeftoverLine as LeftoverLine { saved, line }
    Leftover as Leftover { id, version, from, at, lines }
    Session as Session { id, version, tokens, transport, cart, created_at, last_seen, presented, began_with_cart, sign_in }
    SignIn as SignIn { account, at, device }
    Device as Device { name, address }
    TokenChain as TokenChain { present, since, renewals, key, successor, replaced }
    Successor as Successor { digest, key }
    Token as Token { digest, session, retired_at }
    Ledger as Ledger { session, version, entries }
    LedgerEntry as LedgerEntry { key, request, at, answer }
    LedgerAnswer as LedgerAnswer { status, code, about }
    Clock as Clock { version, ahead_ms }
    ApiKey as ApiKey { digest, id, name, scopes, created_at }
    AccountSessions as AccountSessions { account, version, epoch, entries, series, devices }
    SignedIn as SignedIn { session, signed_in_at }
    Series as Series {
        id, session, tokens, uses, made_by, expires_at, device, first_seen, last_seen,
    }
    KnownDevice as KnownDevice { digest, last_used }
    Remember as Remember { digest, account, series }
    AuditEvent as AuditEvent { id, version, account, row }
    AuditEntry as AuditEntry { at, what, session, address, device }
    Trail as Trail { account, version, rows }
    Account as Account { id, version, shop_id, email, password, cart, reset, created_at, password_at }
    EmailOwner as EmailOwner { digest, account }
    ResetToken as ResetToken { digest, account, expires_at }
    Order as Order {
        id, version, cart, session, generation, revision, created_at, lines, subtotal, cancelled_at, owed,
    }
    OrderLine as OrderLine { item, quantity, title, unit_price, line_total }
    Sealing as Sealing { from, version, into }
    SealedOrders as SealedOrders { link, newest, oldest }
    Data as Data { session, version, json }
}

/// An op's random number has all its bits: eight bytes are shorter than a number of varying length.
impl Field for Recent {
    fn put(&self, out: &mut Writer) {
        let Recent { seq, op_id, refused } = self;
        seq.put(out);
        op_id.to_le_bytes().put(out);
        refused.put(out);
    }
    fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Recent {
            seq: Field::take(from)?,
            op_id: u64::from_le_bytes(Field::take(from)?),
            refused: Field::take(from)?,
        })
    }
}

tagged! {
    Author { 1 Device, 2 Session }
    AppliedKey { 1 Merge, 2 Cancel }
    LeftoverFrom { 1 Merge, 2 Cancel, 3 Late }
}

/// A record is the number of its kind, and what it holds.
macro_rules! record {
    ($($(#[$doc:meta])* $number:literal $name:ident($id:ty) holds $holds:ty, id |$it:ident| $of_id:expr, version $version:expr;)*) => {
        impl Field for Record {
            fn put(&self, out: &mut Writer) {
                match self {
                    $(Record::$name(held) => {
                        out.push($number);
                        held.put(out);
                    })*
                }
            }
            fn take(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match from.u8()? {
                    $($number => Field::take(from).map(Record::$name),)*
                    _ => Err(DecodeError("an unknown kind of record")),
                }
            }
        }
    };
}
table!(record);

numbered! {
    Holder { 1 Guest, 2 Account }
    OpKind {
        1 Add, 2 Set, 3 Remove, 4 Clear, 5 Save, 6 Unsave, 7 Discard, 8 Undo, 9 Merge, 10 Checkout, 11 Cancel,
        12 BringIn, 13 DropLeftover,
    }
    RefusalCode {
        1 LineNotFound, 2 QuantityOverLimit, 3 QuantityZero, 4 TooManyLines, 5 TooManySaved, 6 TooMuchText,
        7 UnknownSku, 8 NotUndoable, 9 Invalid, 10 Sealed, 11 TotalTooLarge, 12 TooManyLeftovers, 13 LeftoverNotFound,
    }
    NoticeCode { 1 CartsMerged, 2 QuantityClamped, 3 LinesSaved, 4 Superseded, 5 LinesLeftOver }
    MergePolicy { 1 Sum, 2 Max, 3 KeepAccount, 4 KeepGuest }
    Transport { 1 Cookie, 2 Bearer }
    Scope { 1 OrdersRead, 2 Orders, 3 AccountsRead, 4 Accounts, 5 SignIns, 6 Audit }
    EventKind {
        1 AccountCreated, 2 AccountDeleted, 3 SignedIn, 4 Remembered, 5 SignInFailed, 6 SignedOut, 7 SessionRenewed,
        8 SessionExpired, 9 SessionRevoked, 10 SessionsRevoked, 11 TokenReplayed, 12 PasswordChanged,
        13 PasswordChangeFailed, 14 ResetIssued, 15 PasswordReset, 16 CartsMerged,
    }
}
