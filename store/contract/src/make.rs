//! Records to put into stores.

use std::sync::Arc;

use trolley_core::access::Scope;
use trolley_core::account::Account;
use trolley_core::account::audit::{AuditEntry, AuditEvent, EventKind, Trail};
use trolley_core::account::sessions::AccountSessions;
use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::{Call, Intent, LineRef};
use trolley_core::cart::state::{Cart, Holder};
use trolley_core::chain::TokenChain;
use trolley_core::ids::{AccountId, ApiKeyId, CartId, OrderId, SeriesId, SessionId, TokenDigest};
use trolley_core::item::Item;
use trolley_core::ledger::{Ledger, LedgerAnswer, LedgerEntry};
use trolley_core::order::{Order, OrderLine, SealedOrders, Sealing};
use trolley_core::session::{Device, Session, SignIn, Transport};
use trolley_core::time::Timestamp;
use trolley_store::records::own::{ApiKey, Clock, Data, EmailOwner, Remember, ResetToken, Token};
use trolley_store::records::{Key, Record};

pub fn session_id(n: u8) -> SessionId {
    SessionId::from_bytes([n; 16])
}

pub fn cart_key(n: u8) -> Key {
    Key::Cart(CartId::from_bytes([n; 16]))
}

/// The first state of the record under `key`.
pub fn first(key: Key) -> Record {
    match key {
        Key::Cart(id) => next(&Record::Cart(Arc::new(Cart::new(id, Timestamp::from_ms(1))))),
        Key::Session(id) => Record::Session(Arc::new(Session {
            id,
            version: 1,
            tokens: TokenChain::new(TokenDigest::from_bytes([id.bytes()[0]; 32]), Timestamp::from_ms(1)),
            transport: Transport::Cookie,
            cart: None,
            created_at: Timestamp::from_ms(1),
            last_seen: Timestamp::from_ms(1),
            presented: false,
            began_with_cart: true,
            sign_in: None,
        })),
        Key::Token(digest) => Record::Token(Arc::new(Token {
            digest,
            session: session_id(digest.bytes()[0]),
            retired_at: None,
        })),
        Key::Ledger(session) => next(&Record::Ledger(Arc::new(Ledger::new(session)))),
        Key::CLOCK => Record::from(Clock { version: 1, ahead_ms: 0 }),
        Key::ApiKey(digest) => Record::ApiKey(Arc::new(ApiKey {
            digest,
            id: ApiKeyId::from_bytes([digest.bytes()[0]; 16]),
            name: "a key".into(),
            scopes: vec![Scope::Orders],
            created_at: Timestamp::from_ms(1),
        })),
        Key::AccountSessions(account) => {
            next(&Record::AccountSessions(Arc::new(AccountSessions::new(account))))
        }
        Key::Remember(digest) => {
            let account = AccountId::from_bytes([digest.bytes()[0]; 16]);
            Record::Remember(Arc::new(Remember { digest, account, series: SeriesId::from_bytes([1; 16]) }))
        }
        Key::Audit(id) => Record::Audit(Arc::new(AuditEvent { id, version: 1, account: None, row: row() })),
        Key::Trail(account) => next(&Record::Trail(Arc::new(Trail::new(account)))),
        Key::Account(id) => Record::Account(Arc::new(Account {
            id,
            version: 1,
            shop_id: None,
            email: None,
            password: None,
            cart: CartId::from_bytes(*id.bytes()),
            reset: None,
            created_at: Timestamp::from_ms(1),
            password_at: Timestamp::from_ms(1),
        })),
        Key::Email(digest) => Record::from(EmailOwner { digest, account: AccountId::from_bytes([1; 16]) }),
        Key::Reset(digest) => Record::Reset(Arc::new(ResetToken {
            digest,
            account: AccountId::from_bytes([1; 16]),
            expires_at: Timestamp::from_ms(9),
        })),
        Key::Order(id) => Record::Order(Arc::new(order(id))),
        Key::OrderLink(link) => Record::from(link),
        Key::Sealing(from) => Record::from(Sealing { from, version: 1, into: CartId::from_bytes([9; 16]) }),
        Key::SealingLink(link) => {
            let order = OrderId::from_bytes([8; 16]);
            Record::from(SealedOrders { link, newest: order, oldest: order })
        }
        Key::Data(session) => Record::Data(Arc::new(Data { session, version: 1, json: "{}".into() })),
    }
}

/// The cart as an account's.
pub fn of_account(record: &Record) -> Record {
    let Record::Cart(cart) = record else { panic!("{record:?} is no cart") };
    Record::Cart(Arc::new(Cart { holder: Holder::Account, ..Cart::clone(cart) }))
}

