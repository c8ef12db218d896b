//! The bytes of every format that was released, as they were: today's code reads them, and writes the newest just so.

use std::path::Path;
use std::sync::Arc;

use trolley_core::access::Scope;
use trolley_core::account::Account;
use trolley_core::account::audit::{AuditEntry, AuditEvent, EventKind, Trail};
use trolley_core::account::email::Email;
use trolley_core::account::password::PasswordHash;
use trolley_core::account::sessions::{AccountSessions, Series, SignedInEntry as SignedIn};
use trolley_core::cart::op::NoticeCode;
use trolley_core::cart::state::{Cart, LeftoverFrom, LeftoverRef, Notice, Units};
use trolley_core::chain::{Successor, TokenChain};
use trolley_core::ids::{
    AccountId, ApiKeyId, CartId, EventId, KeyId, LeftoverId, OrderId, SeriesId, SessionId, TokenDigest,
};
use trolley_core::item::Item;
use trolley_core::ledger::{Ledger, LedgerAnswer, LedgerEntry};
use trolley_core::money::{Currency, Money};
use trolley_core::order::{Order, OrderLine, SealedOrders, Sealing, SealingLink};
use trolley_core::session::{Device, Session, SignIn, Transport};
use trolley_core::time::Timestamp;
use trolley_store::record::{FORMAT, apply, decode, delta, encode};
use trolley_store::records::Record;
use trolley_store::records::own::{ApiKey, Clock, Data, EmailOwner, Remember, ResetToken, Token};

use crate::history::{cart, change, item, record};

/// One record of each kind, the cart with everything that a cart can hold.
pub(crate) fn samples() -> Vec<(&'static str, Record)> {
    let session = SessionId::from_bytes([3; 16]);
    let mut full = cart();
    (0..160).for_each(|step: u64| {
        change(&mut full, step.wrapping_mul(0x9e37_79b9_7f4a_7c15), 2_000_000 + step * 60_000);
    });
    owe(&mut full);
    let mut ledger = Ledger::new(session);
    for n in 0..3 {
        let answer = LedgerAnswer {
            status: 200 + u16::from(n),
            code: (n == 1).then(|| "too_many_lines".into()),
            about: (n == 2).then_some([9; 16]),
        };
        ledger.keep(LedgerEntry {
            key: [n; 16],
            request: [n + 1; 16],
            at: Timestamp::from_ms(u64::from(n)),
            answer,
        });
    }
    let visit = Session {
        id: session,
        version: 300,
        tokens: TokenChain::new(digest(4), Timestamp::from_ms(1_700_000_000_000)),
        transport: Transport::Bearer,
        cart: Some(CartId::from_bytes([5; 16])),
        created_at: Timestamp::from_ms(1_700_000_000_000),
        last_seen: Timestamp::from_ms(1_700_000_060_000),
        presented: true,
        began_with_cart: true,
        sign_in: None,
    };
    let account = AccountId::from_bytes([6; 16]);
    let sign_in = SignIn { account, at: Timestamp::from_ms(1_700_000_030_000), device: device() };
    let signed_in = Session { tokens: renewed(), sign_in: Some(sign_in.into()), ..visit.clone() };
    let retired_at = Some(Timestamp::from_ms(1_700_000_090_000));
    let series = SeriesId::from_bytes([7; 16]);
    let mut samples = vec![
        ("cart", record(&full)),
        ("session", Record::Session(Arc::new(visit))),
        ("session-signed-in", Record::Session(Arc::new(signed_in))),
        ("token", Record::Token(Arc::new(Token { digest: digest(4), session, retired_at: None }))),
        ("token-retired", Record::Token(Arc::new(Token { digest: digest(4), session, retired_at }))),
        ("account-sessions", Record::AccountSessions(Arc::new(account_sessions(account, session, series)))),
        ("remember", Record::Remember(Arc::new(Remember { digest: digest(4), account, series }))),
        ("ledger", Record::Ledger(Arc::new(ledger))),
        ("clock", Record::from(Clock { version: 2, ahead_ms: 86_400_000 })),
        ("api-key", Record::ApiKey(Arc::new(api_key()))),
    ];
    samples.extend(of_accounts());
    samples.extend(of_orders(session));
    samples
}

