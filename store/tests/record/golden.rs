//! The bytes of every format that was released, as they were: today's code reads them, and writes the newest just so.

use std::path::Path;
use std::sync::Arc;

use trolley_core::ids::{CartId, SessionId, TokenDigest};
use trolley_core::ledger::{Answer, Entry, Ledger};
use trolley_core::session::{Session, Transport};
use trolley_core::time::Timestamp;
use trolley_store::kind::{Clock, Record, Token};
use trolley_store::record::{apply, decode, delta, encode};

use crate::history::{cart, change, record};

/// One record of each kind, the cart with everything that a cart can hold.
pub(crate) fn samples() -> Vec<(&'static str, Record)> {
    let session = SessionId::from_bytes([3; 16]);
    let mut full = cart();
    (0..160).for_each(|step: u64| {
        change(&mut full, step.wrapping_mul(0x9e37_79b9_7f4a_7c15), 2_000_000 + step * 60_000);
    });
    let mut ledger = Ledger::new(session);
    for n in 0..3 {
        let answer = Answer {
            status: 200 + u16::from(n),
            code: (n == 1).then(|| "too_many_lines".into()),
            about: (n == 2).then_some([9; 16]),
        };
        ledger.keep(Entry {
            key: [n; 16],
            request: [n + 1; 16],
            at: Timestamp::from_ms(u64::from(n)),
            answer,
        });
    }
    let visit = Session {
        id: session,
        version: 300,
        token: TokenDigest::from_bytes([4; 32]),
        transport: Transport::Bearer,
        cart: Some(CartId::from_bytes([5; 16])),
        created_at: Timestamp::from_ms(1_700_000_000_000),
        last_seen: Timestamp::from_ms(1_700_000_060_000),
        presented: true,
    };
    vec![
        ("cart", record(&full)),
        ("session", Record::Session(Arc::new(visit))),
        ("token", Record::Token(Arc::new(Token { digest: TokenDigest::from_bytes([4; 32]), session }))),
        ("ledger", Record::Ledger(Arc::new(ledger))),
        ("clock", Record::Clock(Clock { version: 2, ahead_ms: 86_400_000 })),
    ]
}

/// What stands in `tests/golden`, as bytes. Written anew only where GOLDEN_NEW is set: for a new format, beside the old.
fn kept(name: &str, bytes: &[u8]) -> Vec<u8> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("1-{name}.hex"));
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
