//! Fills a store with guests, so that speed is measured with a million carts at rest.
//!
//! `cargo run --release -p trolley-store --example fill -- DIR 1000000 cookies.txt` writes the tokens of 64 of them.

use std::sync::Arc;

use base64_url::encode;
use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::{Call, Intent, LineRef};
use trolley_core::cart::state::Cart;
use trolley_core::chain::Chain;
use trolley_core::ids::{CartId, SessionId, TokenDigest, uuid_v7};
use trolley_core::item::Item;
use trolley_core::session::{Policy, Session, Transport};
use trolley_core::time::Timestamp;
use trolley_store::kind::{Record, Token};
use trolley_store::port::Write;

/// Base64url without padding, as tokens are written.
mod base64_url {
    use base64::Engine as _;

    pub(super) fn encode(bytes: &[u8]) -> String {
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// How many guests are made in one commit.
const BATCH: usize = 200;
/// How many tokens are written down.
const TOLD: u64 = 64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder?")?;
    let count: u64 = arguments.next().ok_or("how many?")?.parse()?;
    let cookies = arguments.next().ok_or("where do the cookies go?")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(fill(&folder, count, &cookies))
}

async fn fill(folder: &str, count: u64, cookies: &str) -> Result<(), Box<dyn std::error::Error>> {
    let store = trolley_store::open::open(&format!("file:{folder}"), &Default::default(), Arc::new(|_| {}))?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis();
    let now = Timestamp::from_ms(u64::try_from(now)?);
    let mut tokens = String::new();
    let mut writes = Vec::new();
    for n in 0..count {
        let (token, records) = guest(n, now);
        // Spread over the whole store, not neighbours on one page.
        if n % (count / TOLD).max(1) == 0 {
            tokens.push_str(&token);
            tokens.push('\n');
        }
        writes.extend(records);
        if writes.len() >= BATCH * 3 || n + 1 == count {
            store.commit(std::mem::take(&mut writes)).await?;
        }
    }
    while store.upkeep().await? {}
    store.close().await?;
    std::fs::write(cookies, tokens)?;
    Ok(())
}

/// A guest with three lines in the cart.
fn guest(n: u64, now: Timestamp) -> (String, [Write; 3]) {
    let id = |kind: u8| {
        let mut random = [kind; 10];
        random[2..].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        uuid_v7(now, random)
    };
    let mut secret = [7; 32];
    secret[..8].copy_from_slice(&n.to_be_bytes());
    let token = encode(&secret);
    let digest = TokenDigest::from_bytes(sha256(token.as_bytes()));
    let (session, mut cart) = (SessionId::from_bytes(id(1)), Cart::new(CartId::from_bytes(id(2)), now));
    for (sku, quantity) in [("mug-blue", 2), ("notebook-a5", 1), ("lamp", 1)] {
        let item = Item::new(sku, vec![("size".into(), "one".into())]).expect("within the bounds");
        let intent = Intent::Add(LineRef::Item(Arc::new(item)), quantity);
        let call = Call { session, base: None, at: now, intent };
        cart.call(&call, &Limits::default()).expect("within the limits");
    }
    let record = Session {
        id: session,
        version: 1,
        tokens: Chain::new(digest, now),
        transport: Transport::Cookie,
        cart: Some(cart.id),
        created_at: now,
        last_seen: now,
        presented: true,
        sign_in: None,
    };
    let expires_at = Policy::default().swept_after(&record);
    let writes = [
        Write::create(Record::Token(Arc::new(Token { digest, session, retired_at: None })), None),
        Write::create(Record::Session(Arc::new(record)), Some(expires_at)),
        Write::create(Record::Cart(Arc::new(cart)), None),
    ];
    (token, writes)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}