/// What a cart keeps of leftovers, and tells of them.
fn owe(cart: &mut Cart) {
    let named = |n: u8, from: LeftoverFrom| LeftoverRef {
        id: LeftoverId::from_bytes([n; 16]),
        from,
        revision: u64::from(n) * 100,
        followed: n == 2,
    };
    let merge = named(1, LeftoverFrom::Merge(CartId::from_bytes([5; 16])));
    let cancel = named(2, LeftoverFrom::Cancel(OrderId::from_bytes([8; 16])));
    let late = named(3, LeftoverFrom::Late(cart.id));
    cart.leftovers = vec![merge, cancel, late];
    let newest = cart.ring.back_mut().unwrap();
    Arc::make_mut(newest).leftover = Some(Box::new(merge));
    cart.notices = vec![
        Notice {
            code: NoticeCode::QuantityClamped,
            line: Some(item(1).line_id()),
            lines: 1,
            units: Some(Units { brought: 1_000_000, went_in: 9_999, saved: 300 }),
            leftover: None,
        },
        Notice {
            code: NoticeCode::LinesLeftOver,
            line: None,
            lines: 300,
            units: None,
            leftover: Some(merge.id),
        },
    ];
}

/// An order with and without prices, and a session's data.
fn of_orders(session: SessionId) -> [(&'static str, Record); 5] {
    let item =
        |sku: &str, size: &str| Arc::new(Item::new(sku, vec![("size".to_owned(), size.to_owned())]).unwrap());
    let euros = |amount| Some(Money { amount, currency: Currency::parse("EUR").unwrap() });
    let order = Order {
        id: OrderId::from_bytes([8; 16]),
        version: 2,
        cart: CartId::from_bytes([5; 16]),
        session,
        generation: 3,
        revision: 400,
        created_at: Timestamp::from_ms(1_700_000_000_000),
        lines: vec![
            OrderLine {
                item: item("tee", "L"),
                quantity: 2,
                title: Some("A tee".into()),
                unit_price: euros(1_299),
                line_total: euros(2_598),
            },
            OrderLine {
                item: item("mug", ""),
                quantity: 9_999,
                title: None,
                unit_price: None,
                line_total: None,
            },
        ],
        subtotal: euros(2_598),
        cancelled_at: Some(Timestamp::from_ms(1_700_000_060_000)),
        owed: true,
    };
    let (into, oldest) = (CartId::from_bytes([9; 16]), OrderId::from_bytes([7; 16]));
    let link = SealingLink::new(into, order.cart);
    let data = Data { session, version: 7, json: r#"{"seen":["mug"],"theme":"dark"}"#.into() };
    [
        ("order-link", Record::from(order.link())),
        ("sealing", Record::from(Sealing { from: order.cart, version: 2, into })),
        ("sealing-link", Record::from(SealedOrders { link, newest: order.id, oldest })),
        ("order", Record::Order(Arc::new(order))),
        ("data", Record::Data(Arc::new(data))),
    ]
}

/// What is kept of an account, each with everything that it can hold.
fn of_accounts() -> [(&'static str, Record); 5] {
    let id = AccountId::from_bytes([6; 16]);
    let at = Timestamp::from_ms(1_700_000_000_000);
    let row = AuditEntry::new(at, EventKind::SignInFailed).within(SessionId::from_bytes([3; 16]));
    let row = row.from(Some("2001:db8::1"), Some("Firefox on Linux"));
    let mut trail = Trail::new(id);
    trail.note(row.clone());
    trail.note(AuditEntry::new(at, EventKind::CartsMerged));
    let email = Email::parse("Ann@example.com").unwrap();
    let digest = TokenDigest::from_bytes([8; 32]);
    let account = Account {
        id,
        version: 300,
        shop_id: Some("customer-42".into()),
        email: Some(email.clone()),
        password: Some(PasswordHash::kept("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".into())),
        cart: CartId::from_bytes([5; 16]),
        reset: Some(digest),
        created_at: at,
        password_at: at,
    };
    let event = AuditEvent { id: EventId::from_bytes([7; 16]), version: 1, account: Some(id), row };
    let owner = EmailOwner { digest: email.digest(), account: id };
    [
        ("audit", Record::Audit(Arc::new(event))),
        ("trail", Record::Trail(Arc::new(trail))),
        ("account", Record::Account(Arc::new(account))),
        ("email", Record::from(owner)),
        ("reset", Record::Reset(Arc::new(ResetToken { digest, account: id, expires_at: at }))),
    ]
}

fn digest(n: u8) -> TokenDigest {
    TokenDigest::from_bytes([n; 32])
}

fn device() -> Device {
    Device { name: "Firefox on Linux".into(), address: "2001:db8::7".into() }
}

/// A chain with a token behind and one before the present one.
fn renewed() -> TokenChain {
    let mut chain = TokenChain::new(digest(1), Timestamp::from_ms(1_700_000_000_000));
    chain.hand_out(Successor { digest: digest(2), key: KeyId::from_bytes([8; 8]) });
    chain.advance(Timestamp::from_ms(1_700_003_600_000));
    chain.hand_out(Successor { digest: digest(3), key: KeyId::from_bytes([9; 8]) });
    chain
}

fn account_sessions(account: AccountId, session: SessionId, series: SeriesId) -> AccountSessions {
    let at = Timestamp::from_ms(1_700_000_030_000);
    let mut sessions = AccountSessions::new(account);
    sessions.leave_all();
    sessions.enter(SignedIn { session, signed_in_at: at }, 1, 20).unwrap();
    sessions.note_device(digest(5), at);
    let remembered = Series {
        id: series,
        session: Some(session),
        tokens: renewed(),
        uses: 3,
        made_by: Some(KeyId::from_bytes([8; 8])),
        expires_at: Timestamp::from_ms(1_702_592_030_000),
        device: device(),
        first_seen: at,
        last_seen: Timestamp::from_ms(1_700_003_600_000),
    };
    let forgotten =
        Series { id: SeriesId::from_bytes([8; 16]), session: None, made_by: None, ..remembered.clone() };
    sessions.remember(remembered, 20);
    sessions.remember(forgotten, 20);
    sessions
}

fn api_key() -> ApiKey {
    ApiKey {
        digest: TokenDigest::from_bytes([6; 32]),
        id: ApiKeyId::from_bytes([7; 16]),
        name: "the warehouse".into(),
        scopes: Scope::ALL.to_vec(),
        created_at: Timestamp::from_ms(1_700_000_000_000),
    }
}

/// What stands in `tests/golden`, as bytes. Written anew only where GOLDEN_NEW is set: for a new format, beside the old.
fn kept(name: &str, bytes: &[u8]) -> Vec<u8> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{FORMAT}-{name}.hex"));
    if std::env::var_os("GOLDEN_NEW").is_some() {
        let lines: Vec<String> =
            bytes.chunks(60).map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect()).collect();
        std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    }
    let text: String = std::fs::read_to_string(&file).unwrap().split_whitespace().collect();
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

#[test]
fn images_are_written_and_read_as_ever() {
    for (name, sample) in samples() {
        let image = encode(&sample);
        let kept = kept(name, &image);
        assert_eq!(decode(sample.key(), &kept), Ok(sample), "{name}: what a release wrote must be read");
        assert!(
            kept == image,
            "{name} is written in another form: give it a new format number (record/mod.rs says how)"
        );
    }
}

#[test]
fn deltas_are_written_and_read_as_ever() {
    for (name, after) in samples() {
        let before = match &after {
            Record::Cart(_) => record(&cart()),
            Record::Ledger(ledger) => Record::Ledger(Arc::new(Ledger::new(ledger.session))),
            _ => continue,
        };
        let made = delta(&before, &after).unwrap();
        let kept = kept(&format!("{name}-delta"), &made);
        assert_eq!(apply(&before, &kept), Ok(after), "{name}: what a release wrote must be read");
        assert!(kept == made, "a delta of a {name} is written in another form: give it a new format number");
    }
}
