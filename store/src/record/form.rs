//! The records' forms in format 1: which fields, in which order, and which number each name has.

use std::sync::Arc;

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

use crate::kind::{ApiKey, Clock, Data, EmailOwner, Record, Remember, ResetToken, Token};

use super::bytes::{DecodeError, Reader};
use super::field::{Field, fields, numbered, tagged};

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
    Data as Data { session, version, json }
    Sealing as Sealing { from, version, into }
    SealedOrders as SealedOrders { link, newest, oldest }
}

/// An op's random number has all its bits: eight bytes are shorter than a number of varying length.
impl Field for Recent {
    fn put(&self, out: &mut Vec<u8>) {
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
    Record {
        1 Cart, 2 Session, 3 Token, 4 Ledger, 5 Clock, 6 Order, 7 OrderLink, 8 Data, 9 ApiKey, 10 Audit, 11 Trail,
        12 Account, 13 Email, 14 AccountSessions, 15 Reset, 17 Remember, 18 Sealing,
        19 SealingLink,
    }
}

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

/// Bytes that a decoded record takes in memory, about.
pub fn weight(record: &Record) -> usize {
    /// A share's two counters, and what an allocation costs besides.
    const SHARE: usize = 32;
    /// The address and the device's name of a row.
    const ROW_TEXT: usize = 64;
    /// An e-mail address, and a password's hash.
    const ACCOUNT_TEXT: usize = 160;
    fn line(line: &Arc<Line>) -> usize {
        let text = line.item.as_ref().map_or(0, |item| SHARE + size_of_val(&**item) + item.text_bytes());
        SHARE + size_of::<Line>() + text + size_of_val(&*line.adds) + size_of_val(&*line.guests)
    }
    fn client(client: &Arc<Client>) -> usize {
        SHARE + size_of::<Client>() + client.recent.len() * size_of::<Recent>()
    }
    fn change(change: &Arc<Change>) -> usize {
        SHARE + size_of::<Change>() + size_of_val(&*change.pieces)
    }
    fn device(device: &Device) -> usize {
        device.name.len() + device.address.len()
    }
    fn ordered(line: &OrderLine) -> usize {
        let text = line.item.text_bytes() + line.title.as_ref().map_or(0, |title| title.len());
        size_of::<OrderLine>() + SHARE + size_of_val(&*line.item) + text
    }
    let held = match record {
        Record::Cart(cart) => {
            let parts: usize = cart.lines.iter().chain(&cart.saved).map(line).sum::<usize>()
                + cart.clients.iter().map(client).sum::<usize>()
                + cart.ring.iter().map(change).sum::<usize>();
            size_of::<Cart>()
                + parts
                + size_of_val(&*cart.departed)
                + size_of_val(&*cart.marks)
                + size_of_val(&*cart.leftovers)
        }
        Record::Session(session) => {
            let signed_in = session
                .sign_in
                .as_ref()
                .map_or(0, |sign_in| SHARE + size_of::<SignIn>() + device(&sign_in.device));
            size_of::<Session>() + size_of_val(&*session.tokens.replaced) + signed_in
        }
        Record::Token(_) => size_of::<Token>(),
        Record::Ledger(ledger) => size_of::<Ledger>() + ledger.entries.len() * size_of::<LedgerEntry>(),
        Record::Clock(_) | Record::OrderLink(_) | Record::Sealing(_) | Record::SealingLink(_) => 0,
        Record::Order(order) => size_of::<Order>() + order.lines.iter().map(ordered).sum::<usize>(),
        Record::Data(data) => size_of::<Data>() + data.json.len(),
        Record::ApiKey(key) => size_of::<ApiKey>() + key.name.len() + size_of_val(&*key.scopes),
        Record::AccountSessions(of) => {
            let series = of.series.iter().map(|series| {
                size_of::<Series>() + size_of_val(&*series.tokens.replaced) + device(&series.device)
            });
            let series: usize = series.sum();
            size_of::<AccountSessions>() + size_of_val(&*of.entries) + series + size_of_val(&*of.devices)
        }
        Record::Remember(_) => size_of::<Remember>(),
        Record::Audit(_) => size_of::<AuditEvent>() + ROW_TEXT,
        Record::Trail(trail) => size_of::<Trail>() + trail.rows.len() * (size_of::<AuditEntry>() + ROW_TEXT),
        Record::Account(_) => size_of::<Account>() + ACCOUNT_TEXT,
        Record::Email(_) => size_of::<EmailOwner>(),
        Record::Reset(_) => size_of::<ResetToken>(),
    };
    size_of::<Record>() + SHARE + held
}