/// The cart after it went into another one; then after that was marked done.
pub fn sealed(record: &Record) -> Record {
    let Record::Cart(cart) = record else { panic!("{record:?} is no cart") };
    let mut cart = Cart::clone(cart);
    if !cart.seal(CartId::from_bytes([9; 16])) {
        cart.mark_merged();
    }
    Record::Cart(Arc::new(cart))
}

/// The session after an account was attached to it.
pub fn signed_in(record: &Record) -> Record {
    let Record::Session(session) = record else { panic!("{record:?} is no session") };
    let device = Device { name: "Firefox on Linux".into(), address: "192.0.2.1".into() };
    let sign_in = SignIn { account: AccountId::from_bytes([1; 16]), at: Timestamp::from_ms(1), device };
    Record::Session(Arc::new(Session {
        version: session.version + 1,
        sign_in: Some(sign_in.into()),
        ..Session::clone(session)
    }))
}

fn row() -> AuditEntry {
    AuditEntry::new(Timestamp::from_ms(1), EventKind::SignedIn)
        .from(Some("192.0.2.1"), Some("Firefox on Linux"))
}

/// An order of three units.
fn order(id: OrderId) -> Order {
    Order {
        id,
        version: 1,
        cart: CartId::from_bytes([id.bytes()[0]; 16]),
        session: session_id(id.bytes()[0]),
        generation: 0,
        revision: 2,
        created_at: Timestamp::from_ms(1),
        lines: vec![OrderLine {
            item: Arc::new(Item::new("a", Vec::new()).unwrap()),
            quantity: 3,
            title: None,
            unit_price: None,
            line_total: None,
        }],
        subtotal: None,
        cancelled_at: None,
        owed: false,
    }
}

/// The state after `record`: one version on, and changed as a service would change it.
pub fn next(record: &Record) -> Record {
    match record {
        Record::Cart(cart) => {
            let mut cart = Cart::clone(cart);
            let sku = format!("sku-{}", cart.version % 120);
            let item = Item::new(&sku, vec![("size".into(), "one".into())]).unwrap();
            let intent = Intent::Add(LineRef::Item(Arc::new(item)), 1);
            let at = Timestamp::from_ms(1_000 * cart.version);
            let call = Call { session: session_id(cart.id.bytes()[0]), base: None, at, intent };
            cart.call(&call, &Limits::default()).unwrap();
            Record::Cart(Arc::new(cart))
        }
        Record::Session(session) => {
            let last_seen = Timestamp::from_ms(session.last_seen.as_ms() + 1);
            let session =
                Session { version: session.version + 1, last_seen, presented: true, ..(**session).clone() };
            Record::Session(Arc::new(session))
        }
        Record::Sealing(sealing) => Record::from(Sealing { version: sealing.version + 1, ..**sealing }),
        Record::Token(_)
        | Record::OrderLink(_)
        | Record::SealingLink(_)
        | Record::Remember(_)
        | Record::ApiKey(_) => record.clone(),
        Record::AccountSessions(sessions) => {
            let mut sessions = AccountSessions::clone(sessions);
            sessions.leave_all();
            Record::AccountSessions(Arc::new(sessions))
        }
        Record::Order(order) => {
            let version = order.version + 1;
            let cancelled_at = Some(Timestamp::from_ms(version));
            Record::Order(Arc::new(Order { version, cancelled_at, ..Order::clone(order) }))
        }
        Record::Data(data) => {
            let version = data.version + 1;
            let json = format!("{{\"n\":{version}}}").into();
            Record::Data(Arc::new(Data { version, json, ..Data::clone(data) }))
        }
        Record::Ledger(ledger) => {
            let mut ledger = Ledger::clone(ledger);
            let mut key = [0; 16];
            key[..8].copy_from_slice(&ledger.version.to_be_bytes());
            let answer = LedgerAnswer { status: 200, code: Some("an_example".into()), about: None };
            ledger.keep(LedgerEntry { key, request: key, at: Timestamp::from_ms(ledger.version), answer });
            Record::Ledger(Arc::new(ledger))
        }
        Record::Clock(clock) => {
            Record::from(Clock { version: clock.version + 1, ahead_ms: clock.ahead_ms + 7 })
        }
        Record::Audit(event) => {
            let event = AuditEvent { version: event.version + 1, ..(**event).clone() };
            Record::Audit(Arc::new(event))
        }
        Record::Trail(trail) => {
            let mut trail = Trail::clone(trail);
            trail.note(row());
            Record::Trail(Arc::new(trail))
        }
        Record::Account(account) => Record::Account(Arc::new(account.next())),
        Record::Email(_) | Record::Reset(_) => record.clone(),
    }
}
